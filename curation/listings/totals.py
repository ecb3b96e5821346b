"""Rows below the listings that add them up, as spreadsheets end: "Total", "Subtotal", "Sum"."""

from __future__ import annotations

import re

import pandas as pd

from curation.errors import some
from curation.listings.price_cells import parse_price
from curation.rendering.words import agree, many

__all__ = ["said_of_totals", "total_rows"]

_WORDS = (
    r"(?:grand |sub[- ]?|net |overall )?totals?(?: g[eé]n[eé]ral| general)?|sum|summe|(?:zwischen|gesamt)summe|gesamt"
    r"|insgesamt|sous-total|somme|suma|subtotaal|totaal|totale|razem|celkem|toplam|итого|всего|合计|总计|小计|合計|小計"
)
#: Such a word, perhaps with how many there are: "Total (12 items)".
_TOTAL = re.compile(rf"(?:{_WORDS})(?:\s*[:=(]?\s*\d[\d.,]*\s*\w*\s*\)?)?\s*[:=]?", re.IGNORECASE)
#: Share of the rows above whose cells must be filled for a column to be one that every listing fills.
_FILLED = 0.5
#: Rows at the end that are looked at, and rows above them.
_MOST, _SAMPLE = 20, 1000


def total_rows(table: pd.DataFrame) -> pd.Index:
    """Return the last rows that only add up those above: their first filled cells say so, and beside these are numbers.

    A total must lack a text that the listings have, such as a photo or a label: a listing may well be called "Total".

    Parameters
    ----------
    table : DataFrame of str
        As the file has it; missing cells are NA.

    Examples
    --------
    >>> rows = {"title": ["a lamp", "Total"], "label": ["lamp", None], "price": ["9.50", "9.50"]}
    >>> total_rows(pd.DataFrame(rows)).tolist()
    [1]
    """
    found: list[int] = []
    for place in range(len(table) - 1, max(0, len(table) - 1 - _MOST), -1):
        if not _says_total(table.iloc[place]):
            break
        found.append(place)
    listed = table.iloc[: len(table) - len(found)]
    texts = _columns_of_text(listed[-_SAMPLE:]) if found else []
    for count, place in enumerate(reversed(found)):
        cells = table.iloc[place].dropna()
        if not any(column not in cells.index for column in texts):
            # the listings go on to here
            return table.index[len(listed) + count + 1 :]
    return table.index[len(listed) :]


def _says_total(row: pd.Series) -> bool:
    cells = [cell for cell in row.dropna().astype(str) if cell.strip()]
    return bool(cells) and _TOTAL.fullmatch(cells[0].strip()) is not None and all(map(_is_number, cells[1:]))


def _is_number(cell: str) -> bool:
    return parse_price(cell) is not None


def _columns_of_text(table: pd.DataFrame) -> list[str]:
    """Return the columns that most rows fill with something else than numbers."""
    return [
        name
        for name in table.columns
        if sum(not _is_number(str(cell)) for cell in table[name].dropna()) > _FILLED * len(table)
    ]


def said_of_totals(rows: pd.Index) -> tuple[str, ...]:
    """Say which rows are totals, by their numbers."""
    if rows.empty:
        return ()
    count = len(rows)
    which = f"{many(count, 'row')} below the listings {agree(count, 'is a total', 'are totals')} and left out"
    return (f"{which}: row{agree(count, '', 's')} {some(rows, 5)}.",)
