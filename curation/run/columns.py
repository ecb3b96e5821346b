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
import pyarrow.compute as pc

from curation.errors import RunError
from curation.run.damaged import find_again, readable
from curation.run.flags import flags_by_kind
from curation.run.folder import RunFolder
from curation.run.shapes import ISSUES_COLUMNS, LISTINGS_COLUMNS
from training.utils.parquet_files import column_names, read_table

__all__ = ["SELLERS", "Listed", "read_issues", "rows_of"]

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
        self._names = self._table["id"].cast(pa.string()).combine_chunks()

    @cached_property
    def ids(self) -> list[str]:
        """The listings, in the order of the arrays."""
        ids: list[str] = self._names.to_pylist()
        return ids

    def rows(self, ids: Any) -> npt.NDArray[np.int64]:
        """Return the row of listings in the arrays; a dict of 1,000,000 takes half a second.

        Parameters
        ----------
        ids : pyarrow.Array of str
            The listings.

        Raises
        ------
        KeyError
            If there is no such listing.
        """
        rows = rows_of(ids, self._names)
        if len(rows) and rows.min() < 0:
            raise KeyError(ids[int(rows.argmin())].as_py())
        return rows

    @cached_property
    def unreadable(self) -> npt.NDArray[np.bool_]:
        """Which photos could not be read when the run was made, shape (N,)."""
        if "unreadable" not in self._table.column_names:
            return np.zeros(len(self._names), np.bool_)
        return np.asarray(self._table["unreadable"].is_valid(), dtype=np.bool_)

    def sellers(self) -> dict[str, str] | None:
        """Return the seller of each listing that has one; None if the run has no column of `SELLERS`."""
        if self._seller is None:
            return None
        sellers = self._table[self._seller].to_pylist()
        return {id: str(seller) for id, seller in zip(self.ids, sellers, strict=True) if seller is not None}

    def text(self, name: str, row: int) -> str | None:
        """Return a text of the listing in a row, ``title`` or ``sha256``; None where there is none."""
        if name not in self._table.column_names:
            return None
        text = self._table[name][row].as_py()
        return None if text is None else str(text)


def rows_of(ids: Any, among: Any) -> npt.NDArray[np.int64]:
    """Return the place of ids among others, -1 where they are not.

    Parameters
    ----------
    ids, among : pyarrow.Array of str
    """
    places = pc.index_in(ids, value_set=among).fill_null(-1)
    return np.asarray(places.to_numpy(zero_copy_only=False), dtype=np.int64)


def _columns(run: RunFolder, file: Path, needed: Collection[str]) -> list[str]:
    with readable(file):
        there = column_names(file)
    if missing := [name for name in needed if name not in there]:
        got = f"no column {' and no column '.join(missing)}"
        raise RunError(f"{file} is damaged", got=got, fix=find_again(run.folder, file.name))
    return there
