"""True labels, for benchmarks: they score models, and find nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import InputError, closest, some
from curation.listings.columns import class_numbers
from curation.run.folder import RunFolder
from training.utils.arrays import Int64

__all__ = ["NO_CLASS", "read_truth"]

#: Of a listing whose true label is none of the classes.
NO_CLASS = -2
_COLUMN = "true_label"


def read_truth(run: RunFolder, name: str) -> Int64:
    """Read the true labels from a column of the dataset, or from a CSV beside it.

    Parameters
    ----------
    run : RunFolder
        Finished.
    name : str
        A column of the dataset; or a CSV with ``id`` and ``true_label``, such as the demo's ``truth.csv``.

    Returns
    -------
    ndarray of int64, shape (N,)
        Class numbers, in the order of `RunFolder.training_table`; -1 where unknown, `NO_CLASS` where it is none of the
        classes.

    Raises
    ------
    InputError
        If there is neither, or no listing's true label is a class.
    """
    table = run.training_table()
    given = table[name] if name in table else table["id"].map(_from_file(Path(name), list(table.columns)))
    true = given.astype("string").str.strip()
    numbers = class_numbers(true.where(true.isin(run.classes)), run.classes)
    has_truth = (true.notna() & (true != "")).to_numpy(dtype=bool)
    labels = np.where(has_truth & (numbers < 0), NO_CLASS, numbers)
    if not (labels >= 0).any():
        raise InputError(
            f"{name} has no true label that is a class",
            got=some(given.dropna().astype(str).unique().tolist()) or "nothing",
            wanted=f"classes of the run: {some(run.classes)}",
        )
    return np.asarray(labels, dtype=np.int64)


def _from_file(path: Path, columns: list[str]) -> dict[str, str]:
    if not path.is_file():
        raise InputError(
            "there are no such true labels",
            got=str(path),
            wanted=f"a column of the dataset, or a CSV with id and {_COLUMN}",
            fix=closest(str(path), columns),
        )
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} can't be read as CSV", got=str(error).splitlines()[0]) from error
    missing = [column for column in ("id", _COLUMN) if column not in table]
    if missing:
        raise InputError(
            f"{path} has no column {missing[0]!r}",
            got=some(list(table.columns), 12),
            wanted=f"id and {_COLUMN}",
            fix=closest(missing[0], list(table.columns)),
        )
    repeated = table["id"][table["id"].duplicated()].unique().tolist()
    if repeated:
        raise InputError(f"{path} has repeated ids", got=some(repeated), wanted="one row per listing")
    return dict(zip(table["id"], table[_COLUMN], strict=True))
