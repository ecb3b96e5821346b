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
