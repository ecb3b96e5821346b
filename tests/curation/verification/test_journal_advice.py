"""What `verify` advises about a line of the journal: the truth about whether anything is lost with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation import DecisionsError, Run
from curation.run.journal import Decision
from curation.run.journal_file import append
from tests.support.tiny import tiny_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run with a decision on each of three listings, and a second one on the first."""
    run = tiny_run(tmp_path)
    for id in ("L01", "L02", "L03"):
        run.decide(id, "delete", reviewer="ana")
    run.decide("L01", "keep", reviewer="ben")
    return run


def written(id: str, action: str, new_label: str | None = None, **more: Any) -> Decision:
    return Decision(id, action, new_label, "eve", "2026-05-01T10:00:00.000+00:00", "app", **more)


def damage(run: Run, number: int, alter: Callable[[bytes], bytes] = lambda line: line.replace(b"ana", b"eve")) -> None:
    journal = run.folder / "decisions.jsonl"
    lines = journal.read_bytes().splitlines()
    lines[number - 1] = alter(lines[number - 1])
    journal.write_bytes(b"".join(line + b"\n" for line in lines if line))


def advice(run: Run) -> list[str]:
    return [flaw.fix for flaw in run.verify().faults if flaw.where == "decisions.jsonl"]


def test_of_a_damaged_line_that_a_later_one_replaced_nothing_is_lost(run: Run) -> None:
    damage(run, 1)
    assert advice(run) == ["Nothing is lost: line 4 decides on L01 again, and holds. To be rid of it, restore a copy."]
    with pytest.warns(UserWarning, match="line 1"):
        run.decide("L01", "undo", reviewer="ben")
    # without the later decision, that of the damaged line would hold
    assert advice(run) == [
        "Restore it from a copy, or decide on L01 again with `review()`: this line then counts for nothing."
    ]


def test_a_damaged_line_names_its_listing_and_deciding_again_settles_it(run: Run) -> None:
    damage(run, 2)
    (fix,) = advice(run)
    assert fix.startswith("Restore it from a copy, or decide on L02 again with `review()`")
    with pytest.warns(UserWarning, match="line 2"):
        run.decide("L02", "delete", reviewer="ana")
    assert advice(run) == ["Nothing is lost: line 5 decides on L02 again, and holds. To be rid of it, restore a copy."]


@pytest.mark.parametrize("alter", [lambda line: b"torn", lambda line: line.replace(b'"L02"', b'"X99"')])
def test_a_line_that_names_no_listing_of_the_run_may_have_been_about_any(run: Run, alter: Callable) -> None:
    damage(run, 2, alter)
    (fix,) = advice(run)
    assert "Which listing it was about is not known: look through the decisions with `review()`" in fix


@pytest.mark.parametrize("left", [b'{"id": "L02", "act', b"\0" * 300])
def test_a_torn_line_was_not_acknowledged_and_is_gone_when_it_is_deleted(run: Run, left: bytes) -> None:
    journal = run.folder / "decisions.jsonl"
    journal.write_bytes(journal.read_bytes() + left)
    (fix,) = advice(run)
    assert fix.startswith("If the machine or the command stopped while it was written, nothing is lost")
    with pytest.warns(UserWarning, match="line 5"):
        run.decide("L03", "keep", reviewer="ana")
    # the next line has its number
    (note,) = [note for note in run.verify().notes if "line 5" in note]
    assert "nobody was told of it" in note
    assert ("It was about L02." in note) == (b"L02" in left)
    assert (advice(run), run.status().damaged) == ([], ())
    damage(run, 5, lambda line: b"")
    assert (advice(run), [note for note in run.verify().notes if "line 5" in note]) == ([], [])


def test_missing_lines_may_have_been_about_any_listing(run: Run) -> None:
    damage(run, 2, lambda line: b"")
    (fix,) = advice(run)
    assert "Which listings they were about is not known" in fix


def test_a_copied_line_is_gone_when_it_is_deleted_and_swapped_ones_when_they_are_moved_back(run: Run) -> None:
    journal = run.folder / "decisions.jsonl"
    sound = journal.read_bytes()
    journal.write_bytes(sound + sound.splitlines(keepends=True)[0])
    assert advice(run) == ["Nothing is lost. To be rid of it, delete this line."]
    first, second, *others = sound.splitlines(keepends=True)
    journal.write_bytes(b"".join([second, first, *others]))
    assert advice(run) == ["Nothing is lost. To be rid of it, move this line to its place."]
    journal.write_bytes(sound)
    assert advice(run) == []


def test_a_line_of_a_newer_version_is_read_by_that_version(run: Run) -> None:
    damage(run, 2, lambda line: json.dumps({**json.loads(line), "format": 99}).encode())
    assert advice(run) == ["Open the run with that newer version of curate."]


def test_a_damaged_step_of_a_command_is_no_decision_on_a_listing(run: Run) -> None:
    run.apply_fixes()
    damage(run, 5, lambda line: line.replace(b'"begin"', b'"began"'))
    (fix,) = advice(run)
    assert fix.startswith("Nothing is lost: it was the begin or the end of a command")


@pytest.mark.parametrize("number", [2, 3])
def test_a_zeroed_line_that_later_ones_count_is_not_advised_to_be_deleted(number: int, run: Run) -> None:
    damage(run, number, lambda line: b"\0" * len(line))
    (fix,) = advice(run)
    assert "delete" not in fix
    assert fix.startswith("Restore it from a copy.")


def test_a_line_of_zeros_that_took_no_number_is_gone_when_it_is_deleted(run: Run) -> None:
    journal = run.folder / "decisions.jsonl"
    first, *others = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([first, b"\0" * 300 + b"\n", *others]))
    found = run.verify()
    assert found.ok
    assert any("line 2" in note and note.endswith("It can be deleted.") for note in found.notes)
    damage(run, 2, lambda line: b"")
    assert not any("line 2" in note for note in run.verify().notes)


@pytest.mark.parametrize("price", [-5, 1e16, 1e308])
def test_a_sound_line_with_a_price_that_is_none_is_named_and_counts_for_nothing(price: float, run: Run) -> None:
    append(run.folder / "decisions.jsonl", [written("L05", "reprice", new_price=price)])
    ((what, fix),) = [(flaw.what, flaw.fix) for flaw in run.verify().faults]
    assert f"it has the new price {price:g}, not one from 0 to 1,000,000,000,000,000" in what
    assert "decide on L05 again" in fix
    assert run.apply_fixes().counts()["repriced"] == 0


@pytest.mark.parametrize(
    "decision",
    [
        {"action": "relabel", "new_label": "\x1b[31msofa", "new_class": True},
        {"action": "relabel", "new_label": "Chair", "new_class": True},
        {"action": "relabel", "new_label": "sofa"},
        {"action": "keep", "new_price": 3.0},
        {"action": "sell"},
    ],
)
def test_a_decision_that_apply_fixes_refuses_is_named_by_all_and_deciding_again_settles_it(
    decision: dict[str, Any], run: Run
) -> None:
    append(run.folder / "decisions.jsonl", [written("L05", **decision)])
    (flaw,) = run.verify().faults
    assert flaw.what.startswith("line 5 decides on L05 what can't be applied: ")
    assert flaw.fix.startswith("Decide on L05 again")
    with pytest.raises(DecisionsError, match=r"line 5 decides on L05 what can't be applied: .*Decide on L05 again"):
        run.apply_fixes()
    table = run.folder.parent / "again.csv"
    table.write_text("id,decision\nL05,keep\n")
    run.apply_fixes(decisions=table)
    assert run.verify().ok
