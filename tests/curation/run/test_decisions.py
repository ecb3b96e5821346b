"""The journal of decisions, and what may go into it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from curation.errors import DecisionsError
from curation.run.decidable import Decidable, check_decisions
from curation.run.journal import (
    ACTIONS,
    NOTE,
    UNDO,
    Decision,
    check_reviewer,
    current_decisions,
    last_click,
    noted,
    reviewer_name,
    stacks_of,
    taken_back,
)
from curation.run.journal_file import append, read_journal

CLASSES = ["NA", "chair", "desk"]


def read(journal: Path) -> tuple[list[Decision], list[str]]:
    content = read_journal(journal)
    return content.decisions(), content.messages


def decided(id: str, action: str = "keep", new_label: str | None = None, *, source: str = "app") -> Decision:
    return Decision(id, action, new_label, "ana", "2024-05-01T10:00:00.000+00:00", source)


def having(*ids: str) -> Decidable:
    labels = dict.fromkeys(ids, "chair")
    return Decidable(tuple(CLASSES), labels, dict.fromkeys(ids), dict.fromkeys(ids), True, "SGD")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "decisions.jsonl"


def test_what_is_appended_is_read_back_in_order(journal: Path) -> None:
    first = [decided("1"), Decision("2", "relabel", "Stühle", "bo", "2024", "csv", 'a "note"\nof two lines')]
    append(journal, first)
    append(journal, [decided("1", UNDO)])
    assert read(journal) == ([*first, decided("1", UNDO)], [])


def test_appending_never_changes_what_is_there(journal: Path) -> None:
    append(journal, [decided("1")])
    before = journal.read_bytes()
    append(journal, [decided("2"), decided("3")])
    assert journal.read_bytes()[: len(before)] == before
    assert journal.read_bytes().count(b"\n") == 3


def test_without_a_decision_no_journal_is_made(journal: Path) -> None:
    append(journal, [])
    assert not journal.exists()
    assert read(journal) == ([], [])


@pytest.mark.parametrize("note", ["a\u2028b", "a\x85b", "a\x1eb", "a\rb", "a\x0cb", "😀", "\ufeff"])
def test_a_note_may_hold_any_character(note: str, journal: Path) -> None:
    decision = Decision(f"id {note}", "keep", None, note, "2024", "app", note)
    append(journal, [decision, decided("2")])
    assert read(journal) == ([decision, decided("2")], [])


def test_a_last_line_that_was_cut_off_costs_that_line_only(journal: Path) -> None:
    append(journal, [decided("1"), decided("2")])
    journal.write_bytes(journal.read_bytes()[:-20])
    decisions, damaged = read(journal)
    assert decisions == [decided("1")]
    assert len(damaged) == 1
    assert damaged[0].startswith('decisions.jsonl line 2 can\'t be read and is left out: it is cut short (\'{"id": "2"')
    append(journal, [decided("3")])
    assert read(journal) == ([decided("1"), decided("3")], [])


def test_a_last_line_that_lacks_only_its_end_is_read(journal: Path) -> None:
    append(journal, [decided("1")])
    journal.write_bytes(journal.read_bytes()[:-1])
    append(journal, [decided("2")])
    assert read(journal) == ([decided("1"), decided("2")], [])


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"3",
        b"null",
        b'{"id": "x"}',
        b'{"id": "x", "action": "keep", "who": "ana"}',
        b'{"id": ["x"], "action": "keep", "new_label": null, "reviewer": "", "time": "", "source": ""}',
        b'{"id": 7, "action": "keep", "new_label": null, "reviewer": "", "time": "", "source": ""}',
        b'{"id": "x", "action": null, "new_label": null, "reviewer": "", "time": "", "source": ""}',
    ],
)
def test_a_damaged_line_is_reported_with_its_number_and_stays_in_place(line: bytes, journal: Path) -> None:
    append(journal, [decided("1")])
    with journal.open("ab") as stream:
        stream.write(b"\n" + line + b"\n")
    append(journal, [decided("2")])
    before = journal.read_bytes()
    decisions, damaged = read(journal)
    assert decisions == [decided("1"), decided("2")]
    assert [message.split(" can't")[0] for message in damaged] == ["decisions.jsonl line 3"]
    assert journal.read_bytes() == before


def test_the_latest_decision_of_a_listing_holds() -> None:
    history = [decided("1"), decided("2", "delete"), decided("1", "relabel", "desk")]
    assert current_decisions(history) == {"1": history[2], "2": history[1]}


def test_undo_takes_one_decision_back_at_a_time() -> None:
    history = [decided("1"), decided("1", "delete"), decided("2")]
    assert current_decisions([*history, decided("1", UNDO)]) == {"1": history[0], "2": history[2]}
    assert current_decisions([*history, decided("1", UNDO), decided("1", UNDO)]) == {"2": history[2]}


def test_an_undo_with_nothing_before_it_does_nothing() -> None:
    history = [decided("1", UNDO), decided("1", UNDO), decided("1", "delete")]
    assert current_decisions(history) == {"1": history[2]}


def test_a_note_decides_nothing_and_undo_passes_it_over() -> None:
    journal = [decided("1"), decided("1", NOTE), decided("2", NOTE)]
    assert current_decisions(journal) == {"1": decided("1")}
    assert noted(journal) == {"1": decided("1", NOTE), "2": decided("2", NOTE)}
    assert current_decisions([*journal, decided("1", UNDO)]) == {}


def at(time: str, id: str, action: str = "keep", reviewer: str = "ana", source: str = "app") -> Decision:
    return Decision(id, action, None, reviewer, time, source)


def clicked(journal: list[Decision], reviewer: str) -> list[str]:
    return last_click(stacks_of(journal).values(), reviewer)


def test_the_latest_click_is_all_that_one_reviewer_decided_at_once_in_a_review() -> None:
    journal = [at("1", "a"), at("2", "b"), at("2", "c"), at("3", "d", reviewer="ben"), at("4", "e", source="csv")]
    assert clicked(journal, "ana") == ["b", "c"]
    journal += [at("5", "b", UNDO), at("5", "c", UNDO)]
    assert clicked(journal, "ana") == ["a"]
    assert clicked([*journal, at("6", "a", UNDO)], "ana") == []
    assert clicked(journal, "ben") == ["d"]
    assert clicked([*journal, at("7", "e", source="page")], "ana") == ["e"]


def test_taking_back_leaves_what_was_decided_before_and_after() -> None:
    before, added, after = decided("1"), decided("1", "relabel", "desk", source="csv"), decided("1", "delete")
    other = decided("2")
    history = [before, added, after, other]
    records = taken_back(history, [added], reviewer="bo")
    assert [record.action for record in records] == [UNDO, UNDO, "delete"]
    assert current_decisions([*history, *records]) == {"1": after, "2": other}
    # and an undo of the later one leads to the earlier one, not to the one that was taken back
    assert current_decisions([*history, *records, decided("1", UNDO)])["1"] == before


def test_taking_back_what_was_undone_already_does_nothing() -> None:
    added = decided("1", "relabel", "desk", source="csv")
    assert taken_back([decided("1"), added, decided("1", UNDO)], [added], reviewer="bo") == []


def test_taking_back_one_of_two_equal_decisions_leaves_the_other() -> None:
    added = decided("1", "relabel", "desk", source="csv")
    history = [added, added]
    records = taken_back(history, [added], reviewer="bo")
    assert current_decisions([*history, *records]) == {"1": added}


def test_decisions_for_unknown_listings_are_refused_all_at_once() -> None:
    decisions = [decided(str(number)) for number in range(8)]
    with pytest.raises(DecisionsError, match=r"no listing for 7 decisions: got 1, 2, 3, 4, 5, \+2 more; wanted ids"):
        check_decisions(decisions, having("0"))


def test_an_unknown_action_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(
        DecisionsError, match=r"unknown action for listing 1: got 'relable'; .*Did you mean 'relabel'\?"
    ):
        check_decisions([decided("1", "relable", "desk")], having("1"))


def test_a_note_alone_is_the_journal_s_word_not_a_csv_s() -> None:
    check_decisions([decided("1", NOTE)], having("1"))
    with pytest.raises(DecisionsError, match="unknown action"):
        check_decisions([decided("1", NOTE, source="csv")], having("1"))


def test_undo_is_the_journal_s_word_not_a_csv_s() -> None:
    check_decisions([decided("1", UNDO)], having("1"))
    with pytest.raises(DecisionsError, match=f"unknown action .* wanted {', '.join(ACTIONS)}"):
        check_decisions([decided("1", UNDO, source="csv")], having("1"))


@pytest.mark.parametrize(
    ("label", "match"),
    [("Desks", r"got new_label 'Desks'; wanted one of NA, chair, desk\. Did you mean 'desk'\?"), (None, "None")],
)
def test_a_relabel_to_no_known_class_is_refused_with_the_nearest_one(label: str | None, match: str) -> None:
    with pytest.raises(DecisionsError, match=match):
        check_decisions([decided("1", "relabel", label)], having("1"))


def test_the_reviewer_is_the_one_named_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATE_REVIEWER", "Ana Silva")
    assert reviewer_name() == "Ana Silva"


def test_a_line_of_the_journal_is_plain_json_with_its_number_and_checksum(journal: Path) -> None:
    append(journal, [decided("1", "relabel", "Stühle")])
    line = json.loads(journal.read_text(encoding="utf-8"))
    whole = journal.read_bytes().rstrip()
    assert int(line.pop("check"), 16) == zlib.crc32(whole[: whole.index(b', "check"')] + b"}")
    assert datetime.fromisoformat(line.pop("recorded")).tzinfo == UTC
    assert line == {
        "id": "1",
        "action": "relabel",
        "new_label": "Stühle",
        "reviewer": "ana",
        "time": "2024-05-01T10:00:00.000+00:00",
        "source": "app",
        "note": None,
        "suggested_label": None,
        "new_price": None,
        "new_class": False,
        "suggested_price": None,
        "format": 2,
        "number": 1,
    }


APPEND = (
    "import sys; from pathlib import Path; from curation.run.journal import Decision\n"
    "from curation.run.journal_file import append\n"
    "for number in range(500):\n"
    "    note = 'x' * (20000 if number % 50 == 0 else 20)\n"
    "    name = sys.argv[2]\n"
    "    append(Path(sys.argv[1]), [Decision(f'{name}{number}', 'keep', None, name, '', 'app', note)])"
)


def test_two_processes_that_append_at_once_lose_and_mangle_nothing(tmp_path):
    journal = tmp_path / "decisions.jsonl"
    journal.write_text('{"id": "cut short')
    writers = [subprocess.Popen([sys.executable, "-c", APPEND, str(journal), name]) for name in ("ana", "ben")]
    damaged: list[str] = []
    while any(writer.poll() is None for writer in writers):
        # a reader never meets half a line either
        damaged += [line for line in read(journal)[1] if " line 1 " not in line]
        time.sleep(0.1)
    assert [writer.returncode for writer in writers] == [0, 0]
    decisions, left_out = read(journal)
    assert damaged == []
    assert left_out == []
    for name in ("ana", "ben"):
        assert [decision.id for decision in decisions if decision.reviewer == name] == [
            f"{name}{n}" for n in range(500)
        ]
    assert len(decisions) == 1000


def test_a_full_disk_leaves_no_half_decision(tmp_path):
    journal = tmp_path / "decisions.jsonl"
    append(journal, [Decision("a", "keep", None, "ana", "", "app")])
    before = journal.read_bytes()
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from curation.run.journal import Decision; from curation.run.journal_file import append\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "append(Path(sys.argv[1]), [Decision('b', 'keep', None, 'ana', '', 'app', 'x' * 9000)])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(journal)], capture_output=True, text=True, check=False)
    assert "OSError" in done.stderr
    assert journal.read_bytes() == before


@pytest.mark.parametrize("name", ["", "  ", "ana\nben", "ana\x1b[2J", "\u2028"])
def test_a_reviewer_s_name_can_be_shown_in_one_line(name):
    with pytest.raises(DecisionsError, match="needs a name"):
        check_reviewer(name)
    assert check_reviewer(" Añá Ó Briain ") == "Añá Ó Briain"


def test_a_journal_of_an_earlier_version_is_read(journal: Path) -> None:
    journal.write_text(
        '{"id": "1", "action": "relabel", "new_label": "desk", "reviewer": "ana", "time": "2024", "source": "app"}\n'
    )
    assert read(journal) == ([Decision("1", "relabel", "desk", "ana", "2024", "app")], [])


def test_a_price_that_is_no_number_damages_a_line(journal: Path) -> None:
    append(journal, [decided("1")])
    journal.write_text(journal.read_text().replace('"new_price": null', '"new_price": "ten"'))
    decisions, damaged = read(journal)
    assert decisions == []
    assert len(damaged) == 1
