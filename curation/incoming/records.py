"""Single listings as a form sends them: fields by the names of the dataset's columns, checked one by one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.errors import InputError, short_repr
from curation.incoming.model import RunModel
from curation.listings.price_cells import known_decimal, read_price
from curation.photos.hashing import small_photos
from curation.photos.near_duplicates import detail_of
from curation.photos.text import TextFinder
from training.images import Pixels, decode
from training.images.reading import photo_content, why_unreadable
from training.utils.files import photo_path

__all__ = ["FIELDS", "Record", "read_record"]

#: What a listing may say.
FIELDS = ("id", "image", "label", "price", "title", "group")
_LONGEST = 10_000


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


def read_record(said: Any, model: RunModel, root: Path, finder: TextFinder | None) -> Record:
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

    Raises
    ------
    InputError
        If it is no listing, or a field holds something else.
    """
    if not isinstance(said, Mapping):
        raise InputError("a listing is no JSON object", got=short_repr(said), wanted='{"image": ..., "label": ...}')
    columns = model.record["dataset"].get("columns") or {}
    names = {ours: columns.get(ours) or ours for ours in FIELDS}
    values = {ours: said.get(own, said.get(ours)) for ours, own in names.items()}
    if all(values[name] is None for name in ("image", "label", "price", "title")):
        wanted = ", ".join(names[name] for name in ("image", "label", "price", "title"))
        raise InputError("a listing says nothing", got=short_repr(dict(said)), wanted=f"some of {wanted}")
    for name in ("id", "image", "label", "title", "group"):
        values[name] = _text(names[name], values[name])
    decimal = known_decimal(model.record["dataset"].get("decimal")) or "."
    values["price"] = _price(names["price"], values["price"], decimal)
    facts, pixels = _photo(values["image"], model, root, finder)
    small = small_photos(pixels[None])
    if facts["sha256"] is not None and facts["unreadable"] is None:
        facts["detail"] = float(detail_of(small)[0])
    return Record({**values, **facts}, pixels, small[0])


def _text(name: str, value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{name} is no text", got=short_repr(value), wanted="text")
    text = str(value).strip()
    if len(text) > _LONGEST:
        raise InputError(f"{name} is too long", got=f"{len(text):,} characters", wanted=f"at most {_LONGEST:,}")
    # what no file of a table can hold
    return text.encode("utf-8", "replace").decode().replace("\0", "") or None


def _price(name: str, value: Any, decimal: Any) -> float | None:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    number = None
    if isinstance(value, str):
        price = read_price(value, decimal)
        number = None if price is None else price.value
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
        number = float(value)
    if number is None or not math.isfinite(number) or number < 0:
        raise InputError(f"{name} is no price", got=short_repr(value), wanted="a number, 0 or more")
    return number


def _photo(image: str | None, model: RunModel, root: Path, finder: TextFinder | None) -> tuple[dict[str, Any], Pixels]:
    """Return the facts about a photo, and its pixels."""
    nothing = np.zeros((model.size, model.size, 3), dtype=np.uint8)
    names = ("sha256", "width", "height", "unreadable", "detail", "near_group", "near_likeness", "text_share", "text")
    facts: dict[str, Any] = dict.fromkeys(names)
    if image is None:
        return {**facts, "unreadable": "no photo"} if model.table["image"].notna().any() else facts, nothing
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
