"""Rows of names among the listings: a header that stands there again, and the field names below those people read."""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

from curation.errors import ListingsError, some
from curation.listings.headers import likely
from curation.rendering.words import agree, many

__all__ = ["header_rows", "require_one_order", "said_of_headers"]

#: Names that make a row one of names; in another order, more of them.
_ENOUGH, _ORDERED = 2, 3
#: What may stand around a name that is repeated, and how much of it.
_AROUND, _MARKS = "\ufeff\"' \t\r\n\xa0", 12
_BEYOND_ASCII = r"[^\x00-\x7f]"
_FIELD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def header_rows(table: pd.DataFrame, names: Collection[str]) -> pd.Index:
    """Return the rows that name the columns, of which none is a listing.

    Those of files that were joined repeat the header, perhaps in other capitals, in quotes or behind a byte order mark.
    In Amazon's files, names of fields stand below the header.

    Parameters
    ----------
    table : DataFrame of str
        As the file has it; missing cells are NA.
    names : collection of str
        Likely names of columns, in lower case.

    Examples
    --------
    >>> rows = {"id": ["a", "id", "b"], "label": ["lamp", "label", "desk"]}
    >>> header_rows(pd.DataFrame(rows, dtype="string"), []).tolist()
    [1]
    """
    same, other = (pd.Series(0, table.index) for _ in range(2))
    for name, cells in table.items():
        equal = _is_called(cells, str(name))
        same += equal
        other += cells.notna() & ~equal
    repeated = (same >= _ENOUGH) & (other == 0)
    if len(table) and _names_fields(table.iloc[0], names):
        repeated.iloc[0] = True
    return table.index[repeated]


def require_one_order(table: pd.DataFrame) -> None:
    """Refuse rows that name columns, but others than those they stand in: what is below them is in another order.

    Parameters
    ----------
    table : DataFrame of str
        Without the rows of :func:`header_rows`.

    Raises
    ------
    ListingsError
    """
    names = {_bare(str(name)) for name in table}
    rows = table
    for name in table:
        cells = rows[name]
        rows = rows[cells.isna() | cells.str.strip(_AROUND).str.casefold().isin(names)]
    rows = rows[rows.notna().sum(axis=1) >= _ORDERED]
    rows = rows[[row.dropna().map(_bare).is_unique for _, row in rows.iterrows()]]
    if len(rows):
        first = rows.iloc[0].dropna().tolist()
        raise ListingsError(
            f"row {rows.index[0]} is a header with the columns in another order, so the rows below it are, too",
            got=some(first, 8),
            wanted=f"one order for all rows: {some([str(name) for name in table], 8)}",
            fix="Read the files one by one, or join them by the names of their columns, as pandas.concat does.",
        )


def _is_called(cells: pd.Series, name: str) -> pd.Series:
    """Return which cells are the name of their column."""
    wanted = _bare(name)
    # most cells are longer, and need no closer look
    short = cells[(cells.str.len() <= len(name) + _MARKS).fillna(False).astype(bool)]
    # nor do those that have nothing of it; a letter outside of ASCII may stand for one of it
    short = short[short.str.contains(wanted, case=False, regex=False) | short.str.contains(_BEYOND_ASCII)]
    return cells.isin([cell for cell in short.unique() if _bare(cell) == wanted])


def _bare(name: str) -> str:
    """Return a name without its case, and what stands around it."""
    return name.strip(_AROUND).casefold()


def _names_fields(row: pd.Series, names: Collection[str]) -> bool:
    cells = row.dropna().astype(str).tolist()
    fields = [cell for cell in cells if _FIELD.fullmatch(cell)]
    compound = sum("_" in cell for cell in fields)
    return len(fields) == len(cells) and likely(cells, names) >= _ENOUGH and 2 * compound > len(cells)


def said_of_headers(rows: pd.Index) -> tuple[str, ...]:
    """Say which rows name the columns, by their numbers."""
    if rows.empty:
        return ()
    count = len(rows)
    which = f"{many(count, 'row')} among the listings {agree(count, 'names', 'name')} the columns"
    return (f"{which} and {agree(count, 'is', 'are')} left out: row{agree(count, '', 's')} {some(rows, 5)}.",)
