"""Columns of prices as sellers write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curation.errors import InputError, ListingsError
from curation.listings import read_listings
from curation.listings.price_cells import DECIMALS, Decimal, known_decimal
from curation.listings.prices import read_prices


def values(*cells: str | None) -> list[float | None]:
    read = read_prices(pd.Series(list(cells), dtype="string")).values
    return [None if pd.isna(value) else value for value in read]


def unread(*cells: str) -> list[str]:
    text = pd.Series(list(cells), dtype="string")
    return text[read_prices(text).unread].tolist()


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


def notes(*cells: str, **given: Any) -> tuple[str, ...]:
    return read_prices(pd.Series(list(cells), dtype="string"), **given).notes


def decimal(*cells: str) -> str:
    return read_prices(pd.Series(list(cells), dtype="string")).decimal


def test_plain_numbers_with_three_decimals_are_mentioned_if_all_with_a_dot_look_like_that() -> None:
    (said,) = notes("1.299", "45", "899")
    assert said.startswith("1 price such as '1.299' is read with decimals, as 1.299. `decimal=','` says that the dot ")
    assert "3 prices such as '1.299' are read with decimals" in notes("1.299", "2.450", "3.100", "7")[0]
    assert notes("1.299", "2.450", "3.100", "7.5") == ()
    assert notes("1.299", "0.500") == ()


def test_the_one_rule_that_fits_every_cell_of_a_column_wins() -> None:
    assert values("0,500", "1,250", "2,000") == [0.5, 1.25, 2]
    assert values("0.500 €", "1.250 €", "2.000 €") == [0.5, 1.25, 2]
    assert values("1.200.000", "20.000", "350") == [1200000, 20000, 350]
    assert values("1.020", "20", "45,50") == [1020, 20, 45.5]
    assert values("1 299,500", "1,250") == [1299.5, 1.25]
    assert values("₹1,00,000", "₹10,500") == [100000, 10500]
    assert values("CHF 1'200.50", "CHF 1’200") == [1200.5, 1200]
    assert values("45,-", "1.299,-", "1.500") == [45, 1299, 1500]
    assert values("45.-", "1,500") == [45, 1500]


def test_the_note_shows_a_cell_that_the_rule_decides_on() -> None:
    assert notes("0,500", "1,250", "2,000") == (
        "3 prices are read from text, e.g. '1,250' is 1.25, with a decimal comma.",
        "2 prices such as '1,250' are read with decimals, as 1.250. "
        "`decimal='.'` says that the comma separates thousands.",
    )
    assert notes("20 €", "1.020 €") == (
        "2 prices are read from text, e.g. '1.020 €' is 1,020.00, as the dot separates thousands.",
    )


@pytest.mark.parametrize(
    "cells", [["1.299", "1,050", "899", "45"], ["1.200", "1,200.00"], ["1.299", "12.50 €"], ["KWD 1,250", "KWD 3"]]
)
def test_a_column_that_fits_no_rule_says_so_and_its_uncertain_prices_are_missing(cells: list[str]) -> None:
    read = read_prices(pd.Series(cells, dtype="string"))
    missing = [cell for cell in cells if cell in ("1.299", "1,050", "1.200", "KWD 1,250")]
    assert [cell for cell, doubtful in zip(cells, read.doubtful, strict=True) if doubtful] == missing
    assert read.unread.equals(read.doubtful)
    assert "may mean two things, for the column does not settle what marks the decimals" in read.notes[-1]
    assert "`decimal=','` or `decimal='.'` says it." in read.notes[-1]


def test_prices_with_another_mark_than_the_rest_are_mentioned() -> None:
    others = [f"{number},50" for number in range(9)]
    assert values(*others, "12.50")[-1] == 12.5
    said = "1 price has a dot before the decimals, unlike the others, e.g. '12.50'."
    assert said in notes(*others, "12.50")
    assert said not in notes(*others)


@pytest.mark.parametrize("mark", DECIMALS)
def test_a_price_is_the_same_whatever_other_prices_there_are_once_the_mark_is_given(mark: Decimal) -> None:
    cells = ["1.299", "1,299", "12,50", "12.50", "0,500", "1.200.000", "1 299", "£5", "7", "POA", "1,299.000", "1k"]
    whole = read_prices(pd.Series(cells, dtype="string"), mark).values
    alone = [read_prices(pd.Series([cell], dtype="string"), mark).values[0] for cell in cells]
    assert whole.fillna(-1).tolist() == pd.Series(alone).fillna(-1).tolist()


@pytest.mark.parametrize(
    ("mark", "wanted"),
    [
        (".", [1.299, 1299, 12.5]),
        (",", [1299, 1.299, 12.5]),
        (".00", [None, 1299, 12.5]),
        (",00", [1299, None, 12.5]),
        ("", [None, None, 12.5]),
    ],
)
def test_a_given_mark_says_what_a_number_means(mark: Decimal, wanted: list[float | None]) -> None:
    read = read_prices(pd.Series(["1.299", "1,299", "12,50"], dtype="string"), mark)
    assert [None if pd.isna(value) else value for value in read.values] == wanted
    assert read.decimal == mark


def test_the_mark_that_a_column_proves_reads_it_again_as_the_same() -> None:
    rng = np.random.default_rng(7)
    pool = ["1.299", "1,050", "12,50", "12.50", "0,500", "0.750", "1.200.000", "1,299.00", "20", "£5", "3 €"]
    pool += ["KWD 2.500", "5,-", "1.500,-"]
    for _ in range(300):
        cells = pd.Series(rng.choice(pool, rng.integers(1, 14)).tolist(), dtype="string")
        read = read_prices(cells)
        again = read_prices(cells, read.decimal)
        pd.testing.assert_series_equal(read.values, again.values)


def test_numbers_of_a_sheet_are_numbers_whatever_the_texts_beside_them_mean(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    prices = [1.299, "1.299 €", 20, "12,50 €"]
    table = pd.DataFrame({"id": list("abcd"), "label": ["x", "y"] * 2, "price": prices})
    table.to_excel(tmp_path / "shop.xlsx", index=False)
    assert read_listings(tmp_path / "shop.xlsx", needs_image=False).table["price"].tolist() == [1.299, 1299, 20, 12.5]


def test_the_declaration_and_the_argument_say_what_marks_the_decimals(tmp_path: Path) -> None:
    shop(tmp_path, ["1.299", "2.450", "7", "8"]).rename(tmp_path / "listings.csv")

    def prices(**options: Any) -> list[float]:
        listings = read_listings(tmp_path, needs_image=False, **options)
        return [listings.source.decimal, *listings.table["price"].tolist()]

    assert prices() == [".", 1.299, 2.45, 7, 8]
    assert prices(decimal=",") == [",", 1299, 2450, 7, 8]
    (tmp_path / "dataset.toml").write_text('decimal = ","\n')
    assert prices() == [",", 1299, 2450, 7, 8]
    assert prices(decimal=".") == [".", 1.299, 2.45, 7, 8]
    with pytest.raises(InputError, match=r"`decimal` can't mark the decimals of prices: got ';'; wanted '.' or ','"):
        prices(decimal=";")
    (tmp_path / "dataset.toml").write_text("decimal = 2\n")
    with pytest.raises(ListingsError, match="'decimal' must be what marks the decimals of prices: got 2"):
        prices()


def test_uncertain_prices_are_counted_with_their_reason_and_refuse_no_column(tmp_path: Path) -> None:
    listings = read_listings(shop(tmp_path, ["1.299", "1,050", "1.500", "45"]), needs_image=False)
    assert listings.problems["why"].tolist() == ["may mean two things"] * 3
    assert listings.table["price"].isna().tolist() == [True, True, True, False]


def test_characters_that_nobody_sees_make_no_other_price_and_are_shown_in_messages(tmp_path: Path) -> None:
    assert values("45\u200b", "\ufeff1\u2009200", "\u221212,50") == [45, 1200, -12.5]
    assert "45" not in notes("45\u200b")
    with pytest.raises(ListingsError, match=r"holds no prices: got x\\u200b, in 4 of 4 cells"):
        read_listings(shop(tmp_path, ["x\u200b"] * 4, title=["x"] * 4), needs_image=False)


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


@pytest.mark.parametrize(
    ("cells", "usual", "values"),
    [
        (["1.299 €", "45 €"], ".", [1.299, 45]),
        (["1.299 €", "45 €"], ",", [1299, 45]),
        (["1,299", "45"], ",", [1.299, 45]),
        (["1.299", "45"], ",", [1299, 45]),
        (["1.299", "1,050"], ",", [1299, 1.05]),
        (["1.299 €", "45 €"], ",00", [1299, 45]),
    ],
)
def test_where_a_column_proves_nothing_it_is_read_as_the_one_of_a_model(
    cells: list[str], usual: Decimal, values: list[float]
) -> None:
    read = read_prices(pd.Series(cells, dtype="string"), usual=usual)
    assert read.values.tolist() == values
    assert read.decimal == usual
    said = f"The prices do not settle what marks their decimals, e.g. of {cells[0]!r}: it is a "
    assert read.notes[-1].startswith(f"{said}{'dot' if usual == '.' else 'comma'}, as in the listings that")


@pytest.mark.parametrize(
    "cells",
    [
        ["1.299,00 €", "1.299 €"],
        ["12.50", "1.299"],
        ["1.250", "45.857", "9.99"],
        ["£1,299.00", "£1,299"],
        ["45", "POA"],
    ],
)
def test_where_a_column_proves_its_rule_that_of_a_model_has_no_part(cells: list[str]) -> None:
    text = pd.Series(cells, dtype="string")
    alone = read_prices(text)
    for usual in (".", ",", "", ".00", ",00"):
        read = read_prices(text, usual=known_decimal(usual))
        assert (read.values.tolist(), read.notes) == (pytest.approx(alone.values.tolist(), nan_ok=True), alone.notes)


def test_a_rule_that_is_told_goes_before_that_of_a_model() -> None:
    assert read_prices(pd.Series(["1.299 €"], dtype="string"), ".", usual=",").values.tolist() == [1.299]


@pytest.mark.parametrize(
    ("cells", "currencies"),
    [
        (["Rs 500", "Rs. 1,500"], {"RS": 2}),
        (["Rs 500", "₹1,500"], {"INR": 2}),
        (["Rs 500", "LKR 1,500", "20"], {"LKR": 2}),
        (["Rs 500", "₹1,500", "PKR 20"], {"RS": 1, "INR": 1, "PKR": 1}),
    ],
)
def test_rupees_are_those_of_a_country_only_where_a_cell_says_which(
    cells: list[str], currencies: dict[str, int]
) -> None:
    assert read_prices(pd.Series(cells, dtype="string")).currencies == currencies


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["18.5k", "1.299k", "2.4k", "125"], [18_500, 1299, 2400, 125]),
        (["18,5k", "1,299k", "2k"], [18_500, 1299, 2000]),
        (["18.5k", "1,299", "45"], [18_500, 1299, 45]),
        (["1.299k", "45"], [1299, 45]),
        (["12,50", "1.299k", "18,5k"], [12.5, 1_299_000, 18_500]),
    ],
)
def test_a_price_in_thousands_settles_the_decimal_mark_and_has_three_decimals_by_it(
    cells: list[str], values: list[float]
) -> None:
    assert read_prices(pd.Series(cells, dtype="string")).values.tolist() == values


def test_cells_with_raised_or_circled_digits_are_counted_as_no_price() -> None:
    prices = read_prices(pd.Series(["12", "12³", "①②", "１２", None], dtype="string"))
    assert prices.values.tolist()[0::3] == [12, 12]
    assert prices.values.isna().tolist() == [False, True, True, False, True]
    assert prices.unread.tolist() == [False, True, True, False, False]


def notes_of(*cells: str, delimiter: str = "") -> tuple[str, ...]:
    return read_prices(pd.Series(list(cells), dtype="string"), delimiter=delimiter).notes


@pytest.mark.parametrize("others", [(), ("45",), ("45 €",)])
def test_in_a_file_with_semicolons_prices_that_may_have_three_decimals_are_read_with_thousands_and_a_warning(
    others: tuple[str, ...],
) -> None:
    said = notes_of("76,780", "69,430", *others, delimiter=";")[-1]
    assert said.startswith(
        "Check the prices: 2 prices such as '76,780' are read with thousands, as 76,780.00, though semi"
    )
    assert said.endswith("`decimal=','` reads 76.78, and `decimal='.'` says that the thousands are right.")


def test_where_nothing_says_that_prices_are_so_large_the_warning_comes_whatever_the_delimiter() -> None:
    assert "though nothing proves it" in notes_of("76,780", "69,430", delimiter=",")[-1]
    for sure in (("76,780", "45"), ("£76,780", "£69,430"), ("76,780", "69,430.00"), ("1,299,000", "69,430")):
        assert "Check the prices" not in " ".join(notes_of(*sure, delimiter=",")), sure


@pytest.mark.parametrize("proof", ["45,50", "45.50", "1,299,000", "0,500"])
def test_a_column_that_proves_its_mark_gets_no_warning_in_a_file_with_semicolons(proof: str) -> None:
    assert "Check the prices" not in " ".join(notes_of("76,780", "69,430", *[proof] * 30, delimiter=";"))


def test_the_mark_that_a_person_names_needs_no_warning(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("id;label;price\n1;a;76,780\n2;b;69,430\n")
    read = read_listings(tmp_path / "shop.csv", needs_image=False)
    assert read.table["price"].tolist() == [76780, 69430]
    assert any("Check the prices" in note for note in read.notes)
    for mark, prices in ((",", [76.78, 69.43]), (".", [76780, 69430])):
        read = read_listings(tmp_path / "shop.csv", needs_image=False, decimal=mark)
        assert read.table["price"].tolist() == prices
        assert not any("Check the prices" in note for note in read.notes)


def test_what_stands_beside_a_price_and_says_nothing_of_its_size_is_no_matter() -> None:
    assert values("12 € VB", "76 € inkl. MwSt.", "£5 inc VAT") == [12, 76, 5]
