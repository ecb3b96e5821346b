"""True labels, for benchmarks: they score models, and find nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import InputError, closest, some
from curation.listings.columns import class_numbers
from curation.listings.meant import find_meant
from curation.listings.tables import read_raw
from curation.run.folder import RunFolder
from training.utils.arrays import Int64
from training.utils.files import require_regular

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
        A column of the dataset; or a table with ``id`` and ``true_label``, such as the demo's ``truth.csv``.

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
    given = table[name] if name in table else table["id"].map(_from_file(run, Path(name), table))
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


def _from_file(run: RunFolder, path: Path, listings: pd.DataFrame) -> dict[str, str]:
    columns, ids = list(listings.columns), listings["id"].tolist()
    id_column = run.record()["dataset"].get("columns", {}).get("id", "id")
    require_regular(path, "the true labels")
    if not path.is_file():
        raise InputError(
            "there are no such true labels",
            got=str(path),
            wanted=f"a column of the dataset, or a CSV with id and {_COLUMN}",
            fix=closest(str(path), columns),
        )
    try:
        table = read_raw(path, names={"id", id_column.lower(), _COLUMN}).table
    except (OSError, ValueError) as error:
        raise InputError(f"{path} can't be read as a table", got=str(error).splitlines()[0]) from error
    own = next((name for name in ("id", id_column) if name in table), "id")
    missing = [column for column in (own, _COLUMN) if column not in table]
    if missing:
        raise InputError(
            f"{path} has no column {missing[0]!r}",
            got=some(list(table.columns), 12),
            wanted=f"id and {_COLUMN}",
            fix=closest(missing[0], list(table.columns)),
        )
    table = table[table[own].notna()]
    repeated = table[own][table[own].duplicated()].unique().tolist()
    if repeated:
        raise InputError(f"{path} has repeated ids", got=some(repeated), wanted="one row per listing")
    # another program may have changed ids, e.g. taken 00001 for a number
    meant = find_meant(table[own], ids)
    if meant.doubtful:
        raise InputError(
            f"{path} has ids that fit several listings",
            got=meant.first_doubt(),
            wanted="ids as the run has them",
            fix=meant.advice("Keep them as text, e.g. with pd.read_csv(..., dtype=str)."),
        )
    return dict(zip(table[own].replace(meant.names), table[_COLUMN], strict=True))
