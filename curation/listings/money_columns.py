"""Columns of money: which may be the price that is asked, and what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pandas as pd

from curation.errors import some
from curation.listings.currencies import is_currency
from curation.listings.headers import normal_name

__all__ = ["ASKED", "NOT_ASKED", "money_first", "price_name", "said_of_money"]

#: Names of the price that is asked, the surest first; names of one line are equally sure.
ASKED: tuple[tuple[str, ...], ...] = (
    ("price",),
    (
        *("asking_price", "selling_price", "standard_price", "regular_price", "unit_price", "price_each"),
        *("price_amount", "item_price", "product_price", "variant_price"),
    ),
    ("current_price",),
    ("start_price", "retail_price", "net_price"),
    ("sale_price", "amount"),
)
#: Names of money that is not what is asked: what the maker recommends, and what the seller paid.
NOT_ASKED = (
    *("list_price", "msrp", "rrp", "srp", "uvp", "recommended_retail_price", "compare_at_price"),
    *("variant_compare_at_price", "cost", "cost_price", "cost_per_item", "wholesale", "wholesale_price"),
    "purchase_price",
)
_SALES = ("sale_price", "special_price", "discount_price", "discounted_price", "offer_price")
_WITH_CURRENCY = re.compile(r"^((?:[a-z_]+_)?price)_(?:in_)?([a-z]{3})$")
_MONEY = re.compile(
    r"price|preis|prix|preço|preco|precio|prezzo|prijs|cena|цена|cost|msrp|rrp|amount|value", re.IGNORECASE
)


def price_name(name: str) -> str:
    """Return the normal name of a column, without the currency that ends the name of a price.

    Examples
    --------
    >>> price_name("Price (GBP)"), price_name("selling price in EUR"), price_name("price_old")
    ('price', 'selling_price', 'price_old')
    """
    normal = normal_name(name)
    match = _WITH_CURRENCY.match(normal)
    return match[1] if match and is_currency(match[2]) else normal


def money_first(names: Sequence[str]) -> list[str]:
    """Return names of columns, those that seem to hold money first."""
    return sorted(names, key=lambda name: _MONEY.search(name) is None)


def said_of_money(raw: pd.DataFrame, price: str, *, recognised: bool) -> Iterator[str]:
    """Say that the price may not be what is asked, and that sale prices stand beside it.

    Parameters
    ----------
    raw : DataFrame of str
        The table.
    price : str
        Its column that is taken as the price; it need not be there.
    recognised : bool
        Whether curate took it, not a person.
    """
    if price not in raw:
        return
    if recognised and price_name(price) in NOT_ASKED:
        yield (
            f"{price} is taken as the price, for no other column seems to be one; it may not be what is asked. "
            "`columns={'price': ''}` uses none."
        )
    sales = [name for name in raw.columns if name != price and price_name(name) in _SALES and raw[name].notna().any()]
    if sales and price_name(price) not in _SALES:
        yield f"Prices are those of {price}; those of {some(sales, 3)} are not used."
