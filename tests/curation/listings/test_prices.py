"""Prices as sellers write them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curation.errors import ListingsError
from curation.listings import read_listings
from curation.listings.price_cells import read_price
from curation.listings.prices import read_prices


def values(*cells: str | None) -> list[float | None]:
    read = read_prices(pd.Series(list(cells), dtype="string")).values
    return [None if pd.isna(value) else value for value in read]


def unread(*cells: str) -> list[str]:
    text = pd.Series(list(cells), dtype="string")
    return text[read_prices(text).unread].tolist()


@pytest.mark.parametrize(
    ("cell", "value", "currency"),
    [
        ("£1,200", 1200, "GBP"),
        ("£1,200.50", 1200.5, "GBP"),
        ("1.299,00 €", 1299, "EUR"),
        ("€45", 45, "EUR"),
        ("EUR 45,-", 45, "EUR"),
        ("S$ 45", 45, "SGD"),
        ("US $1,200.50", 1200.5, "USD"),
        ("$45", 45, "$"),
        ("$45 USD", 45, "USD"),
        ("AU$ 99", 99, "AUD"),
        ("1k", 1000, ""),
        ("£1.2k", 1200, "GBP"),
        ("5 KWD", 5, "KWD"),
        ("45 kr", 45, "KR"),
        ("45 kr.", 45, "KR"),
        ("Rs. 500/-", 500, "INR"),
        ("₹1,00,000", 100000, "INR"),
        ("1 200 €", 1200, "EUR"),
        ("1\u202f200 €", 1200, "EUR"),
        ("CHF 1'200.-", 1200, "CHF"),
        ("１２００円", 1200, "JPY"),
        ("£1,200 ono", 1200, "GBP"),
        ("1200 GBP VB", 1200, "GBP"),
        ("-£5", -5, "GBP"),
        ("+5", 5, ""),
        ("£.50", 0.5, "GBP"),
        ("1,299,000", 1299000, ""),
        ("1.299.000", 1299000, ""),
    ],
)
def test_a_price_is_read_with_its_currency(cell: str, value: float, currency: str) -> None:
    price = read_price(cell, ".")
    assert price is not None
    assert (price.value, price.currency) == (value, currency)


@pytest.mark.parametrize(
    "cell", ["", "abc", "£", "50p", "2 for £5", "10-20", "£5 (was £10)", "5 bags", "$5 GBP", "1,2,3", "1..2", "1,23,4"]
)
def test_what_is_no_single_price_is_not_read(cell: str) -> None:
    assert read_price(cell, ".") is None


def test_the_column_settles_what_marks_the_decimals() -> None:
    assert values("12,50", "1.299", "8") == [12.5, 1299, 8]
    assert values("12.50", "1,299", "8") == [12.5, 1299, 8]
    assert values("1.299 €", "2.450 €") == [1299, 2450]
    assert values("1,299", "2,450") == [1299, 2450]
    # a program writes numbers like that
    assert values("1.299", "2.450") == [1.299, 2.45]


def test_a_number_that_may_mean_two_things_is_missing_and_counted() -> None:
    assert values("1,299.00", "1.299,00", "1.299") == [1299, 1299, None]
    assert values("1,299", "12,50") == [None, 12.5]
    assert unread("1,299", "12,50") == ["1,299"]


def test_words_for_no_price_do_not_change_what_the_others_mean() -> None:
    assert values("10.125", "11.250", "9.875", "POA") == [10.125, 11.25, 9.875, None]


def test_currencies_of_three_decimals_keep_them() -> None:
    assert values("KWD 1.250", "KWD 0.500", "KWD 12.000") == [1.25, 0.5, 12]


@pytest.mark.parametrize("cell", ["01.12.23", "£12 10", "12'50", "07911 123456", "12,50,00", "45-"])
def test_dates_and_telephone_numbers_are_no_prices(cell: str) -> None:
    assert read_price(cell, ".") is None


@pytest.mark.parametrize(("cells", "currency"), [(["£5", "6"], "EUR"), (["$5", "$6"], "GBP")])
def test_signs_that_differ_from_the_column_of_currencies_are_refused(
    cells: list[str], currency: str, tmp_path: Path
) -> None:
    with pytest.raises(ListingsError, match=r"in its prices, and [A-Z]{3} in its column currency"):
        read_listings(shop(tmp_path, cells, currency=currency), needs_image=False)


@pytest.mark.parametrize(("dots", "value"), [(9, 1299), (8, None)])
def test_nine_of_ten_numbers_settle_the_column(dots: int, value: float | None) -> None:
    others = ["12,50"] * dots + ["12.50"] * (10 - dots)
    assert values(*others, "1.299")[-1] == value


def test_plain_numbers_with_three_decimals_are_mentioned_from_three_on() -> None:
    def notes(*cells: str) -> tuple[str, ...]:
        return read_prices(pd.Series(list(cells), dtype="string")).notes

    assert "3 prices such as 1.299 are read with decimals" in notes("1.299", "2.450", "3.100", "7")[0]
    assert notes("1.299", "2.450", "7") == ()
    assert notes("1.299", "2.450", "3.100", "7.5") == ()


@pytest.mark.parametrize("word", ["POA", "free", "Free", "N/A", "-", "ask", "Negotiable", "nan"])
def test_words_for_no_price_are_missing_and_no_bad_rows(word: str) -> None:
    text = pd.Series(["£5", word, pd.NA], dtype="string")
    prices = read_prices(text)
    assert values("£5", word, None) == [5, None, None]
    assert not prices.unread.any()
    assert any(f"{word} (1)" in note for note in prices.notes)


def test_plain_numbers_are_read_without_a_word() -> None:
    prices = read_prices(pd.Series(["1", "2.5", "1e3", pd.NA], dtype="string"))
    assert prices.values.dropna().tolist() == [1, 2.5, 1000]
    assert (prices.notes, prices.currencies) == ((), {})


def test_a_sign_of_several_currencies_is_the_one_that_others_name() -> None:
    def currencies(*cells: str) -> dict[str, int]:
        return read_prices(pd.Series(list(cells), dtype="string")).currencies

    assert currencies("S$ 45", "$45") == {"SGD": 2}
    assert currencies("$45", "$46") == {"$": 2}
    assert currencies("kr 45", "45 SEK") == {"SEK": 2}
    assert currencies("£5", "$5") == {"GBP": 1, "$": 1}


def shop(folder: Path, prices: list[str], **columns: object) -> Path:
    table = {"id": range(len(prices)), "label": ["a", "b"] * (len(prices) // 2), "price": prices, **columns}
    pd.DataFrame(table).to_csv(folder / "shop.csv", index=False)
    return folder / "shop.csv"


def test_the_currency_of_the_signs_is_that_of_the_dataset(tmp_path: Path) -> None:
    listings = read_listings(shop(tmp_path, ["£5", "£1,200", "POA", "7"]), needs_image=False)
    assert listings.source.currency == "GBP"
    assert listings.table["price"].isna().tolist() == [False, False, True, False]


def test_prices_in_two_currencies_are_refused_with_their_counts(tmp_path: Path) -> None:
    with pytest.raises(ListingsError, match=r"prices in 2 currencies: got GBP \(3 listings\), EUR \(1 listings?\)"):
        read_listings(shop(tmp_path, ["£5", "£6", "£7", "8 €"]), needs_image=False)


def test_signs_that_differ_from_the_declaration_are_refused(tmp_path: Path) -> None:
    path = shop(tmp_path, ["£5", "£6", "£7", "£8"])
    path.rename(tmp_path / "listings.csv")
    (tmp_path / "dataset.toml").write_text('currency = "SGD"\n')
    with pytest.raises(ListingsError, match="another currency than the declaration says: got GBP in its prices"):
        read_listings(tmp_path, needs_image=False)


def test_a_dollar_sign_is_the_dollar_of_the_declaration(tmp_path: Path) -> None:
    shop(tmp_path, ["$5", "$6", "$7", "$8"]).rename(tmp_path / "listings.csv")
    (tmp_path / "dataset.toml").write_text('currency = "SGD"\n')
    assert read_listings(tmp_path, needs_image=False).source.currency == "SGD"


@pytest.mark.parametrize(("bad", "refused"), [(2, False), (3, True)])
def test_a_column_is_no_prices_when_more_than_half_of_it_is_none(bad: int, refused: bool, tmp_path: Path) -> None:
    path = shop(tmp_path, ["nice thing"] * bad + ["5"] * (4 - bad), title=["x"] * 4)
    if refused:
        with pytest.raises(ListingsError, match=r"the column 'price' holds no prices: got nice thing, in 3 of 4 cells"):
            read_listings(path, needs_image=False)
        listings = read_listings(path, needs_image=False, columns={"price": ""})
        assert listings.table["price"].isna().all()
        assert listings.table["input_price"].notna().all()
    else:
        listings = read_listings(path, needs_image=False)
        assert listings.problems["why"].tolist() == ["is not a price"] * bad
        assert listings.table["price"].notna().sum() == 4 - bad
