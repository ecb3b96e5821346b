"""One price as a seller writes it."""

from __future__ import annotations

import pytest

from curation.listings.price_cells import read_price


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
        ("Rs. 500/-", 500, "RS"),
        ("500 rupees", 500, "RS"),
        ("Rs 500 PKR", 500, "PKR"),
        ("₨ 500", 500, "RS"),
        ("MUR 500", 500, "MUR"),
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
        ("Rp 45.000,-", 45000, "IDR"),
        ("Rp. 1.250.000", 1250000, "IDR"),
        ("45 руб.", 45, "RUB"),
        ("1 200 р.", 1200, "RUB"),
        ("45 pounds", 45, "GBP"),
        ("45 dollars", 45, "$"),
        ("99p", 0.99, "GBP"),
        ("57 p.", 0.57, "GBP"),
        ("99¢", 0.99, "$"),
        ("45:-", 45, ""),
        ("45.– CHF", 45, "CHF"),
        ("CHF 1\u02bc200", 1200, "CHF"),
        ("1\u2009200,50 €", 1200.5, "EUR"),
        ("₹12,34,567.50", 1234567.5, "INR"),
        ("KWD 1,250.500", 1250.5, "KWD"),
        ("25,000 IQD", 25000, "IQD"),
        ("\u22125", -5, ""),
        ("5\u200b0", 50, ""),
    ],
)
def test_a_price_is_read_with_its_currency(cell: str, value: float, currency: str) -> None:
    price = read_price(cell, ".")
    assert price is not None
    assert (price.value, price.currency) == (value, currency)


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "",
            "abc",
            "£",
            "2 for £5",
            "10-20",
            "£5 (was £10)",
            "5 bags",
            "$5 GBP",
            "1,2,3",
            "1..2",
            "1,23,4",
            "10–20 €",
        ),
        *("10 - 20", "1.5p", "£99p", "5/6", "£5-£6", "from 5 to 6"),
    ],
)
def test_what_is_no_single_price_is_not_read(cell: str) -> None:
    assert read_price(cell, ".") is None


@pytest.mark.parametrize("cell", ["01.12.23", "£12 10", "12'50", "07911 123456", "12,50,00", "45-"])
def test_dates_and_telephone_numbers_are_no_prices(cell: str) -> None:
    assert read_price(cell, ".") is None


@pytest.mark.parametrize(
    "cell",
    ["12³", "12₃", "①②", "12½", "½", "⑴2", "⒓", "12㎡", "1🄂", "£12²", "12 €⁵", "❶", "Ⅻ", "1️⃣2️⃣", "²"],
)
def test_raised_and_circled_digits_and_fractions_are_no_price(cell: str) -> None:
    assert read_price(cell, ".") is None
    assert read_price(cell, ",") is None


@pytest.mark.parametrize("cell", ["１２", "1２", "١٢", "۱۲", "१२", "১২", "𝟏𝟐"])
def test_the_decimal_digits_of_one_script_are_digits(cell: str) -> None:
    price = read_price(cell, ".")
    assert price is not None
    assert price.value == 12


@pytest.mark.parametrize("cell", ["1৪", "12٣", "١۲", "१2"])
def test_digits_of_two_scripts_are_no_price(cell: str) -> None:
    assert read_price(cell, ".") is None


@pytest.mark.parametrize("cell", ["1.299", "１．２９９", "١.٢٩٩", "१,२९९"])
def test_a_number_that_may_mean_two_things_may_so_in_any_digits(cell: str) -> None:
    assert read_price(cell) is None
