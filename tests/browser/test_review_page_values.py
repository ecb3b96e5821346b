"""Prices, new classes and several labels on the page."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from curation.review.page.write import write_page
from curation.run.folder import RunFolder
from tests.cli.test_cli import done
from tests.support.review_page import Opened, make_latest, meanings


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    return make_latest(tmp_path, monkeypatch)


@pytest.fixture
def priced(run: RunFolder, context: Any) -> Opened:
    """The page of a run that suggests 95 for 00, which is at 9.5 and has a wrong label, too."""
    issues = run.issues()
    found = {"suggested_price": 95.0, "is_price_issue": True, "price_cause": "slip", "price_at_stake": 85.5}
    found |= {"price_score": 0.1, "price_low": 80.0, "price_high": 110.0}
    issues.loc[issues["id"] == "00", list(found)] = list(found.values())
    run.write_table(run.issues_file, issues)
    page = write_page(run).path
    assert page is not None
    return Opened(context, page)


def test_the_price_that_would_fit_is_one_key_away_and_is_applied(
    priced: Opened, run: RunFolder, tmp_path: Path
) -> None:
    assert "95 SGD would fit" in priced.text("price")
    assert priced.text("fits-price") == "95 fits"
    priced.press("f")
    assert priced.id == "01"
    assert priced.text("message") == "00: repriced at 95 SGD."
    assert not priced.tab.locator("[data-do=fits]").is_visible()
    priced.press("f")
    assert priced.text("message") == "No price is suggested here: p is for another price."
    priced.press("ArrowLeft")
    assert priced.text("decided") == "¤ repriced at 95 SGD"
    assert "9.50 SGD → 95 SGD" in priced.text("price")
    done("apply-fixes", "--decisions", priced.download(tmp_path, "Bo"))
    rows = csv.DictReader(io.StringIO((run.cleaned / "listings.csv").read_text(encoding="utf-8")))
    assert [float(row["price"]) for row in rows][:2] == [95.0, 10.5]
    (decision,) = run.decisions()[0]
    assert (decision.meaning, decision.suggested_price) == (("reprice", None, 95.0), 95.0)


@pytest.mark.parametrize(
    ("typed", "price"),
    [
        ("12", 12.0), ("12.50", 12.5), ("12,50", 12.5), ("1,200", 1200.0), ("1.299,00", 1299.0), ("S$ 45", 45.0),
        ("45 sgd", 45.0), ("$45", 45.0), ("1k", 1000.0), ("1 250", 1250.0), ("0.125", 0.125), ("0", 0.0),
    ],
)  # fmt: skip
def test_another_price_is_typed_as_sellers_write_it(typed: str, price: float, priced: Opened, tmp_path: Path) -> None:
    priced.press("p")
    assert priced.tab.input_value("#new-price") == "95"
    priced.tab.keyboard.type(typed)
    assert priced.text("price-read").startswith("= ")
    priced.press("Enter")
    assert meanings(priced.download(tmp_path)) == [("00", "reprice", None, price, False)]


@pytest.mark.parametrize(
    "typed", ["", "-5", "ten", "1.299", "£5", "5 EUR", "1e5", "Infinity", "1,2,3", "POA", "12³", "①②"]
)
def test_what_is_no_price_is_not_taken_and_says_why(typed: str, priced: Opened) -> None:
    priced.press("p Delete")
    priced.tab.keyboard.type(typed)
    priced.press("Enter")
    assert priced.tab.locator("#pricing").is_visible()
    assert bool(priced.text("price-read")) == bool(typed)
    priced.press("Escape")
    assert priced.text("counts") == "0 of 6 decided"
    assert priced.errors == []


def test_a_label_and_a_price_are_both_corrected_in_any_order_and_undone_one_by_one(
    priced: Opened, tmp_path: Path
) -> None:
    priced.press("a ArrowLeft f")
    priced.press("p")
    priced.tab.keyboard.type("7")
    priced.press("Enter ArrowLeft e")
    priced.tab.keyboard.type("desk")
    priced.press("Enter")
    # 01 was at 10.5 and is of the class NA by then
    assert meanings(priced.download(tmp_path)) == [
        ("00", "relabel", "desk", 95.0, False),
        ("01", "relabel", "desk", 7.0, False),
    ]
    priced.press("u")
    assert priced.text("decided") == "¤ repriced at 7 SGD"
    priced.press("u u")
    assert (priced.id, priced.text("decided")) == ("00", "→ relabelled as desk")


def test_several_labels_may_fit(opened: Opened, run: RunFolder, tmp_path: Path) -> None:
    opened.press("s k ArrowLeft ArrowLeft")
    assert opened.text("decided") == "≈ several labels fit"
    assert opened.text("counts") == "2 of 6 decided · 1 kept · 1 ambiguous"
    path = opened.download(tmp_path)
    assert meanings(path) == [("00", "ambiguous", None, None, False), ("01", "keep", None, None, False)]
    text = done("apply-fixes", "--decisions", path).stdout
    assert "(and 1 kept by decision, 1 left because several labels fit)" in text


def test_a_new_class_is_confirmed_once_and_is_then_in_the_list(
    opened: Opened, run: RunFolder, context: Any, tmp_path: Path
) -> None:
    opened.press("e")
    opened.tab.keyboard.type("sofa bed")
    assert opened.tab.locator("#class-list .name").all_inner_texts() == ["New class “sofa bed”"]
    opened.press("Enter")
    assert opened.text("fresh-name") == "sofa bed"
    opened.press("Escape")
    assert opened.text("counts") == "0 of 6 decided"
    opened.press("e")
    opened.tab.keyboard.type("sofa bed")
    opened.press("Enter Enter e")
    assert opened.tab.locator("#class-list .name").all_inner_texts() == ["NA", "chair", "desk", "sofa bed"]
    opened.tab.keyboard.type("Sofa  Bed")
    assert opened.tab.locator("#class-list .name").all_inner_texts() == ["sofa bed"]
    opened.press("Enter")
    assert opened.id == "02"
    path = opened.download(tmp_path)
    expected = [("00", "relabel", "sofa bed", None, True), ("01", "relabel", "sofa bed", None, True)]
    assert meanings(path) == expected
    done("apply-fixes", "--decisions", path)
    assert [(one.id, *one.meaning, one.new_class) for one in run.decisions()[0]] == expected
    # a page that is written later knows it
    page = write_page(run).path
    assert page is not None
    again = Opened(context, page)
    again.press("e")
    assert "sofa bed" in again.tab.locator("#class-list .name").all_inner_texts()


@pytest.mark.parametrize("typed", ["Desk", "  desk ", "ＤＥＳＫ", "de\u00adsk"])
def test_a_class_written_in_another_way_is_no_new_class(typed: str, opened: Opened, tmp_path: Path) -> None:
    opened.press("e")
    opened.tab.fill("#class-filter", typed)
    assert opened.tab.locator("#class-list .name").all_inner_texts() == ["desk"]
    opened.press("Enter")
    assert meanings(opened.download(tmp_path)) == [("00", "relabel", "desk", None, False)]


def test_a_listing_without_a_label_is_not_kept(run: RunFolder, context: Any, tmp_path: Path) -> None:
    issues = run.issues()
    issues.loc[issues["id"] == "04", "is_price_issue"] = True
    run.write_table(run.issues_file, issues)
    page = write_page(run).path
    assert page is not None
    opened = Opened(context, page)
    opened.tab.fill("#search", "04")
    opened.press("Enter k")
    assert opened.text("message").startswith("This listing has no label to keep")
    assert opened.tab.locator("[data-do=keep]").is_disabled()
    assert opened.text("counts") == "0 of 7 decided"
    opened.press("s")
    assert meanings(opened.download(tmp_path)) == [("04", "ambiguous", None, None, False)]


def test_prices_and_new_classes_go_on_in_another_browser(
    priced: Opened, browser: Any, run: RunFolder, tmp_path: Path
) -> None:
    priced.press("f e")
    priced.tab.keyboard.type("sofa")
    priced.press("Enter Enter s")
    path = priced.download(tmp_path, "Bo")
    elsewhere = browser.new_context()
    other = Opened(elsewhere, run.folder / "review.html")
    other.tab.set_input_files("#import-file", path)
    other.tab.locator("#counts", has_text="3 of 6").wait_for()
    assert meanings(other.download(tmp_path / "other", "Cleo")) == meanings(path)
    bad = tmp_path / "bad.csv"
    bad.write_text("id,decision,new_label,new_price\n06,relabel,bed,\n10,reprice,,POA\n11,keep,,5\n10,reprice,,5\n")
    other.tab.set_input_files("#import-file", bad)
    other.hear("1 decision imported; 0 already here or older; 3 do not fit this page")
    elsewhere.close()


def test_a_dataset_without_prices_has_no_keys_for_them(run: RunFolder, context: Any) -> None:
    run.write_table(run.issues_file, run.issues().assign(price=float("nan")))
    page = write_page(run).path
    assert page is not None
    opened = Opened(context, page)
    assert not opened.tab.locator("[data-do=price]").is_visible()
    opened.press("p")
    assert opened.text("message") == "This dataset has no prices."
    assert opened.errors == []
