"""A command that adds decisions and moves folders does both or neither."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.errors import RunError
from curation.fixes import apply_fixes, plan_fixes, undo_fixes
from curation.run import transactions
from curation.run.folder import RunFolder
from curation.run.journal import UNDO, Decision, current_decisions
from curation.run.journal_file import append, read_journal
from curation.run.journal_lines import COMMIT, TAKE_BACK, Step
from curation.run.transactions import begin, carry_out, recover, standing_place
from tests.support.fixes import decided, files, labels, make_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def steps(run: RunFolder) -> list[str]:
    return [step.step for step in run.read_journal().steps()]


def interrupted(run: RunFolder, monkeypatch: pytest.MonkeyPatch, moves: int) -> None:
    """Leave an apply-fixes as a kill does after so many of its moves, or at its commit."""

    class Killed(BaseException):
        pass

    made = 0
    move, journal_append = transactions._move, transactions.append

    def counted(source: Path, target: Path) -> None:
        nonlocal made
        if made == moves:
            raise Killed
        made += 1
        move(source, target)

    def written(journal: Path, contents: Any, transaction: str | None = None, *, known: int | None = None) -> None:
        if isinstance(contents[0], Step) and contents[0].step == COMMIT:
            raise Killed
        journal_append(journal, contents, transaction, known=known)

    fixes = plan_fixes(run, accept_suggestions=True)
    with monkeypatch.context() as patch:
        patch.setattr(transactions, "_move", counted)
        patch.setattr(transactions, "append", written)
        patch.setattr(transactions, "recover", lambda *_: None)
        patch.setattr("shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            apply_fixes(run, fixes)


def test_decisions_of_a_transaction_without_its_commit_are_not_in_force(run: RunFolder) -> None:
    run.decide([decided("05", "delete")])
    append(run.journal, [begin("apply_fixes", after=1), decided("00", "delete")], "t")
    assert list(run.holding_decisions().decisions) == ["05"]


@pytest.mark.parametrize("damage", ["unreadable", "gone"])
def test_a_committed_transaction_whose_beginning_can_not_be_read_keeps_its_decisions(
    damage: str, run: RunFolder
) -> None:
    run.decide([decided("05", "delete")])
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    run.decide([decided("06", "delete")])
    whole = run.holding_decisions().decisions
    lines = run.journal.read_bytes().splitlines(keepends=True)
    place = next(place for place, line in enumerate(lines) if b'"step": "begin"' in line)
    lines[place] = b"?" + lines[place] if damage == "unreadable" else b""
    run.journal.write_bytes(b"".join(lines))
    assert len(whole) > 2
    assert run.holding_decisions().decisions == whole
    assert run.read_journal().faults


@pytest.mark.parametrize("moves", range(5))
def test_what_was_not_committed_never_began(moves: int, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.decide([decided("05", "delete")])
    apply_fixes(run, plan_fixes(run))
    for file in (run.comparison_file, run.predictions_file):
        file.write_text("of the first version")
    before = files(run.folder)
    interrupted(run, monkeypatch, moves)
    # who only reads sees the first version, wherever it is now
    changes = run.standing(run.cleaned).joinpath("changes.csv").read_text()
    assert [line.split(",")[:2] for line in changes.splitlines()[1:]] == [["05", "delete"]]
    assert run.standing(run.comparison_file).read_text() == "of the first version"
    recover(run.folder, run.journal)
    after = files(run.folder)
    assert after.pop("decisions.jsonl") != before.pop("decisions.jsonl")
    assert after == before
    assert steps(run) == ["begin", "commit", "begin", TAKE_BACK]
    assert list(run.holding_decisions().decisions) == ["05"]
    # typed again, it is as if it had been typed once
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    assert undo_fixes(run).undone == 2
    assert list(run.holding_decisions().decisions) == ["05"]


def test_recovering_twice_is_recovering_once(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(run, monkeypatch, 1)
    message = recover(run.folder, run.journal)
    assert message == f"`apply_fixes()` was interrupted, and is taken back: nothing of it is in {run.folder}."
    before = files(run.folder)
    assert recover(run.folder, run.journal) is None
    assert files(run.folder) == before


def test_a_torn_commit_after_all_moves_is_written_again(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(run, monkeypatch, 99)
    with run.journal.open("ab") as stream:
        stream.write(b'{"transaction": "')
    recover(run.folder, run.journal)
    assert steps(run) == ["begin", "commit"]
    assert labels(run)["00"] == "desk"
    assert sorted(run.holding_decisions().decisions) == ["00", "06"]


@pytest.mark.parametrize("damage", ["the beginning once more", "the end before the beginning"])
def test_a_damaged_journal_takes_nothing_back_that_was_committed(damage: str, run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    first, *between, last = run.journal.read_bytes().splitlines(keepends=True)
    copied = [first, *between, last, first]
    run.journal.write_bytes(b"".join(copied if "once more" in damage else [last, *between, first]))
    assert recover(run.folder, run.journal) is None
    assert labels(run)["00"] == "desk"
    assert sorted(run.holding_decisions().decisions) == ["00", "06"]


def test_a_scratch_folder_that_somebody_removed_costs_nothing_else(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.decide([decided("05", "delete")])
    apply_fixes(run, plan_fixes(run))
    before = files(run.cleaned)
    interrupted(run, monkeypatch, 0)
    (made,) = run.folder.glob(".cleaned-*")
    for path in sorted(made.rglob("*"), reverse=True):
        path.unlink()
    made.rmdir()
    recover(run.folder, run.journal)
    assert files(run.cleaned) == before


def test_a_version_stranded_by_an_earlier_curate_comes_back(run: RunFolder) -> None:
    run.decide([decided("05", "delete")])
    apply_fixes(run, plan_fixes(run))
    before = files(run.cleaned)
    run.versions.mkdir()
    run.cleaned.rename(run.versions / "0001")
    run.journal.write_text(
        '{"id": "05", "action": "delete", "new_label": null, "reviewer": "ana", "time": "2024", "source": "app"}\n'
    )
    undone = undo_fixes(run)
    assert (undone.undone, undone.restored) == (0, True)
    assert files(run.cleaned) == before


def test_what_is_in_the_way_is_named_and_nothing_is_recorded(run: RunFolder) -> None:
    (run.folder / "a").write_text("a")
    (run.folder / "b").write_text("b")
    moves = [(run.folder / "a", run.folder / "b")]
    with pytest.raises(RunError, match=r"b is in the way"):
        carry_out(run.folder, run.journal, begin("undo", after=0), moves, [decided("1", "keep")])
    assert not run.journal.exists()


def test_a_move_that_fails_takes_everything_back(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.decide([decided("05", "delete")])
    apply_fixes(run, plan_fixes(run))
    before = files(run.cleaned)
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if self.name.startswith(".cleaned-"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    fixes = plan_fixes(run, accept_suggestions=True)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refused)
        with pytest.raises(OSError, match="Input/output"):
            apply_fixes(run, fixes)
    assert files(run.cleaned) == before
    assert not run.versions.exists()
    assert list(run.holding_decisions().decisions) == ["05"]
    assert not [path for path in run.folder.iterdir() if path.name.startswith(".")]


def test_what_could_not_be_taken_back_keeps_its_folder_until_it_is(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = transactions.append

    def full(journal: Path, contents: Any, *more: Any, **named: Any) -> None:
        if isinstance(contents[0], Step) and contents[0].step in (COMMIT, TAKE_BACK):
            raise OSError(28, "No space left on device")
        made(journal, contents, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(transactions, "append", full)
        with pytest.raises(OSError, match="No space"):
            apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    # a decision that the power cut off comes after it: that may not be taken for the commit
    with run.journal.open("ab") as stream:
        stream.write(b"\0" * 300)
    assert run.holding_decisions().decisions == {}
    recover(run.folder, run.journal)
    assert (steps(run), run.holding_decisions().decisions) == (["begin", "take back"], {})
    assert not run.cleaned.exists()
    assert not list(run.folder.glob(".cleaned-*"))


def test_leftovers_of_killed_commands_are_removed_and_nothing_else(run: RunFolder) -> None:
    (run.folder / ".cleaned-0123abcd" / "photos").mkdir(parents=True)
    (run.folder / ".undone-0123abcd").mkdir()
    (run.folder / ".report-0123abcd.html").write_text("half")
    elsewhere = run.folder.parent / "mine"
    elsewhere.mkdir()
    (run.folder / ".undone-89abcdef").symlink_to(elsewhere)
    (run.folder / ".notes").write_text("mine")
    (run.folder / ".cleaned-mine").mkdir()
    (run.folder / ".backup-abcdef01").mkdir()
    (run.folder / ".notes-20261129.txt").write_text("mine")
    deep = run.folder / "training" / "fold-1"
    deep.mkdir(parents=True)
    for name in (".checkpoint-abcdef01.pt", "checkpoint.pt"):
        (deep / name).write_text("half")
    (run.cleaned / "photos").mkdir(parents=True)
    (run.cleaned / "photos" / ".lamp-abcdef01.png").write_text("of the dataset")
    recover(run.folder, run.journal)
    left = {path.name for path in run.folder.iterdir() if path.name.startswith(".")}
    assert left == {".notes", ".cleaned-mine", ".backup-abcdef01", ".notes-20261129.txt"}
    assert [path.name for path in deep.iterdir()] == ["checkpoint.pt"]
    assert (run.cleaned / "photos" / ".lamp-abcdef01.png").exists()
    assert elsewhere.is_dir()


def test_a_file_that_another_process_is_writing_is_not_a_leftover(run: RunFolder) -> None:
    from training.utils.files import whole_file

    with whole_file(run.report_file) as temporary:
        recover(run.folder, run.journal)
        assert temporary.exists()
        temporary.write_text("whole")
    assert run.report_file.read_text() == "whole"


def test_what_a_person_decides_while_suggestions_are_applied_is_the_later_word(run: RunFolder) -> None:
    fixes = plan_fixes(run, accept_suggestions=True)
    run.decide([decided("00", "keep"), decided("05", "delete")])
    done = apply_fixes(run, fixes)
    assert "2 decisions came while the dataset was written" in done.notes[-1]
    assert labels(run)["00"] == "desk"
    holding = run.holding_decisions().decisions
    assert {id: each.action for id, each in holding.items()} == {"00": "keep", "05": "delete", "06": "relabel"}
    # the version is explained by what it knew
    version = run.read_journal().standing_version()
    assert version is not None
    applied = current_decisions(run.read_journal().applied(version))
    assert {id: each.action for id, each in applied.items()} == {"00": "relabel", "06": "relabel"}
    undo_fixes(run)
    assert sorted(run.holding_decisions().decisions) == ["00", "05"]


def test_decisions_while_an_undo_runs_stay(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    known = run.read_journal()
    run.decide([decided("00", "delete")])
    undo = Decision("00", "undo", None, "ana", "2026-05-01T10:00:00.000+00:00", "undo")
    carry_out(run.folder, run.journal, begin("undo", after=known.last), [], [undo])
    assert run.holding_decisions().decisions["00"].action == "delete"


@pytest.mark.parametrize("at", ["while it is written", "while it is moved"])
@pytest.mark.parametrize(
    "said",
    [
        decided("05", UNDO),
        # beside the label that the table has
        replace(decided("06", "reprice"), new_price=3.0),
    ],
)
def test_what_rests_on_the_decision_before_makes_apply_fixes_give_way(
    said: Decision, at: str, run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.decide([decided("05", "delete")])
    table = tmp_path / "mine.csv"
    table.write_text("id,decision,new_label\n05,keep,\n06,relabel,desk\n")
    fixes, move = plan_fixes(run, decisions_file=table), transactions._move

    def meanwhile(source: Path, target: Path) -> None:
        run.decide([said])
        monkeypatch.setattr(transactions, "_move", move)
        move(source, target)

    if at == "while it is moved":
        monkeypatch.setattr(transactions, "_move", meanwhile)
    else:
        run.decide([said])
    with pytest.raises(RunError, match=rf"decided on {said.id} while `apply_fixes\(\)` worked on the same.*again"):
        apply_fixes(run, fixes)
    # else the delete that was taken back would hold, or the label would be gone
    holding = {id: each.action for id, each in run.holding_decisions().decisions.items()}
    assert holding == ({} if said.id == "05" else {"05": "delete", "06": "reprice"})
    assert not run.cleaned.exists()
    apply_fixes(run, plan_fixes(run, decisions_file=table))
    holding = {id: each.meaning for id, each in run.holding_decisions().decisions.items()}
    assert holding == {"05": ("keep", None, None), "06": ("relabel", "desk", 3.0 if said.id == "06" else None)}


def test_what_is_taken_back_while_an_undo_runs_takes_no_other_decision_with_it(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.decide([decided("05", "keep")])
    table = tmp_path / "mine.csv"
    table.write_text("id,decision\n05,delete\n")
    apply_fixes(run, plan_fixes(run, decisions_file=table, reviewer="ana"))

    def meanwhile(*_: Any) -> None:
        run.decide([decided("05", UNDO)])

    with monkeypatch.context() as patch:
        patch.setattr("curation.fixes.versions.require_as_written", meanwhile)
        with pytest.raises(RunError, match=r"decided on 05 while `undo\(\)` worked on the same"):
            undo_fixes(run)
    undo_fixes(run)
    assert {id: each.action for id, each in run.holding_decisions().decisions.items()} == {"05": "keep"}


def test_an_undo_takes_back_what_its_own_table_added_and_nothing_twice(run: RunFolder, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("id,decision,time\n05,delete,2026-05-01T10:00:00+00:00\n06,keep,2026-05-01T10:00:00+00:00\n")
    for _ in range(2):
        apply_fixes(run, plan_fixes(run, decisions_file=table))
    run.decide([decided("05", UNDO)])
    # the second time, the table said nothing new
    assert undo_fixes(run).undone == 0
    assert undo_fixes(run).undone == 1
    assert run.holding_decisions().decisions == {}


def test_what_somebody_says_and_takes_back_meanwhile_is_in_nobodys_way(run: RunFolder) -> None:
    fixes = plan_fixes(run, accept_suggestions=True)
    run.decide([decided("00", "delete")])
    run.decide([decided("00", UNDO)])
    apply_fixes(run, fixes)
    assert run.holding_decisions().decisions["00"].meaning == ("relabel", "desk", None)


def test_what_somebody_put_in_the_place_of_a_moved_version_is_named_and_stays(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.decide([decided("05", "delete")])
    apply_fixes(run, plan_fixes(run))
    before = files(run.cleaned)
    interrupted(run, monkeypatch, 1)
    run.cleaned.mkdir()
    (run.cleaned / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match=r"cleaned is in the way.*Move it away"):
        recover(run.folder, run.journal)
    assert (run.cleaned / "mine.txt").read_text() == "mine"
    run.cleaned.rename(run.folder.parent / "mine")
    recover(run.folder, run.journal)
    assert files(run.cleaned) == before


def test_a_comparison_is_of_the_version_there_is_and_takes_none_back(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    version = run.read_journal().standing_version()
    new = run.folder / "new.json"
    new.write_text("compared")
    carry_out(run.folder, run.journal, begin("retrain", after=4), [(new, run.comparison_file)], [])
    assert run.read_journal().standing_version() == version
    assert undo_fixes(run).undone == 2
    assert not run.comparison_file.exists()


def test_a_place_is_itself_while_nothing_is_pending(run: RunFolder) -> None:
    assert standing_place(run.folder, run.journal, run.cleaned) == run.cleaned
    assert read_journal(run.journal).entries == ()
