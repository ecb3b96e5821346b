"""New prices in the manner of the column that they go into: "£1,200" becomes "£120"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal as Exact

import numpy as np
import pandas as pd

from curation.listings.price_cells import Decimal, parse_price, read_price

__all__ = ["price_texts", "unmistakable"]

_NUMBER = re.compile(r"[.,]?\d(?:[\d.,'’\s]*\d)?")
#: What stands for no decimals: "EUR 45,-", "45:-", "Rs. 500/-", "45.".
_DASH = re.compile(r"[.,:/][-\u2013\u2014]+|[.,](?!\d)")
_MARKS = (".", ",")
#: What separates thousands. Indians part hundreds above them: 1,50,000.
_LAKHS = "lakhs"
_GROUPS = ("", ",", ".", "'", "’", " ", "\xa0", "\u202f", "\u2009", _LAKHS)
#: Numbers from here on show whether they are parted as lakhs.
_LAKH = 100_000
_ABOVE = re.compile(r"(?<=\d)(?=(?:\d\d)+$)")
#: What a price is written in thousands with.
_K = re.compile(r"\s*[kK](?![^\W\d])")
#: Cells that the manner of a column is taken from.
_SAMPLE = 2000
_THOUSAND, _THREE, _CENTS = 1000, 3, 2


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
    #: Behind the digits of a price in thousands.
    thousands: str = ""

    def text(self, value: float) -> str:
        amount = Exact(repr(float(value)))
        if self.thousands:
            return f"{self.before}{self._digits(self._short(amount))}{self.thousands}{self.after}"
        places = self.decimals if round(amount, self.decimals) == amount else _CENTS
        # with all its digits, if a price has more than two
        number = f"{amount:,.{places}f}" if round(amount, places) == amount else f"{amount:,f}"
        if places != _THREE and number[-_THREE - 1 : -_THREE] == ".":
            # 1.299 may be read as 1299, and 1.2990 may not
            number += "0"
        return f"{self.before}{self._digits(number)}{'' if '.' in number else self.dash}{self.after}"

    def fits(self, value: float) -> bool:
        """Return whether people would write a price so: 1.25k, and neither 0.12k nor 1.2345k."""
        return not self.thousands or (value >= _THOUSAND and round(value, -1) == value)

    def _short(self, amount: Exact) -> str:
        thousands = (amount / _THOUSAND).normalize()
        fixed = f"{thousands:,.{self.decimals}f}"
        return fixed if Exact(fixed.replace(",", "")) == thousands else f"{thousands:,f}"

    def _digits(self, number: str) -> str:
        whole, dot, fraction = number.partition(".")
        if self.group == _LAKHS:
            digits = whole.replace(",", "")
            whole = ",".join(filter(None, (_ABOVE.sub(",", digits[:-_THREE]), digits[-_THREE:])))
        else:
            whole = whole.replace(",", self.group)
        return whole + dot.replace(".", self.mark) + fraction


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
    return _plain_manner(decimal[:1]).text(price)


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
    mark = decimal[:1] or _commonest_mark(column)
    usual = _usual(column, values, mark)
    written = {}
    for row, price in new.items():
        own = next(_manners(column[row], values[row], mark), None)
        tried = (manner.text(price) for manner in _fitting(own, price, usual, values[row], mark))
        text = next((text for text in tried if _reads_as(text, price, decimal)), None)
        if text is None:
            example = next(iter(column.dropna()), "")
            raise ValueError(f"the price {price:g} can't be written as the others of its column, such as {example!r}")
        written[row] = text
    return written


def _reads_as(text: str, price: float, decimal: Decimal) -> bool:
    read = read_price(text, decimal)
    return read is not None and read.value == price


def _commonest_mark(column: pd.Series) -> str:
    """Return what marks the decimals in most cells of a column whose rule is not settled; a dot if none does."""
    cells = (parse_price(cell) for cell in column.dropna()[:_SAMPLE])
    marks = Counter(price.decimal for price in cells if price and price.decimal)
    return max(_MARKS, key=lambda mark: marks[mark])


@dataclass(frozen=True)
class _Usual:
    """The commonest manner of a column, and what separates its thousands."""

    manner: _Manner | None
    group: str


def _usual(column: pd.Series, values: Sequence[float], mark: str) -> _Usual:
    manners: Counter[_Manner] = Counter()
    groups: Counter[str] = Counter()
    lakhs = 0
    for text, value in zip(column[:_SAMPLE], values[:_SAMPLE], strict=True):
        if manner := next(_manners(text, value, mark), None):
            manners[manner] += 1
            if value >= _THOUSAND and not manner.thousands:
                groups["," if manner.group == _LAKHS else manner.group] += 1
            if value >= _LAKH:
                lakhs += (manner.group == _LAKHS) - (manner.group == ",")
    group = groups.most_common(1)[0][0] if groups else ""
    return _Usual(manners.most_common(1)[0][0] if manners else None, _LAKHS if group == "," and lakhs > 0 else group)


def _manners(text: object, value: float, mark: str) -> Iterator[_Manner]:
    """Yield the manners in which a price is written so; the one with the mark of its column first."""
    found = _NUMBER.search(text) if isinstance(text, str) else None
    if found is None or np.isnan(value):
        return
    before, number, after = str(text)[: found.start()], found[0], str(text)[found.end() :]
    in_thousands, dash = _K.match(after), _DASH.match(after)
    rest = after[each.end() :] if (each := in_thousands or dash) else after
    places = len(number) - 1 - max(map(number.rfind, _MARKS)) if any(sign in number for sign in _MARKS) else 0
    for each_places in sorted({0, places}):
        for each_mark in sorted(_MARKS, key=lambda sign: sign != mark):
            for group in _GROUPS:
                manner = _Manner(
                    before, rest, each_mark, group, each_places, dash[0] if dash else "",
                    in_thousands[0] if in_thousands else "",
                )  # fmt: skip
                if group.replace(_LAKHS, ",") != each_mark and manner.text(value) == text:
                    yield manner


def _fitting(own: _Manner | None, price: float, usual: _Usual, value: float, mark: str) -> Iterator[_Manner]:
    """Yield the manners that a new price may be written in, the best first: its cell's, its column's, digits alone."""
    for manner, shown in ((own, value), (usual.manner, 0)):
        if manner is None:
            continue
        if manner.fits(price):
            yield _grouped(manner, price, usual, shown)
        if manner.thousands:
            yield _grouped(replace(manner, thousands="", decimals=0), price, usual, 0)
    yield _plain_manner(mark)


def _grouped(manner: _Manner, price: float, usual: _Usual, value: float) -> _Manner:
    """Return a manner with the thousands of its column separated as usual, where it does not show how itself."""
    mute = value < _THOUSAND or (value < _LAKH and usual.group == _LAKHS and manner.group == ",")
    if mute and not manner.thousands and price >= _THOUSAND and usual.group.replace(_LAKHS, ",") != manner.mark:
        return replace(manner, group=usual.group)
    return manner


def _plain_manner(mark: str) -> _Manner:
    return _Manner("", "", mark or ".", "", 0)
