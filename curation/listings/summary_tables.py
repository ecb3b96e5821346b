"""A small table below the listings, such as the number of listings of each class: its rows are no listings."""

from __future__ import annotations

import pandas as pd

from curation.errors import some
from curation.listings.price_cells import parse_price
from curation.listings.recognise import names_photo
from curation.listings.totals import columns_of_text
from curation.rendering.words import many

__all__ = ["find_summary", "said_of_summary"]

#: Cells of its header, rows of such a table, and texts of a listing that all its rows lack.
_LEAST, _MOST, _LACKING = 2, 100, 2


def find_summary(table: pd.DataFrame) -> pd.Index:
    """Return the rows of a table below the listings, if there is one.

    It stands below an empty row, and begins with a header of its own: texts in two columns or more, but fewer than the
    listings have. Its other rows fill no other columns. All lack two texts that the listings have; or one, if its
    numbers stand where the listings have texts.

    Parameters
    ----------
    table : DataFrame of str
        As the file has it, with the numbers of the rows; missing cells are NA.

    Examples
    --------
    >>> rows = [["a", "1.jpg", "lamp", "x"], ["b", "2.jpg", "desk", "y"], ["Class", "Count", None, None]]
    >>> rows += [["lamp", "1", None, None]]
    >>> find_summary(pd.DataFrame(rows, index=[2, 3, 5, 6])).tolist()
    [5, 6]
    """
    none = table.index[:0]
    if len(table) < _LEAST or not pd.api.types.is_integer_dtype(table.index):
        return none
    numbers = table.index.to_numpy()
    gaps = (numbers[1:] - numbers[:-1] > 1).nonzero()[0] + 1
    if not len(gaps) or len(table) - gaps[-1] > min(_MOST, gaps[-1]):
        return none
    above, below = table.iloc[: gaps[-1]], table.iloc[gaps[-1] :]
    return below.index if _is_summary(below, columns_of_text(above.tail(1000)), table.shape[1]) else none


def _is_summary(block: pd.DataFrame, texts: list[str], width: int) -> bool:
    rows = [{name: str(cell).strip() for name, cell in row.dropna().items()} for _, row in block.iterrows()]
    header, *others = rows
    if not others or not _LEAST <= len(header) < width or any(map(_is_number, header.values())):
        return False
    if any(names_photo(cell) for row in rows for cell in row.values()) or any(set(row) - set(header) for row in others):
        return False
    lacking = [name for name in texts if name not in header]
    counts = any(all(name in row and _is_number(row[name]) for row in others) for name in texts if name in header)
    return len(lacking) >= _LACKING or (bool(lacking) and counts)


def _is_number(cell: str) -> bool:
    return parse_price(cell) is not None


def said_of_summary(rows: pd.Index) -> tuple[str, ...]:
    """Say which rows are a table below the listings, by their numbers."""
    if rows.empty:
        return ()
    return (
        f"{many(len(rows), 'row')} below the listings are a table of their own and left out: rows {some(rows, 5)}.",
    )
