"""JSON as programs of shops write it: prices and photos that are objects, and listings inside an envelope."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from curation.listings.json_tables import JsonStyle, as_json, parse_json
from curation.listings.prices import read_prices
from curation.run.journal import Decision
from tests.support.fixes import decided, run_of


def shop(folder: Path, content: Any, name: str = "shop.json") -> Path:
    for number in range(6):
        Image.new("RGB", (4, 4), (number * 40, 0, 0)).save(folder / f"{number}.png")
    lines = "".join(f"{json.dumps(row)}\n" for row in content) if name.endswith("jsonl") else json.dumps(content)
    (folder / name).write_text(lines)
    return folder / name


def rows(**cells: Any) -> list[dict[str, Any]]:
    """Return six listings with more cells, each made of its number."""
    return [
        {"id": f"L{row}", "image": f"{row}.png", "label": "ab"[row % 2]} | {name: of(row) for name, of in cells.items()}
        for row in range(6)
    ]


def reprice(id: str, price: float) -> Decision:
    return replace(decided(id, "reprice"), new_price=price)


@pytest.mark.parametrize("name", ["shop.json", "shop.jsonl"])
@pytest.mark.parametrize(
    ("price", "new"),
    [
        (lambda row: {"amount": row + 0.125, "currency": "GBP"}, {"amount": 9.5, "currency": "GBP"}),
        (lambda row: {"value": row + 0.125, "currency": "£"}, {"value": 9.5, "currency": "£"}),
        (lambda row: {"amount": f"{row}.125", "currencyCode": "GBP"}, {"amount": "9.5", "currencyCode": "GBP"}),
    ],
)
def test_prices_that_are_objects_are_read_and_repriced_as_objects(
    price: Any, new: dict[str, Any], name: str, tmp_path: Path
) -> None:
    source = shop(tmp_path, rows(price=price), name)
    listings = read_listings(source)
    # a program's dot marks decimals, also three of them
    assert listings.table["price"].tolist() == [row + 0.125 for row in range(6)]
    assert listings.source.currency == "GBP"
    run = run_of(source, tmp_path / "run")
    run.decide([reprice("L1", 9.5)])
    apply_fixes(run, plan_fixes(run))
    written = (run.cleaned / f"listings.{name.rpartition('.')[2]}").read_text()
    cleaned = list(map(json.loads, written.splitlines())) if name.endswith("jsonl") else json.loads(written)
    assert [row["price"] for row in cleaned] == [price(0), new, *map(price, range(2, 6))]
    again = read_listings(run.cleaned)
    assert again.table["price"].tolist() == [0.125, 9.5, 2.125, 3.125, 4.125, 5.125]


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet", "jsonl"])
def test_prices_and_photos_that_are_objects_are_read_again_in_every_format(form: str, tmp_path: Path) -> None:
    listed = rows(
        price=lambda row: {"amount": row + 0.5, "currency": "GBP"},
        image=lambda row: [{"url": f"{row}.png", "alt": "front"}, {"url": "5.png", "alt": "back"}],
    )
    run = run_of(shop(tmp_path, listed), tmp_path / "run")
    run.decide([reprice("L1", 9.0), decided("L2", "delete")])
    apply_fixes(run, plan_fixes(run), form)
    again = read_listings(run.cleaned)
    assert again.table["price"].tolist() == [0.5, 9.0, 3.5, 4.5, 5.5]
    assert [Path(image).name for image in again.table["image"]] == ["0.png", "1.png", "3.png", "4.png", "5.png"]


def test_a_new_price_of_a_listing_without_one_is_an_object_as_the_others_are(tmp_path: Path) -> None:
    prices = [{"amount": None, "currency": "GBP"}, None, *({"amount": row, "currency": "GBP"} for row in range(4))]
    run = run_of(shop(tmp_path, rows(price=prices.__getitem__)), tmp_path / "run")
    run.decide([reprice("L0", 3), reprice("L1", 4)])
    apply_fixes(run, plan_fixes(run))
    cleaned = json.loads((run.cleaned / "listings.json").read_text())
    assert [row["price"]["amount"] for row in cleaned] == [3, 4, 0, 1, 2, 3]


def test_prices_as_objects_in_two_currencies_are_refused(tmp_path: Path) -> None:
    source = shop(tmp_path, rows(price=lambda row: {"amount": row, "currency": ["GBP", "EUR"][row % 2]}))
    with pytest.raises(ListingsError, match=r"prices in 2 currencies: got GBP \(3 listings\), EUR \(3 listings\)"):
        read_listings(source)


def test_an_object_that_may_be_an_amount_of_hundredths_is_no_price(tmp_path: Path) -> None:
    source = shop(tmp_path, rows(price=lambda row: {"amount": row, "divisor": 100, "currency_code": "GBP"}))
    with pytest.raises(ListingsError, match="the column 'price' holds no prices"):
        read_listings(source)


@pytest.mark.parametrize(
    ("photo", "moved"),
    [
        (lambda row: {"url": f"{row}.png", "alt": "x"}, {"url": "../../1.png", "alt": "x"}),
        (
            lambda row: [{"path": f"{row}.png"}, {"path": "https://x.org/2.png"}],
            [{"path": "../../1.png"}, {"path": "https://x.org/2.png"}],
        ),
        (lambda row: [{"src": "gone.png"}, {"src": f"{row}.png"}], [{"src": "../../gone.png"}, {"src": "../../1.png"}]),
    ],
)
def test_photos_that_are_objects_are_found_and_come_back_so(photo: Any, moved: Any, tmp_path: Path) -> None:
    source = shop(tmp_path, rows(image=photo))
    listings = read_listings(source)
    assert listings.table["image"].tolist() == [f"{row}.png" for row in range(6)]
    assert listings.problems.empty
    run = run_of(source, tmp_path / "run")
    run.decide([decided("L0", "delete")])
    apply_fixes(run, plan_fixes(run))
    first = json.loads((run.cleaned / "listings.json").read_text())[0]["image"]
    assert first == moved
    assert len(read_listings(run.cleaned).table) == 5


def test_urls_in_objects_are_urls_and_a_path_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    source = shop(tmp_path, rows(image=lambda row: {"url": f"https://x.org/{row}.png"}))
    with pytest.raises(ListingsError, match="6 of 6 photos are URLs"):
        read_listings(source)
    inner = tmp_path / "inner"
    inner.mkdir()
    shop(tmp_path, [])
    (inner / "out.json").write_text(json.dumps(rows(image=lambda row: {"path": f"../{row}.png"})))
    with pytest.raises(ListingsError, match="6 image paths lead out of the dataset's folder"):
        read_listings(inner / "out.json")


@pytest.mark.parametrize(
    "envelope",
    [
        lambda listed: {"data": {"listings": listed}},
        lambda listed: {"meta": {"page": 1}, "data": {"total": 6, "items": listed}, "links": ["a"]},
        lambda listed: {"response": {"result": {"items": listed, "next": None}}},
        lambda listed: {"tags": ["x", "y"], "items": listed},
        lambda listed: {"items": listed, "facets": {"brands": [{"name": "x"}]}},
    ],
)
def test_listings_in_an_envelope_are_read_and_come_back_in_it(envelope: Any, tmp_path: Path) -> None:
    source = shop(tmp_path, envelope(rows()))
    assert read_listings(source).table["id"].tolist() == [f"L{row}" for row in range(6)]
    run = run_of(source, tmp_path / "run")
    run.decide([decided("L0", "delete"), decided("L1", "relabel", "a")])
    apply_fixes(run, plan_fixes(run))
    left = [row | {"image": f"../../{row['image']}"} for row in rows()[1:]]
    left[0]["label"] = "a"
    assert (run.cleaned / "listings.json").read_text() == json.dumps(envelope(left)) + "\n"


def test_several_lists_that_may_be_the_listings_are_refused_by_their_names(tmp_path: Path) -> None:
    source = shop(tmp_path, {"data": {"listings": rows(), "sellers": [{"id": 1}]}})
    with pytest.raises(ListingsError, match=r"several lists of objects, 'data\.listings', 'data\.sellers'"):
        read_listings(source)


def test_columns_of_pandas_that_hold_lists_of_objects_are_columns() -> None:
    content = {"id": {"0": "a", "1": "b"}, "photos": {"0": [{"url": "a"}], "1": [{"url": "b"}]}}
    read, style = parse_json(json.dumps(content), lines=False)
    assert (read[1], style.frame) == ({"id": "b", "photos": [{"url": "b"}]}, "columns")


@pytest.mark.parametrize("within", ['["x"]', "3", '[["data"]]', '["data", "rows", "more"]'])
def test_an_envelope_without_a_place_for_the_rows_is_refused(within: str) -> None:
    style = JsonStyle('{"data": {"rows": null}}', "rows", within)
    with pytest.raises(ValueError, match="has no place for them"):
        as_json(["id"], [['"a"']], style)


@pytest.mark.parametrize(
    ("amount", "currency", "warned"),
    [(lambda row: row, "USD", True), (lambda row: row + 0.5, "USD", False), (lambda row: row, "JPY", False)],
)
def test_amounts_that_may_all_be_cents_get_a_warning(
    amount: Callable[[int], float], currency: str, warned: bool, tmp_path: Path
) -> None:
    source = shop(tmp_path, rows(price=lambda row: {"amount": amount(row + 1), "currency": currency}))
    said = [note for note in read_listings(source).notes if note.startswith("Check the prices: all 6 amounts")]
    assert bool(said) is warned


@pytest.mark.parametrize(("count", "warned"), [(2, False), (3, True)])
def test_three_whole_amounts_are_enough_for_the_warning(count: int, warned: bool) -> None:
    prices = read_prices(pd.Series(['{"amount": 1250, "currency": "USD"}'] * count, dtype="string"))
    assert any("count cents" in note for note in prices.notes) is warned
