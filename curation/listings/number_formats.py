"""The currencies that the number formats of a sheet show beside its numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from curation.listings.currencies import common_currency, without_shared
from curation.listings.prices import Prices
from curation.listings.sheet_marks import ELEMENT, place_of

__all__ = ["currencies_of", "currency_of_format", "named_by_formats", "with_formats"]

#: A cell and what it says of itself.
_CELL = re.compile(rb"<%sc\s([^<>]*)>" % ELEMENT)
_STYLE = re.compile(rb"\bs=[\"'](\d{1,6})[\"']")
#: Of formats: a sign with its region, a text, what only takes the width of a sign, or stands in brackets; and signs.
_SIGN = re.compile(r"\[\$([^\]-]+)(?:-[^\]]*)?\]|\"([^\"]*)\"")
_WIDTH = re.compile(r"[_*].|\[[^\]]*\]|\\")
_ALONE = re.compile("[$£€¥₹₩₫₱฿₺₽₴₸₦₪]")
#: Formats below are every spreadsheet's own: their sign is that of the system's currency.
_OWN = 164
#: Characters that Excel allows in a format; in a longer one, brackets that nobody closed would take minutes.
_LONGEST = 255


def currency_of_format(code: str) -> str:
    """Return the currency that a number format shows, or a sign of several; empty if it shows none.

    Parameters
    ----------
    code : str
        The format.

    Examples
    --------
    >>> [currency_of_format(code) for code in ("_-[$€-2] * #,##0.00_-", '"£"#,##0', "0.00 [$kr.-406]", "$0;[Red]-$0")]
    ['EUR', 'GBP', 'KR', '$']
    >>> [currency_of_format(code) for code in ("[$-409]#,##0.00", '0 "pcs"', "_$0", "General")]
    ['', '', '', '']
    """
    first = code[:_LONGEST].partition(";")[0]
    texts = [sign or text for sign, text in _SIGN.findall(first)]
    texts += _ALONE.findall(_WIDTH.sub("", _SIGN.sub("", first)))
    words = [word for text in texts if (word := text.strip(" \u00a0.").upper()) and common_currency([word])]
    return common_currency(words) or ""


def currencies_of(book: Any, xml: bytes) -> dict[tuple[int, int], str]:
    """Return the currencies that the formats of cells show, by row and column; the empty text is the system's.

    Parameters
    ----------
    book : openpyxl.Workbook
        The workbook.
    xml : bytes
        The file of a sheet.
    """
    styles = _styles(book)
    if not any(styles.values()):
        return {}
    found = {}
    for cell in _CELL.findall(xml):
        style = _STYLE.search(cell)
        if style and (number := int(style[1])) in styles and (place := place_of(cell)):
            found[place] = styles[number]
    return found


def _styles(book: Any) -> dict[int, str]:
    """Return the styles of cells that show a currency, by their number."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS

    own = {number: "" for number, code in BUILTIN_FORMATS.items() if currency_of_format(code)}
    custom = {
        _OWN + number: currency
        for number, code in enumerate(book._number_formats)
        if (currency := currency_of_format(code))
    }
    shown = own | custom
    return {place: shown[style.numFmtId] for place, style in enumerate(book._cell_styles) if style.numFmtId in shown}


def named_by_formats(
    cells: Mapping[tuple[int, int], str], keys: Sequence[str], table: pd.DataFrame
) -> dict[str, pd.Series]:
    """Return what the formats of each column name, by the rows of a table.

    Parameters
    ----------
    cells : mapping of (int, int) to str
        Of :func:`currencies_of`.
    keys : sequence of str
        Names of the sheet's columns.
    table : DataFrame
        The table; its index numbers the rows of the sheet.
    """
    columns: dict[str, dict[int, str]] = {}
    for (row, column), currency in cells.items():
        if column <= len(keys) and keys[column - 1] in table:
            columns.setdefault(keys[column - 1], {})[row] = currency
    return {key: pd.Series(rows, dtype="string").reindex(table.index) for key, rows in columns.items()}


def with_formats(prices: Prices, named: pd.Series | None, numbers: pd.Series) -> Prices:
    """Return prices with the currencies that the formats of numbers show beside them.

    Parameters
    ----------
    prices : Prices
        The prices.
    named : Series of str
        Of :func:`named_by_formats`; None where there are no formats.
    numbers : Series of bool
        Cells that are numbers.
    """
    if named is None:
        return prices
    shown = Counter(named.reindex(prices.values.index)[numbers & prices.values.notna()].dropna())
    own = shown.pop("", 0)
    if not shown:
        return prices
    # the system's sign says something only beside another one
    currencies = Counter(prices.currencies) + shown + Counter({"$": own})
    return replace(prices, currencies=without_shared(currencies))
