"""What a sheet says of its cells beside their values: which are merged, and which formulas have no stored value."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from curation.rendering.words import agree, many

__all__ = ["ELEMENT", "Block", "Marks", "marks_of", "place_of", "rows_of_columns", "said_of_merged", "spread"]

#: First row, first column, last row, last column, counted from 1.
Block = tuple[int, int, int, int]
#: Nothing is looked for beyond the next sign of an element: a comment may hold a million beginnings of cells.
#: The names of elements may begin with that of their namespace.
ELEMENT = rb"(?:\w+:)?"
_MERGED = re.compile(rb"<%smergeCell\s[^<>]*?ref=[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']" % ELEMENT)
_BARE = re.compile(
    rb"<%(n)sc\s([^<>]*)>\s*<%(n)sf\b(?:[^<>]*/>|[^<>]*>[^<]*</%(n)sf>)\s*"
    rb"(?:<%(n)sv\s*/>|<%(n)sv>\s*</%(n)sv>)?\s*</%(n)sc>" % {b"n": ELEMENT}
)
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})(\d{1,7})[\"']")
#: A formula whose value is a text, perhaps an empty one.
_TEXT = re.compile(rb"\bt=[\"']str[\"']")


@dataclass(frozen=True)
class Marks:
    """What a sheet says of its cells.

    Attributes
    ----------
    merged : tuple of Block
        Blocks of merged cells; the first cell of each has its value.
    uncalculated : tuple of (int, int)
        Row and column of formulas whose value was never stored: no spreadsheet has calculated them.
    """

    merged: tuple[Block, ...]
    uncalculated: tuple[tuple[int, int], ...]


def marks_of(xml: bytes) -> Marks:
    """Return what the file of a sheet says of its cells.

    Parameters
    ----------
    xml : bytes
        The whole file.

    Examples
    --------
    >>> marks_of(b'<c r="B2"><f>A1*2</f><v/></c><c r="B3"><f>A1</f><v>4</v></c><mergeCell ref="C2:C4"/>')
    Marks(merged=((2, 3, 4, 3),), uncalculated=((2, 2),))
    """
    merged = tuple(
        (int(first), _column(left), int(last), _column(right)) for left, first, right, last in _MERGED.findall(xml)
    )
    bare = (place_of(cell) for cell in _BARE.findall(xml) if not _TEXT.search(cell))
    return Marks(merged, tuple(filter(None, bare)))


def place_of(attributes: bytes) -> tuple[int, int] | None:
    """Return row and column of a cell, counted from 1; None if it does not say where it is.

    Parameters
    ----------
    attributes : bytes
        Those of its element in the file of a sheet.

    Examples
    --------
    >>> place_of(b'r="AB12" s="4"')
    (12, 28)
    """
    place = _PLACE.search(attributes)
    return (int(place[2]), _column(place[1])) if place else None


def _column(letters: bytes) -> int:
    from openpyxl.utils import column_index_from_string

    return int(column_index_from_string(letters.decode()))


def rows_of_columns(
    cells: Iterable[tuple[int, int]], keys: Sequence[str], table: pd.DataFrame
) -> dict[str, Sequence[int]]:
    """Return the rows of a table whose cell is a formula without a value, for each column that has any.

    Parameters
    ----------
    cells : iterable of (int, int)
        Row and column of such formulas in the sheet, counted from 1.
    keys : sequence of str
        Names of the sheet's columns.
    table : DataFrame
        The table. A row of such formulas alone, such as one of totals, is not in it.
    """
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, column in cells:
        if keys[column - 1] in table and row in table.index:
            rows[keys[column - 1]].append(row)
    return dict(rows)


def spread(rows: MutableSequence[list[Any]], merged: Iterable[Block], header: int, empty: Any) -> list[tuple[int, int]]:
    """Give cells that are merged with those above the value that a person sees there, in rows that hold anything.

    Parameters
    ----------
    rows : sequence of list
        The sheet, row by row; changed in place.
    merged : iterable of Block
        The blocks. Only those below the header count, and of each its first column.
    header : int
        The row that names the columns, counted from 1.
    empty : object
        What an empty cell is.

    Returns
    -------
    list of (int, int)
        Row and column of the cells that got a value.

    Examples
    --------
    >>> rows = [["id", "label"], ["a", "lamp"], ["b"], [], ["c"]]
    >>> spread(rows, [(2, 2, 5, 2)], 1, None), rows
    ([(3, 2), (5, 2)], [['id', 'label'], ['a', 'lamp'], ['b', 'lamp'], [], ['c', 'lamp']])
    """
    given = []
    # blocks of a sound sheet don't overlap; of another one, no cell is visited twice
    done: dict[int, int] = {}
    for first, column, last, _ in sorted(merged):
        if first <= header or first > len(rows) or len(rows[first - 1]) < column:
            continue
        value = rows[first - 1][column - 1]
        for number in range(max(first, done.get(column, 0)) + 1, min(last, len(rows)) + 1):
            row = rows[number - 1]
            if value is not empty and any(cell is not empty for cell in row):
                row += [empty] * (column - len(row))
                row[column - 1] = value
                given.append((number, column))
        done[column] = max(last, done.get(column, 0))
    return given


def said_of_merged(file: str, count: int) -> tuple[str, ...]:
    """Say how many cells have the value of the one that they are merged with.

    Parameters
    ----------
    file : str
        Name of the workbook.
    count : int
        How many.
    """
    if not count:
        return ()
    has = agree(count, "is merged with the one above, and has its", "are merged with those above, and have their")
    return (f"{file}: {many(count, 'cell')} {has} value{agree(count, '', 's')}.",)
