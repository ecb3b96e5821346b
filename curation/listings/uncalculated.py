"""Formulas of a workbook that no spreadsheet has calculated, so that their cells have no value to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from curation.errors import ListingsError, some
from curation.listings.faults import Faults
from curation.listings.limits import Limits
from curation.listings.sources import COLUMNS
from curation.rendering.words import agree, many

__all__ = ["check_calculated"]

_FIX = "Open the workbook in Excel or LibreOffice, and save it there."


def check_calculated(
    cells: Mapping[str, Collection[int]],
    columns: Mapping[str, str],
    needed: Collection[str],
    *,
    rows: int,
    limits: Limits,
    title: str,
    faults: Faults,
) -> tuple[str, ...]:
    """Say how many formulas of the columns that are used have no value; refuse too many where one is needed.

    Parameters
    ----------
    cells : mapping of str to collection of int
        Column of the table → the rows whose cell is such a formula.
    columns : mapping of str to str
        Our column name → the table's own, where they differ.
    needed : collection of str
        Columns of ours that must be there.
    rows : int
        How many rows the table has.
    limits : Limits
        How many of them may be bad.
    title : str
        What the table is called.
    faults : Faults
        Takes the fault.

    Returns
    -------
    tuple of str
        At most one sentence.
    """
    used = {ours: columns.get(ours, ours) for ours in COLUMNS}
    bare = {ours: len(cells[name]) for ours, name in used.items() if name in cells}
    for ours in needed:
        if not limits.allow(count := bare.get(ours, 0), rows):
            faults.add(
                ListingsError(
                    f"{title}: {count:,} of {many(rows, 'cell')} of the column {used[ours]!r} "
                    f"{agree(count, 'is a formula', 'are formulas')} without a stored value",
                    got="a workbook that a program wrote, and no spreadsheet has calculated",
                    wanted=f"the values beside the formulas, for the {ours} of each listing",
                    fix=_FIX,
                )
            )
    if not bare:
        return ()
    counts = some((f"{many(count, 'cell')} of {used[ours]!r}" for ours, count in bare.items()), len(bare))
    are = agree(sum(bare.values()), "is a formula", "are formulas")
    return (f"{title}: {counts} {are} without a stored value, and read as empty. {_FIX}",)
