"""`curate` alone says what is here and what to type next."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.cli.test_cli import done
from tests.support.fixes import make_run


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def photo(path):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), "red").save(path)
    return path


def table(path, **columns):
    images = [photo(Path(path).parent / "photos" / f"{n}.png").name for n in range(4)]
    content = {"id": list("0123"), "image": [f"photos/{name}" for name in images], **columns}
    pd.DataFrame(content).to_csv(path, index=False)


def said():
    return done().output


def test_an_empty_folder_has_nothing_and_the_demo_is_named():
    assert "no dataset here, and no run" in said()
    assert "curate demo demo" in said()
    assert "curate --help" in said()


def test_a_folder_of_class_folders_is_a_dataset():
    for name in ("cat/1.png", "cat/2.png", "dog/3.png"):
        photo(name)
    assert "This folder: 3 listings in 2 classes, 3 with a photo" in said()
    assert "Type: curate find-issues ." in said()


def test_a_table_is_counted_and_other_ones_are_named():
    table("my shop.csv", label=list("abab"), price=[1, 2, 3, None])
    table("zoo.csv", label=list("abab"))
    assert "'my shop.csv': 4 listings in 2 classes, 4 with a photo, 3 with a price" in said()
    assert "Type: curate find-issues 'my shop.csv'" in said()
    assert "Also here: zoo.csv" in said()


def test_a_dataset_that_find_issues_takes_comes_before_one_that_it_refuses():
    table("a.csv")
    table("b.csv", label=list("abab"))
    assert "Type: curate find-issues b.csv" in said()
    assert "Also here: a.csv" in said()


def test_a_table_that_find_issues_refuses_is_to_be_explored_with_the_reason():
    table("a.csv")
    assert "refuses" in said()
    assert "--column label=NAME" in said()
    assert "Type: curate explore a.csv" in said()


def test_a_dataset_in_a_folder_below_is_found():
    Path("shop").mkdir()
    table("shop/listings.csv", label=list("abab"))
    assert "Type: curate find-issues shop" in said()


def test_photos_alone_lack_labels_and_it_says_how_they_get_them():
    photo("1.png")
    photo("2.png")
    assert "2 photos and no labels" in said()


def test_what_is_no_table_of_listings_says_why():
    Path("empty.csv").write_text("")
    assert "empty.csv is no dataset yet" in said()


def test_a_run_says_where_it_stands(tmp_path):
    make_run(tmp_path)
    assert "next: curate review" in said()
