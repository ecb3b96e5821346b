"""JSON as DataFrame.to_json writes it: the index of the table is in the keys, and comes back in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of


def shop(folder: Path, text: str) -> Path:
    (folder / "in").mkdir()
    for number in range(6):
        Image.new("RGB", (4, 4), (number * 40, 0, 0)).save(folder / "in" / f"{number}.png")
    (folder / "in" / "shop.json").write_text(text)
    return folder / "in" / "shop.json"


def frame(**more: Any) -> pd.DataFrame:
    columns = {"image": [f"{row}.png" for row in range(6)], "label": ["a", "b"] * 3, "price": range(6)}
    return pd.DataFrame({**more, **columns})


def after(source: Path, folder: Path, *ids: str) -> Any:
    run = run_of(source, folder / "run")
    run.decide([decided(ids[0], "relabel", "b"), decided(ids[1], "delete")])
    apply_fixes(run, plan_fixes(run))
    assert len(read_listings(run.cleaned).table) == 5
    return json.loads((run.cleaned / "listings.json").read_text())


IDS = [f"A00{row}" for row in range(6)]


@pytest.mark.parametrize("orient", ["columns", "index"])
@pytest.mark.parametrize("keys", [IDS, ["17", "3", "99", "4", "5", "6"]])
def test_the_keys_of_the_rows_are_the_ids_where_no_column_has_them(
    keys: list[str], orient: Any, tmp_path: Path
) -> None:
    table = frame().set_axis(keys)
    source = shop(tmp_path, table.to_json(orient=orient))
    listings = read_listings(source)
    assert listings.table["id"].tolist() == keys
    table["image"] = "../../in/" + table["image"]
    table.loc[keys[0], "label"] = "b"
    expected = json.loads(table.drop(keys[2]).to_json(orient=orient))
    assert after(source, tmp_path, keys[0], keys[2]) == expected


@pytest.mark.parametrize("orient", ["columns", "index"])
@pytest.mark.parametrize("name", ["id", "SKU"])
def test_keys_beside_a_column_of_ids_come_back(name: str, orient: Any, tmp_path: Path) -> None:
    table = frame(**{name: IDS}).set_axis([4, 2, 0, 1, 3, 5])
    source = shop(tmp_path, table.to_json(orient=orient))
    assert read_listings(source).table["id"].tolist() == IDS
    table["image"] = "../../in/" + table["image"]
    table.loc[4, "label"] = "b"
    expected = json.loads(table.drop(0).to_json(orient=orient))
    assert after(source, tmp_path, "A000", "A002") == expected


@pytest.mark.parametrize("orient", ["columns", "index"])
def test_keys_that_only_number_the_rows_are_no_ids(orient: Any, tmp_path: Path) -> None:
    source = shop(tmp_path, frame().to_json(orient=orient))
    listings = read_listings(source)
    assert listings.table["id"].tolist() == [f"{row}.png" for row in range(6)]
    assert "index" not in listings.table
    cleaned = after(source, tmp_path, "0.png", "2.png")
    assert list(cleaned["label"] if orient == "columns" else cleaned) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("orient", ["split", "values"])
def test_rows_that_are_lists_are_refused_with_what_writes_objects(orient: Any, tmp_path: Path) -> None:
    with pytest.raises(ListingsError, match=r"as to_json\(orient='records'\) of pandas writes it"):
        read_listings(shop(tmp_path, frame(id=IDS).to_json(orient=orient)))


def test_several_tables_in_one_file_are_refused_with_what_writes_one(tmp_path: Path) -> None:
    content = {"users": [{"id": 1}], "orders": [{"user_id": 1}], "stores": [{"id": 1}]}
    with pytest.raises(ListingsError, match=r"'users', 'orders', 'stores'.*orient='records'"):
        read_listings(shop(tmp_path, json.dumps(content)))
