"""Names of photos in tables are matched with the files that exist, and only where one file is meant."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from curation.errors import ListingsError
from curation.listings import read_listings
from curation.listings.photo_names import match_photos


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def matched(folder: Path, name: str) -> str | None:
    photos = match_photos(pd.Series([name], dtype="string"), folder)
    assert photos.missing[0] == (not os.path.isfile(folder / photos.images[0]))  # noqa: PTH113 - may be too long
    return None if photos.missing[0] else photos.images[0]


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("photos\\1.jpg", "photos/1.jpg"),
        (".\\photos\\1.jpg", "photos/1.jpg"),
        ("photos/1.JPG", "photos/1.jpg"),
        ("Photos/1.jpg", "photos/1.jpg"),
        ("PHOTOS\\1.JPG", "photos/1.jpg"),
        ("/photos/1.jpg", "photos/1.jpg"),
        ("C:\\Users\\ana\\shop\\photos\\1.jpg", "photos/1.jpg"),
        ("/home/ana/shop/photos/1.jpg", "photos/1.jpg"),
        ("file:///home/ana/photos/1.jpg", "photos/1.jpg"),
        ("1.jpg", "photos/1.jpg"),
        ("1", "photos/1.jpg"),
        ("my%20photos/a%20b.jpg", "my photos/a b.jpg"),
        (unicodedata.normalize("NFC", "photos/Kabel-ü.jpg"), unicodedata.normalize("NFD", "photos/Kabel-ü.jpg")),
        (unicodedata.normalize("NFD", "photos/Stück.jpg"), unicodedata.normalize("NFC", "photos/Stück.jpg")),
    ],
)
def test_another_spelling_of_a_name_is_the_same_photo(written: str, file: str, tmp_path: Path) -> None:
    touch(tmp_path, "photos/1.jpg", file)
    assert matched(tmp_path, written) == file


def test_a_name_that_exists_is_never_changed(tmp_path: Path) -> None:
    touch(tmp_path, "photos/1.jpg", "photos/1.JPG", "a\\b.jpg")
    for name in ("photos/1.jpg", "photos/1.JPG", "a\\b.jpg", str(tmp_path / "photos/1.jpg")):
        photos = match_photos(pd.Series([name], dtype="string"), tmp_path)
        assert (photos.images[0], photos.notes) == (name, ())


@pytest.mark.parametrize(
    "written", ["photos/1.jpG", "1.jpg", "1", "none.jpg", "https://example.org/photos/2.jpg", "a" * 300]
)
def test_a_name_that_fits_no_photo_or_several_stays_missing(written: str, tmp_path: Path) -> None:
    touch(tmp_path, "photos/1.jpg", "photos/1.JPG", "thumbs/1.jpg", "photos/2.jpg")
    assert matched(tmp_path, written) is None


def test_the_longest_end_of_a_path_wins(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "b/1.jpg", "1.jpg")
    assert matched(tmp_path, "D:\\export\\b\\1.jpg") == "b/1.jpg"


def test_what_was_matched_is_counted_with_an_example(tmp_path: Path) -> None:
    touch(tmp_path, "photos/1.jpg", "photos/2.jpg", "photos/3.jpg")
    names = pd.Series(["photos\\1.jpg", "photos\\2.jpg", "3.jpg", pd.NA], dtype="string")
    assert match_photos(names, tmp_path).notes == (
        "2 photos are matched by another spelling of their names, e.g. 'photos\\\\1.jpg' is photos/1.jpg.",
        "1 photo is matched by a part of its name, e.g. '3.jpg' is photos/3.jpg.",
    )


def test_the_photo_of_another_listing_never_stands_in_for_a_missing_one(tmp_path: Path) -> None:
    touch(tmp_path, "lamp/1.jpg", "lamp/2.jpg", "3.jpg")
    names = ["lamp/1.jpg", "desk/1.jpg", "desk/2.jpg", "1.jpg", "a/3.jpg", "C:\\x\\2.jpg", "D:\\y\\2.jpg"]
    photos = match_photos(pd.Series(names, dtype="string"), tmp_path)
    assert photos.missing.tolist() == [False, *[True] * 6]


@pytest.mark.parametrize("written", ["..\\secret\\1.jpg", "../secret/1.jpg"])
def test_a_path_with_backslashes_leads_out_of_the_folder_no_more_than_one_with_slashes(
    written: str, tmp_path: Path
) -> None:
    touch(tmp_path, "secret/1.jpg", "shop/2.jpg")
    table = pd.DataFrame({"id": ["a", "b"], "image": [written, "2.jpg"], "label": ["x", "y"]})
    table.to_csv(tmp_path / "shop/shop.csv", index=False)
    with pytest.raises(ListingsError, match="leads out of the dataset's folder"):
        read_listings(tmp_path / "shop/shop.csv")


@pytest.mark.parametrize(
    ("cell", "first"),
    [
        ("photos/1.png, photos/2.png", "photos/1.png"),
        ("photos/1.png;photos/2.png;", "photos/1.png"),
        ("photos/gone.png|photos/2.png", "photos/2.png"),
        ('["photos/1.png", "photos/2.png"]', "photos/1.png"),
        ("{photos/1.png,photos/2.png}", "photos/1.png"),
        ("1.png, 2.png", "photos/1.png"),
    ],
)
def test_of_several_photos_in_a_cell_the_first_that_exists_counts(cell: str, first: str, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("1.png", "2.png"):
        (tmp_path / "photos" / name).write_bytes(b"")
    matched = match_photos(pd.Series([cell], dtype="string"), tmp_path)
    assert (matched.images.tolist(), matched.missing.tolist()) == ([first], [False])
    assert matched.notes[0].startswith("1 cell names several photos; the first that exists counts, e.g. of ")
    single = match_photos(pd.Series(['["photos/1.png"]'], dtype="string"), tmp_path)
    assert (single.images.tolist(), single.notes) == (["photos/1.png"], ())


def test_a_name_with_a_comma_is_one_name_if_it_is_there(tmp_path: Path) -> None:
    for name in ("a, b.png", "a", "b.png"):
        (tmp_path / name).write_bytes(b"")
    matched = match_photos(pd.Series(["a, b.png", "A, B.png"], dtype="string"), tmp_path)
    assert matched.images.tolist() == ["a, b.png", "a, b.png"]


def test_each_folder_is_looked_into_once_whatever_the_number_of_missing_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, *[f"f{number}/1.jpg" for number in range(20)])
    listed: list[object] = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listed.append(path) or listdir(path))
    names = pd.Series([f"gone{number}.jpg, 1.jpg, gone{number}" for number in range(50)], dtype="string")
    assert match_photos(names, tmp_path).missing.all()
    assert len(listed) == 21


def test_a_name_that_fits_two_files_says_which(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for name in ("1.jpg", "2.jpg"):
            (tmp_path / folder / name).write_bytes(b"")
    (tmp_path / "a" / "3.jpg").write_bytes(b"")
    matched = match_photos(pd.Series(["1.JPG", "2", "3.jpg", "4.jpg"], dtype="string"), tmp_path)
    assert dict(matched.several) == {0: ["a/1.jpg", "b/1.jpg"], 1: ["a/2.jpg", "b/2.jpg"]}
    assert matched.images[2] == "a/3.jpg"
    assert matched.notes[-1] == (
        "2 names of photos fit several files, so none of these is taken: '1.JPG' fits a/1.jpg, b/1.jpg."
    )


@pytest.mark.parametrize("rows", [1, 4])
def test_listings_whose_photos_fit_two_files_are_bad_for_that_reason(rows: int, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for row in range(10):
            if folder == "a" or row < rows:
                Image.new("RGB", (4, 4), (row * 20, 0, 0)).save(tmp_path / folder / f"{row}.png")
    lines = [f"L{row},{row}.png,{'xy'[row % 2]}" for row in range(10)]
    (tmp_path / "shop.csv").write_text("\n".join(["id,image,label", *lines]))
    if rows == 1:
        listings = read_listings(tmp_path / "shop.csv")
        assert listings.problems["why"].tolist() == ["fits several files"]
    else:
        with pytest.raises(ListingsError, match=r"fits several files in 4 rows.*'0.png' fits a/0.png, b/0.png"):
            read_listings(tmp_path / "shop.csv")
