"""Class folders with metadata in some of them: the folder gives the label, the metadata the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import Listings, read_listings
from tests.support.fixes import decided, run_of

LAMPS = {"file_name": ["1.png", "2.png"], "price": [10, 20], "title": ["a lamp", "another"]}


def draw(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number * 9, 0, 0)).save(path)


def write(path: Path, rows: dict[str, list[Any]]) -> None:
    table = pd.DataFrame(rows)
    if path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_parquet(path) if path.suffix == ".parquet" else table.to_csv(path, index=False)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    shop = tmp_path / "shop"
    draw(shop, *[f"{label}/{number}.png" for label in ("desk", "lamp", "sofa") for number in (1, 2, 3)])
    return shop


def facts(listings: Listings) -> dict[str, tuple[str, float | None]]:
    rows = listings.table[["id", "label", "price"]].itertuples(index=False)
    return {id: (label, None if pd.isna(price) else price) for id, label, price in rows}


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_metadata_in_one_class_folder_leaves_the_photos_of_all_classes(shop: Path, name: str) -> None:
    write(shop / "lamp" / name, LAMPS)
    listings = read_listings(shop)
    found = facts(listings)
    assert len(found) == 9
    assert found["lamp/1.png"] == ("lamp", 10)
    assert found["lamp/3.png"] == ("lamp", None)
    assert found["sofa/1.png"] == ("sofa", None)
    said = (
        "7 photos in class folders have no row in the metadata: they have the label of the folder, and nothing else: "
        "desk/1.png, desk/2.png, desk/3.png, +4 more."
    )
    assert said in listings.notes


def test_a_photo_that_a_row_names_with_its_class_folder_is_no_other_listing(shop: Path) -> None:
    write(shop / "lamp" / "metadata.csv", {"file_name": ["lamp/1.png"], "price": [1]})
    listings = read_listings(shop)
    assert (len(listings.table), listings.table["image"].is_unique) == (9, True)


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_what_is_decided_comes_back_with_labels_for_all_photos(shop: Path, name: str) -> None:
    write(shop / "lamp" / name, LAMPS)
    write(shop / "sofa" / "metadata.csv", {"file_name": ["1.png", "2.png", "3.png"], "price": [5, 6, 7]})
    run = run_of(shop, shop.parent / "run")
    run.decide([decided("lamp/3.png", "relabel", "desk"), decided("desk/1.png", "delete")])
    notes = apply_fixes(run, plan_fixes(run)).notes
    assert "1 photo stays in the folder of another class: its label is in the metadata." in notes
    found = facts(read_listings(run.cleaned))
    assert len(found) == 8
    assert found["lamp/3.png"] == ("desk", None)
    assert (found["lamp/1.png"], found["sofa/3.png"], found["desk/2.png"]) == (
        ("lamp", 10),
        ("sofa", 7),
        ("desk", None),
    )
    written = (run.cleaned / "desk" / "metadata.csv").read_text()
    assert written == "file_name,label\n2.png,desk\n3.png,desk\n"


def test_metadata_in_class_folders_below_splits_is_read(tmp_path: Path) -> None:
    draw(
        tmp_path,
        *[f"{split}/{label}/{n}.png" for split in ("train", "test") for label in ("desk", "lamp") for n in "12"],
    )
    write(tmp_path / "train" / "lamp" / "metadata.csv", {"file_name": ["1.png"], "price": [3]})
    listings = read_listings(tmp_path)
    assert listings.table["split"].value_counts().to_dict() == {"train": 4, "test": 4}
    assert facts(listings)["train/lamp/1.png"] == ("lamp", 3)
    assert facts(listings)["test/lamp/1.png"] == ("lamp", None)


def test_a_photo_that_a_row_names_in_another_case_or_among_several_is_no_other_listing(shop: Path) -> None:
    write(shop / "lamp" / "metadata.csv", {"file_name": ["1.PNG", "2.png, 3.png"], "price": [1, 2]})
    listings = read_listings(shop)
    assert listings.table["image"].tolist()[:2] == ["lamp/1.png", "lamp/2.png"]
    assert len(listings.table) == 8


def test_a_column_mapped_to_id_has_the_names_of_photos_without_a_row(shop: Path) -> None:
    write(shop / "lamp" / "metadata.csv", {**LAMPS, "sku": [7, 8]})
    listings = read_listings(shop, columns={"id": "sku"})
    assert listings.table["id"].tolist()[:3] == ["7", "8", "lamp/3.png"]


def test_a_photo_more_in_a_class_folder_makes_another_dataset(shop: Path) -> None:
    write(shop / "lamp" / "metadata.csv", LAMPS)
    before = read_listings(shop).sha256
    draw(shop, "sofa/9.png")
    assert read_listings(shop).sha256 != before


def test_metadata_with_labels_in_class_folders_is_all_that_counts(shop: Path) -> None:
    write(shop / "lamp" / "metadata.csv", {**LAMPS, "label": ["lamp", "bulb"]})
    assert facts(read_listings(shop)) == {"lamp/1.png": ("lamp", 10), "lamp/2.png": ("bulb", 20)}


def test_a_single_class_with_metadata_is_still_refused(tmp_path: Path) -> None:
    draw(tmp_path, "lamp/1.png", "lamp/2.png")
    (tmp_path / "lamp" / "metadata.jsonl").write_text(json.dumps({"file_name": "1.png", "price": 3}) + "\n")
    with pytest.raises(ListingsError, match="no column 'label'"):
        read_listings(tmp_path)
