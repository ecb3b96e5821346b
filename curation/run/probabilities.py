"""Probabilities that carry their ids and classes, and the file that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.rendering.results import Result
from training.utils.array_files import open_arrays
from training.utils.arrays import Bool, Float64, Int64
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
    probs : ndarray of float64, shape (N, K)
        Rows sum to 1; a row of NaN is a listing that could not be scored.
    fold : ndarray of int64, shape (N,)
        Fold of the model that scored the listing; -1 where unknown.
    """

    ids: npt.NDArray[np.str_]
    classes: tuple[str, ...]
    probs: Float64
    fold: Int64

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        columns = pd.DataFrame(self.probs, columns=list(self.classes))
        return [("probs", pd.concat([pd.DataFrame({"id": self.ids, "fold": self.fold}), columns], axis=1))]

    def _facts(self) -> list[tuple[str, str]]:
        return [("listings", f"{len(self.ids):,}"), ("classes", f"{len(self.classes):,}")]

    def in_order(self, ids: Sequence[str], classes: Sequence[str]) -> Probabilities:
        """Return them with their rows in the order of `ids`, and their columns in that of `classes`."""
        rows = pd.Index(self.ids).get_indexer(pd.Index(ids))
        columns = pd.Index(self.classes).get_indexer(pd.Index(classes))
        return Probabilities(self.ids[rows], tuple(classes), self.probs[np.ix_(rows, columns)], self.fold[rows])

    @property
    def scored(self) -> Bool:
        """Which listings have probabilities, shape (N,)."""
        return np.asarray(np.isfinite(self.probs).all(axis=1))

    def save(self, path: Path) -> None:
        """Write id, classes, probs (float32) and fold as ``.npz``. It loads without pickle."""
        with whole_file(path) as temporary:
            np.savez_compressed(
                temporary,
                id=self.ids.astype(np.str_),
                classes=np.array(self.classes, dtype=np.str_),
                probs=self.probs.astype(np.float32),
                fold=self.fold,
            )

    @classmethod
    def load(cls, path: Path) -> Probabilities:
        """Read what :meth:`save` wrote."""
        with open_arrays(path) as content:
            return cls(
                content["id"],
                tuple(content["classes"].tolist()),
                content["probs"].astype(np.float64),
                content["fold"].astype(np.int64),
            )
