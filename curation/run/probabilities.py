"""Probabilities that carry their ids and classes, and the file that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.rendering.results import Result
from training.utils.array_files import Parts, open_arrays, write_arrays
from training.utils.arrays import Bool, Float32, Float64, Int64
from training.utils.blocks import finite_rows, row_blocks
from training.utils.files import whole_file

__all__ = ["Probabilities"]


@dataclass(frozen=True)
class Probabilities(Result):
    """Probabilities that carry their ids and classes.

    Attributes
    ----------
    ids : ndarray of str, shape (N,)
        Listings.
    classes : tuple of str, length K
        Names of the columns.
    probs : ndarray of float32 or float64, shape (N, K)
        Rows sum to 1; a row of NaN is a listing that could not be scored.
    fold : ndarray of int64, shape (N,)
        Fold of the model that scored the listing; -1 where unknown.
    """

    ids: npt.NDArray[np.str_]
    classes: tuple[str, ...]
    probs: Float32 | Float64
    fold: Int64

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        columns = pd.DataFrame(self.probs, columns=list(self.classes))
        return [("probs", pd.concat([pd.DataFrame({"id": self.ids, "fold": self.fold}), columns], axis=1))]

    def _facts(self) -> list[tuple[str, str]]:
        return [("listings", f"{len(self.ids):,}"), ("classes", f"{len(self.classes):,}")]

    def in_order(self, ids: Sequence[str], classes: Sequence[str]) -> Probabilities:
        """Return them with their rows in the order of `ids`, and their columns in that of `classes`."""
        if list(ids) == self.ids.tolist() and tuple(classes) == self.classes:
            # these arrays may be most of the memory
            return self
        rows = pd.Index(self.ids).get_indexer(pd.Index(ids))
        columns = pd.Index(self.classes).get_indexer(pd.Index(classes))
        return Probabilities(self.ids[rows], tuple(classes), self.probs[np.ix_(rows, columns)], self.fold[rows])

    @property
    def scored(self) -> Bool:
        """Which listings have probabilities, shape (N,)."""
        return finite_rows(self.probs)

    def save(self, path: Path, rows: Int64 | None = None) -> None:
        """Write id, classes, probs (float32) and fold as ``.npz``. It loads without pickle.

        Parameters
        ----------
        path : Path
            Where.
        rows : ndarray of int64, optional
            The rows that are written, in this order; by default all.
        """
        rows = np.arange(len(self.ids)) if rows is None else rows
        # a block at a time: all rows at once would take as much memory again
        blocks = (self.probs[rows[block]] for block in row_blocks(len(rows)))
        names = self.ids.astype(np.str_, copy=False)
        ids = (names[rows[block]] for block in row_blocks(len(rows)))
        with whole_file(path) as temporary:
            write_arrays(
                temporary,
                {
                    "id": Parts((len(rows),), names.dtype, ids),
                    "classes": np.array(self.classes, dtype=np.str_),
                    "probs": Parts((len(rows), len(self.classes)), np.float32, blocks),
                    "fold": self.fold[rows],
                },
            )

    @classmethod
    def load(cls, path: Path) -> Probabilities:
        """Read what :meth:`save` wrote."""
        with open_arrays(path) as content:
            return cls(
                content["id"],
                tuple(content["classes"].tolist()),
                content["probs"].astype(np.float32, copy=False),
                content["fold"].astype(np.int64),
            )
