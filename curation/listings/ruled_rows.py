"""Rows that are only lines between others, as psql, MySQL and Markdown draw them."""

from __future__ import annotations

import re

import pandas as pd

from curation.errors import some
from curation.rendering.words import agree, many

__all__ = ["ruled_rows", "said_of_ruled"]

#: What none of these signs is, and nearly every cell has.
_TEXT = "[0-9A-Za-z]"
_SIGNS = re.compile(r"[-=_+:|*~#\s\u2010-\u2015\u2212\u2500-\u257f]+")
#: Signs that a cell of a line has at least, unless the whole row is filled with them.
_LONG = 3


def ruled_rows(table: pd.DataFrame) -> pd.Index:
    """Return the rows whose filled cells have nothing but signs that lines are drawn with.

    One of them must have three signs at least, or all cells of the row must be filled.

    Parameters
    ----------
    table : DataFrame of str
        As the file has it; missing cells are NA.

    Examples
    --------
    >>> rows = {"id": ["-----", "1"], "label": [":---:", "lamp"]}
    >>> ruled_rows(pd.DataFrame(rows, dtype="string")).tolist()
    [0]
    """
    filled, other, long = (pd.Series(0, table.index) for _ in range(3))
    for _, cells in table.items():
        unusual = cells[~cells.str.contains(_TEXT).fillna(True).astype(bool)]
        drawn = cells.isin([cell for cell in unusual.unique() if _SIGNS.fullmatch(str(cell))])
        filled += cells.notna()
        other += cells.notna() & ~drawn
        long += drawn & (cells.str.len() >= _LONG).fillna(False).astype(bool)
    several = (filled == table.shape[1]) & (filled > 1)
    return table.index[(filled > 0) & (other == 0) & ((long > 0) | several)]


def said_of_ruled(rows: pd.Index) -> tuple[str, ...]:
    """Say which rows are lines, by their numbers."""
    if rows.empty:
        return ()
    count = len(rows)
    which = f"{many(count, 'row')} {agree(count, 'is only a line', 'are only lines')} between others and left out"
    return (f"{which}: row{agree(count, '', 's')} {some(rows, 5)}.",)
