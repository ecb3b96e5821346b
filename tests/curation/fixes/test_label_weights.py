"""The chances of labels that ``apply_fixes(soft=True)`` writes beside the dataset."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from click.testing import CliRunner

from curation import Run
from curation.cli import main
from curation.errors import DecisionsError, RunError
from curation.fixes import apply_fixes, plan_fixes, undo_fixes
from curation.report.reproduce import reproduce
from curation.report.write import write_report
from curation.run.folder import RunFolder
from curation.run.status import status_of
from tests.support.fixes import LISTINGS, decided, manifest

Rows = dict[str, tuple[str, str, str, str]]


def written(run: RunFolder) -> Rows:
    table = pd.read_csv(run.cleaned / "label_weights.csv", dtype=str, keep_default_na=False)
    assert list(table.columns) == ["id", "label", "label_weight", "second_label", "second_weight"]
    return {str(row[0]): (str(row[1]), str(row[2]), str(row[3]), str(row[4])) for row in table.itertuples(index=False)}


def test_what_nobody_decided_has_the_chances_of_both_labels(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, soft=True))
    rows = written(run)
    assert list(rows) == list(LISTINGS)
    assert rows["00"] == ("chair", "0.03", "desk", "0.97")
    assert rows["05"] == ("NA", "0.99", "", "")
    assert rows["04"] == ("", "", "", "")
    assert (manifest(run)["soft"], manifest(run)["relabelled"]) == (True, 0)


def test_an_accepted_suggestion_has_its_chance_and_the_given_label_is_the_second(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True, soft=True))
    assert written(run)["00"] == ("desk", "0.97", "chair", "0.03")


def test_what_a_person_decided_counts_fully_and_deleted_listings_are_gone(run: RunFolder) -> None:
    run.decide([decided("00", "relabel", "NA"), decided("01", "keep"), decided("05", "delete")])
    run.decide([decided("04", "relabel", "desk"), decided("06", "ambiguous")])
    apply_fixes(run, plan_fixes(run, soft=True))
    rows = written(run)
    assert rows["00"] == ("NA", "1.0", "", "")
    assert rows["01"] == ("chair", "1.0", "", "")
    assert rows["04"] == ("desk", "1.0", "", "")
    # several labels fit: which one is not decided
    assert rows["06"] == ("chair", "0.4", "desk", "0.5")
    assert "05" not in rows


def test_chances_are_written_only_if_asked_for_and_undone_with_their_version(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    assert not (run.cleaned / "label_weights.csv").exists()
    apply_fixes(run, plan_fixes(run, soft=True))
    assert (run.cleaned / "label_weights.csv").exists()
    undo_fixes(run)
    assert not (run.cleaned / "label_weights.csv").exists()
    undo_fixes(run)
    with pytest.raises(DecisionsError, match="there are no decisions"):
        plan_fixes(run)


def test_a_run_that_scored_no_label_has_no_chances(run: RunFolder) -> None:
    run.write_table(run.issues_file, run.issues().assign(label_score=float("nan")))
    with pytest.raises(RunError, match="no chances of its labels"):
        Run(run.folder).apply_fixes(soft=True)


def test_a_version_that_has_no_chances_any_more_says_so(run: RunFolder) -> None:
    assert not plan_fixes(run, accept_suggestions=True).notes
    apply_fixes(run, plan_fixes(run, soft=True))
    assert not plan_fixes(run, soft=True).notes
    (note,) = apply_fixes(run, plan_fixes(run, accept_suggestions=True)).notes
    assert "label_weights.csv" in note
    assert "`apply_fixes(soft=True)`" in note


def test_the_report_says_that_labels_count_as_far_as_they_are_believed(run: RunFolder) -> None:
    assert "label_weights.csv" not in write_report(run).read_text()
    apply_fixes(run, plan_fixes(run, soft=True))
    assert "label_weights.csv has the chance of each label" in write_report(run).read_text()


def test_the_report_lists_each_apply_fixes_that_made_the_dataset(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True, min_confidence=0.9))
    run.decide([decided("05", "keep")])
    apply_fixes(run, plan_fixes(run, soft=True))
    done = reproduce(run, run.record(), None)
    of_run = f"curate apply-fixes --run {run.folder} "
    assert done["commands"][1:] == [f"{of_run}--accept-suggestions --min-confidence 0.9", f"{of_run}--soft"]
    assert dict(done["facts"])["Decisions of people"].startswith("1, of a review or a table")


def test_after_chances_without_decisions_the_next_step_is_to_retrain(run: RunFolder) -> None:
    assert status_of(run).step == "review"
    apply_fixes(run, plan_fixes(run, soft=True))
    assert (status_of(run).step, status_of(run).soft) == ("retrain", True)
    result = CliRunner().invoke(main, ["status", "--run", str(run.folder)])
    assert "retrain" in result.output.splitlines()[-1]
    run.decide([decided("05", "relabel", "desk")])
    result = CliRunner().invoke(main, ["status", "--run", str(run.folder)])
    assert "--soft" in result.output.splitlines()[-1]


def test_without_changes_there_is_no_table_of_them(run: RunFolder) -> None:
    result = CliRunner().invoke(main, ["apply-fixes", "--run", str(run.folder), "--soft"])
    assert "new label" not in result.output
    assert "0 relabelled" in result.output


def faults_of_cleaned(run: RunFolder) -> list[str]:
    return [flaw.fix for flaw in Run(run.folder).verify().faults if flaw.where.startswith(("cleaned", "versions"))]


def test_chances_that_are_gone_or_damaged_are_written_again_as_verify_advises(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, soft=True))
    assert not faults_of_cleaned(run)
    (run.cleaned / "label_weights.csv").unlink()
    advice = "Move cleaned/ out of the run by hand, then write it again with `apply_fixes(soft=True)`."
    assert set(faults_of_cleaned(run)) == {advice}
    shutil.move(run.cleaned, run.folder.parent / "damaged")
    assert faults_of_cleaned(run) == ["Write it again with `apply_fixes(soft=True)`."]
    apply_fixes(run, plan_fixes(run, soft=True))
    assert not faults_of_cleaned(run)
