"""Which column of money is the price that is asked."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from curation.listings.faults import Faults
from curation.listings.mapping import Mapped
from curation.listings.mapping import map_columns as _map_columns
from curation.listings.recognise import recognise
from tests.support.fixes import decided, run_of


def map_columns(raw: pd.DataFrame, given: dict[str, str]) -> Mapped:
    return _map_columns(raw, given, ["id", "label"], Faults(strict=True))


ONE = {"id": ["1", "2"], "label": ["a", "b"]}


def table(**columns: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({**ONE, **columns}, dtype="string")


def prices(*names: str) -> pd.DataFrame:
    return table(**{name: ["5", "6"] for name in names})


@pytest.mark.parametrize(
    "name",
    [
        *("Regular price", "selling_price", "retail price", "Start price", "net_price", "Price each", "Current price"),
        *("standard_price", "sale_price", "Selling price (EUR)", "list_price", "MSRP", "RRP", "cost"),
    ],
)
def test_a_usual_name_of_a_price_is_recognised(name: str) -> None:
    assert recognise(prices(name), {}).columns == {"price": name}


CODES = ["R1001", "RM100", "FR12", "KR7", "LEI20", "TL300", "EUR45", "Р15", "R-1001", "100R", "C1001"]


@pytest.mark.parametrize("code", CODES)
def test_a_column_of_codes_that_begin_like_a_currency_is_no_price_unless_its_name_says_so(code: str) -> None:
    codes = [code, code.replace("1", "2")]
    assert recognise(table(Ref=codes), {}).columns == {}
    assert recognise(table(Cost=codes), {}).columns == {"price": "Cost"}


@pytest.mark.parametrize(
    "cells",
    [
        ["£1001", "£1002"],
        ["R 100", "R 250"],
        ["R950", "R1,200"],
        ["R12.50", "R7"],
        ["120kr", "80kr"],
        ["Rs.500", "Rs.9"],
    ],
)
def test_a_column_of_prices_with_their_currency_is_recognised_by_what_it_holds(cells: list[str | None]) -> None:
    assert recognise(table(Ref=cells), {}).columns == {"price": "Ref"}


@pytest.mark.parametrize("better", ["standard_price", "selling_price", "sale_price", "price_eur", "Start price"])
@pytest.mark.parametrize("worse", ["list_price", "MSRP", "rrp", "Cost", "Wholesale price", "list_price_eur"])
def test_what_is_not_asked_is_no_price_beside_what_is(better: str, worse: str) -> None:
    assert recognise(prices(worse, better), {}).columns == {"price": better}


def test_amounts_with_a_currency_come_before_a_list_price() -> None:
    found = recognise(table(list_price=["£5", "£6"], Preis=["4 £", "5 £"]), {})
    assert found.columns == {"price": "Preis"}


def test_a_cost_and_a_recommended_price_are_asked_for() -> None:
    mapped = map_columns(prices("cost", "rrp"), {})
    assert "No price is used: cost and rrp are equally likely. Choose one with `columns`." in mapped.notes
    assert mapped.table["price"].isna().all()


def test_a_list_price_that_is_used_alone_is_named_as_such() -> None:
    mapped = map_columns(prices("list_price"), {})
    said = "list_price is taken as the price, for no other column seems to be one; it may not be what is asked. "
    assert said + "`columns={'price': ''}` uses none." in mapped.notes
    chosen = map_columns(prices("list_price"), {"price": "list_price"})
    assert not [note for note in chosen.notes if "asked" in note]


def test_the_regular_price_is_the_price_and_sale_prices_beside_it_are_mentioned() -> None:
    mapped = map_columns(prices("Regular price").assign(**{"Sale price": ["4", None]}), {})
    assert mapped.columns == {"price": "Regular price"}
    assert "Prices are those of Regular price; those of Sale price are not used." in mapped.notes
    empty = map_columns(prices("Regular price").assign(**{"Sale price": None}), {})
    assert not [note for note in empty.notes if "Sale price" in note]


def test_columns_that_may_be_money_are_named_first() -> None:
    many = table(**{f"x{number}": ["1", "2"] for number in range(10)}, Preis=["1", "2"])
    notes = map_columns(many, {}).notes
    assert [note for note in notes if note.startswith("No price and no title is used; other columns are Preis, x0, ")]


WOO = """ID,Type,SKU,Name,Regular price,Categories,Parent
1,variable,A,Lamp,10,Lamps,
2,simple,B,Desk,90,Desks,
11,variation,A-1,Lamp - red,12,,id:1
12,variation,A-2,Lamp - blue,10,,A
3,simple,C,Sofa,400,Sofas,
13,variation,X-1,Chair - red,8,Desks,id:99
"""


def test_variations_of_woocommerce_belong_to_their_product_by_its_id_or_sku(tmp_path: Path) -> None:
    (tmp_path / "woo.csv").write_text(WOO)
    listings = read_listings(tmp_path / "woo.csv", needs_image=False)
    assert listings.table["id"].tolist() == ["1", "2", "3", "13"]
    said = "2 rows are variants of listings, whose label and price are those of the first row; 1 has another price."
    assert said in listings.notes
    run = run_of(tmp_path / "woo.csv", tmp_path / "run", needs_image=False)
    run.decide([decided("1", "delete")])
    apply_fixes(run, plan_fixes(run))
    left = [line.split(",")[0] for line in (run.cleaned / "listings.csv").read_text().splitlines()]
    assert left == ["ID", "2", "3", "13"]
