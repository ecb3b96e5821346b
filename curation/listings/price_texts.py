"""New prices in the manner of the column that they go into: "£1,200" becomes "£120"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from curation.listings.prices import read_prices

__all__ = ["price_texts"]

_NUMBER = re.compile(r"[.,]?\d(?:[\d.,'’\s]*\d)?")
_MARKS, _GROUPS = (".", ","), ("", ",", ".", "'", "’", " ", "\xa0", "\u202f")
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

    def text(self, value: float) -> str:
        decimals = self.decimals if round(value, self.decimals) == value else 2
        # with all its digits, if a price has more than two
        number = f"{value:,.{decimals}f}" if round(value, decimals) == value else f"{value:,}"
        if decimals != _THREE and number[-_THREE - 1 : -_THREE] == ".":
            # 1.299 may be read as 1299, and 1.2990 may not
            number += "0"
        digits = number.replace(",", "\0").replace(".", self.mark).replace("\0", self.group)
        return f"{self.before}{digits}{self.after}"


def price_texts(texts: pd.Series, values: Sequence[float], new: Mapping[int, float]) -> dict[int, str]:
    """Write new prices as the others of their column are written.

    Parameters
    ----------
    texts : Series of str
        The column; NA for a missing price.
    values : sequence of float
        What its cells were read as; NaN for none.
    new : mapping of int to float
        Position → its new price.

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
    usual = _usual(column, values)
    left, written = dict(new), dict[int, str]()
    for manner_of in (_own_manner, _usual_manner, _plain_manner):
        tried = {
            row: manner.text(price)
            for row, price in left.items()
            if (manner := manner_of(column[row], values[row], price, usual)) is not None
        }
        trial = column.copy()
        for row, text in {**written, **tried}.items():
            trial[row] = text
        read = read_prices(trial).values
        written |= {row: text for row, text in tried.items() if np.isclose(read[row], new[row], rtol=1e-9, atol=0)}
        left = {row: price for row, price in new.items() if row not in written}
    if left:
        row, price = next(iter(left.items()))
        example = next(iter(column.dropna()), "")
        raise ValueError(f"the price {price:g} can't be written as the others of its column, such as {example!r}")
    return written


@dataclass(frozen=True)
class _Usual:
    """The commonest manner of a column, and what separates its thousands."""

    manner: _Manner | None
    group: str


def _usual(column: pd.Series, values: Sequence[float]) -> _Usual:
    manners: Counter[_Manner] = Counter()
    groups: Counter[str] = Counter()
    for text, value in zip(column[:_SAMPLE], values[:_SAMPLE], strict=True):
        if manner := next(_manners(text, value), None):
            manners[manner] += 1
            if value >= _THOUSAND:
                groups[manner.group] += 1
    return _Usual(manners.most_common(1)[0][0] if manners else None, groups.most_common(1)[0][0] if groups else "")


def _manners(text: object, value: float) -> Iterator[_Manner]:
    """Yield the manners in which a price is written so."""
    found = _NUMBER.search(text) if isinstance(text, str) else None
    if found is None or np.isnan(value):
        return
    before, number, after = str(text)[: found.start()], found[0], str(text)[found.end() :]
    decimals = len(number) - 1 - max(map(number.rfind, _MARKS)) if any(mark in number for mark in _MARKS) else 0
    for places in sorted({0, decimals}):
        for mark in _MARKS:
            for group in _GROUPS:
                manner = _Manner(before, after, mark, group, places)
                if group != mark and manner.text(value) == text:
                    yield manner


def _own_manner(text: object, value: float, price: float, usual: _Usual) -> _Manner | None:
    manner = next(_manners(text, value), None)
    if manner and value < _THOUSAND <= price and usual.group != manner.mark:
        return replace(manner, group=usual.group)
    return manner


def _usual_manner(text: object, value: float, price: float, usual: _Usual) -> _Manner | None:
    if usual.manner and price >= _THOUSAND and usual.group != usual.manner.mark:
        return replace(usual.manner, group=usual.group)
    return usual.manner


def _plain_manner(text: object, value: float, price: float, usual: _Usual) -> _Manner:
    return _Manner("", "", ".", "", 0)
