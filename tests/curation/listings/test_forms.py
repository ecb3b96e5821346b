"""Every form in which people have listings goes in without being cleaned by hand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import curation
from curation.errors import ListingsError
from curation.listings import read_listings
from tests.curation.listings.forms import FORMS, rows
from tests.project.structure import ROOT

FOLDERS = ("Class folders", "Class folders below splits, in any usual name")


@pytest.mark.parametrize("form", [name for name in FORMS if name not in FOLDERS])
def test_every_form_of_a_table_gives_the_same_listings(form: str, tmp_path: Path) -> None:
    listings = read_listings(FORMS[form](tmp_path))
    table, expected = listings.table, rows()
    for column in ("id", "label", "title"):
        assert table[column].tolist() == expected[column].tolist()
    assert table["price"].tolist() == expected["price"].astype(float).tolist()
    assert all((listings.source.root / image).is_file() for image in table["image"])
    assert listings.problems.empty


@pytest.mark.parametrize("form", FOLDERS)
def test_class_folders_give_the_labels_and_the_splits(form: str, tmp_path: Path) -> None:
    listings = read_listings(FORMS[form](tmp_path))
    table = listings.table.sort_values("id", key=lambda ids: ids.str[-7:])
    assert table["label"].tolist() == rows()["label"].tolist()
    splits = ["train"] * 8 + ["test"] * 2 if "splits" in form else [None] * 10
    assert table["split"].astype(object).where(table["split"].notna(), None).tolist() == splits


@pytest.mark.parametrize("form", FORMS)
def test_every_form_goes_through_find_issues(form: str, tmp_path: Path) -> None:
    listings = read_listings(FORMS[form](tmp_path))
    probs = np.full((10, 3), 0.05)
    probs[np.arange(10), [listings.classes.index(label) for label in listings.table["label"]]] = 0.9
    run = curation.find_issues(listings, run=tmp_path / "run", probabilities=probs, text=False)
    assert run.issues["id"].tolist() == listings.table["id"].tolist()


def test_rows_of_several_metadata_files_are_named_with_their_file_when_photos_cannot_be_read(tmp_path: Path) -> None:
    folder = FORMS["Hugging Face imagefolder with metadata in each split"](tmp_path)
    for number in (0, 3, 9):
        (folder / ("test" if number > 7 else "train") / f"photos/{number}.png").write_bytes(b"no photo")
    with pytest.raises(ListingsError, match="3 of 10 photos can't be read") as caught:
        curation.find_issues(read_listings(folder), run=tmp_path / "run", text=False)
    assert caught.value.problems["row"].tolist() == [
        "2 of train/metadata.csv",
        "3 of test/metadata.csv",
        "5 of train/metadata.csv",
    ]


def test_the_table_of_input_forms_in_the_documentation_has_a_test_for_each_row() -> None:
    text = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    table = text.partition("## Input forms\n")[2].lstrip().partition("\n\n")[0]
    documented = re.findall(r"^\| (?!Form)(.*?) \| ?.*\|$", table, flags=re.MULTILINE)
    assert [name.replace("\\|", "|") for name in documented] == list(FORMS)
