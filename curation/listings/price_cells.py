"""One price as a seller writes it: what it says by itself, and what only its column can say."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from curation.errors import InputError
from curation.listings.currencies import HUNDREDTHS, THOUSANDTHS, common_currency

__all__ = [
    "DECIMALS",
    "Decimal",
    "Price",
    "WrittenPrice",
    "check_decimal",
    "known_decimal",
    "parse_price",
    "read_price",
]

#: What marks the decimals of a column, see :func:`check_decimal`.
Decimal = Literal[".", ",", ".00", ",00", ""]
DECIMALS: tuple[Decimal, ...] = (".", ",", ".00", ",00", "")

#: What may stand beside a price and says nothing of its size.
_BESIDE = frozenset({"ONO", "O.N.O", "OBO", "OVNO", "VB", "EACH", "NEG", "ONLY", "INKL", "INCL", "INC", "MWST", "VAT"})
_SHAPE = re.compile(
    r"^(?P<before>(?:[^\d.,+-]|(?<=[^\W\d])\.)*)(?P<sign>[+-]?)\s*(?P<middle>[^\d\s.,+-]*)\s*"
    r"(?P<number>\d[\d.,'’\s]*\d|\d|[.,]\d+)\s*(?P<after>\D*)$"
)
#: Blanks and apostrophes part thousands only.
_APART = re.compile(r"[\s'’]")
_BLANKS = re.compile(r"\d{1,3}(?:[\s'’]\d{3})+(?:[.,]\d*)?")
_THOUSAND = re.compile(r"^K(?![A-ZČ])")
#: Thousands, and lakhs as Indians group them: 1,00,000.
_GROUPED = {
    ",": re.compile(r"\d*|\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}"),
    ".": re.compile(r"\d*|\d{1,3}(?:\.\d{3})+"),
}
_EITHER = re.compile(r"[1-9]\d{0,2}([.,])\d{3}")
#: Characters of a cell at most: a longer one is a description, which would take seconds to match.
_LONGEST = 100
#: What stands for no decimals.
_DASH = re.compile(r"([.,])[-\u2013\u2014]")
_OTHER = {".": ",", ",": "."}
#: As a program writes a number.
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?")
#: Characters without width.
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]")
#: Minus signs and apostrophes that a keyboard does not have.
_SIGNS = str.maketrans({"\u2212": "-", "\u02bc": "'", "\u2032": "'"})


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
class WrittenPrice:
    """What a cell says by itself.

    Attributes
    ----------
    digits : str
        The number, without what separates its thousands; with `decimal` still in it.
    decimal : str
        What surely marks its decimals; empty if nothing does.
    either : str
        The mark of a number such as 1.299 or 1,299, which may mean two things; empty for all others.
    power : int
        Of ten, that the number is to be multiplied by: 3 in "1k", -2 in "99p".
    currency : str
        As in :class:`Price`.
    plain : bool
        Whether a program writes numbers so: digits, and perhaps a dot.
    """

    digits: str
    decimal: str = ""
    either: str = ""
    power: int = 0
    currency: str = ""
    plain: bool = False

    @property
    def three(self) -> bool:
        """Whether it surely has three decimals or more, or its currency has."""
        _, mark, fraction = self.digits.partition(self.decimal or ".")
        return self.currency in THOUSANDTHS or (self.either == "" and mark != "" and len(fraction) > 2)

    def value(self, decimal: Decimal) -> float | None:
        """Return the amount; None if it may still mean two things.

        Parameters
        ----------
        decimal : str
            What marks the decimals of its column.
        """
        number = self.digits
        if self.either:
            # 1.299k has three decimals where 18.5k has one
            mark, few = decimal[:1], decimal[1:] == "00" and self.power <= 0
            if not mark or (mark == self.either and few):
                return None
            number = number.replace(self.either, "." if mark == self.either else "")
        elif self.decimal:
            number = number.replace(self.decimal, ".")
        return float(f"{number}e{self.power}")


def known_decimal(value: object) -> Decimal | None:
    """Return a value if it is one of :data:`DECIMALS`, and otherwise None: a run may come from somebody else."""
    return next((known for known in DECIMALS if known == value), None)


def check_decimal(decimal: str, what: str = "`decimal`", *, parameter: str | None = "decimal") -> Decimal:
    """Return what marks the decimals of prices.

    Parameters
    ----------
    decimal : str
        ``"."`` or ``","``. With ``".00"`` and ``",00"`` prices have two decimals at most: a number such as 1.299 or
        1,299, with that mark, is no price. Without any, neither of the two is: what they mean is not known.
    what : str
        Where it stands, for the message.
    parameter : str, optional
        The argument at fault.

    Raises
    ------
    InputError
        If it is something else.
    """
    if (known := known_decimal(decimal)) is not None:
        return known
    raise InputError(
        f"{what} can't mark the decimals of prices", got=repr(decimal), wanted="'.' or ','", parameter=parameter
    )


def read_price(cell: str, decimal: Decimal = "") -> Price | None:
    """Read one price; None if it is none, or if its number may mean two things.

    Parameters
    ----------
    cell : str
        What a person wrote.
    decimal : str
        What marks the decimals of its column, for a number such as 1,299 that alone may mean two things.

    Examples
    --------
    >>> read_price("US $1,200.50"), read_price("1.2k"), read_price("EUR 45,-")
    (Price(value=1200.5, currency='USD'), Price(value=1200.0, currency=''), Price(value=45.0, currency='EUR'))
    >>> read_price("1,299"), read_price("1,299", ","), read_price("1,299", ".")
    (None, Price(value=1.299, currency=''), Price(value=1299.0, currency=''))
    >>> read_price("2 for 5", ".") is None
    True
    """
    written = parse_price(cell)
    value = None if written is None else written.value(decimal)
    return None if written is None or value is None else Price(value, written.currency)


def parse_price(cell: str) -> WrittenPrice | None:
    """Take a price apart; None if a cell holds none.

    Parameters
    ----------
    cell : str
        What a person wrote; more than 100 characters are no price, nor are digits other than plain ones.
    """
    if len(cell) > _LONGEST:
        return None
    tidy = cell if cell.isascii() else _tidy(cell)
    match = _SHAPE.match(tidy := tidy.strip())
    if not match:
        return None
    before, sign, middle, text, after = match.groups()
    after = after.strip().upper()
    # 45- is -45 for some programs, and 45 for some people
    number = _number(text) if after != "-" else None
    if number is None:
        return None
    power, small = 3 * bool(_THOUSAND.match(after)), HUNDREDTHS.get(after.strip(". "))
    if small and text.isdigit() and not before and not middle:
        power, after = -2, small
    currency = _currency(before, middle, after[1:] if power > 0 else after)
    if currency is None:
        return None
    minus = "-" if sign == "-" else ""
    digits, decimal, either = number
    if (dash := _DASH.match(after)) and not decimal:
        # 1.200,- has a comma before the decimals that it lacks
        decimal = _OTHER[either] if either == dash[1] else dash[1]
        digits, either = digits.replace(either, ""), ""
    return WrittenPrice(minus + digits, decimal, either, power, currency, _PLAIN.fullmatch(tidy) is not None)


def _tidy(cell: str) -> str:
    """Return a cell with the signs of a keyboard; empty if its digits are not those of one number.

    The decimal digits of any script are digits, wide ones too, if all are of one script: a Bengali 4 looks like an 8.
    Raised, lowered and circled digits and fractions are none: 12\u00b3 is not 123.
    """
    for sign in cell:
        if not (sign.isascii() or sign.isdecimal()) and _holds_digits(unicodedata.normalize("NFKC", sign)):
            return ""
    form = _UNSEEN.sub("", unicodedata.normalize("NFKC", cell)).translate(_SIGNS)
    digits = [sign for sign in form if sign.isdecimal()]
    if len({ord(sign) - unicodedata.decimal(sign) for sign in digits}) > 1:
        return ""
    return form.translate({ord(sign): str(unicodedata.decimal(sign)) for sign in digits})


def _holds_digits(text: str) -> bool:
    return any(map(str.isdecimal, text))


def _number(text: str) -> tuple[str, str, str] | None:
    """Return the digits of a number, what surely marks its decimals, and what may or may not; None if it is none."""
    digits = _APART.sub("", text)
    if digits != text and not _BLANKS.fullmatch(text):
        # a telephone number, or two numbers
        return None
    marks = [sign for sign in digits if sign in ".,"]
    if not marks:
        return digits, "", ""
    if digits == text and _EITHER.fullmatch(digits):
        return digits, "", marks[0]
    # 1,299,000 has none, but a dot would mark them
    decimal = _OTHER[marks[0]] if len(marks) > 1 and len(set(marks)) == 1 else marks[-1]
    group = _OTHER[decimal]
    whole, _, fraction = digits.partition(decimal)
    if not _GROUPED[group].fullmatch(whole) or (fraction and not fraction.isdigit()):
        return None
    return whole.replace(group, "") + (f"{decimal}{fraction}" if fraction else ""), decimal, ""


@functools.lru_cache(maxsize=1000)
def _currency(*around: str) -> str | None:
    """Return the currency that all that stands around a number means; None if something means none."""
    return common_currency({_sign(words) for words in around} - {""})


def _sign(words: str) -> str:
    """Return the sign of a currency, of which "AU $" is one, without what may stand beside it."""
    tokens = [token.strip(",.:-–—/") for token in words.upper().split()]
    return "".join(token for token in tokens if token not in _BESIDE)
