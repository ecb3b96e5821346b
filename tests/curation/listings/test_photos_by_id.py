"""Tables without a column of photos, whose photos are named by ids; and ids that are photos."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.fixes import apply_fixes, plan_fixes
from curation.listings import read_listings
from tests.support.fixes import decided, run_of


def shop(folder: Path, ids: list[str], photos: str, column: str = "id", name: str = "train.csv") -> Path:
    for number in range(len(ids)):
        path = folder / photos.format(number)
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4), (number * 20, 0, 0)).save(path)
    table = pd.DataFrame({column: ids, "label": ["ab"[number % 2] for number in range(len(ids))]})
    write: dict[str, Any] = {"csv": table.to_csv, "xlsx": table.to_excel, "parquet": table.to_parquet}
    write[name.rpartition(".")[2]](folder / name, index=False)
    return folder / name


IDS = [f"{number:04}" for number in range(10)]


@pytest.mark.parametrize(
    ("form", "photos"),
    [*itertools.product(["{}", "{}.png"], ["images/{:04}.png", "{:04}.png"]), ("images/{}.png", "images/{:04}.png")],
)
def test_ids_that_name_photos_find_them(form: str, photos: str, tmp_path: Path) -> None:
    ids = [form.format(id) for id in IDS]
    listings = read_listings(shop(tmp_path, ids, photos))
    assert listings.table["id"].tolist() == ids
    assert listings.table["image"].tolist() == [photos.format(number) for number in range(10)]
    assert "No column of photos: their names, which may lack endings, are in id." in listings.notes


def test_another_column_that_names_the_photos_is_found_beside_the_ids(tmp_path: Path) -> None:
    source = shop(tmp_path, IDS, "images/{:04}.png", "plate")
    pd.read_csv(source, dtype=str).assign(id=list("abcdefghij")).to_csv(source, index=False)
    listings = read_listings(source)
    assert listings.table["id"].tolist() == list("abcdefghij")
    assert listings.table["image"].tolist()[0] == "images/0000.png"


@pytest.mark.parametrize(("gone", "found"), [(2, True), (3, False)])
def test_four_fifths_of_the_photos_must_be_there(gone: int, *, found: bool, tmp_path: Path) -> None:
    source = shop(tmp_path, IDS, "images/{:04}.png")
    for number in range(gone):
        (tmp_path / "images" / f"{number:04}.png").unlink()
    if found:
        assert read_listings(source).problems["why"].tolist() == ["no such file"] * gone
    else:
        with pytest.raises(ListingsError, match="no column 'image'"):
            read_listings(source)


@pytest.mark.parametrize(
    ("ids", "photos", "line"),
    [
        ([str(n) for n in range(10)], "images/{:04}.png", "'images/' + table['id'].str.zfill(4) + '.png'"),
        (IDS, "images/{:04}_1.png", "'images/' + table['id'] + '_1.png'"),
    ],
)
def test_photos_named_otherwise_by_ids_are_refused_with_the_line_that_names_them(
    ids: list[str], photos: str, line: str, tmp_path: Path
) -> None:
    with pytest.raises(ListingsError) as caught:
        read_listings(shop(tmp_path, ids, photos))
    assert f"table['image'] = {line}" in str(caught.value)


def test_ids_that_fit_photos_in_two_folders_are_refused_with_both(tmp_path: Path) -> None:
    shop(tmp_path, IDS, "back/{:04}.png")
    source = shop(tmp_path, IDS, "front/{:04}.png")
    with pytest.raises(ListingsError, match=r"Of id, '0000' fits back/0000\.png, front/0000\.png"):
        read_listings(source)


@pytest.mark.parametrize("name", ["train.csv", "train.xlsx", "train.parquet"])
@pytest.mark.parametrize(
    ("column", "form", "new"), [("id", "{}", "image"), ("image_id", "{}", "image"), ("image", "images/{}.png", "id")]
)
def test_ids_are_the_same_in_the_cleaned_dataset(column: str, form: str, new: str, name: str, tmp_path: Path) -> None:
    ids = [form.format(id) for id in IDS]
    run = run_of(shop(tmp_path, ids, "images/{:04}.png", column, name), tmp_path / "run")
    run.decide([decided(ids[1], "delete"), decided(ids[3], "relabel", "a")])
    fixes = apply_fixes(run, plan_fixes(run))
    assert any(f"has a new column {new!r}" in note for note in fixes.notes)
    again = read_listings(run.cleaned)
    assert again.table["id"].tolist() == [ids[0], *ids[2:]]
    assert [Path(image).name for image in again.table["image"]] == [f"{id}.png" for id in [IDS[0], *IDS[2:]]]
    assert again.problems.empty


def test_class_folders_keep_that_their_splits_are_not_used(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for label in "ab":
            (tmp_path / "in" / split / label).mkdir(parents=True)
            for number in range(3):
                colour = (number * 60, ord(label), len(split))
                Image.new("RGB", (4, 4), colour).save(tmp_path / "in" / split / label / f"{number}.png")
    run = run_of(tmp_path / "in", tmp_path / "run", columns={"split": ""})
    run.decide([decided("train/a/0.png", "delete")])
    apply_fixes(run, plan_fixes(run))
    assert read_listings(run.cleaned).table["split"].isna().all()


def test_an_empty_column_of_photos_is_none(tmp_path: Path) -> None:
    source = shop(tmp_path, IDS, "images/{:04}.png")
    pd.read_csv(source, dtype=str).assign(image="").to_csv(source, index=False)
    assert read_listings(source).table["image"].tolist()[0] == "images/0000.png"
    run = run_of(source, tmp_path / "run")
    run.decide([decided("0001", "delete")])
    apply_fixes(run, plan_fixes(run))
    again = read_listings(run.cleaned)
    assert again.table["id"].tolist() == [IDS[0], *IDS[2:]]
    assert again.problems.empty


def test_a_column_for_each_class_is_refused_with_the_line_that_makes_labels(tmp_path: Path) -> None:
    source = shop(tmp_path, IDS, "images/{:04}.png")
    table = pd.read_csv(source, dtype=str)
    table.assign(lamp=(table["label"] == "a").astype(int), desk=(table["label"] == "b").astype(int)).drop(
        columns="label"
    ).to_csv(source, index=False)
    with pytest.raises(ListingsError) as caught:
        read_listings(source)
    assert "table['label'] = table[['lamp', 'desk']].idxmax(axis=1)" in str(caught.value)


@pytest.mark.parametrize("form", ["imagefolder", "jsonl", "xlsx"])
@pytest.mark.parametrize(("column", "name"), [("id", "{}"), ("image", "images/{}.png")])
def test_ids_are_the_same_in_another_format(column: str, name: str, form: str, tmp_path: Path) -> None:
    ids = [name.format(id) for id in IDS]
    run = run_of(shop(tmp_path, ids, "images/{:04}.png", column), tmp_path / "run")
    run.decide([decided(ids[1], "delete")])
    apply_fixes(run, plan_fixes(run), form)
    again = read_listings(run.cleaned)
    assert sorted(again.table["id"]) == [ids[0], *ids[2:]]
    assert again.problems.empty
