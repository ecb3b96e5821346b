"""Single listings as a form sends them: fields by the names of the dataset's columns, checked one by one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.errors import InputError, short_repr
from curation.incoming.model import RunModel
from curation.listings.cell_objects import money_of
from curation.listings.none_words import says_none
from curation.listings.price_cells import known_decimal, read_price
from curation.photos.hashing import small_photos
from curation.photos.near_duplicates import detail_of
from curation.photos.text import TextFinder
from curation.remote.addresses import is_remote
from training.images import Pixels, decode
from training.images.reading import NO_PHOTO, photo_content, why_unreadable
from training.utils.boundary import Boundary
from training.utils.files import photo_path

__all__ = ["FACTS", "FIELDS", "Record", "id_of", "read_record"]

#: What a listing may say.
FIELDS = ("id", "image", "label", "price", "title", "group")
#: What is found out about its photo.
FACTS = ("sha256", "width", "height", "unreadable", "detail", "near_group", "near_likeness", "text_share", "text")
_LONGEST = 10_000
#: Python does not write out numbers of more than 4,300 digits.
_LARGEST = 10**1000


@dataclass(frozen=True)
class Record:
    """One listing, with the facts about its photo.

    Attributes
    ----------
    values : dict
        The fields, and the facts, by the names of the columns of ``listings.parquet``; None for missing ones.
    pixels : ndarray of uint8, shape (S, S, 3)
        The decoded photo; black without one.
    small : ndarray of uint8, shape (16, 16, 3)
        The same as it is hashed.
    """

    values: dict[str, Any]
    pixels: Pixels
    small: Pixels


def read_record(
    said: Any, model: RunModel, root: Path, finder: TextFinder | None, inside: Boundary | None = None
) -> Record:
    """Read one listing and its photo.

    Parameters
    ----------
    said : mapping
        What was sent.
    model : RunModel
        The run that judges it, by whose columns the fields may be named.
    root : Path
        The folder that a relative path of a photo starts from.
    finder : TextFinder or None
        Reads the text in the photo, if the run did.
    inside : Boundary, optional
        The folder that photos must lie in.

    Raises
    ------
    InputError
        If it is no listing, or a field holds something else.
    """
    if not isinstance(said, Mapping):
        raise InputError("a listing is no JSON object", got=short_repr(said), wanted='{"image": ..., "label": ...}')
    names, fields = _names(model), _Fields(said)
    values = {ours: fields.get(own, ours) for ours, own in names.items()}
    currency = values.pop("currency")
    if all(values[name] is None for name in ("image", "label", "price", "title")):
        wanted = ", ".join(names[name] for name in ("image", "label", "price", "title"))
        raise InputError("a listing says nothing", got=short_repr(dict(said)), wanted=f"some of {wanted}")
    for name in ("id", "image", "label", "title", "group"):
        values[name] = _text(names[name], values[name])
    for name in ("title", "group"):
        # as in a table
        if values[name] is not None and says_none(values[name]):
            values[name] = None
    if values["image"] is not None:
        _require_file(names["image"], values["image"], root, inside)
    decimal = known_decimal(model.record["dataset"].get("decimal")) or "."
    values["price"], written = _price(names["price"], values["price"], decimal)
    if values["price"] is not None:
        for name, each in ((names["price"], written), (names["currency"], _text(names["currency"], currency))):
            if each is not None and not says_none(each) and model.other_currency(each):
                raise InputError(f"{name} is in another currency", got=short_repr(each), wanted=str(model.currency))
    facts, pixels = _photo(values["image"], model, root, finder)
    small = small_photos(pixels[None])
    if facts["sha256"] is not None and facts["unreadable"] is None:
        facts["detail"] = float(detail_of(small)[0])
    return Record({**values, **facts}, pixels, small[0])


def id_of(said: Any, model: RunModel) -> str | None:
    """Return the id of a listing that can't be read, if it says one.

    Parameters
    ----------
    said
        What was sent.
    model : RunModel
        The run, by whose columns the fields may be named.
    """
    if not isinstance(said, Mapping):
        return None
    name = _names(model)["id"]
    with suppress(InputError):
        return _text(name, _Fields(said).get(name, "id"))
    return None


def _names(model: RunModel) -> dict[str, str]:
    columns = model.record["dataset"].get("columns") or {}
    return {ours: columns.get(ours) or ours for ours in (*FIELDS, "currency")}


class _Fields:
    """The fields of a listing by their names, which a form may write in other cases, and with blanks around."""

    def __init__(self, said: Mapping[Any, Any]) -> None:
        self._said = said
        # of several, the first one
        self._plain = {str(name).strip().casefold(): name for name in reversed(list(said))}

    def get(self, *names: str) -> Any:
        """Return the first field that is there."""
        for name in names:
            if name in self._said:
                return self._said[name]
        plain = (self._plain.get(name.strip().casefold()) for name in names)
        return next((self._said[name] for name in plain if name is not None), None)


def _require_file(name: str, image: str, root: Path, inside: Boundary | None) -> None:
    """Refuse what is no file in the folder: whoever fills in a form must not read others."""
    if is_remote(image):
        raise InputError(f"{name} is a URL", got=short_repr(image), wanted="the path of a file", fix="Fetch it first.")
    if inside is not None and not inside.holds(photo_path(root, image)):
        raise InputError(
            f"{name} leads out of the folder that paths start from",
            got=short_repr(image),
            wanted="a path below it",
            fix="Add `allow_outside=True` if you trust those who write the listings.",
        )


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _text(name: str, value: Any) -> str | None:
    if _is_missing(value):
        return None
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value in (math.inf, -math.inf):
        raise InputError(f"{name} is no text", got=short_repr(value), wanted="text")
    if isinstance(value, int) and abs(value) >= _LARGEST:
        raise InputError(f"{name} is too long", got=short_repr(value), wanted="text, or fewer digits")
    text = str(value).strip()
    if len(text) > _LONGEST:
        raise InputError(f"{name} is too long", got=f"{len(text):,} characters", wanted=f"at most {_LONGEST:,}")
    # what no file of a table can hold
    return text.encode("utf-8", "replace").decode().replace("\0", "") or None


def _price(name: str, value: Any, decimal: Any) -> tuple[float | None, str]:
    """Return a price, and the currency that stands beside it."""
    value = value.item() if isinstance(value, np.generic) else value
    if _is_missing(value) or (isinstance(value, str) and says_none(value.strip())):
        return None, ""
    number, currency = None, ""
    if (money := money_of(value)) is not None:
        currency, value = money.currency, float(money.amount) if money.amount else None
        if value is None:
            return None, currency
    if isinstance(value, str):
        price = read_price(value, decimal)
        number, currency = (None, "") if price is None else (price.value, price.currency)
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
        number = float(value)
    if number is None or not math.isfinite(number) or number < 0:
        raise InputError(f"{name} is no price", got=short_repr(value), wanted="a number, 0 or more")
    return number, currency


def _photo(image: str | None, model: RunModel, root: Path, finder: TextFinder | None) -> tuple[dict[str, Any], Pixels]:
    """Return the facts about a photo, and its pixels."""
    nothing = np.zeros((model.size, model.size, 3), dtype=np.uint8)
    facts: dict[str, Any] = dict.fromkeys(FACTS)
    if image is None:
        return {**facts, "unreadable": NO_PHOTO} if model.table["image"].notna().any() else facts, nothing
    try:
        with photo_content(photo_path(root, image), model.photo_bytes) as content:
            facts["sha256"] = hashlib.sha256(content).hexdigest()
            pixels, (width, height) = decode(content, model.size)
    except Exception as error:  # as in training/images/ingest.py: a damaged file can raise anything in a decoder
        return {**facts, "unreadable": why_unreadable(error)}, nothing
    text: tuple[float | None, str | None] = (None, None)
    if finder is not None:
        finder(content, facts["sha256"], (width, height))
        text = finder.text_of(facts["sha256"])
    return {**facts, "width": width, "height": height, "text_share": text[0], "text": text[1]}, pixels
