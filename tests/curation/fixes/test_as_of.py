"""A past version of the dataset, rebuilt from the journal."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import curation
from curation.errors import DecisionsError, InputError
from curation.fixes import apply_fixes, plan_fixes, undo_fixes
from curation.run.folder import RunFolder
from curation.run.journal_file import read_journal
from curation.run.journal_lines import encoded
from curation.run.status import status_of
from tests.support.fixes import decide_csv, decided, labels, make_run, manifest


def moment() -> datetime:
    """Return the time, with nothing else at it."""
    time.sleep(0.003)
    here = datetime.now(UTC)
    time.sleep(0.003)
    return here


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def test_the_dataset_is_rebuilt_as_the_decisions_stood(run: RunFolder) -> None:
    run.decide([decided("05", "delete")])
    then = moment()
    run.decide([decided("00", "relabel", "desk")])
    before = run.decisions()
    apply_fixes(run, plan_fixes(run, as_of=then))
    assert "05" not in labels(run)
    assert labels(run)["00"] == "chair"
    assert run.decisions() == before
    assert manifest(run)["as_of"] == then.isoformat(timespec="milliseconds")
    assert status_of(run).as_of == manifest(run)["as_of"]
    assert manifest(run)["journal_line"] == 1
    apply_fixes(run, plan_fixes(run))
    assert labels(run)["00"] == "desk"
    assert manifest(run)["as_of"] is None
    assert status_of(run).as_of is None


def test_what_was_undone_since_is_in_a_past_version(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    then = moment()
    undo_fixes(run)
    assert not run.cleaned.exists()
    apply_fixes(run, plan_fixes(run, as_of=then))
    assert labels(run)["00"] == "desk"
    assert undo_fixes(run).undone == 0
    assert not run.cleaned.exists()


def test_the_time_when_it_was_recorded_counts_not_the_one_that_a_csv_names(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("05", "delete")])
    then = moment()
    table = tmp_path / "old.csv"
    table.write_text("id,decision,time\n08,delete,2020-01-01T00:00:00Z\n")
    apply_fixes(run, plan_fixes(run, decisions_file=table))
    assert list(plan_fixes(run, as_of=then).decisions) == ["05"]


def test_lines_of_the_first_format_have_the_time_of_their_decision(run: RunFolder) -> None:
    line = '{"id": "%s", "action": "delete", "new_label": null, "reviewer": "ana", "time": "%s", "source": "%s"}\n'
    known = [
        ("05", "2024-05-01T10:00:00+00:00", "app"),
        ("08", "2024-05-02T10:00:00+00:00", "csv"),
        ("10", "2024-05-03T10:00:00+00:00", "app"),
        ("11", "2020-01-01", "csv"),
    ]
    run.journal.write_text("".join(line % each for each in known))
    at = read_journal(run.journal).line_at
    assert [at(datetime(2024, 5, day, 12, tzinfo=UTC)) for day in (1, 2, 3)] == [1, 2, 3]
    assert at(datetime(2023, 1, 1, tzinfo=UTC)) == 0


def test_before_the_first_decision_there_is_nothing_to_rebuild(run: RunFolder) -> None:
    then = moment()
    run.decide([decided("05", "delete")])
    with pytest.raises(DecisionsError, match=r"no decision held in .*: got a first decision of ") as caught:
        plan_fixes(run, as_of=then)
    assert caught.value.parameter == "as_of"


def test_where_reviewers_disagreed_on_all_then_it_is_said_with_what_to_do(run: RunFolder) -> None:
    opened = curation.open_run(run.folder)
    opened.decide("05", "delete", reviewer="ana")
    opened.decide("05", "keep", reviewer="ben")
    with pytest.raises(
        DecisionsError, match=r"disagree on all that was decided after line 2 .*1 listing in conflict: 05"
    ) as caught:
        opened.apply_fixes(as_of="line 2", dry_run=True)
    assert "latest_wins" in str(caught.value)
    assert opened.apply_fixes(as_of="line 2", latest_wins=True, dry_run=True).counts()["kept"] == 1


def test_a_day_is_a_time_and_today_ends_now(run: RunFolder) -> None:
    here = datetime.now().astimezone()
    run.decide([decided("05", "delete")])
    # midnight may be between the two
    _recorded(run, [here.astimezone(UTC).isoformat(timespec="milliseconds")])
    opened = curation.open_run(run.folder)
    for today in (f"{here:%Y-%m-%d}", here.date(), datetime.now(UTC)):
        assert opened.apply_fixes(as_of=today, dry_run=True).changes["id"].tolist() == ["05"]
    with pytest.raises(DecisionsError, match="no decision held"):
        opened.apply_fixes(as_of=here.date() - timedelta(days=1))


def _recorded(run: RunFolder, times: list[str]) -> None:
    """Let the lines of the journal be recorded at these times."""
    entries = read_journal(run.journal).entries
    lines = [encoded(entry.content, entry.number, time) for entry, time in zip(entries, times, strict=True)]
    run.journal.write_bytes(b"".join(lines))


def test_where_the_clock_was_set_back_it_is_said_and_each_state_has_its_line(run: RunFolder) -> None:
    for id in ("05", "08", "10"):
        run.decide([decided(id, "delete")])
    _recorded(run, [f"2026-01-01T{hour}:00:00.000+00:00" for hour in ("10", "12", "11")])
    then = datetime(2026, 1, 1, 12, tzinfo=UTC)
    planned = plan_fixes(run, as_of=then)
    assert list(planned.decisions) == ["05", "08", "10"]
    assert planned.notes[1] == (
        "The clock was set back: line 3 of decisions.jsonl has an earlier time than lines before, and the order of the "
        "lines counts. Line 3 is the last that counts here; name another with `as_of='line NUMBER'`."
    )
    opened = curation.open_run(run.folder)
    for line, ids in ((1, ["05"]), (2, ["05", "08"]), (3, ["05", "08", "10"])):
        fixes = opened.apply_fixes(as_of=f"line {line}")
        assert list(fixes.decisions) == ids
        assert fixes.notes[0].startswith(f"As the decisions stood after line {line}: ")
        assert len(fixes.notes) == 1
        assert manifest(run)["as_of"] == status_of(run).as_of == f"line {line}"
    with pytest.raises(DecisionsError, match=r"has no such line: got line 99; wanted up to \d+"):
        opened.apply_fixes(as_of="line 99", dry_run=True)
    with pytest.raises(DecisionsError, match=r"no decision held in .* after line 0"):
        opened.apply_fixes(as_of="line 0", dry_run=True)


@pytest.mark.parametrize("text", ["line", "line -1", "yesterday", "2026-13-01", "", "29.11.2026", "2026-11-29 25:00"])
def test_what_is_no_time_is_refused(text: str, run: RunFolder) -> None:
    with pytest.raises(InputError, match=r"a time can't be read: got .*; wanted e\.g\. 2026-11-29") as caught:
        curation.open_run(run.folder).apply_fixes(as_of=text)
    assert caught.value.parameter == "as_of"


def test_a_time_to_come_is_refused(run: RunFolder) -> None:
    with pytest.raises(InputError, match="still to come"):
        curation.open_run(run.folder).apply_fixes(as_of=date.today() + timedelta(days=2))


def test_what_would_add_decisions_is_refused_beside_a_time(run: RunFolder, tmp_path: Path) -> None:
    opened = curation.open_run(run.folder)
    for options in (
        {"decisions": decide_csv(tmp_path, "05,delete,")},
        {"accept_suggestions": True},
        {"new_classes": "sofa"},
    ):
        with pytest.raises(InputError, match="takes no new decisions"):
            opened.apply_fixes(as_of="2026-01-01", **options)  # type: ignore[arg-type]
