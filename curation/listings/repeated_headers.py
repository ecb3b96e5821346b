"""Rows of names among the listings: a header that stands there again, and the field names below those people read."""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

from curation.errors import some
from curation.listings.headers import likely
from curation.rendering.words import agree, many

__all__ = ["header_rows", "said_of_headers"]

#: Names that make a row one of names.
_ENOUGH = 2
_FIELD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def header_rows(table: pd.DataFrame, names: Collection[str]) -> pd.Index:
    """Return the rows that name the columns, of which none is a listing.

    Those of files that were joined repeat the header. In Amazon's files, names of fields stand below the header.

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
        equal = (cells == name).fillna(False).astype(bool)
        same += equal
        other += cells.notna() & ~equal
    repeated = (same >= _ENOUGH) & (other == 0)
    if len(table) and _names_fields(table.iloc[0], names):
        repeated.iloc[0] = True
    return table.index[repeated]


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
