"""No line of the journal is longer than what is read, and no note longer than what a person writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from curation.errors import DecisionsError
from curation.fixes import plan_fixes
from curation.run.decisions import decide
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.journal_file import append, read_journal
from curation.run.journal_lines import LONGEST, encoded
from curation.run.new_values import MAX_NOTE
from tests.support.fixes import decided, make_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def long_csv(folder: Path, length: int) -> Path:
    path = folder / "mine.csv"
    path.write_text(f"id,decision,new_label,note\n00,relabel,desk,{'ü' * length}\n", encoding="utf-8")
    return path


def test_a_note_of_ten_thousand_characters_is_kept_as_it_is(run: RunFolder, tmp_path: Path) -> None:
    assert MAX_NOTE == 10_000
    decide(run, ["00"], "keep", note="ü" * MAX_NOTE)
    assert [each.note for each in run.decisions()[0]] == ["ü" * MAX_NOTE]
    (added,) = plan_fixes(run, decisions_file=long_csv(tmp_path, MAX_NOTE)).added
    assert added.note == "ü" * MAX_NOTE


def test_a_longer_note_is_refused_before_anything_is_written(run: RunFolder, tmp_path: Path) -> None:
    said = r"^the note{} is too long: got 10,001 characters; wanted at most 10,000\. Shorten it"
    with pytest.raises(DecisionsError, match=said.format("")) as refused:
        decide(run, ["00"], "keep", note="y" * (MAX_NOTE + 1))
    assert refused.value.parameter == "note"
    with pytest.raises(DecisionsError, match=said.format(" for '00'")):
        plan_fixes(run, decisions_file=long_csv(tmp_path, MAX_NOTE + 1))
    assert not run.journal.exists()


def test_a_longer_note_of_an_earlier_version_is_still_read_and_applied(run: RunFolder) -> None:
    run.decide([replace(decided("00", "relabel", "desk"), note="y" * 1_000_000)])
    assert plan_fixes(run).counts()["relabelled"] == 1


@pytest.mark.parametrize("name", ["id", "new_label", "reviewer", "note"])
def test_the_longest_line_that_is_read_is_written_and_a_longer_one_is_not(name: str, tmp_path: Path) -> None:
    journal = tmp_path / "decisions.jsonl"
    short = Decision("00", "relabel", "desk", "ana", "2026-05-01T10:00:00.000+00:00", "app", "")
    append(journal, [decided("first", "keep")])
    spare = LONGEST - len(encoded(short, 2, "2026-05-01T10:00:00.000+00:00"))
    longest = replace(short, **{name: (getattr(short, name) or "") + "y" * spare})
    append(journal, [longest])
    before = journal.read_bytes()
    longer = replace(longest, **{name: getattr(longest, name) + "y"})
    said = rf"^a decision is too long to be kept: got 16,777,217 bytes, most of them in its {name.replace('_', ' ')}: '"
    with pytest.raises(DecisionsError, match=said):
        append(journal, [decided("second", "keep"), longer])
    assert journal.read_bytes() == before
    read = read_journal(journal)
    assert read.decisions() == [decided("first", "keep"), longest]
    assert not read.faults
