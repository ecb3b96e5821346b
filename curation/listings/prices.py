"""Prices as sellers write them: "£1,200", "1.299,00 €", "S$ 45", "1k", "POA"."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from curation.errors import some
from curation.rendering.words import agree, many

__all__ = ["Price", "Prices", "is_currency", "is_shared", "may_be", "read_price", "read_prices"]

#: Signs and words that stand for one currency, without blanks.
_CURRENCIES = {
    "US$": "USD", "S$": "SGD", "SG$": "SGD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD",
    "NZ$": "NZD", "NT$": "TWD", "R$": "BRL", "RM": "MYR", "£": "GBP", "€": "EUR", "EURO": "EUR", "EUROS": "EUR",
    "₹": "INR", "RS": "INR", "₩": "KRW", "₫": "VND", "₱": "PHP", "฿": "THB", "₺": "TRY", "₽": "RUB",
    "₴": "UAH", "₦": "NGN", "₪": "ILS", "ZŁ": "PLN", "KČ": "CZK", "FT": "HUF", "FR": "CHF", "R": "ZAR", "円": "JPY",
    "元": "CNY",
}  # fmt: skip
#: Codes of currencies (ISO 4217) that people write; other words of three letters mean something else.
_CODES = frozenset(
    re.findall(
        r"\w+",
        "AED ARS AUD BDT BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP GHS HKD HUF IDR ILS INR IQD ISK JOD JPY "
        "KES KRW KWD LKR LYD MAD MXN MYR NGN NOK NPR NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY "
        "TWD UAH USD UYU VND ZAR",
    )
)
#: Signs that stand for several currencies, and those.
_SHARED = {
    "$": frozenset(["USD", "SGD", "AUD", "CAD", "HKD", "NZD", "TWD", "MXN", "ARS", "CLP", "COP", "BRL"]),
    "¥": frozenset(("JPY", "CNY")),
    "KR": frozenset(("SEK", "NOK", "DKK", "ISK")),
}
#: What sellers write where they name no price; in lower case.
_NONE = frozenset(
    {"poa", "p.o.a.", "p.o.a", "free", "ask", "n/a", "na", "nan", "none", "null", "-", "–", "—", "?", "tbc", "tba"}
    | {"negotiable", "offers", "offer", "swap", "swaps", "gratis", "vb", "contact", "call", "enquire", "inquire"}
)
#: What may stand beside a price and says nothing of its size.
_BESIDE = frozenset({"ONO", "O.N.O", "OBO", "OVNO", "VB", "EACH", "NEG", "ONLY"})
_SHAPE = re.compile(
    r"^(?P<before>(?:[^\d.,+-]|(?<=[^\W\d])\.)*)(?P<sign>[+-]?)\s*(?P<middle>[^\d\s.,+-]*)\s*"
    r"(?P<number>\d[\d.,'’\s]*\d|\d|[.,]\d+)\s*(?P<after>\D*)$"
)
#: Blanks and apostrophes part thousands only.
_BLANKS = re.compile(r"\d{1,3}(?:[\s'’]\d{3})+(?:[.,]\d*)?")
#: Currencies of which 1.250 is one and a quarter.
_THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
_THOUSAND = re.compile(r"^K(?![A-ZČ])")
_GROUPED = re.compile(r"\d{1,3}(?:[,.]\d{2,3})*[,.]\d{3}")
#: Share of the numbers that must agree on what marks the decimals.
_AGREE = 0.9
#: As many prices like 1.299, and none with another number of decimals, may be thousands.
_DOUBTFUL = 3


@dataclass(frozen=True)
class Price:
    """A price that a person wrote.

    Attributes
    ----------
    value : float
        The amount; below 0 if it was written with a minus.
    currency : str
        Its code, e.g. ``"GBP"``; ``"$"``, ``"¥"`` or ``"KR"`` where the sign stands for several; empty without.
    """

    value: float
    currency: str = ""


@dataclass(frozen=True)
class Prices:
    """The prices of a column of text.

    Attributes
    ----------
    values : Series of float64
        NaN where there is none.
    unread : Series of bool
        Cells that hold something which is neither a price nor a word for none, such as "POA".
    currencies : dict of str to int
        The currencies that the cells name, with their counts. A sign of several currencies is one of its own only
        where no cell says which.
    notes : tuple of str
        How the column was read, where it holds more than plain numbers.
    """

    values: pd.Series
    unread: pd.Series
    currencies: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_prices(text: pd.Series) -> Prices:
    """Read a column of prices. The column as a whole settles what 1.299 and 1,299 mean.

    Parameters
    ----------
    text : Series of str
        NA for a missing price.

    Examples
    --------
    >>> prices = read_prices(pd.Series(["1.299,00 €", "45 €", "2.500 €", "POA"], dtype="string"))
    >>> prices.values.tolist(), prices.currencies
    ([1299.0, 45.0, 2500.0, nan], {'EUR': 3})
    """
    plain = pd.to_numeric(text, errors="coerce").astype("float64")
    rest = text[text.notna() & plain.isna()]
    doubtful = plain.notna() & text.str.fullmatch(_GROUPED.pattern).fillna(False)
    if rest.empty:
        # plain numbers: a dot marks the decimals
        return Prices(plain, text.isna() & False, {}, tuple(_doubt(text[doubtful], text)))
    none = text.str.lower().isin(_NONE)
    # a word for no price says nothing of who wrote the others
    mark = _decimal_mark(text, written=any(map(_is_written, rest[~none[rest.index]])))
    values = plain.copy()
    counts: Counter[str] = Counter()
    for row, cell in pd.concat([rest, text[doubtful] if mark != "." else rest[:0]]).items():
        price = read_price(cell, mark)
        values[row] = price.value if price else float("nan")
        counts[price.currency if price else ""] += 1
    unread = text.notna() & values.isna() & ~none
    return Prices(values, unread, _without_shared(counts), tuple(_notes(text, rest, values, none, mark)))


def read_price(cell: str, mark: str = "") -> Price | None:
    """Read one price; None if it is none, or if its number may mean two things.

    Parameters
    ----------
    cell : str
        What a person wrote.
    mark : str
        What marks the decimals, ``"."`` or ``","``, for a number such as 1,299 that alone may mean two things.

    Examples
    --------
    >>> read_price("US $1,200.50"), read_price("1.2k"), read_price("EUR 45,-")
    (Price(value=1200.5, currency='USD'), Price(value=1200.0, currency=''), Price(value=45.0, currency='EUR'))
    >>> read_price("2 for 5") is None
    True
    """
    match = _SHAPE.match(_tidy(cell))
    if not match:
        return None
    after = match["after"].strip().upper()
    times = 1000.0 if _THOUSAND.match(after) else 1.0
    words = [match["before"], match["middle"], after[1:] if times > 1 else after]
    currency = _common_currency({_sign(word) for word in words} - {""})
    value = _number(match["number"], mark, thousandths=currency in _THOUSANDTHS)
    # 45- is -45 for some programs, and 45 for some people
    if currency is None or value is None or after == "-":
        return None
    return Price((-value if match["sign"] == "-" else value) * times, currency)


def _is_written(cell: str) -> bool:
    match = _SHAPE.match(_tidy(cell))
    return match is not None and read_price(f"{match['before']}{match['middle']}1{match['after']}") is not None


def is_currency(code: str) -> bool:
    """Return whether a word is the code of a currency, in any case."""
    return code.upper() in _CODES


def is_shared(currency: str) -> bool:
    """Return whether a sign stands for several currencies, as "$" does."""
    return currency in _SHARED


def may_be(sign: str, currency: str) -> bool:
    """Return whether a sign or a code may mean a currency; either may stand for several.

    Parameters
    ----------
    sign, currency : str
        Signs such as ``"$"``, or codes.

    Examples
    --------
    >>> may_be("$", "SGD"), may_be("SGD", "$"), may_be("$", "GBP")
    (True, True, False)
    """
    return sign == currency or currency in _SHARED.get(sign, ()) or sign in _SHARED.get(currency, ())


def _sign(words: str) -> str:
    """Return the sign of a currency, of which "AU $" is one, without what may stand beside it."""
    tokens = [token.strip(",.-–—/") for token in words.upper().split()]
    return "".join(token for token in tokens if token not in _BESIDE)


def _tidy(cell: str) -> str:
    """Return a cell with plain digits and blanks."""
    return unicodedata.normalize("NFKC", cell).strip()


def _common_currency(words: Iterable[str]) -> str | None:
    """Return the currency that all words stand for; None if one stands for none, or they differ."""
    codes = set()
    for word in words:
        if word not in _CURRENCIES and word not in _SHARED and word not in _CODES:
            return None
        codes.add(_CURRENCIES.get(word, word))
    certain = codes - set(_SHARED)
    if len(certain) > 1 or any(not certain <= _SHARED[sign] for sign in codes & set(_SHARED)):
        return None
    return min(certain or codes, default="")


def _without_shared(counts: Counter[str]) -> dict[str, int]:
    """Give the prices with a sign of several currencies to the one that other prices name."""
    currencies = {currency: count for currency, count in counts.most_common() if currency}
    for sign, meant in _SHARED.items():
        named = meant.intersection(currencies)
        if sign in currencies and len(named) == 1:
            currencies[min(named)] += currencies.pop(sign)
    return currencies


def _number(text: str, mark: str, *, thousandths: bool) -> float | None:
    digits = re.sub(r"[\s'’]", "", text)
    if digits != text and not _BLANKS.fullmatch(text):
        # a telephone number, or two numbers
        return None
    marks = re.findall(r"[.,]", digits)
    decimals = len(digits) - 1 - max(digits.rfind("."), digits.rfind(",")) if marks else 0
    if len(set(marks)) == 2:
        decimal = marks[-1]
    elif len(marks) > 1:
        # 1,299,000
        decimal = "," if marks[0] == "." else "."
    elif marks and decimals == 3 and not thousandths and not digits.startswith(("0", ".", ",")):
        # prices have no three decimals: 1,299 beside 12,50 may mean two things
        if mark in ("", marks[0]):
            return None
        decimal = mark
    else:
        decimal = marks[0] if marks else "."
    group = "," if decimal == "." else "."
    whole, _, fraction = digits.partition(decimal)
    shapes = [r"\d*", rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+"]
    # 1,00,000, as Indians group
    shapes += [r"\d{1,2}(?:,\d{2})+,\d{3}"] if group == "," else []
    if not any(re.fullmatch(shape, whole) for shape in shapes) or (not fraction.isdigit() and fraction):
        return None
    return float(f"{whole.replace(group, '')}.{fraction}")


def _decimal_mark(text: pd.Series, *, written: bool) -> str:
    """Return what marks the decimals in a column, ``"."`` or ``","``; empty if its numbers disagree.

    Parameters
    ----------
    text : Series of str
        The column.
    written : bool
        Whether people wrote it, with signs of currencies; a program writes 1.299 for a number.
    """
    votes: Counter[str] = Counter()
    grouped: Counter[str] = Counter()
    for cell, count in text.value_counts().items():
        shape = _SHAPE.match(_tidy(str(cell)))
        marks = re.findall(r"[.,]", shape["number"]) if shape else []
        if not shape or not marks:
            continue
        mark, decimals = marks[-1], len(re.split(r"[.,]", shape["number"])[-1])
        if len(set(marks)) == 2 or (len(marks) == 1 and decimals != 3):
            votes[mark] += count
        elif len(marks) > 1:
            votes["," if mark == "." else "."] += count
        else:
            grouped[mark] += count
    if not votes:
        return "," if written and grouped["."] > grouped[","] else "."
    mark, count = votes.most_common(1)[0]
    return mark if count >= _AGREE * votes.total() else ""


def _doubt(doubtful: pd.Series, text: pd.Series) -> list[str]:
    """Say how plain numbers like 1.299 were read, if all numbers with a dot look like that."""
    dotted = text.dropna()
    dotted = dotted[dotted.str.contains(".", regex=False)]
    if len(doubtful) < _DOUBTFUL or len(doubtful) < len(dotted):
        return []
    example = doubtful.iloc[0]
    return [
        f"{many(len(doubtful), 'price')} such as {example} are read with decimals, as {float(example):,.3f}. "
        "If the dot separates thousands, remove it."
    ]


def _notes(text: pd.Series, rest: pd.Series, values: pd.Series, none: pd.Series, mark: str) -> list[str]:
    read = rest[values[rest.index].notna()]
    notes = []
    if len(read):
        comma = read.str.contains(r",\d{1,2}(?!\d)", regex=True).any()
        decimal = ", with a decimal comma" if mark == "," and comma else ""
        example = f"{read.iloc[0]!r} is {values[read.index[0]]:,.2f}"
        notes.append(
            f"{many(len(read), 'price')} {agree(len(read), 'is', 'are')} read from text, e.g. {example}{decimal}."
        )
    if none.any():
        words = text[none].value_counts()
        kinds = some((f"{word} ({count})" for word, count in words.items()), 3)
        notes.append(
            f"{many(int(none.sum()), 'price')} {agree(int(none.sum()), 'is a word', 'are words')} for none, and "
            f"counted as missing: {kinds}."
        )
    return notes
