"""Words for none, such as NA and what databases write, are none in every column."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from curation.listings import Listings, read_listings

WORDS = ["NA", "N/A", "null", "None", "-", "nan", r"\N", "--", "#N/A", "<NA>", "TBD", "."]


def read(columns: dict[str, list[str]], folder: Path, *, needs_image: bool = False) -> Listings:
    count = len(next(iter(columns.values())))
    table = pd.DataFrame({"id": [f"L{row}" for row in range(count)], "label": ["ab"[row % 2] for row in range(count)]})
    table.assign(**columns).to_csv(folder / "shop.csv", index=False)
    return read_listings(folder / "shop.csv", needs_image=needs_image)


@pytest.mark.parametrize("word", WORDS)
def test_words_for_none_are_no_group_and_counted_in_one_line(word: str, tmp_path: Path) -> None:
    listings = read({"group": [word] * 3 + ["x", "y", "z"]}, tmp_path)
    assert listings.table["group"].fillna("").tolist() == ["", "", "", "x", "y", "z"]
    assert listings.notes == (f"3 cells of group are words for none, and count as empty: {word} (3).",)


@pytest.mark.parametrize("word", WORDS)
def test_words_for_none_are_no_split_and_no_title(word: str, tmp_path: Path) -> None:
    columns = {"split": [word, "test", "train", "train"], "title": [word, "a lamp", "a desk", "a sofa"]}
    listings = read(columns, tmp_path)
    assert listings.problems.empty
    assert listings.table.loc[0, ["split", "title"]].isna().all()


@pytest.mark.parametrize("word", WORDS)
def test_words_for_none_are_no_price_and_counted(word: str, tmp_path: Path) -> None:
    listings = read({"price": [word, "9.50", "3.25"], "currency": [word, "GBP", "GBP"]}, tmp_path)
    assert listings.problems.empty
    assert listings.table["price"].tolist()[1:] == [9.5, 3.25]
    assert listings.source.currency == "GBP"


@pytest.mark.parametrize("word", [word for word in WORDS if word != "nan"])
def test_a_label_that_is_a_word_for_none_may_be_a_class_and_is_named(word: str, tmp_path: Path) -> None:
    listings = read({"label": [word, "a", "b", "a"]}, tmp_path)
    assert word in listings.classes
    assert any(f"a label that may stand for none: {word} (1)" in note for note in listings.notes)


@pytest.mark.parametrize("word", WORDS)
def test_a_photo_that_is_a_word_for_none_is_missing(word: str, tmp_path: Path) -> None:
    for row in range(9):
        (tmp_path / f"{row}.jpg").write_bytes(b"")
    listings = read({"image": [word, *(f"{row}.jpg" for row in range(9))]}, tmp_path, needs_image=True)
    assert listings.problems[["row", "column", "why"]].values.tolist() == [[2, "image", "is missing"]]


def test_a_photo_may_be_called_like_a_word_for_none(tmp_path: Path) -> None:
    for name in ("NA.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"")
    listings = read({"image": ["NA", "b.jpg"]}, tmp_path, needs_image=True)
    assert listings.table["image"].tolist() == ["NA.jpg", "b.jpg"]


def test_a_group_larger_than_the_test_set_is_named_with_its_size(tmp_path: Path) -> None:
    small = [f"s{row}" for row in range(8)]
    assert not read({"group": ["big"] * 2 + small}, tmp_path).notes
    said = read({"group": ["big"] * 3 + small[:7]}, tmp_path).notes
    assert len(said) == 1
    assert "1 group is larger than the 20%" in said[0]
    assert "'big' (3 of 10, 30%)" in said[0]
    assert not read({"group": ["big"] * 3 + small[:7], "split": ["test"] + ["train"] * 9}, tmp_path).notes
