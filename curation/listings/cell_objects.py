"""Cells that are objects, as programs write them: a price with its currency, a photo with what describes it."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from training.utils.bounded import parse_json

__all__ = [
    "Money",
    "each_photo",
    "is_typed_number",
    "money_of",
    "photos_of",
    "plain_value",
    "typed_number",
    "with_amount",
]

_AMOUNTS = ("amount", "value", "price")
_CURRENCIES = ("currency", "currency_code", "currencyCode", "priceCurrency")
#: Where the photo is: as a file first, which needs no network.
_PLACES = ("path", "file_name", "filename", "file", "url", "src", "image_url", "href", "link")
#: What makes an object one that holds the photo itself, unless it is null.
_HELD = "bytes"
#: As a program writes a number: a dot marks the decimals.
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
#: What MongoDB exports values of its types as: an object with one key.
_TYPED_NUMBERS = ("$numberDecimal", "$numberDouble", "$numberInt", "$numberLong")
_TYPED = (*_TYPED_NUMBERS, "$oid", "$date", "$uuid", "$symbol")
_WHOLE = ("$numberInt", "$numberLong")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Money:
    """A price and its currency.

    Attributes
    ----------
    amount : str
        As a program writes a number; empty if it has none.
    currency : str
        Its code in capitals; empty if it has none.
    """

    amount: str
    currency: str


def money_of(cell: Any) -> Money | None:
    """Return the price that an object is; None if it is anything else, such as an amount of hundredths.

    Parameters
    ----------
    cell : object
        The object, or its text.

    Examples
    --------
    >>> money_of('{"amount": 12.5, "currency": "GBP"}'), money_of({"value": "9.99", "currencyCode": "eur"})
    (Money(amount='12.5', currency='GBP'), Money(amount='9.99', currency='EUR'))
    >>> money_of('{"amount": 1250, "divisor": 100, "currency_code": "GBP"}') is None
    True
    """
    value = _loaded(cell, "{")
    names = _names_of_money(value)
    if names is None:
        return None
    amount, currency = (value[name] for name in names)
    text = "" if amount is None else str(amount).strip()
    if isinstance(amount, bool) or not (text == "" or _NUMBER.fullmatch(text)):
        return None
    if not (currency is None or isinstance(currency, str)):
        return None
    return Money(text, (currency or "").strip().upper())


def _names_of_money(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, dict) or len(value) != 2:
        return None
    amounts, currencies = ([name for name in names if name in value] for names in (_AMOUNTS, _CURRENCIES))
    return (amounts[0], currencies[0]) if amounts and currencies else None


def with_amount(cell: Any, text: str) -> Any:
    """Return a price with another amount: an object for an object, a text for a text, and a number for a number.

    Parameters
    ----------
    cell : object
        The price, see :func:`money_of`.
    text : str
        The new amount, as a program writes it.

    Examples
    --------
    >>> with_amount('{"amount": 12.5, "currency": "GBP"}', "9"), with_amount({"value": "9.99", "currency": "EUR"}, "8")
    ('{"amount": 9, "currency": "GBP"}', {'value': '8', 'currency': 'EUR'})
    """
    value = _loaded(cell, "{")
    name, _ = _names_of_money(value) or ("", "")
    new = {**value, name: text if isinstance(value[name], str) else json.loads(text)}
    return json.dumps(new, ensure_ascii=False) if isinstance(cell, str) else new


def plain_value(value: Any) -> Any:
    """Return the value of an object that only says its type, as MongoDB exports them; anything else as it is.

    Parameters
    ----------
    value : object
        A cell.

    Examples
    --------
    >>> plain_value({"$numberDecimal": "76.78"}), plain_value({"$oid": "5f1a"}), plain_value({"a": 1})
    ('76.78', '5f1a', {'a': 1})
    >>> plain_value({"$date": {"$numberLong": "1700000000000"}})
    '2023-11-14T22:13:20Z'
    """
    key = _type_of(value)
    if not key:
        return value
    plain = plain_value(value[key])
    if key == "$date" and str(plain).lstrip("-").isdigit():
        try:
            moment = _EPOCH + datetime.timedelta(milliseconds=int(plain))
        except OverflowError:
            return plain
        return moment.isoformat().replace("+00:00", "Z")
    return plain


def _type_of(value: Any) -> str:
    """Return the one key of an object that says its type; empty if it is anything else."""
    key = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else ""
    return key if key in _TYPED else ""


def is_typed_number(value: Any) -> bool:
    """Return whether a value is a number with its type, see :func:`plain_value`."""
    return _type_of(value) in _TYPED_NUMBERS


def typed_number(text: str, like: Any) -> dict[str, str]:
    """Return a number with the type of another one; with decimals, no whole number.

    Parameters
    ----------
    text : str
        The number, as a program writes it.
    like : object
        The other one, see :func:`is_typed_number`.

    Examples
    --------
    >>> typed_number("9.5", {"$numberDecimal": "76.78"}), typed_number("9.5", {"$numberInt": "7"})
    ({'$numberDecimal': '9.5'}, {'$numberDouble': '9.5'})
    """
    key = _type_of(like)
    return {"$numberDouble" if key in _WHOLE and not text.lstrip("+-").isdigit() else key: text}


def photos_of(cell: str) -> list[str]:
    """Return the names of the photos that a cell has as objects; none if it has anything else.

    Parameters
    ----------
    cell : str
        The cell.

    Examples
    --------
    >>> photos_of('{"url": "https://a.org/1.jpg", "alt": "front"}'), photos_of('[{"path": "a.jpg"}, {"path": "b.jpg"}]')
    (['https://a.org/1.jpg'], ['a.jpg', 'b.jpg'])
    >>> photos_of('{"path": "a.jpg", "bytes": null}'), photos_of("a.jpg"), photos_of('["a.jpg"]')
    (['a.jpg'], [], [])
    """
    return [each[_place(each)] for each in _photos(cell)]


def each_photo(cell: str, change: Callable[[str], str]) -> str:
    """Return a cell of objects, see :func:`photos_of`, with each name of a photo changed.

    Parameters
    ----------
    cell : str
        The cell.
    change : callable
        Name → its new name.
    """
    objects = [{**each, (name := _place(each)): change(each[name])} for each in _photos(cell)]
    return json.dumps(objects if cell.lstrip().startswith("[") else objects[0], ensure_ascii=False)


def _photos(cell: str) -> list[dict[str, Any]]:
    """Return the objects in a cell, if each of them says where a photo is."""
    value = _loaded(cell, "{[") if "{" in cell else None
    objects: list[Any] = value if isinstance(value, list) else [value]
    sure = all(isinstance(each, dict) and _place(each) and each.get(_HELD) is None for each in objects)
    return objects if sure else []


def _place(photo: dict[str, Any]) -> str:
    return next((name for name in _PLACES if isinstance(photo.get(name), str) and photo[name].strip()), "")


def _loaded(cell: Any, starts: str) -> Any:
    """Return the value of a text of JSON that begins so; what is no text as it is, and None for all other texts."""
    if not isinstance(cell, str):
        return cell
    if cell.lstrip()[:1] not in tuple(starts):
        return None
    try:
        return parse_json(cell)
    except ValueError:
        return None
