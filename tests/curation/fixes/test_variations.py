"""Products of WooCommerce whose prices are those of their variations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from curation.errors import InputError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of

ROWS = """ID,Type,SKU,Name,Regular price,Categories,Parent
1,variable,A,Lamp,,Lamps,
11,variation,A-S,Lamp - S,5,,A
12,variation,A-M,Lamp - M,7,,A
2,simple,B,Desk,50,Desks,
3,variable,C,Sofa,90,Sofas,
31,variation,C-S,Sofa - S,95,,C
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "woo.csv").write_text(ROWS)
    return tmp_path / "woo.csv"


def test_variants_with_prices_of_a_listing_without_one_are_told(shop: Path) -> None:
    notes = read_listings(shop, needs_image=False).notes
    assert (
        "3 rows are variants of listings, whose label and price are those of the first row; 1 has another price."
        in notes
    )
    assert "2 variants have prices, and their listings none: no price of theirs is used or changed." in notes


def test_a_new_price_of_a_product_whose_variations_have_the_prices_is_refused(shop: Path) -> None:
    run = run_of(shop, shop.parent / "run", needs_image=False)
    run.decide([replace(decided("1", "reprice"), new_price=6.0)])
    with pytest.raises(InputError, match="a new price of 1, whose variants have the prices"):
        apply_fixes(run, plan_fixes(run))
    assert not run.cleaned.exists()


def test_products_with_a_price_of_their_own_get_the_new_one(shop: Path) -> None:
    run = run_of(shop, shop.parent / "run", needs_image=False)
    run.decide([replace(decided("2", "reprice"), new_price=6.0), replace(decided("3", "reprice"), new_price=9.0)])
    apply_fixes(run, plan_fixes(run))
    prices = pd.read_csv(run.cleaned / "listings.csv").set_index("ID")["Regular price"]
    assert prices[[2, 3, 31, 11]].tolist() == [6, 9, 95, 5]
