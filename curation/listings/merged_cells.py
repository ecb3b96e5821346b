"""Merged cells of a workbook while its rows change: a block stays as long as all its rows say the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

from curation.listings.shifted_rows import Shift

__all__ = ["follow_merged", "settle_merged"]


def settle_merged(
    page: Any,
    header: int,
    rows: Mapping[int, Sequence[Any]],
    before: Callable[[int, int], Any],
    write: Callable[[Any, Any], None],
) -> int:
    """Give blocks of merged cells below the header their new value; dissolve those whose rows no longer say the same.

    Parameters
    ----------
    page : openpyxl worksheet
        The sheet, changed in place. Each cell of a dissolved block has the value of before.
    header : int
        The row that names the columns.
    rows : mapping of int to sequence
        Row of the sheet → the new values of its cells.
    before : callable
        Row, column → the value that the cell had, which is that of its block.
    write : callable
        Puts a value into a cell.

    Returns
    -------
    int
        How many blocks were dissolved.
    """
    dissolved = 0
    for block in list(page.merged_cells.ranges):
        first, column = block.min_row, block.min_col
        if first <= header or first == block.max_row:
            continue
        held = [row for row in range(first, block.max_row + 1) if row in rows and column <= len(rows[row])]
        new = [rows[row][column - 1] for row in held]
        top = page.cell(first, column)
        if all(each == new[0] for each in new[1:]):
            if new and new[0] != before(held[0], column):
                write(top, new[0])
            continue
        dissolved += 1
        page.unmerge_cells(str(block))
        for row in range(first + 1, block.max_row + 1):
            cell = page.cell(row, column)
            cell._style = copy(top._style)
            if row in rows:
                write(cell, before(row, column))
    return dissolved


def follow_merged(page: Any, shift: Shift) -> None:
    """Let merged cells follow their rows, before these are removed: the value goes to the first row that is left.

    Parameters
    ----------
    page : openpyxl worksheet
        The sheet, changed in place; its cells are still where they were.
    shift : Shift
        The rows that go.
    """
    left = []
    for block in list(page.merged_cells.ranges):
        if shift.stays(block.min_col):
            left.append(block)
            continue
        span = shift.span(block.min_row, block.max_row)
        if span is None:
            continue
        first = next(row for row in range(block.min_row, block.max_row + 1) if shift.row(row) is not None)
        if first != block.min_row:
            top = page._cells.pop((block.min_row, block.min_col))
            top.row = first
            page._cells[first, block.min_col] = top
        block.min_row, block.max_row = span
        # one cell is no block: Excel calls a file with such a one damaged
        if block.size["rows"] > 1 or block.size["columns"] > 1:
            left.append(block)
    page.merged_cells.ranges = set(left)
