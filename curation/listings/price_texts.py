"""New prices in the manner of the column that they go into: "£1,200" becomes "£120"."""

from __future__ import annotations

import decimal as decimals
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from curation.listings.price_cells import Decimal, read_price

__all__ = ["price_texts", "unmistakable"]

_NUMBER = re.compile(r"[.,]?\d(?:[\d.,'’\s]*\d)?")
#: What stands for no decimals: "EUR 45,-", "45:-", "Rs. 500/-".
_DASH = re.compile(r"[.,:/][-\u2013\u2014]+")
_MARKS, _GROUPS = (".", ","), ("", ",", ".", "'", "’", " ", "\xa0", "\u202f", "\u2009")
#: Cells that the manner of a column is taken from.
_SAMPLE = 2000
_THOUSAND, _THREE = 1000, 3


@dataclass(frozen=True)
class _Manner:
    """How a price is written: what stands around it, what marks and separates its digits."""

    before: str
    after: str
    mark: str
    group: str
    decimals: int
    #: Instead of decimals, where there are none.
    dash: str = ""

    def text(self, value: float) -> str:
        places = self.decimals if round(value, self.decimals) == value else 2
        # with all its digits, if a price has more than two
        exact = f"{decimals.Decimal(repr(value)):,f}"
        number = f"{value:,.{places}f}" if round(value, places) == value else exact
        if places != _THREE and number[-_THREE - 1 : -_THREE] == ".":
            # 1.299 may be read as 1299, and 1.2990 may not
            number += "0"
        digits = number.replace(",", "\0").replace(".", self.mark).replace("\0", self.group)
        return f"{self.before}{digits}{'' if '.' in number else self.dash}{self.after}"


def unmistakable(price: float, decimal: Decimal) -> str:
    """Write a price in digits alone, so that its column's rule reads it as what it is.

    Parameters
    ----------
    price : float
        The price.
    decimal : str
        What marks the decimals of the column.

    Examples
    --------
    >>> unmistakable(7.25, ","), unmistakable(1.299, "."), unmistakable(1200, ".")
    ('7,25', '1.2990', '1200')
    """
    return _plain_manner(decimal).text(price)


def price_texts(
    texts: pd.Series, values: Sequence[float], new: Mapping[int, float], decimal: Decimal = "."
) -> dict[int, str]:
    """Write new prices as the others of their column are written.

    Parameters
    ----------
    texts : Series of str
        The column; NA for a missing price.
    values : sequence of float
        What its cells were read as; NaN for none.
    new : mapping of int to float
        Position → its new price.
    decimal : str
        What marks the decimals of the column.

    Raises
    ------
    ValueError
        If a price can't be written so that it is read as what it is.

    Examples
    --------
    >>> column = pd.Series(["£1,200", "£35", "POA"], dtype="string")
    >>> price_texts(column, [1200, 35, float("nan")], {0: 120, 2: 9.5})
    {0: '£120', 2: '£9.50'}
    """
    column = texts.reset_index(drop=True)
    usual = _usual(column, values, decimal)
    written = {}
    for row, price in new.items():
        own = next(_manners(column[row], values[row], decimal), None)
        tries = (_grouped(own, price, usual, values[row]), _grouped(usual.manner, price, usual), _plain_manner(decimal))
        tried = (manner.text(price) for manner in tries if manner)
        text = next((text for text in tried if _reads_as(text, price, decimal)), None)
        if text is None:
            example = next(iter(column.dropna()), "")
            raise ValueError(f"the price {price:g} can't be written as the others of its column, such as {example!r}")
        written[row] = text
    return written


def _reads_as(text: str, price: float, decimal: Decimal) -> bool:
    read = read_price(text, decimal)
    return read is not None and read.value == price


@dataclass(frozen=True)
class _Usual:
    """The commonest manner of a column, and what separates its thousands."""

    manner: _Manner | None
    group: str


def _usual(column: pd.Series, values: Sequence[float], decimal: Decimal) -> _Usual:
    manners: Counter[_Manner] = Counter()
    groups: Counter[str] = Counter()
    for text, value in zip(column[:_SAMPLE], values[:_SAMPLE], strict=True):
        if manner := next(_manners(text, value, decimal), None):
            manners[manner] += 1
            if value >= _THOUSAND:
                groups[manner.group] += 1
    return _Usual(manners.most_common(1)[0][0] if manners else None, groups.most_common(1)[0][0] if groups else "")


def _manners(text: object, value: float, decimal: Decimal) -> Iterator[_Manner]:
    """Yield the manners in which a price is written so; the one of the column's rule first."""
    found = _NUMBER.search(text) if isinstance(text, str) else None
    if found is None or np.isnan(value):
        return
    before, number, after = str(text)[: found.start()], found[0], str(text)[found.end() :]
    dash = _DASH.match(after)
    rest = after[dash.end() :] if dash else after
    places = len(number) - 1 - max(map(number.rfind, _MARKS)) if any(mark in number for mark in _MARKS) else 0
    for each in sorted({0, places}):
        for mark in sorted(_MARKS, key=lambda mark: mark != decimal[:1]):
            for group in _GROUPS:
                manner = _Manner(before, rest, mark, group, each, dash[0] if dash else "")
                if group != mark and manner.text(value) == text:
                    yield manner


def _grouped(manner: _Manner | None, price: float, usual: _Usual, value: float = 0) -> _Manner | None:
    """Return a manner with the thousands of its column separated as usual, where it does not show how itself."""
    if manner and value < _THOUSAND <= price and usual.group != manner.mark:
        return replace(manner, group=usual.group)
    return manner


def _plain_manner(decimal: Decimal) -> _Manner:
    return _Manner("", "", decimal[:1] or ".", "", 0)
