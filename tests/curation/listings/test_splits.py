"""Names of splits: which listings are the test set, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from curation.listings import read_listings
from curation.listings.splits import normal_splits


@pytest.mark.parametrize("name", ["eval", "Evaluation", "eval_set", "evaluation2"])
@pytest.mark.parametrize("test", ["test", "Testing", "holdout"])
def test_an_eval_beside_a_test_set_is_trained_on_like_val(name: str, test: str) -> None:
    normal, notes = normal_splits(pd.Series(["train", name, test, name], dtype="string"))
    assert normal.tolist() == ["train", "train", "test", "train"]
    assert notes == (f"2 listings of {name} are trained on like train: cross-validation needs no such set.",)


def test_an_eval_without_a_test_set_is_the_test_set_and_said_to_be() -> None:
    normal, notes = normal_splits(pd.Series(["train", "eval", "val"], dtype="string"))
    assert normal.tolist() == ["train", "test", "train"]
    assert notes == (
        "1 listing of eval is the test set.",
        "1 listing of val is trained on like train: cross-validation needs no such set.",
    )


def test_folders_called_eval_are_read_in_the_same_way(tmp_path: Path) -> None:
    for split in ("train", "eval", "test"):
        for label in ("cat", "dog"):
            (tmp_path / split / label).mkdir(parents=True)
            Image.new("RGB", (4, 4)).save(tmp_path / split / label / "1.png")
    listings = read_listings(tmp_path)
    splits = listings.table.set_index("id")["split"]
    assert [splits[f"{split}/cat/1.png"] for split in ("train", "eval", "test")] == ["train", "train", "test"]
    assert any("2 listings of eval are trained on like train" in note for note in listings.notes)


def imagefolder(folder: Path, above: str, **columns: list[str]) -> Path:
    names = [f"{above}{split}/{number}.png" for split in ("train", "test") for number in range(4)]
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number * 30, 0, 0)).save(folder / name)
    table = pd.DataFrame({"file_name": names, "label": ["a", "b"] * 4, **columns})
    table.to_csv(folder / "metadata.csv", index=False)
    return folder


@pytest.mark.parametrize("above", ["", "data/", "images/"])
def test_metadata_at_the_top_finds_the_splits_of_folders(above: str, tmp_path: Path) -> None:
    listings = read_listings(imagefolder(tmp_path, above))
    assert listings.table["split"].tolist() == ["train"] * 4 + ["test"] * 4


def test_metadata_in_the_splits_below_data_is_found(tmp_path: Path) -> None:
    imagefolder(tmp_path, "data/")
    (tmp_path / "metadata.csv").unlink()
    for split in ("train", "test"):
        rows = "".join(f"{number}.png,{'ab'[number % 2]}\n" for number in range(4))
        (tmp_path / "data" / split / "metadata.csv").write_text(f"file_name,label\n{rows}")
    listings = read_listings(tmp_path)
    assert listings.table["split"].tolist() == ["train"] * 4 + ["test"] * 4
    assert listings.table["image"][0] == "data/train/0.png"


def test_a_column_that_contradicts_the_folders_counts_and_is_announced(tmp_path: Path) -> None:
    listings = read_listings(imagefolder(tmp_path, "", split=["test", *["train"] * 4, "test", "test", "test"]))
    assert listings.table["split"].tolist() == ["test", *["train"] * 4, "test", "test", "test"]
    assert (
        "metadata.csv: 2 photos lie in the folder of another split than the column split says, which counts, e.g. "
        "train/0.png is of 'test'." in listings.notes
    )
