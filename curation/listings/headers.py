"""The row that names the columns, which may stand below a title."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

import pandas as pd

__all__ = [
    "LOOKED_AT",
    "NAMELESS",
    "NAMELESS_INDEX",
    "are_row_numbers",
    "header_place",
    "likely",
    "normal_name",
    "said_of_header",
]

#: What the first column is called where a file gives it no name, and a stored index of pandas in Parquet.
NAMELESS = "Unnamed: 0"
NAMELESS_INDEX = "__index_level_0__"

#: Rows that are looked at for the header.
LOOKED_AT = 20
#: Names in a row below the first that make it the header.
_ENOUGH = 2
_SHOWN = 60


def normal_name(name: str) -> str:
    """Return a name in lower case with underscores: ``itemID``, ``Item-ID`` and ``item id`` are ``item_id``."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[\W_]+", "_", apart).strip("_").lower()


def likely(row: Iterable[str], names: Collection[str]) -> int:
    """Return how many likely names of columns a row has.

    Parameters
    ----------
    row : iterable of str
        Its cells.
    names : collection of str
        The likely names, in lower case.
    """
    return len({name.strip().lower() for name in row} & set(names) | {normal_name(name) for name in row} & set(names))


def are_row_numbers(cells: pd.Series) -> bool:
    """Return whether cells only number the rows, from 0 or 1, in any order.

    Parameters
    ----------
    cells : Series of str
        A column.
    """
    numbers = set(cells.dropna())
    return any(numbers == set(map(str, range(first, first + len(cells)))) for first in (0, 1))


def header_place(rows: Sequence[tuple[int, int]]) -> int:
    """Return which row is the header: the first, or one with likely names if the first has none, or seems a title.

    A title may be a likely name itself, such as ``Price``: it has one at most, and fewer cells than the header.

    Parameters
    ----------
    rows : sequence of (int, int)
        How many likely names, and how many cells that are not empty, each of the first rows has; at least one row.

    Examples
    --------
    >>> header_place([(0, 1), (0, 2), (4, 5), (1, 5)]), header_place([(1, 5), (4, 5)]), header_place([(0, 1), (1, 3)])
    (2, 0, 0)
    >>> header_place([(1, 1), (4, 5)]), header_place([(2, 2), (4, 5)])
    (1, 0)
    """
    names, cells = rows[0]
    if names >= _ENOUGH:
        return 0
    wider = cells if names else 0
    return next((place for place, (more, filled) in enumerate(rows) if more >= _ENOUGH and filled > wider), 0)


def said_of_header(row: int, above: Iterable[str]) -> str:
    """Say in which row the header was found, and what stands above it.

    Parameters
    ----------
    row : int
        The row, counted from 1.
    above : iterable of str
        The cells above it.
    """
    text = " ".join(filter(None, (cell.strip() for cell in above)))
    return f"The header was found in row {row}, below {text[:_SHOWN]!r}."
