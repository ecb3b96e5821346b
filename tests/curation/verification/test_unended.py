"""`verify` says of a transaction without its end what the next command makes of it; who follows it loses nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from curation import Run
from tests.support.fixes import files
from tests.support.tiny import tiny_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with two versions of its dataset; the second one has decisions of a table."""
    folder = tmp_path_factory.mktemp("tiny")
    run = tiny_run(folder)
    run.decide("L01", "delete", reviewer="ana")
    run.apply_fixes()
    table = folder / "decisions.csv"
    table.write_text("id,decision,new_price\nL02,reprice,3\nL03,keep,\n")
    run.apply_fixes(decisions=table)
    return run


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    shutil.copytree(made.folder, tmp_path / "run")
    return Run(tmp_path / "run")


def end_with(run: Run, last: bytes | None) -> None:
    """Replace the last line, which is the commit."""
    journal = run.folder / "decisions.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + (lines[-1][:40] if last is None else last))


@pytest.mark.parametrize("last", [None, b"\0" * 120, b'{"transaction": "aa", "step": "commit"}\n'])
def test_a_commit_that_is_torn_counts_as_done_and_following_the_advice_in_its_order_loses_nothing(
    last: bytes | None, run: Run
) -> None:
    whole = run.decisions()["id"].tolist()
    end_with(run, last)
    before = files(run.folder)
    found = run.verify().faults
    assert {flaw.where for flaw in found} == {"decisions.jsonl"}
    assert (
        found[0].what
        == "has apply_fixes without its end: the command was killed as it ended, and all that it did is done"
    )
    assert all("`apply_fixes()`" in flaw.fix for flaw in found)
    assert not any("delete this line" in flaw.fix or "out of the run" in flaw.fix for flaw in found)
    assert files(run.folder) == before
    assert run.status().decisions == 3
    run.apply_fixes()
    if not run.verify().ok:
        with pytest.warns(UserWarning, match="can't be read"):
            assert run.decisions()["id"].tolist() == whole
        assert not any("delete" in flaw.fix for flaw in run.verify().faults)
        return
    assert run.decisions()["id"].tolist() == whole
    (note,) = [note for note in run.verify().notes if "It can be deleted." in note]
    lines = (run.folder / "decisions.jsonl").read_bytes().splitlines(keepends=True)
    number = int(note.split()[2])
    (run.folder / "decisions.jsonl").write_bytes(b"".join(lines[: number - 1] + lines[number:]))
    assert run.decisions()["id"].tolist() == whole
    assert (run.folder / "cleaned/changes.csv").read_text().count("L02") == 1
    assert run.verify().ok


def test_what_the_next_command_takes_back_is_not_advised_to_be_moved_away(run: Run) -> None:
    end_with(run, b"")
    found = run.verify()
    assert [(flaw.where, flaw.what) for flaw in found.faults] == [
        ("decisions.jsonl", "has apply_fixes without its end: the command was killed")
    ]
    assert "What that command had moved was not compared: verify again once it is taken back." in found.notes
    run.apply_fixes()
    assert run.verify().ok


def test_versions_that_a_killed_command_did_not_touch_are_compared(run: Run) -> None:
    run.decide("L04", "delete", reviewer="ana")
    run.apply_fixes()
    end_with(run, b"")
    table = run.folder / "versions/0001/listings.csv"
    table.write_text(table.read_text().replace("9.5", "9.4"))
    assert {flaw.where for flaw in run.verify().faults} == {"decisions.jsonl", "versions/0001/listings.csv"}
