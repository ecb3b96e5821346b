"""Class folders and imagefolders as a cleaned dataset, and tables written as these."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from curation.errors import InputError, RunError
from curation.fixes import apply_fixes, plan_fixes
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from tests.curation.fixes.test_cleaned import FORMATS, SELLERS, WRITERS, fixed, photos, read_again, shop
from tests.support.fixes import decided, run_of


def test_an_imagefolder_names_its_photos_as_they_are_called(tmp_path: Path) -> None:
    photos(tmp_path / "in" / "train", "1.png", "2.PNG", "3.png")
    table = pd.DataFrame({"file_name": ["train\\1.png", "train/2.png", "train/3.png"], "label": ["cat", "dog", "cat"]})
    table.to_csv(tmp_path / "in" / "metadata.csv", index=False)
    run = run_of(tmp_path / "in", tmp_path / "run")
    fixed(run, decided(run.listings()["id"][2], "relabel", "dog"))
    names = pd.read_csv(run.cleaned / "metadata.csv")["file_name"].tolist()
    assert names == ["train/1.png", "train/2.PNG", "train/3.png"]
    assert all((run.cleaned / name).is_file() for name in names)


def class_folders(folder: Path, *above: str) -> Path:
    for split in above or ("",):
        for label in ("cat", "dog"):
            photos(folder / split / label, "1.png", "2.png", "3.png")
    return folder


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def test_class_folders_come_out_as_class_folders(tmp_path: Path) -> None:
    run = run_of(class_folders(tmp_path / "in"), tmp_path / "run")
    fixed(run, decided("cat/1.png", "relabel", "dog"), decided("dog/2.png", "delete"))
    # the dog's own photo keeps its name or gets a new one: none is lost
    assert tree(run.cleaned) == ["cat/2.png", "cat/3.png", "dog/1-2.png", "dog/1.png", "dog/3.png"]
    moved = {(run.cleaned / "dog" / name).read_bytes() for name in ("1.png", "1-2.png")}
    assert moved == {(tmp_path / "in" / name / "1.png").read_bytes() for name in ("cat", "dog")}
    assert (run.cleaned / "cat" / "2.png").samefile(tmp_path / "in" / "cat" / "2.png")
    assert read_again(run).classes == ("cat", "dog")
    assert read_again(run).source.name == "in-cleaned"


def test_splits_above_class_folders_stay(tmp_path: Path) -> None:
    run = run_of(class_folders(tmp_path / "in", "seg_train", "Test"), tmp_path / "run")
    fixed(run, decided("seg_train/cat/1.png", "delete"), decided("Test/dog/3.png", "relabel", "cat"))
    assert len(tree(run.cleaned)) == 11
    listings = read_again(run)
    assert listings.table["split"].value_counts().to_dict() == {"train": 5, "test": 6}
    assert (listings.table["label"] == "cat").sum() == 6


def test_a_file_system_without_links_gets_copies_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*paths: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    run = run_of(class_folders(tmp_path / "in"), tmp_path / "run")
    monkeypatch.setattr(os, "link", refused)
    (note,) = fixed(run, decided("cat/1.png", "delete"))
    assert note == "5 photos are copies, for this file system has no links."
    assert (run.cleaned / "cat" / "2.png").read_bytes() == (tmp_path / "in" / "cat" / "2.png").read_bytes()


def test_class_folders_whose_photos_are_gone_are_refused_but_can_be_a_table(tmp_path: Path) -> None:
    run = run_of(class_folders(tmp_path / "in"), tmp_path / "run")
    shutil.rmtree(tmp_path / "in" / "cat")
    with pytest.raises(RunError, match=r'3 photos are no longer there: got cat/1\.png.*format="csv"'):
        fixed(run, decided("dog/1.png", "delete"))
    assert not run.cleaned.exists()
    assert not [path.name for path in run.folder.iterdir() if path.name.startswith(".")]
    fixed(run, form="csv")
    out = pd.read_csv(run.cleaned / "listings.csv")
    assert out.columns.tolist() == ["id", "image", "label"]
    assert len(out) == 5


@pytest.mark.parametrize("label", ["a/b", "..", ".hidden", "x" * 300])
def test_a_new_class_that_is_no_name_of_a_folder_is_refused(label: str, tmp_path: Path) -> None:
    run = run_of(class_folders(tmp_path / "in"), tmp_path / "run")
    changes = plan_fixes_of(run, "cat/1.png", label)
    with pytest.raises(InputError, match=r"can't be written as the input: got .* can't be the name of a folder"):
        apply_fixes(run, changes)
    assert not run.cleaned.exists()


def plan_fixes_of(run: RunFolder, id: str, label: str) -> Any:
    decision = Decision(id, "relabel", label, "ana", "2024-05-01T10:00:00.000+00:00", "app", new_class=True)
    run.decide([decision])
    return plan_fixes(run)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("in_splits", [False, True])
def test_an_imagefolder_comes_out_as_one(ending: str, in_splits: bool, tmp_path: Path) -> None:
    root = tmp_path / "in"
    for split in ("train", "test"):
        photos(root / split, "1.png", "2.png", "3.png")
    names = ["1.png", "2.png", "3.png"]
    rows = {"file_name": names, "label": ["cat", "dog", "cat"], "price": [10, 20, None]}
    for split in ("train", "test") if in_splits else ("",):
        table = pd.DataFrame(rows)
        if not in_splits:
            table = table.assign(file_name="train/" + table["file_name"])
        path = root / split / f"metadata.{ending}"
        WRITERS[ending](table, path)
    run = run_of(root, tmp_path / "run")
    first, second = run.listings()["id"][:2]
    fixed(run, decided(first, "relabel", "dog"), decided(second, "delete"))
    listings = read_again(run)
    assert listings.table["id"].tolist() == [id for id in run.listings()["id"] if id != second]
    assert listings.table["label"][0] == "dog"
    metadata = sorted(path.relative_to(run.cleaned).as_posix() for path in run.cleaned.rglob("metadata.*"))
    assert metadata == (
        [f"test/metadata.{ending}", f"train/metadata.{ending}"] if in_splits else [f"metadata.{ending}"]
    )
    assert len(tree(run.cleaned)) == len(listings.table)


@pytest.mark.parametrize("form", FORMATS)
def test_class_folders_can_be_written_as_a_table(form: str, tmp_path: Path) -> None:
    run = run_of(class_folders(tmp_path / "in", "train", "test"), tmp_path / "run")
    fixed(run, decided("train/cat/1.png", "relabel", "dog"), form=form)
    listings = read_again(run)
    assert listings.table["id"].tolist() == run.listings()["id"].tolist()
    assert listings.table["split"].tolist() == run.listings()["split"].tolist()
    assert listings.table["label"].tolist()[0] == "dog"
    assert listings.problems.empty


def test_a_table_as_class_folders_says_what_is_left_out(tmp_path: Path) -> None:
    table = SELLERS.assign(Photo=[*SELLERS["Photo"][:5], ""])
    table.to_csv(shop(tmp_path / "in") / "export.csv", index=False)
    run = run_of(tmp_path / "in" / "export.csv", tmp_path / "run")
    notes = fixed(run, decided("00004", "delete"), form="class-folders")
    assert notes == (
        "1 listing without a photo or a label is left out, for class folders can't hold it: 00006.",
        "Class folders hold photos and labels only: prices, titles and ids are not in them.",
    )
    assert tree(run.cleaned) == ["NA/5.png", "lamp/1.png", "lamp/3.png", "sofa/2.png"]
    assert len(read_again(run).table) == 4


@pytest.mark.parametrize("lamp", ['["lamp"]', "['lamp']", "lamp"])
def test_a_class_folder_is_called_as_the_entry_of_a_list_of_one_label(lamp: str, tmp_path: Path) -> None:
    photos(tmp_path / "in", "1.png", "2.png", "3.png")
    table = {"id": [1, 2, 3], "image": ["1.png", "2.png", "3.png"], "label": [lamp, lamp, lamp.replace("lamp", "desk")]}
    pd.DataFrame(table).to_csv(tmp_path / "in" / "listings.csv", index=False)
    run = run_of(tmp_path / "in", tmp_path / "run")
    fixed(run, decided("1", "relabel", "desk"), form="class-folders")
    assert tree(run.cleaned) == ["desk/1.png", "desk/3.png", "lamp/2.png"]
    assert read_again(run).classes == ("desk", "lamp")
