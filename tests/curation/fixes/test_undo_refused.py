"""`undo` brings back exactly the version that the journal names, and removes nothing that people put there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from curation import Run, RunError
from tests.support.fixes import decide_csv, files
from tests.support.tiny import tiny_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with three versions."""
    folder = tmp_path_factory.mktemp("tiny")
    run = tiny_run(folder)
    for id in ("L01", "L02", "L03"):
        run.apply_fixes(decide_csv(folder, f"{id},delete,"))
    return run


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    shutil.copytree(made.folder, tmp_path / "run")
    return Run(tmp_path / "run")


def refused(run: Run, why: str) -> str:
    before = files(run.folder)
    with pytest.raises(RunError, match=why) as error:
        run.undo()
    assert files(run.folder) == before
    return str(error.value)


def test_a_missing_version_is_not_replaced_by_the_one_before_it(run: Run, tmp_path: Path) -> None:
    shutil.move(run.folder / "versions/0002", tmp_path / "kept")
    for _ in range(2):
        assert "Restore" in refused(run, "versions/0002 is missing, which undo would bring back")
    shutil.move(tmp_path / "kept", run.folder / "versions/0002")
    assert run.undo().restored
    assert run.undo().restored
    assert run.verify().ok


def test_a_version_that_was_renamed_is_to_be_moved_back(run: Run) -> None:
    (run.folder / "versions/0002").rename(run.folder / "versions/0005")
    assert "Move it to" in refused(run, r"versions/0002 is missing.*versions/0005")


def test_a_copy_beside_the_versions_is_to_be_moved_away(run: Run) -> None:
    shutil.copytree(run.folder / "cleaned", run.folder / "versions/0003")
    assert "out of the run by hand" in refused(run, "versions/0003 is no version that the journal has")
    assert "Move it out of the run" in run.verify().faults[0].fix
    shutil.rmtree(run.folder / "versions/0003")
    second = files(run.folder / "versions/0002")
    assert run.undo().restored
    assert files(run.folder / "cleaned") == second


def test_the_last_undo_brings_nothing_back_and_then_there_is_nothing_to_undo(run: Run) -> None:
    assert [run.undo().restored for _ in range(3)] == [True, True, False]
    refused(run, "there is nothing to undo")


@pytest.mark.parametrize("name", ["cleaned", "versions/0002"])
def test_a_file_that_somebody_put_in_a_version_is_named_and_stays(name: str, run: Run) -> None:
    mine = run.folder / name / "notes.txt"
    mine.write_text("mine")
    assert "Move it elsewhere by hand" in refused(run, f"{name} holds what apply-fixes did not write.*notes.txt")
    mine.unlink()
    assert run.undo().restored


@pytest.mark.parametrize("name", ["cleaned", "versions/0002"])
def test_a_table_that_somebody_changed_is_named_and_stays(name: str, run: Run) -> None:
    table = run.folder / name / "listings.csv"
    table.write_text(table.read_text().replace("nice", "fine"))
    refused(run, f"{name} holds what apply-fixes did not write.*listings.csv")
    assert "fine" in table.read_text()


def test_the_photos_of_class_folders_are_nobody_s_change(run: Run) -> None:
    run.apply_fixes(format="class-folders")
    assert list((run.folder / "cleaned").rglob("*.png"))
    mine = run.folder / "cleaned/chair/mine.png"
    mine.write_bytes(b"mine")
    refused(run, "chair/mine.png")
    mine.unlink()
    assert run.undo().restored
