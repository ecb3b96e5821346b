"""Columns of a run's tables, read by Arrow and not made into rows.

A table of pandas holds a Python object for each text, which takes seconds and gigabytes for 200,000 listings.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.errors import RunError
from curation.run.damaged import find_again, readable
from curation.run.flags import flags_by_kind
from curation.run.folder import RunFolder
from curation.run.shapes import ISSUES_COLUMNS, LISTINGS_COLUMNS
from training.utils.parquet_files import column_names, read_table

__all__ = ["SELLERS", "Listed", "read_issues"]

#: Columns of the listings that name their seller, if a run has one: the first that is there.
SELLERS = ("seller", "seller_id", "user", "user_id")


def read_issues(run: RunFolder, names: Collection[str], *, flags: bool) -> Any:
    """Read columns of ``issues.parquet``, the most urgent listing first.

    Parameters
    ----------
    run : RunFolder
        A finished one.
    names : collection of str
        The columns; those that the file lacks are left out.
    flags : bool
        Whether the columns with the flags of each kind come as well.

    Returns
    -------
    pyarrow.Table
        Its ``id`` is text.

    Raises
    ------
    RunError
        If the file is damaged.
    """
    there = _columns(run, run.issues_file, ISSUES_COLUMNS)
    wanted = {"id", *names, *(flags_by_kind(there).values() if flags else ())}
    priority = ["priority"] if "priority" in there else []
    with readable(run.issues_file):
        table = read_table(run.issues_file, [name for name in there if name in wanted or name in priority])
    if priority:
        order = np.argsort(np.asarray(table["priority"].to_numpy()), kind="stable")
        table = table.take(order)
    table = table.combine_chunks()
    return table.set_column(table.column_names.index("id"), "id", table["id"].cast(pa.string()))


class Listed:
    """The listings of a run, in the order of the arrays below ``training/``.

    Parameters
    ----------
    run : RunFolder
        A finished one.

    Attributes
    ----------
    ids : list of str
    row : dict of str to int
        The row of each listing in those arrays.
    """

    def __init__(self, run: RunFolder) -> None:
        there = _columns(run, run.listings_file, LISTINGS_COLUMNS)
        self._seller = next((name for name in SELLERS if name in there), None)
        names = ("id", "title", "sha256", "unreadable", "training_row", self._seller)
        wanted = [name for name in names if name is not None and name in there]
        with readable(run.listings_file):
            table = read_table(run.listings_file, wanted)
        if "training_row" in wanted:
            table = table.take(np.argsort(np.asarray(table["training_row"].to_numpy()), kind="stable"))
        self._table = table.combine_chunks()
        self.ids: list[str] = self._table["id"].cast(pa.string()).to_pylist()
        self.row = {id: row for row, id in enumerate(self.ids)}

    @cached_property
    def unreadable(self) -> npt.NDArray[np.bool_]:
        """Which photos could not be read when the run was made, shape (N,)."""
        if "unreadable" not in self._table.column_names:
            return np.zeros(len(self.ids), np.bool_)
        return np.asarray(self._table["unreadable"].is_valid(), dtype=np.bool_)

    def sellers(self) -> dict[str, str] | None:
        """Return the seller of each listing that has one; None if the run has no column of `SELLERS`."""
        if self._seller is None:
            return None
        sellers = self._table[self._seller].to_pylist()
        return {id: str(seller) for id, seller in zip(self.ids, sellers, strict=True) if seller is not None}

    def text(self, name: str, id: str) -> str | None:
        """Return a text of a listing, ``title`` or ``sha256``; None where there is none."""
        if name not in self._table.column_names:
            return None
        text = self._table[name][self.row[id]].as_py()
        return None if text is None else str(text)


def _columns(run: RunFolder, file: Path, needed: Collection[str]) -> list[str]:
    with readable(file):
        there = column_names(file)
    if missing := [name for name in needed if name not in there]:
        got = f"no column {' and no column '.join(missing)}"
        raise RunError(f"{file} is damaged", got=got, fix=find_again(run.folder, file.name))
    return there
