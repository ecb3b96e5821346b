"""Variations of a product in exports of WooCommerce: rows of their own that name their parent."""

from __future__ import annotations

import pandas as pd

from curation.listings.headers import normal_name

__all__ = ["variation_owners"]


def variation_owners(raw: pd.DataFrame) -> pd.Series:
    """Return the row of the product that each variation belongs to; both are labels of the table.

    The column of parents has ``id:`` and the product's ID, or its SKU.

    Parameters
    ----------
    raw : DataFrame of str
        The table under its own names.

    Examples
    --------
    >>> rows = {"ID": ["1", "2"], "Type": ["variable", "variation"], "Parent": [None, "id:1"]}
    >>> variation_owners(pd.DataFrame(rows, dtype="string")).to_dict()
    {1: 0}
    """
    named = {normal_name(str(name)): name for name in reversed(raw.columns)}
    none = pd.Series([], index=raw.index[:0], dtype=object)
    if not {"type", "parent"} <= named.keys():
        return none
    varies = (raw[named["type"]].str.lower() == "variation").fillna(False).astype(bool)
    if not varies.any():
        return none
    rows: dict[str, object] = {}
    for key, mark in (("sku", ""), ("id", "id:")):
        if key in named:
            texts = raw.loc[~varies, named[key]].dropna()
            # the first of several counts
            rows |= {f"{mark}{text}": row for row, text in reversed(list(texts.items()))}
    owners: pd.Series = raw.loc[varies, named["parent"]].map(rows).astype(object).dropna()
    return owners
