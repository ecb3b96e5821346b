"""Transactions of which a line can't be read: later lines tell whether they count, or the command refuses."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from curation import Run
from curation.run.folder import RunFolder
from curation.run.journal_file import append
from curation.run.journal_lines import COMMIT, TAKE_BACK, Step
from curation.run.transactions import begin
from tests.cli.test_cli import curate
from tests.support.fixes import decide_csv, files
from tests.support.tiny import tiny_run

#: What may become of a line.
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "zeroed": lambda line: b"\0" * (len(line) - 1) + b"\n",
    "cut short": lambda line: line[:60] + b"\n",
    "changed": lambda line: line.replace(b'"step"', b'"stop"'),
    "deleted": lambda line: b"",
}
#: The lines of the run: three apply-fixes, each of a begin, two decisions and a commit; one decision; and a comparison.
BEGINS, COMMITS = (1, 5, 9), (4, 8, 12)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with three versions, each with decisions of its own, and a comparison after them."""
    folder = tmp_path_factory.mktemp("tiny")
    run = tiny_run(folder)
    run.apply_fixes(decide_csv(folder, "L01,relabel,lamp\nL02,keep,"))
    run.apply_fixes(decide_csv(folder, "L03,relabel,lamp\nL04,delete,"))
    run.apply_fixes(decide_csv(folder, "L05,relabel,lamp\nL06,delete,"))
    run.decide("L07", "keep", reviewer="ana")
    compared(run)
    return run


def compared(run: Run) -> None:
    step = begin("retrain", after=RunFolder(run.folder).read_journal().last)
    append(run.folder / "decisions.jsonl", [step])
    append(run.folder / "decisions.jsonl", [Step(step.transaction, COMMIT)])


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    shutil.copytree(made.folder, tmp_path / "run")
    return Run(tmp_path / "run")


def damage(run: Run, number: int, how: str) -> None:
    journal = run.folder / "decisions.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[number - 1] = DAMAGES[how](lines[number - 1])
    journal.write_bytes(b"".join(lines))


def said(run: Run) -> dict[str, str]:
    return {id: each.action for id, each in RunFolder(run.folder).holding_decisions().decisions.items()}


def version(run: Run, name: str = "cleaned") -> dict[str, str]:
    table = pd.read_csv(run.folder / name / "listings.csv", dtype="string")
    return dict(zip(table["id"], table["label"], strict=True))


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("number", [*BEGINS, *COMMITS])
def test_a_finished_transaction_with_a_damaged_begin_or_end_is_in_force_and_the_last_one_is_undone(
    number: int, how: str, run: Run
) -> None:
    whole, first, second = said(run), version(run, "versions/0001"), version(run, "versions/0002")
    damage(run, number, how)
    assert said(run) == whole
    found = run.verify().faults
    assert {flaw.where for flaw in found} == {"decisions.jsonl"}
    assert not any("apply_fixes()" in flaw.fix or "delete this line" in flaw.fix for flaw in found), found
    assert any("Nothing is lost: it was the begin or the end" in flaw.fix for flaw in found)
    assert run.undo().undone == 2
    assert (version(run), set(whole) - set(said(run))) == (second, {"L05", "L06"})
    assert run.undo().undone == 2
    assert (version(run), set(said(run))) == (first, {"L01", "L02", "L07"})


@pytest.mark.parametrize("number", COMMITS)
def test_what_is_applied_after_the_damage_has_all_decisions(number: int, run: Run) -> None:
    before = version(run)
    damage(run, number, "zeroed")
    run.apply_fixes()
    assert version(run) == before


@pytest.mark.parametrize("number", [8, 12])
def test_an_undone_transaction_stays_undone_whichever_of_its_lines_is_damaged(number: int, run: Run) -> None:
    run.undo()
    after = said(run)
    damage(run, number, "deleted")
    assert said(run) == after


def test_an_undo_with_a_damaged_end_is_told_by_what_came_later(run: Run) -> None:
    run.undo()
    end = len((run.folder / "decisions.jsonl").read_bytes().splitlines())
    compared(run)
    after = said(run)
    damage(run, end, "zeroed")
    assert said(run) == after
    run.undo()
    assert set(said(run)) == {"L01", "L02", "L07"}


def test_a_transaction_that_was_taken_back_stays_so_when_that_line_is_damaged(run: Run) -> None:
    files_of = RunFolder(run.folder)
    whole, last = said(run), files_of.read_journal().last
    step = begin("apply_fixes", after=last)
    step = Step(
        step.transaction, step.step, step.kind, last, (("cleaned", "versions/0003"), (".cleaned-00000000", "cleaned"))
    )
    append(files_of.journal, [step])
    append(files_of.journal, [Step(step.transaction, TAKE_BACK)])
    compared(run)
    damage(run, last + 2, "zeroed")
    assert said(run) == whole
    assert files_of.judged_journal().undecided == ()
    assert run.undo().undone == 2


