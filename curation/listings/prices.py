"""Prices as sellers write them: "£1,200", "1.299,00 €", "S$ 45", "1k", "POA"."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from curation.errors import some
from curation.rendering.words import agree, many

__all__ = ["Prices", "read_prices"]

#: Signs that stand for one currency; "$" and "¥" alone stand for several.
_SIGNS = {
    "US$": "USD", "S$": "SGD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD", "NZ$": "NZD",
    "NT$": "TWD", "R$": "BRL", "RM": "MYR", "£": "GBP", "€": "EUR", "₹": "INR", "RS": "INR", "RS.": "INR", "₩": "KRW",
    "₫": "VND", "₱": "PHP", "฿": "THB", "₺": "TRY", "₽": "RUB", "₴": "UAH", "ZŁ": "PLN", "KČ": "CZK", "FT": "HUF",
    "R": "ZAR", "$": "$", "¥": "¥", "KR": "KR", "KR.": "KR", "P": "",
}  # fmt: skip
#: What sellers write where they name no price; in lower case.
_NONE = frozenset(
    {"poa", "p.o.a.", "p.o.a", "free", "ask", "n/a", "na", "none", "null", "-", "–", "—", "tbc", "tba", "negotiable"}
    | {"offers", "offer", "swap", "swaps", "gratis", "vb", "contact", "call", "enquire", "inquire"}
)
_SHAPE = re.compile(
    r"^(?P<before>[^\d\s.,+-]*)\s*(?P<sign>[+-]?)\s*(?P<number>\d[\d.,'’\s]*\d|\d|[.,]\d+)\s*(?P<after>\D*)$"
)
_THOUSANDS = re.compile(r"[\s'’]")


@dataclass(frozen=True)
class Prices:
    """Prices of a column of text.

    Attributes
    ----------
    values : Series of float64
        NaN where there is none.
    unread : Series of bool
        Cells that hold something which is no price.
    currency : str or None
        The one that all signs and codes in the column stand for, e.g. ``"GBP"``; ``"$"`` where only the sign is known.
    currencies : tuple of str
        All of them, if there are several.
    notes : tuple of str
        How the column was read, where it holds more than plain numbers.
    """

    values: pd.Series
    unread: pd.Series
    currency: str | None = None
    currencies: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_prices(text: pd.Series) -> Prices:
    """Read a column of prices. Whether a comma or a dot marks the decimals is settled by the column as a whole.

    Parameters
    ----------
    text : Series of str
        NA for a missing price.

    Examples
    --------
    >>> prices = read_prices(pd.Series(["1.299,00 €", "45 €", "2.500 €", "POA"], dtype="string"))
    >>> prices.values.tolist(), prices.currency
    ([1299.0, 45.0, 2500.0, nan], 'EUR')
    """
    plain = pd.to_numeric(text, errors="coerce").astype("float64")
    rest = text[text.notna() & plain.isna()]
    none = rest.str.lower().isin(_NONE)
    if rest.empty:
        return Prices(plain, text.isna() & False)
    shapes = {row: _SHAPE.match(cell) for row, cell in rest[~none].items()}
    decimal = _decimal_mark([match["number"] for match in map(_SHAPE.match, text.dropna()) if match])
    cells = text.to_numpy(dtype=object)
    values = plain.to_numpy(copy=True)
    if decimal == ",":
        # a dot in a cell without a sign separates thousands, too
        for place in np.flatnonzero(plain.notna() & text.str.contains(".", regex=False).fillna(False)):
            values[place] = _number(str(cells[place]), decimal)
    currencies: set[str] = set()
    for row_number, row in enumerate(text.index):
        match = shapes.get(row)
        if match and (read := _price(match, decimal)):
            values[row_number], currency = read
            currencies |= {currency} - {""}
    prices = pd.Series(values, index=text.index)
    named = tuple(sorted(currencies))
    unread = text.notna() & prices.isna() & ~text.str.lower().isin(_NONE)
    notes = tuple(_notes(rest, prices, named, decimal))
    return Prices(prices, unread, named[0] if len(named) == 1 else None, named, notes)


def _price(match: re.Match[str], decimal: str | None) -> tuple[float, str] | None:
    before, after = match["before"].strip().upper(), match["after"].strip().upper()
    times = 1.0
    if after.startswith("K") and not after.startswith(("KR", "KČ")):
        times, after = 1000.0, after[1:].strip()
    words = [word.rstrip("/-–—").strip() for word in (before, after)]
    named = [word for word in words if word and word not in ("ONO", "O.N.O.", "O.N.O", "OBO", "VB", "EACH")]
    if len(named) > 1 and len({_currency(word) for word in named}) > 1:
        return None
    currency = _currency(named[0]) if named else ""
    if currency is None:
        return None
    value = _number(match["number"], decimal)
    if np.isnan(value):
        return None
    return (-value if match["sign"] == "-" else value) * times, currency


def _currency(word: str) -> str | None:
    """Return what a sign or a code stands for; None if it is neither."""
    if word in _SIGNS:
        return _SIGNS[word]
    return word if re.fullmatch(r"[A-Z]{3}", word) else None


def _number(text: str, decimal: str | None) -> float:
    digits = _THOUSANDS.sub("", text)
    mark = re.escape(decimal or ".")
    thousands = "." if decimal == "," else ","
    whole = re.fullmatch(rf"\d{{1,3}}(?:{re.escape(thousands)}\d{{2,3}})*(?:{mark}\d*)?|\d*(?:{mark}\d*)?", digits)
    if not whole:
        return float("nan")
    digits = digits.replace(thousands, "").replace(decimal or ".", ".")
    return float(digits) if digits.strip(".") else float("nan")


def _decimal_mark(numbers: list[str]) -> str | None:
    """Return what marks the decimals in a column: ``"."`` or ``","``; None if no number tells."""
    votes: Counter[str] = Counter()
    for number in numbers:
        marks = re.findall(r"[.,]", number)
        last = re.search(r"([.,])(\d*)$", _THOUSANDS.sub("", number))
        if not marks or not last:
            continue
        other = "," if last[1] == "." else "."
        if len(set(marks)) == 2:
            votes[last[1]] += 1
        elif len(marks) > 1 or (len(last[2]) == 3 and marks == [","]):
            # 1,299,000 and 1,299: thousands
            votes[other] += 1 if len(marks) > 1 else 0
        elif len(last[2]) != 3:
            votes[last[1]] += 1
    return votes.most_common(1)[0][0] if votes else None


def _notes(rest: pd.Series, values: pd.Series, currencies: tuple[str, ...], decimal: str | None) -> list[str]:
    read = rest[values[rest.index].notna()]
    notes = []
    if len(read):
        example = f"{read.iloc[0]!r} is {values[read.index[0]]:,.2f}"
        named = f", in {currencies[0]}" if len(currencies) == 1 else ""
        mark = ", with a decimal comma" if decimal == "," else ""
        notes.append(
            f"{many(len(read), 'price')} {agree(len(read), 'is', 'are')} read from text, e.g. {example}{named}{mark}."
        )
    words = rest[values[rest.index].isna()]
    if len(words):
        kinds = some(words.value_counts().index.tolist(), 3)
        notes.append(
            f"{many(len(words), 'price')} {agree(len(words), 'is', 'are')} no number and taken as missing: {kinds}."
        )
    return notes
