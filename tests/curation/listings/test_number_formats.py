"""Currencies that the number formats of a workbook show beside numbers count like those that people write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import Listings, read_listings
from curation.listings.number_formats import currency_of_format
from tests.support.fixes import decided, run_of

POUND, EURO, DOLLAR = '"£"#,##0.00', "_-[$€-2] * #,##0.00_-", "[$$-409]#,##0"
#: The system's own, which looks different on every machine.
SYSTEM = '"$"#,##0_);("$"#,##0)'


def shop(folder: Path, formats: Sequence[str], prices: Sequence[object] = ()) -> Path:
    book = openpyxl.Workbook()
    page = book.active
    page.append(["id", "label", "price", "cost"])
    for row, code in enumerate(formats):
        page.append([f"L{row}", "ab"[row % 2], prices[row] if prices else row + 1.5, 3])
        page.cell(row + 2, 3).number_format = code
        page.cell(row + 2, 4).number_format = DOLLAR
    page.append(["Total", None, 99])
    page.cell(page.max_row, 3).number_format = DOLLAR
    book.save(folder / "shop.xlsx")
    return folder / "shop.xlsx"


def read(source: Path) -> Listings:
    return read_listings(source, needs_image=False)


@pytest.mark.parametrize("formats", [[POUND, EURO] * 2, [POUND] * 3 + [SYSTEM], ["General", EURO, DOLLAR, EURO]])
def test_formats_of_two_currencies_in_a_column_are_refused_like_texts_of_two(
    formats: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ListingsError, match="prices in 2 currencies"):
        read(shop(tmp_path, formats))


@pytest.mark.parametrize(
    ("formats", "currency"),
    [
        ([POUND] * 4, "GBP"),
        (["0.00", EURO, "General", EURO], "EUR"),
        ([SYSTEM] * 4, None),
        (["0.00"] * 4, None),
    ],
)
def test_one_currency_of_formats_is_that_of_the_prices(
    formats: list[str], currency: str | None, tmp_path: Path
) -> None:
    listings = read(shop(tmp_path, formats))
    assert listings.source.currency == currency
    assert listings.table["price"].tolist() == [1.5, 2.5, 3.5, 4.5]


def test_a_format_and_a_text_of_two_currencies_are_refused_and_formats_of_texts_say_nothing(tmp_path: Path) -> None:
    with pytest.raises(ListingsError, match="prices in 2 currencies"):
        read(shop(tmp_path, [EURO] * 4, [1, 2, 3, "£4"]))
    assert read(shop(tmp_path, [POUND, POUND, EURO, EURO], [1, 2, "£3", "£4"])).source.currency == "GBP"


def test_formats_of_another_currency_than_is_declared_are_refused(tmp_path: Path) -> None:
    shop(tmp_path, [EURO] * 4)
    (tmp_path / "dataset.toml").write_text('table = "shop.xlsx"\ncurrency = "GBP"\n')
    with pytest.raises(ListingsError, match="prices in another currency than the declaration says"):
        read(tmp_path)


@pytest.mark.parametrize("form", [None, "csv"])
def test_a_cleaned_dataset_has_the_currency_of_the_formats(form: str | None, tmp_path: Path) -> None:
    run = run_of(shop(tmp_path, [POUND] * 4), tmp_path / "run", needs_image=False)
    run.decide([decided("L0", "delete")])
    apply_fixes(run, plan_fixes(run), form)
    assert read(run.cleaned).source.currency == "GBP"


def test_a_format_of_brackets_that_nobody_closed_takes_no_time() -> None:
    assert [currency_of_format(code) for code in ("[$" * 500_000, '"' * 500_001)] == ["$", ""]


@pytest.mark.parametrize(
    ("code", "currency"),
    [
        ("#,##0.00 [$CHF]", "CHF"),
        ("[$R$-416] #,##0.00", "BRL"),
        ("#,##0 \\€", "EUR"),
        ('0 "€/£"', ""),
        ("0;[$€-2]0", ""),
    ],
)
def test_signs_texts_and_codes_of_formats_are_currencies(code: str, currency: str) -> None:
    assert currency_of_format(code) == currency
