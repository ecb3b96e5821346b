"""Recognising the columns of a table that calls them otherwise than curate does."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from curation.listings.cell_objects import money_of, photos_of
from curation.listings.folders import is_photo
from curation.listings.headers import normal_name
from curation.listings.money_columns import ASKED, NOT_ASKED, price_name
from curation.listings.price_cells import parse_price
from curation.listings.splits import split_of

__all__ = ["Recognised", "is_money", "is_shop_export", "likely_names", "names_photo", "recognise"]

#: Our column → names that mean it, the surest first; names of one line are equally sure.
_NAMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "id": (
        ("id",),
        ("listing_id",),
        ("item_id", "product_id", "ad_id", "offer_id", "article_id", "item_number"),
        # eBay calls its seller's SKU a custom label
        ("sku", "item_sku", "seller_sku", "custom_label", "custom_label_sku", "uuid", "uid", "key"),
        # several offers may be of one
        ("asin", "asin1"),
        ("handle", "url_handle"),
    ),
    "image": (
        ("image",),
        ("image_path", "photo_path", "picture_path", "img_path", "file_name", "filename", "image_file", "photo_file"),
        ("photo", "picture", "img", "file", "filepath", "file_path", "path", "image_name"),
        # where a shop's export has a column for each photo: the one that it shows first
        (
            *("main_image", "main_image_url", "main_image_link", "main_image_path", "main_photo", "main_picture"),
            *("primary_image", "primary_image_url", "primary_photo", "featured_image", "featured_image_url"),
            *("base_image", "cover_image", "cover_photo"),
        ),
        ("image_url", "photo_url", "img_url", "picture_url", "image_link", "image_src", "images", "photos", "picurl"),
        (
            "product_image_url",
            "item_photo_url",
            "image_urls",
            "photo_urls",
            "picture_urls",
            "hosted_image_urls",
            "pic_url",
        ),
        (
            *(f"{what}{number}" for what in ("image", "photo", "picture", "img", "pic") for number in ("_1", "1")),
            *(f"{what}{number}" for what in ("image_url", "photo_url", "picture_url") for number in ("_1", "1")),
            "product_image_file_1",
        ),
    ),
    "label": (
        ("label",),
        ("category", "class", "category_name", "class_name", "product_category", "label_name"),
        ("google_product_category", "product_type", "target", "categories", "labels", "e_bay_category_1_name"),
        ("feed_product_type",),
        # of Label Studio
        ("choice",),
        ("category_id", "class_id", "label_id", "e_bay_category_1_number"),
    ),
    "price": ASKED,
    "title": (
        ("title",),
        ("product_name", "item_name", "listing_title", "product_title", "item_title", "headline"),
        ("name",),
        ("description", "product_description", "text"),
    ),
    "group": (("group",),),
    "split": (("split",), ("subset", "set", "partition")),
}
#: What Shopify calls a product, whose rows all have it, and its classes: its own, and those of its taxonomy.
_HANDLES = ("handle", "url_handle")
_TYPES = ("product_category", "type", "product_type", "standard_product_type", "custom_product_type")
#: Names that are ours only where nothing else is.
_LAST = {"price": NOT_ASKED}
#: Share of the cells that must look like photos or prices.
_MOSTLY = 0.8
_LOOKED_AT = 1000
#: A code as well as a price: letters joined to a whole number, R1001, or behind it, where prices have them before.
_CODE = re.compile(r"[A-Za-z\u0400-\u04ff]+-?\d+|\d+(?:R|RM|RP|FR)", re.IGNORECASE)


@dataclass(frozen=True)
class Recognised:
    """Which of a table's columns are ours.

    Attributes
    ----------
    columns : dict of str to str
        Our column name → the table's own, of those that were not mapped and have another name.
    doubtful : dict of str to list of str
        Our column name → several of the table's that are equally likely.
    by_content : frozenset of str
        Those of `columns` that were recognised by what they hold, not by their names.
    """

    columns: dict[str, str]
    doubtful: dict[str, list[str]]
    by_content: frozenset[str] = frozenset()


def likely_names() -> dict[str, str]:
    """Return all names that are recognised, in lower case, each with our column that it means."""
    return {name: ours for ours, lines in _NAMES.items() for line in (*lines, _LAST.get(ours, ())) for name in line}


def recognise(table: pd.DataFrame, mapped: Mapping[str, str], unused: Collection[str] = ()) -> Recognised:
    """Recognise columns by their names, and the photos by what the column holds.

    Parameters
    ----------
    table : DataFrame of str
        The raw table.
    mapped : mapping of str to str
        Our column name → the table's own, as the user or the declaration has it: these are settled.
    unused : collection of str
        Columns of ours that are not to be used.

    Examples
    --------
    >>> table = pd.DataFrame({"SKU": ["1"], "Category": ["lamp"], "price GBP": ["9"], "pic": ["a.jpg"]}, dtype="string")
    >>> recognise(table, {}).columns
    {'id': 'SKU', 'image': 'pic', 'label': 'Category', 'price': 'price GBP'}
    """
    taken = set(mapped.values())
    columns: dict[str, str] = {}
    doubtful: dict[str, list[str]] = {}
    by_content = set[str]()
    for ours, lines in _NAMES.items():
        if ours in mapped or ours in unused or (ours in table and ours not in taken):
            continue
        free = [name for name in table.columns if name not in taken and name not in _NAMES]
        last = [name for name in free if price_name(name) in _LAST.get(ours, ())]
        filled = _filled(table, free)
        candidates = _by_shop(table, free, ours) or _by_name(filled, lines)
        if not candidates:
            candidates = _by_content(table, [name for name in filled if name not in last], ours)
            by_content |= {ours} if candidates else set()
        # an empty column means nothing while another has the values
        candidates = candidates or _filled(table, last) or _by_name(free, lines)
        if ours == "split":
            # a set may be red or blue
            candidates = [name for name in candidates if table[name].dropna().map(split_of).notna().all()]
        if len(candidates) == 1:
            columns[ours] = candidates[0]
            taken.add(candidates[0])
        elif candidates:
            doubtful[ours] = candidates
    return Recognised(columns, doubtful, frozenset(by_content & set(columns)))


def is_shop_export(table: pd.DataFrame) -> bool:
    """Return whether a table is an export of Shopify: rows of one handle are one product, its variants and photos.

    Parameters
    ----------
    table : DataFrame
        The raw table.
    """
    names = {normal_name(str(name)) for name in table.columns}
    return not names.isdisjoint(_HANDLES) and any(name.startswith(("variant_", "option1_")) for name in names)


def _by_shop(table: pd.DataFrame, names: Sequence[str], ours: str) -> list[str]:
    """Return the product and its class in an export of Shopify: of the columns of classes the one with most of them."""
    if ours not in ("id", "label") or not is_shop_export(table):
        return []
    meant = _HANDLES if ours == "id" else _TYPES
    given = {name: int(table[name].notna().sum()) for name in names if normal_name(name) in meant}
    order = sorted(filter(given.get, given), key=lambda name: (-given[name], meant.index(normal_name(name))))
    return order[:1]


def _by_name(names: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    normal = {name: {normal_name(name), price_name(name)} for name in names}
    fitting = ([name for name in names if not normal[name].isdisjoint(line)] for line in lines)
    return next(filter(None, fitting), [])


def _filled(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    return [name for name in names if table[name].notna().any()]


def names_photo(cell: str) -> bool:
    """Return whether a cell names a photo, as a file or as a URL, which may have a query."""
    name = next(iter(photos_of(cell)), cell)
    return is_photo(name.partition("?")[0] if name[:4].lower() == "http" else name)


def _by_content(table: pd.DataFrame, names: Sequence[str], ours: str) -> list[str]:
    """Return the columns that mostly hold names of photos, or prices with their currency."""
    looks_like = {"image": names_photo, "price": is_money}.get(ours)
    fitting = []
    for name in names if looks_like else ():
        cells = table[name].dropna().head(_LOOKED_AT)
        if looks_like and _mostly(looks_like, cells) and not (ours == "price" and _mostly(_is_code, cells)):
            fitting.append(name)
    return fitting


def _mostly(looks_like: Callable[[str], bool], cells: pd.Series) -> bool:
    return len(cells) > 0 and sum(map(looks_like, cells)) >= _MOSTLY * len(cells)


def _is_code(cell: str) -> bool:
    return _CODE.fullmatch(cell.strip()) is not None


def is_money(cell: str) -> bool:
    """Return whether a cell is a price with its currency."""
    price = money_of(cell) or parse_price(cell)
    return price is not None and bool(price.currency)
