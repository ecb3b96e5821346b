"""Decisions that are not in the cleaned dataset yet: how many there are, and what comes next."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation import Run
from tests.cli.test_cli import curate, done
from tests.support.fixes import decide_csv
from tests.support.tiny import tiny_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = tiny_run(tmp_path)
    run.apply_fixes(decide_csv(tmp_path, "L01,relabel,lamp\nL02,keep,"))
    return run


def state(run: Run) -> tuple[int, str]:
    status = run.status()
    return status.unapplied, status.step


def test_what_is_decided_after_apply_fixes_is_to_be_applied(run: Run) -> None:
    assert state(run) == (0, "retrain")
    (run.folder / "comparison.json").write_text("{}")
    run.decide(["L03", "L04"], "delete", reviewer="ana")
    assert state(run) == (2, "apply_fixes")
    said = done("status", run.folder).stdout
    assert "cleaned: written, without what was decided since on 2 listings" in said
    assert "curate apply-fixes" in said
    run.apply_fixes()
    assert state(run) == (0, "retrain")
    assert "decided since" not in done("status", run.folder).stdout


def test_what_changes_nothing_in_the_dataset_needs_no_apply_fixes(run: Run) -> None:
    run.decide("L05", "keep", reviewer="ana")
    assert state(run) == (0, "retrain")


def test_a_decision_that_was_taken_back_since_is_to_be_applied(run: Run) -> None:
    run.decide("L01", "undo", reviewer="ana")
    assert state(run) == (1, "apply_fixes")
    run.decide("L01", "relabel", label="lamp", reviewer="ana")
    assert state(run) == (0, "retrain")


def test_a_past_version_lacks_later_decisions_by_intent(run: Run) -> None:
    run.decide("L03", "delete", reviewer="ana")
    run.apply_fixes(as_of="line 4")
    assert state(run) == (0, "retrain")


def test_a_comparison_warns_of_what_it_lacks(run: Run) -> None:
    from curation.comparison.compare import _unapplied
    from curation.run.folder import RunFolder

    files = RunFolder(run.folder)
    assert _unapplied(files) == []
    run.decide("L03", "delete", reviewer="ana")
    (warning,) = _unapplied(files)
    assert warning.startswith("the cleaned dataset lacks what was decided since on 1 listing: apply it")
    assert curate("status", "--json", "--run", run.folder).exit_code == 0
