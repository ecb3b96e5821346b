"""A new price is written as the others of its column are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from curation.listings.price_cells import read_price
from curation.listings.price_texts import price_texts
from curation.listings.prices import read_prices


@pytest.mark.parametrize(
    ("column", "row", "price", "text"),
    [
        (["£1,200", "£35"], 0, 120, "£120"),
        (["£1,200", "£35"], 1, 3500, "£3,500"),
        (["£35", "£20"], 1, 1250.5, "£1250.50"),
        (["1.299,00 €", "45,00 €", "2.500,00 €"], 0, 129.9, "129,90 €"),
        (["1.299,00 €", "45,00 €", "2.500,00 €"], 1, 4500, "4.500,00 €"),
        (["S$ 45", "S$ 1 200"], 0, 4.5, "S$ 4.50"),
        (["10.00", "20.00"], 0, 1, "1.00"),
        (["10", "20"], 0, 0.5, "0.50"),
        (["£1k", "£35"], 0, 120, "£120"),
        (["POA", "£35", "£40"], 0, 1200, "£1200"),
        ([None, "EUR 45,-", "EUR 50,-"], 0, 60, "EUR 60,-"),
        (["Free", "POA"], 0, 7.25, "7.25"),
        (["10 €", "20 €"], 0, 1.299, "1.2990 €"),
        (["1.299,00 €", "45,00 €"], 1, 0.125, "0,1250 €"),
        (["CHF 1'200", "CHF 35"], 0, 12_000, "CHF 12'000"),
        (["5.", "7."], 0, 10.5, "10.50"),
        (["5.", "7."], 0, 9, "9."),
        (["5. €", "7. €"], 1, 9.25, "9.25 €"),
        (["1k", "1.5k"], 0, 2500, "2.5k"),
        (["$1k", "$1.5k"], 1, 12_340, "$12.34k"),
        (["$1k", "$1.5k"], 0, 1299, "$1299"),
        (["$1k", "$1.5k"], 0, 120, "$120"),
        (["1,5 k €", "2 k €"], 1, 2500, "2,5 k €"),
        (["₹1,50,000", "₹900"], 0, 275_000, "₹2,75,000"),
        (["₹1,50,000", "₹900"], 1, 12_345_678, "₹1,23,45,678"),
        (["₹1,50,000", "₹50,000", "₹20,000"], 1, 100_000, "₹1,00,000"),
        (["₹150,000", "₹50,000"], 1, 100_000, "₹100,000"),
        (["12,5", "7,25", "45.50", "9", "3.5", "8,5"], 3, 10.5, "10,50"),
        (["12,5", "7,25", "45.50", "9", "3.5"], 3, 10.5, "10.50"),
    ],
)
def test_a_price_is_written_in_the_manner_of_its_column(
    column: list[str | None], row: int, price: float, text: str
) -> None:
    texts = pd.Series(column, dtype="string")
    read = read_prices(texts)
    assert price_texts(texts, read.values.tolist(), {row: price}, read.decimal) == {row: text}


def test_five_hundred_drawn_prices_are_read_as_what_they_are() -> None:
    rng = np.random.default_rng(5)
    manners = [("£{:,.0f}", 0), ("£{:,.2f}", 2), ("{:.2f} USD", 2), ("S$ {:.0f}", 0), ("{:.1f}", 1)]
    for number in range(100):
        manner, decimals = manners[number % len(manners)]
        values = np.round(10 ** rng.uniform(0, 5, 8), decimals).tolist()
        texts = pd.Series([manner.format(value) for value in values], dtype="string")
        new = {row: float(np.round(10 ** rng.uniform(0, 5), 2)) for row in range(5)}
        written = price_texts(texts, read_prices(texts).values.tolist(), new)
        changed = texts.copy()
        for row, text in written.items():
            changed[row] = text
        assert read_prices(changed).values[:5].tolist() == pytest.approx(list(new.values()))
        assert changed[5:].tolist() == texts[5:].tolist()


def test_more_than_100_characters_are_no_price() -> None:
    assert read_price(" " * 98 + "£5") is not None
    assert read_price(" " * 99 + "£5") is None
