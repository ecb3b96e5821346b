"""Files of probabilities: NumPy's, and tables of any form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from curation.evidence.given_files import check_file, read_npy, read_npz, read_table, told_in_one_line
from curation.evidence.given_tables import names_of
from curation.evidence.probability_lists import scores_of_json
from curation.evidence.probability_parts import PROBABILITIES, Parts, Wanted, of_frame
from training.utils.bounded import most_bytes
from training.utils.files import read_regular

__all__ = ["parts_of_file"]


def parts_of_file(path: Path, wanted: Wanted) -> Parts:
    """Read a file of probabilities.

    Parameters
    ----------
    path : Path
        ``.npz`` with ``probs``, ``id``, ``classes`` and, optionally, ``fold``; ``.npy`` with ``probs`` alone; or any
        table that :func:`curation.listings.tables.read_raw` knows, with a column ``id`` and one column per class.
    wanted : Wanted
        The listings and their labels.

    Raises
    ------
    ProbabilitiesError
        If the file can't be read, or lacks a part.
    """
    check_file(path, PROBABILITIES)
    with told_in_one_line(path, PROBABILITIES):
        suffix = path.suffix.lower()
        if suffix == ".npz":
            return _of_npz(path, wanted)
        if suffix == ".npy":
            loaded = read_npy(path, PROBABILITIES)
            if loaded.dtype.names:
                return of_frame(pd.DataFrame(loaded), wanted, path.name)
            return Parts(path.name, loaded)
        if suffix == ".json" and (scores := _scores_of(path)) is not None:
            return Parts(path.name, scores.to_numpy(dtype=np.float64), None, [str(label) for label in scores])
        table, notes = read_table(path, {"id", wanted.id_column.lower(), *(label.lower() for label in wanted.labels)})
        parts = of_frame(table, wanted, path.name)
        return replace(parts, notes=(*notes, *parts.notes))


def _scores_of(path: Path) -> pd.DataFrame | None:
    """Return lists of labels and scores, a list for each listing; None if the file holds anything else."""
    content = read_regular(path, most_bytes())
    return scores_of_json(content.decode("utf-8-sig", errors="replace")) if b'"score"' in content else None


def _of_npz(path: Path, wanted: Wanted) -> Parts:
    content = read_npz(path, PROBABILITIES, wanted.id_column)
    arrays = content.arrays
    fold = arrays.get("fold")
    return Parts(
        path.name,
        arrays["probs"],
        names_of(arrays["id"]),
        names_of(arrays["classes"]),
        None if fold is None else np.asarray(fold, dtype=np.float64),
        content.notes,
    )
