"""A journal that lacks what the cleaned dataset was made of: nothing that is left of it is removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from curation import Run, RunError
from curation.run.folder import RunFolder
from tests.cli.test_cli import curate, done
from tests.support.fixes import decide_csv, files
from tests.support.tiny import tiny_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with two versions of its dataset, whose decisions came from files."""
    folder = tmp_path_factory.mktemp("tiny")
    run = tiny_run(folder)
    run.apply_fixes(decide_csv(folder, "L01,relabel,lamp\nL02,keep,"))
    run.apply_fixes(decide_csv(folder, "L03,relabel,lamp\nL04,delete,"))
    return run


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    shutil.copytree(made.folder, tmp_path / "run")
    return Run(tmp_path / "run")


def _older(journal: Path) -> None:
    """Leave the first transaction of four lines."""
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:4]))


def labels(cleaned: Path) -> dict[str, str]:
    table = pd.read_csv(cleaned / "listings.csv", dtype="string")
    return dict(zip(table["id"], table["label"], strict=True))


LOSSES: dict[str, tuple[Callable[[Path], object], str]] = {
    "deleted": (Path.unlink, "got no such file"),
    "emptied": (lambda journal: journal.write_bytes(b""), "got no lines"),
    "older": (_older, "got 4 lines, none of which applied it"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_it_is_said_and_nothing_removes_or_overwrites_the_dataset(name: str, run: Run) -> None:
    lose, got = LOSSES[name]
    lose(run.folder / "decisions.jsonl")
    before = files(run.folder)
    for command in (["undo"], ["apply-fixes"], ["apply-fixes", "--accept-suggestions"]):
        ended = curate(*command, "--run", run.folder)
        assert ended.exit_code == 2
        assert f"lacks what {run.folder}/cleaned was made of" in ended.stderr
        assert got in ended.stderr
        assert "with 2 decisions of its own. Restore decisions.jsonl from a copy." in ended.stderr
    assert f"warning: {run.folder}/decisions.jsonl lacks" in done("status", run.folder).stderr
    first = run.verify().faults[0]
    assert first.where == "decisions.jsonl"
    assert first.fix.startswith("Restore decisions.jsonl from a copy.")
    assert not any("apply_fixes()" in flaw.fix for flaw in run.verify().faults)
    assert files(run.folder) == before


def test_a_journal_that_is_restored_is_all_that_it_takes(run: Run) -> None:
    journal = run.folder / "decisions.jsonl"
    content = journal.read_bytes()
    journal.unlink()
    assert not run.verify().ok
    journal.write_bytes(content)
    assert run.verify().ok
    assert run.undo().undone == 2


def test_without_a_copy_the_changes_of_the_dataset_are_decisions_again(run: Run, tmp_path: Path) -> None:
    (run.folder / "decisions.jsonl").unlink()
    (run.folder / "cleaned").rename(tmp_path / "kept")
    shutil.rmtree(run.folder / "versions")
    before = labels(tmp_path / "kept")
    run.apply_fixes(tmp_path / "kept/changes.csv")
    assert labels(run.folder / "cleaned") == before
    assert run.verify().ok


def test_a_dataset_of_before_there_were_transactions_needs_no_line(run: Run) -> None:
    (run.folder / "decisions.jsonl").unlink()
    manifest = run.folder / "cleaned/manifest.json"
    manifest.write_text(manifest.read_text().replace('"transaction"', '"other"'))
    assert RunFolder(run.folder).read_journal().last == 0
    assert done("status", run.folder).stderr == ""


def test_a_version_that_the_journal_lacks_is_named(run: Run) -> None:
    shutil.copytree(run.folder / "versions/0001", run.folder / "versions/0002")
    manifest = run.folder / "versions/0002/manifest.json"
    manifest.write_text(manifest.read_text().replace('"transaction": "', '"transaction": "0'))
    (flaw,) = run.verify().faults
    assert str(flaw).startswith("versions/0002: was written by an apply-fixes that decisions.jsonl lacks.")
    shutil.rmtree(run.folder / "versions/0002")
    assert run.verify().ok


def test_the_error_names_what_to_do_in_the_api(run: Run) -> None:
    (run.folder / "decisions.jsonl").unlink()
    with pytest.raises(RunError, match=r"`apply_fixes\(decisions='changes.csv'\)`"):
        run.undo()
