"""`verify` knows by the journal which version belongs where."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from curation import Run, RunError
from tests.support.fixes import files
from tests.support.tiny import tiny_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with two versions of its dataset."""
    run = tiny_run(tmp_path_factory.mktemp("tiny"))
    run.decide("L01", "relabel", label="lamp", reviewer="ana")
    run.apply_fixes()
    run.decide("L02", "delete", reviewer="ana")
    run.apply_fixes()
    return run


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    shutil.copytree(made.folder, tmp_path / "run")
    return Run(tmp_path / "run")


def replace(run: Run, name: str, by: str) -> None:
    shutil.rmtree(run.folder / name)
    shutil.copytree(run.folder / by, run.folder / name)


def exchange(run: Run, one: str, other: str) -> None:
    shutil.move(run.folder / one, run.folder / "aside")
    shutil.move(run.folder / other, run.folder / one)
    shutil.move(run.folder / "aside", run.folder / other)


def test_an_earlier_version_that_is_gone_is_named(run: Run) -> None:
    shutil.move(run.folder / "versions", run.folder.parent / "kept")
    (flaw,) = run.verify().faults
    assert (flaw.where, flaw.what) == ("versions/0001", "is missing, where the journal says that an earlier version is")
    shutil.move(run.folder.parent / "kept", run.folder / "versions")
    assert run.verify().ok


def test_the_copy_is_named_and_not_what_it_was_copied_from(run: Run) -> None:
    kept = shutil.copytree(run.folder / "versions/0001", run.folder.parent / "kept")
    replace(run, "versions/0001", "cleaned")
    (flaw,) = run.verify().faults
    assert (flaw.where, flaw.what) == ("versions/0001", "is a copy of cleaned, and what was there is gone")
    assert flaw.fix.startswith("Restore it from a copy")
    shutil.rmtree(run.folder / "versions/0001")
    shutil.copytree(kept, run.folder / "versions/0001")
    assert run.verify().ok


def test_versions_that_were_exchanged_are_named_and_undo_brings_none_of_them_back(run: Run) -> None:
    run.decide("L03", "delete", reviewer="ana")
    run.apply_fixes()
    exchange(run, "versions/0001", "versions/0002")
    found = run.verify().faults
    what = "is not the version that the journal says is there"
    assert [(flaw.where, flaw.what) for flaw in found] == [("versions/0001", what), ("versions/0002", what)]
    assert found[0].fix.startswith("Move it by hand to versions/0002")
    before = files(run.folder)
    with pytest.raises(RunError, match=r"versions/0002 is not the version that undo would bring back.*versions/0001"):
        run.undo()
    assert files(run.folder) == before
    exchange(run, "versions/0001", "versions/0002")
    assert run.verify().ok
    assert run.undo().restored


def test_a_version_exchanged_with_the_dataset_is_moved_back_and_not_out_of_the_run(run: Run) -> None:
    exchange(run, "versions/0001", "cleaned")
    fixes = {flaw.where: flaw.fix for flaw in run.verify().faults}
    assert fixes["versions/0001"].startswith("Move it by hand to cleaned")
    assert fixes["cleaned"].startswith("Move it by hand to versions/0001")


def test_what_is_advised_about_a_copy_in_the_place_of_the_dataset_clears_it(run: Run) -> None:
    replace(run, "cleaned", "versions/0001")
    found = run.verify().faults
    assert {flaw.where for flaw in found} == {"cleaned"}
    assert {flaw.fix for flaw in found} == {"Move it out of the run by hand. Write it again with `apply_fixes()`."}
    shutil.move(run.folder / "cleaned", run.folder.parent / "away")
    run.apply_fixes()
    assert run.verify().ok


def test_a_copy_that_nothing_was_lost_for_is_moved_away(run: Run) -> None:
    shutil.copytree(run.folder / "cleaned", run.folder / "versions/0007")
    (flaw,) = run.verify().faults
    assert str(flaw).startswith("versions/0007: is a copy of cleaned that the journal does not have. Move it out of")
    shutil.rmtree(run.folder / "versions/0007")
    assert run.verify().ok


def test_where_the_journal_can_not_tell_one_is_said_to_be_a_copy_of_the_other(run: Run) -> None:
    journal = run.folder / "decisions.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([b"torn\n", *lines[1:]]))
    replace(run, "versions/0001", "cleaned")
    found = [flaw for flaw in run.verify().faults if "copy of the other" in flaw.what]
    assert len(found) == 1
    assert "which can't be told" in found[0].what


def test_after_an_undo_every_version_is_where_the_journal_has_it(run: Run) -> None:
    run.undo()
    assert run.verify().ok
    run.apply_fixes()
    run.apply_fixes()
    assert run.verify().ok


@pytest.mark.parametrize(("count", "value"), [("relabelled", 9), ("kept", 3), ("listings_after", 1), ("deleted", "1")])
def test_counts_that_are_not_those_of_the_changes_are_found(count: str, value: object, run: Run) -> None:
    file = run.folder / "cleaned/manifest.json"
    manifest = json.loads(file.read_text())
    file.write_text(json.dumps({**manifest, count: value}))
    (flaw,) = run.verify().faults
    assert flaw.where == "cleaned/manifest.json"
    assert f"{count} {value!r}, not {manifest[count]}" in flaw.what


@pytest.mark.parametrize("line", [1, 2])
def test_what_lost_lines_were_part_of_is_not_compared_and_that_is_said(line: int, run: Run) -> None:
    journal = run.folder / "decisions.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: line - 1] + lines[line:]))
    found = run.verify()
    assert {flaw.where for flaw in found.faults} == {"decisions.jsonl"}
    said = "can't be compared: lines of decisions.jsonl that it was made of are lost."
    assert f"versions/0001 {said}" in found.notes
    table = run.folder / "versions/0001/listings.csv"
    table.write_text(table.read_text().replace("9.5", "9.4"))
    assert "versions/0001/listings.csv" in {flaw.where for flaw in run.verify().faults}


def test_what_is_advised_about_a_file_in_the_place_of_the_dataset_mends_it(run: Run) -> None:
    shutil.move(run.folder / "cleaned", run.folder.parent / "kept")
    (run.folder / "cleaned").write_text("mine")
    (flaw,) = run.verify().faults
    assert (flaw.where, flaw.what) == ("cleaned", "is a file, not a folder with a version of the dataset")
    shutil.move(run.folder / "cleaned", run.folder.parent / "file")
    run.apply_fixes()
    assert run.verify().ok


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
@pytest.mark.parametrize("name", ["versions", "cleaned", "versions/0001"])
def test_a_folder_that_can_not_be_read_is_not_advised_to_be_restored(name: str, run: Run) -> None:
    (run.folder / name).chmod(0)
    try:
        found = run.verify().faults
    finally:
        (run.folder / name).chmod(0o755)
    assert all("permission denied" in flaw.what and flaw.fix.startswith("Let this user read") for flaw in found), found


def test_chances_that_were_changed_by_hand_are_named_and_rewritten_ones_are_compared(run: Run) -> None:
    run.apply_fixes(soft=True)
    assert run.verify().ok
    file = run.folder / "cleaned/label_weights.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("L03", "L04", 1), encoding="utf-8")
    assert {flaw.where for flaw in run.verify().faults} == {"cleaned/label_weights.csv"}
    record = json.loads((run.folder / "cleaned/manifest.json").read_text())
    del record["sha256"]["label_weights.csv"]
    (run.folder / "cleaned/manifest.json").write_text(json.dumps(record))
    (flaw,) = run.verify().faults
    assert flaw.what == "is not what input and journal give"
