"""Currencies as people write them: "£", "S$", "kr", "руб.", "EUR"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

__all__ = [
    "HUNDREDTHS",
    "THOUSANDTHS",
    "common_currency",
    "has_thousandths",
    "is_currency",
    "is_shared",
    "may_be",
    "without_shared",
]

#: Signs and words that stand for one currency, without blanks.
_CURRENCIES = {
    "US$": "USD", "S$": "SGD", "SG$": "SGD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD",
    "NZ$": "NZD", "NT$": "TWD", "R$": "BRL", "RM": "MYR", "£": "GBP", "POUND": "GBP", "POUNDS": "GBP", "QUID": "GBP",
    "€": "EUR", "EURO": "EUR", "EUROS": "EUR", "₹": "INR", "RP": "IDR", "₩": "KRW",
    "원": "KRW", "₫": "VND", "Đ": "VND", "VNĐ": "VND", "₱": "PHP", "฿": "THB", "บาท": "THB", "₺": "TRY", "TL": "TRY",
    "₽": "RUB", "РУБ": "RUB", "РУБЛЬ": "RUB", "РУБЛЯ": "RUB", "РУБЛЕЙ": "RUB", "Р": "RUB", "₴": "UAH", "ГРН": "UAH",
    "₸": "KZT", "ТГ": "KZT", "₦": "NGN", "₪": "ILS", "ZŁ": "PLN", "KČ": "CZK", "FT": "HUF", "LEI": "RON",
    "ЛВ": "BGN", "FR": "CHF", "SFR": "CHF", "KSH": "KES", "R": "ZAR", "円": "JPY", "元": "CNY",
}  # fmt: skip
#: Codes of currencies (ISO 4217) that people write; other words of three letters mean something else.
_CODES = frozenset(
    re.findall(
        r"\w+",
        "AED ARS AUD BDT BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP GHS HKD HUF IDR ILS INR IQD ISK JOD JPY "
        "KES KRW KWD KZT LKR LYD MAD MUR MXN MYR NGN NOK NPR NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB "
        "TND TRY TWD UAH USD UYU VND ZAR",
    )
)
#: Signs that stand for several currencies, and those.
_SHARED = {
    "$": frozenset(["USD", "SGD", "AUD", "CAD", "HKD", "NZD", "TWD", "MXN", "ARS", "CLP", "COP", "BRL"]),
    "¥": frozenset(("JPY", "CNY")),
    "KR": frozenset(("SEK", "NOK", "DKK", "ISK")),
    "RS": frozenset(("INR", "PKR", "LKR", "NPR", "MUR")),
}
#: Words for many currencies, as the sign that means the same.
_WORDS = {"DOLLAR": "$", "DOLLARS": "$", "BUCKS": "$", "KRONOR": "KR", "KRONER": "KR", "RUPEE": "RS", "RUPEES": "RS"}
#: What stands behind a hundredth of a currency.
HUNDREDTHS = {"P": "£", "PENCE": "£", "¢": "$"}
#: Currencies of which 1.250 is one and a quarter.
THOUSANDTHS = frozenset(("BHD", "JOD", "KWD", "LYD", "OMR", "TND"))
#: Currencies without hundredths (ISO 4217).
WHOLE = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
)


def is_currency(code: str) -> bool:
    """Return whether a word is the code of a currency, in any case."""
    return code.upper() in _CODES


def has_thousandths(currency: str) -> bool:
    """Return whether prices in a currency have three decimals, as in Kuwait: 1.250."""
    return currency.strip().upper() in THOUSANDTHS


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


def common_currency(words: Iterable[str]) -> str | None:
    """Return the currency that all words stand for; None if one stands for none, or they differ.

    Parameters
    ----------
    words : iterable of str
        Signs, codes and words in capitals, without blanks.

    Examples
    --------
    >>> common_currency(["$", "USD"]), common_currency(["£"]), common_currency([])
    ('USD', 'GBP', '')
    >>> common_currency(["BAGS"]) is common_currency(["£", "€"]) is None
    True
    """
    codes = set()
    for word in words:
        word = _WORDS.get(word, word)
        if word not in _CURRENCIES and word not in _SHARED and word not in _CODES:
            return None
        codes.add(_CURRENCIES.get(word, word))
    certain = codes - set(_SHARED)
    if len(certain) > 1 or any(not certain <= _SHARED[sign] for sign in codes & set(_SHARED)):
        return None
    return min(certain or codes, default="")


def without_shared(counts: Counter[str]) -> dict[str, int]:
    """Give the prices with a sign of several currencies to the one that other prices name.

    Parameters
    ----------
    counts : Counter of str
        Prices by their currency; the empty text is none.

    Examples
    --------
    >>> without_shared(Counter({"$": 2, "SGD": 1, "": 5}))
    {'SGD': 3}
    """
    currencies = {currency: count for currency, count in counts.most_common() if currency}
    for sign, meant in _SHARED.items():
        named = meant.intersection(currencies)
        if sign in currencies and len(named) == 1:
            currencies[min(named)] += currencies.pop(sign)
    return currencies
