"""A file of decisions that is given again, after others were made."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.fixes import apply_fixes, plan_fixes, undo_fixes
from curation.run.folder import RunFolder
from tests.support.fixes import decided

EARLY, BETWEEN, LATE = (f"2024-05-01T{hour:02}:00:00.000+00:00" for hour in (8, 9, 11))


def table(folder: Path, *lines: str) -> Path:
    path = folder / "decisions.csv"
    path.write_text("\n".join(["id,decision,new_label,new_price,reviewer,time,note", *lines]) + "\n")
    return path


def holding(run: RunFolder, file: Path) -> dict[str, tuple[str, str | None, float | None]]:
    return {id: each.meaning for id, each in plan_fixes(run, decisions_file=file).decisions.items()}


def test_what_was_said_later_holds_and_both_are_named(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "relabel", "desk", time=LATE)])
    fixes = plan_fixes(run, decisions_file=table(tmp_path, f"00,keep,,,Ana,{EARLY},", f"05,delete,,,bo,{EARLY},"))
    assert {id: each.action for id, each in fixes.decisions.items()} == {"00": "relabel", "05": "delete"}
    assert any(
        "1 decision of decisions.csv is older than what was said since, which holds: 00: keep (Ana, 2024-05-01 08:00) "
        "before relabel to desk (ana, 2024-05-01 11:00). To override it, empty the time of that row." in note
        for note in fixes.notes
    )


@pytest.mark.parametrize("time", ["", LATE, "yesterday", "2024-05-01 08:00"])
def test_a_row_that_is_later_or_of_no_known_time_overrides(time: str, run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "relabel", "desk", time=BETWEEN)])
    assert holding(run, table(tmp_path, f"00,keep,,,ana,{time},"))["00"][0] == "keep"


def test_what_was_taken_back_in_a_review_since_stays_so(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "keep", time=EARLY), decided("00", "undo", time=BETWEEN), decided("01", "keep")])
    assert "00" not in holding(run, table(tmp_path, f"00,keep,,,ana,{EARLY},"))


def test_what_undo_took_back_with_its_version_can_be_given_again(run: RunFolder, tmp_path: Path) -> None:
    file = table(tmp_path, f"00,relabel,desk,,ana,{EARLY},")
    apply_fixes(run, plan_fixes(run, decisions_file=file))
    undo_fixes(run)
    assert holding(run, file) == {"00": ("relabel", "desk", None)}


def test_the_same_file_adds_nothing_twice(run: RunFolder, tmp_path: Path) -> None:
    file = table(tmp_path, f"00,relabel,desk,,ana,{EARLY},", f"01,,,,ana,{EARLY},ask Bo")
    apply_fixes(run, plan_fixes(run, decisions_file=file))
    before = run.journal.read_bytes()
    again = plan_fixes(run, decisions_file=file)
    assert (again.added, again.notes) == ([], ())
    assert run.journal.read_bytes() == before


def test_an_earlier_label_beside_a_later_price_reverts_nothing(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "reprice", new_price=5.0, time=LATE)])
    assert holding(run, table(tmp_path, f"00,relabel,desk,,ana,{EARLY},"))["00"] == ("relabel", "desk", 5.0)


def test_a_person_goes_before_a_suggestion_that_was_accepted_unseen_later(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "relabel", "desk", time=LATE, source="suggestion")])
    assert holding(run, table(tmp_path, f"00,keep,,,ana,{EARLY},"))["00"][0] == "keep"


def test_an_earlier_word_of_another_reviewer_counts_unless_the_listing_was_settled_since(
    run: RunFolder, tmp_path: Path
) -> None:
    file = table(tmp_path, f"00,keep,,,bo,{EARLY},")
    run.decide([decided("00", "relabel", "desk", time=BETWEEN)])
    run.decide([decided("01", "keep")])
    assert plan_fixes(run, decisions_file=file).conflicts == ("00",)
    run.decide([decided("00", "relabel", "desk", time=LATE, saw=True)])
    settled = plan_fixes(run, decisions_file=file)
    assert (settled.conflicts, settled.added) == ((), [])
