"""Rows that only add a photo to the listing above them, as Shopify exports products with several."""

from __future__ import annotations

import pandas as pd

from curation.rendering.words import agree, many

__all__ = ["adds_photo", "said_of_added"]


def adds_photo(table: pd.DataFrame) -> pd.Series:
    """Return which rows only add a photo: they repeat the id above, and have no label, title or price.

    Parameters
    ----------
    table : DataFrame of str
        With our column names.

    Examples
    --------
    >>> rows = {"id": ["a", "a", "b"], "image": ["1.jpg", "2.jpg", "3.jpg"], "label": ["lamp", None, None]}
    >>> adds_photo(pd.DataFrame(rows).assign(title=None, price=None)).tolist()
    [False, True, False]
    """
    bare = table[["label", "title", "price"]].isna().all(axis=1) & table["image"].notna()
    again = (table["id"] == table["id"].shift()).fillna(False).astype(bool)
    # a table without any of them has nothing that such a row could lack
    return bare & again if not bare.all() else bare & False


def said_of_added(count: int) -> tuple[str, ...]:
    """Say how many rows add a photo."""
    if not count:
        return ()
    return (
        f"{many(count, 'row')} only {agree(count, 'adds a photo', 'add photos')} to the listing above; the first photo "
        "of a listing is the one that counts.",
    )
