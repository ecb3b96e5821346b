"""The chances of labels that ``apply_fixes(soft=True)`` writes beside the dataset."""

from __future__ import annotations

import pandas as pd
import pytest

from curation import Run
from curation.errors import DecisionsError, RunError
from curation.fixes import apply_fixes, plan_fixes, undo_fixes
from curation.run.folder import RunFolder
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