def test_a_deleted_end_of_the_last_transaction_is_seen_by_the_number_after_it(run: Run) -> None:
    run.undo()
    run.decide("L08", "keep", reviewer="ana")
    after = said(run)
    damage(run, len((run.folder / "decisions.jsonl").read_bytes().splitlines()) - 1, "deleted")
    assert said(run) == after
    run.apply_fixes()
    assert said(run) == after


@pytest.fixture
def undecided(run: Run) -> Run:
    """The second transaction has lost its end, and no earlier version is left to tell."""
    damage(run, 8, "zeroed")
    shutil.rmtree(run.folder / "versions")
    return run


def test_where_it_can_not_be_told_nothing_is_undone_or_written_and_the_decisions_are_named(undecided: Run) -> None:
    before = files(undecided.folder)
    for command in (["undo"], ["apply-fixes"]):
        ended = curate(*command, "--run", undecided.folder)
        assert ended.exit_code == 2
        assert "does not tell what" in ended.stderr
        assert "its decisions on L03, L04 are in force can't be told" in ended.stderr
        assert "Restore decisions.jsonl from a copy." in ended.stderr
    found = undecided.verify().faults
    assert "L03, L04" in found[0].what
    assert found[0].fix.startswith("Restore decisions.jsonl from a copy.")
    assert not any("`apply_fixes()`" in flaw.fix for flaw in found), found
    assert any("L03, L04" in message for message in undecided.status().damaged)
    assert files(undecided.folder) == before


def test_the_dataset_moved_away_and_its_changes_given_again_lose_nothing(undecided: Run, tmp_path: Path) -> None:
    before = version(undecided)
    (undecided.folder / "cleaned").rename(tmp_path / "kept")
    undecided.apply_fixes(tmp_path / "kept/changes.csv")
    assert version(undecided) == before
    undecided.apply_fixes()
    assert version(undecided) == before


def test_a_dataset_that_somebody_moved_away_leaves_its_transaction_in_force(run: Run, tmp_path: Path) -> None:
    whole, before = said(run), version(run)
    damage(run, 12, "zeroed")
    (run.folder / "cleaned").rename(tmp_path / "kept")
    assert said(run) == whole
    run.apply_fixes()
    assert version(run) == before


def lose(run: Run, commit: bytes, lost: tuple[str, ...]) -> None:
    """Take out all after the third commit, replace that line, and remove files and folders."""
    journal = run.folder / "decisions.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:11]) + commit)
    for name in lost:
        path = run.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("commit", [b"\0" * 120, b'{"transaction": "aa", "st'])
@pytest.mark.parametrize(
    "lost",
    [
        ("versions/0002",),
        ("cleaned/manifest.json", "versions/0002"),
        ("cleaned",),
        ("cleaned", "versions/0002/manifest.json"),
        ("cleaned", "versions"),
    ],
)
def test_a_torn_last_commit_counts_though_manifest_and_folder_of_a_version_are_lost_too(
    lost: tuple[str, ...], commit: bytes, run: Run
) -> None:
    whole, before = {id: action for id, action in said(run).items() if id != "L07"}, version(run)
    lose(run, commit, lost)
    assert said(run) == whole
    if "versions/0002" in lost:
        before_undo = files(run.folder / "cleaned")
        undone = curate("undo", "--run", run.folder)
        assert undone.exit_code == 2
        assert "versions/0002 is missing, which undo would bring back" in undone.stderr
        assert files(run.folder / "cleaned") == before_undo
    run.apply_fixes()
    assert (said(run), version(run)) == (whole, before)


def test_without_manifest_and_earlier_version_nobody_guesses_whether_it_was_taken_back(run: Run) -> None:
    damage(run, 12, "zeroed")
    (run.folder / "cleaned/manifest.json").unlink()
    shutil.rmtree(run.folder / "versions/0002")
    assert len(RunFolder(run.folder).judged_journal().undecided) == 1
    before = files(run.folder)
    for command in (["undo"], ["apply-fixes"]):
        ended = curate(*command, "--run", run.folder)
        assert ended.exit_code == 2
        assert "its decisions on L05, L06 are in force can't be told" in ended.stderr
    assert any("L05, L06" in message for message in run.status().damaged)
    assert not any("Nothing is lost: it was the begin or the end" in flaw.fix for flaw in run.verify().faults)
    assert files(run.folder) == before
    with pytest.warns(UserWarning, match=r"line 12|L05, L06") as warned:
        run.decide("L08", "keep", reviewer="ana")
    assert any("L05, L06" in str(each.message) for each in warned)
