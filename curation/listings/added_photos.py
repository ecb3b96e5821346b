"""Rows that only add a photo or a variant to a listing, as Shopify exports products with several."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from curation.rendering.words import agree, many

__all__ = ["Added", "added_rows"]


@dataclass(frozen=True)
class Added:
    """Rows that are no listings of their own.

    Attributes
    ----------
    owners : Series
        The row that each belongs to; both are labels of the table.
    photos : int
        How many only add a photo.
    variants : int
        How many are variants of a product, with a price, or without a photo.
    otherwise : int
        Variants of another price than their listing.
    unpriced : int
        Variants with a price of a listing without one.
    """

    owners: pd.Series
    photos: int = 0
    variants: int = 0
    otherwise: int = 0
    unpriced: int = 0

    def notes(self) -> tuple[str, ...]:
        """Say how many there are."""
        said = []
        if self.photos:
            adds = agree(self.photos, "adds a photo to its listing", "add photos to their listings")
            said.append(f"{many(self.photos, 'row')} only {adds}; the first photo of a listing is the one that counts.")
        if self.variants:
            are = agree(self.variants, "is a variant of a listing", "are variants of listings")
            said.append(
                f"{many(self.variants, 'row')} {are}, whose label and price are those of the first row; "
                f"{self.otherwise:,} {agree(self.otherwise, 'has', 'have')} another price."
            )
        if self.unpriced:
            have = agree(self.unpriced, "has a price, and its listing", "have prices, and their listings")
            said.append(f"{many(self.unpriced, 'variant')} {have} none: no price of theirs is used or changed.")
        return tuple(said)


def added_rows(table: pd.DataFrame, file: pd.Series, *, shop: bool, variations: pd.Series | None = None) -> Added:
    """Return the rows that add something to a listing, by its id; one without an id, to the listing above.

    They have no label, title or price. In an export of Shopify, they may be variants: with a price, and no other label
    or title than the listing.

    Parameters
    ----------
    table : DataFrame of str
        With our column names.
    file : Series of int
        The file that each row stands in: a row adds nothing to one of another file.
    shop : bool
        Whether the table is an export of Shopify.
    variations : Series, optional
        Of :func:`curation.listings.variations.variation_owners`.

    Examples
    --------
    >>> rows = {"id": ["a", "b", "a"], "image": ["1.jpg", "2.jpg", "3.jpg"], "label": ["lamp", "desk", None]}
    >>> table = pd.DataFrame(rows, dtype="string").assign(title=None, price=None)
    >>> added_rows(table, pd.Series(0, table.index), shop=False).owners.to_dict()
    {2: 0}
    """
    given = pd.Series(dtype=object) if variations is None else variations
    owners = _owners(table.drop(index=given.index), shop=shop)
    if len(given):
        # the product may have a row above that only adds a photo to it
        owners = pd.concat([owners, given.map(lambda row: owners.get(row, row))])
    owners = owners[file.reindex(owners).to_numpy() == file.reindex(owners.index).to_numpy()]
    price = table["price"]
    variants = owners[price[owners.index].notna() | table["image"][owners.index].isna()]
    same = _agrees(table.loc[variants.index], variants, "price", price)
    bare = price.reindex(variants).isna().to_numpy(dtype=bool)
    unpriced = int((bare & ~same.to_numpy(dtype=bool)).sum())
    return Added(owners, len(owners) - len(variants), len(variants), int((~same).sum()) - unpriced, unpriced)


def _owners(table: pd.DataFrame, *, shop: bool) -> pd.Series:
    """Return the row that each row belongs to, of those that add something."""
    id, rows = table["id"], pd.Series(table.index, index=table.index, dtype=object)
    bare = table[["label", "title", "price"]].isna().all(axis=1) & table["image"].notna()
    if bare.all() or id.isna().all():
        # a table without any of them has nothing that such a row could lack
        return rows.iloc[:0]
    if not bare.any() and (not shop or not id.duplicated().any()):
        # no row can belong to another: a look at each takes seconds for a million
        return rows.iloc[:0]
    described = table[["label", "title"]].notna().any(axis=1) if shop else ~bare
    owner = id.map(_first(rows[described], id)).fillna(id.map(_first(rows, id)))
    added = id.notna() & (owner != rows)
    added &= _agrees(table, owner, "label") & _agrees(table, owner, "title") if shop else bare
    nameless = id.isna() & bare
    if not shop and nameless.any():
        nameless &= table[nameless].notna().sum(axis=1).reindex(table.index, fill_value=0) == 1
    belongs = rows.where(~added, owner).mask(nameless).ffill()
    added |= nameless & belongs.notna()
    owners: pd.Series = belongs[added]
    return owners


def _first(rows: pd.Series, id: pd.Series) -> pd.Series:
    """Return the first of some rows for each id."""
    named = rows[id[rows.index].notna()]
    first = named[~id[named.index].duplicated()]
    return first.set_axis(id[first.index].astype(object))


def _agrees(table: pd.DataFrame, owner: pd.Series, column: str, whole: pd.Series | None = None) -> pd.Series:
    """Return which rows have no other value than the row that they may belong to."""
    values = table[column].astype(object)
    of_owner = (table[column] if whole is None else whole).astype(object).reindex(owner).set_axis(values.index)
    return values.isna() | (values == of_owner).fillna(False).astype(bool)
