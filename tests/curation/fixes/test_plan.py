"""What applying decisions would change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from curation.errors import DecisionsError
from curation.fixes import apply_fixes, plan_fixes, undo_fixes
from curation.run.decisions import decide
from curation.run.folder import RunFolder
from curation.run.journal import UNDO
from tests.support.fixes import (
    LISTINGS,
    changed,
    cleaned,
    decide_csv,
    decided,
    files,
    given,
    labels,
)


def test_decisions_of_the_review_are_applied(run: RunFolder) -> None:
    run.decide([decided("00", "relabel", "desk"), decided("05", "delete"), decided("01", "keep")])
    fixes = plan_fixes(run)
    assert changed(fixes) == [("00", "relabel", "desk"), ("05", "delete", None)]
    assert fixes.counts() == {
        "relabelled": 1,
        "repriced": 0,
        "merged": 0,
        "deleted": 1,
        "kept": 1,
        "ambiguous": 0,
        "in_conflict": 0,
    }
    assert not apply_fixes(run, fixes).dry_run
    expected = {**given(), "00": "desk"}
    del expected["05"]
    assert labels(run) == expected


def test_planning_writes_nothing(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "relabel", "desk")])
    before = files(tmp_path)
    plan_fixes(run, accept_suggestions=True, decisions_file=decide_csv(tmp_path.parent, "05,delete,"))
    assert files(tmp_path) == before


def test_the_changes_say_who_when_what_and_why(run: RunFolder) -> None:
    run.decide(
        [
            decided("00", "relabel", "desk"),
            decided("04", "relabel", "NA"),
            decided("05", "delete"),
            decided("01", "keep"),
        ]
    )
    apply_fixes(run, plan_fixes(run))
    changes = pd.read_csv(run.cleaned / "changes.csv", dtype=str, keep_default_na=False)
    rest = {
        "new_price": "",
        "reviewer": "ana",
        "time": "2024-05-01T10:00:00.000+00:00",
        "source": "app",
        "note": "her words",
    }
    assert changes.to_dict("records") == [
        {**rest, "id": "00", "action": "relabel", "old_label": "chair", "new_label": "desk", "old_price": "9.5"},
        {**rest, "id": "04", "action": "relabel", "old_label": "", "new_label": "NA", "old_price": "13.5"},
        {**rest, "id": "05", "action": "delete", "old_label": "NA", "new_label": "", "old_price": "14.5"},
    ]


@pytest.mark.parametrize("action", ["relabel", "delete", "ambiguous"])
def test_a_listing_without_a_label_can_be_decided_on(action: str, run: RunFolder) -> None:
    run.decide([decided("04", action, "desk" if action == "relabel" else None)])
    apply_fixes(run, plan_fixes(run))
    assert labels(run).get("04") == {"relabel": "desk"}.get(action)
    assert ("04" in labels(run)) == (action != "delete")


def test_a_relabel_to_the_given_label_changes_nothing_and_counts_as_kept(run: RunFolder) -> None:
    run.decide([decided("00", "relabel", "chair")])
    fixes = plan_fixes(run)
    assert changed(fixes) == []
    assert fixes.counts() == {
        "relabelled": 0,
        "repriced": 0,
        "merged": 0,
        "deleted": 0,
        "kept": 1,
        "ambiguous": 0,
        "in_conflict": 0,
    }


def test_a_delete_is_done_and_one_with_a_new_label_beside_it_is_refused(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(DecisionsError, match="05: delete with 'NA'"):
        plan_fixes(run, decisions_file=decide_csv(tmp_path, "05,delete,NA"))
    apply_fixes(run, plan_fixes(run, decisions_file=decide_csv(tmp_path, "05,delete,")))
    assert "05" not in labels(run)


@pytest.mark.parametrize(
    ("confidence", "accepted"),
    [(1.0, []), (0.97, ["00"]), (0.5, ["00", "06"]), (0.4, ["00", "01", "06"]), (0.0, ["00", "01", "06"])],
)
def test_suggestions_are_accepted_from_a_confidence_on_and_never_in_the_test_set(
    confidence: float, accepted: list[str], run: RunFolder
) -> None:
    run.decide([decided("08", "keep")])
    fixes = plan_fixes(run, accept_suggestions=True, min_confidence=confidence)
    assert [decision.id for decision in fixes.added] == accepted
    assert [id for id, _, _ in changed(fixes)] == accepted
    assert {decision.source for decision in fixes.added} <= {"suggestion"}


def test_suggestions_that_are_more_likely_right_than_the_given_label_are_the_default(run: RunFolder) -> None:
    assert [decision.id for decision in plan_fixes(run, accept_suggestions=True).added] == ["00", "06"]
    issues = run.issues()
    run.write_table(run.issues_file, issues.assign(label_score=issues["label_score"].replace(0.45, 0.449)))
    assert [decision.id for decision in plan_fixes(run, accept_suggestions=True).added] == ["00", "01", "06"]


@pytest.mark.parametrize("confidence", [-0.1, 1.01, float("nan")])
def test_a_confidence_out_of_range_is_refused(confidence: float, run: RunFolder) -> None:
    with pytest.raises(DecisionsError, match=r"`min_confidence` is out of range: got .* wanted 0 to 1"):
        plan_fixes(run, accept_suggestions=True, min_confidence=confidence)


@pytest.mark.parametrize("action", ["keep", "delete", "relabel"])
def test_a_suggestion_gives_way_to_what_a_person_decided(action: str, run: RunFolder) -> None:
    run.decide([decided("00", action, "NA" if action == "relabel" else None)])
    fixes = plan_fixes(run, accept_suggestions=True)
    assert [decision.id for decision in fixes.added] == ["06"]
    assert fixes.decisions["00"].action == action


def test_a_decision_that_was_undone_leaves_the_suggestion_free(run: RunFolder) -> None:
    run.decide([decided("00", "keep"), decided("00", UNDO)])
    assert [decision.id for decision in plan_fixes(run, accept_suggestions=True).added] == ["00", "06"]


def test_a_person_may_change_a_test_label(run: RunFolder) -> None:
    run.decide([decided("02", "relabel", "chair")])
    apply_fixes(run, plan_fixes(run))
    assert labels(run)["02"] == "chair"
    table = cleaned(run).table.set_index("id")
    assert table["split"].to_dict() == {id: row[4] for id, row in LISTINGS.items()}


def test_accepted_suggestions_are_in_the_journal_with_their_confidence(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    decisions = run.decisions()[0]
    assert [(d.id, d.action, d.new_label, d.source, d.note) for d in decisions] == [
        ("00", "relabel", "desk", "suggestion", "confidence 0.970"),
        ("06", "relabel", "desk", "suggestion", "confidence 0.500"),
    ]
    assert labels(run) == {**given(), "00": "desk", "06": "desk"}


def test_decisions_of_a_csv_go_before_earlier_ones_of_the_same_reviewer_and_conflict_with_those_of_others(
    run: RunFolder, tmp_path: Path
) -> None:
    run.decide([decided("00", "delete"), decided("05", "delete")])
    path = decide_csv(tmp_path, "00,relabel,NA", "06,keep,")
    mine = plan_fixes(run, decisions_file=path, reviewer="ANA ")
    assert changed(mine) == [("00", "relabel", "NA"), ("05", "delete", None)]
    other = plan_fixes(run, decisions_file=path, reviewer="bo")
    assert changed(other) == [("05", "delete", None)]
    assert (other.conflicts, other.counts()["in_conflict"]) == (("00",), 1)
    later = plan_fixes(run, decisions_file=path, reviewer="bo", latest_wins=True)
    assert changed(later) == changed(mine)


def test_a_price_beside_a_conflict_is_applied_with_the_label_that_is_left(run: RunFolder) -> None:
    decide(run, ["00"], "relabel", label="desk", reviewer="ana")
    decide(run, ["00"], "relabel", label="NA", reviewer="ben")
    decide(run, ["00"], "reprice", price=10, reviewer="cem", settle=True)
    row = plan_fixes(run, latest_wins=True).changes.iloc[0]
    assert (row["new_label"], row["new_price"], row["reviewer"]) == ("NA", "10", "ben")
    decide(run, ["00"], "undo", reviewer="ben")
    row = plan_fixes(run).changes.iloc[0]
    assert (row["new_label"], row["new_price"], row["reviewer"]) == ("desk", "10", "ana")


def test_decisions_of_a_csv_go_before__before_suggestions(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "delete"), decided("05", "delete")])
    path = decide_csv(tmp_path, "00,relabel,NA", "06,keep,", "01,,")
    run.decide([decided("00", "undo")])
    fixes = plan_fixes(run, decisions_file=path, accept_suggestions=True, min_confidence=0.4, reviewer="bo")
    assert changed(fixes) == [("00", "relabel", "NA"), ("01", "relabel", "NA"), ("05", "delete", None)]
    assert [(d.id, d.source, d.reviewer) for d in fixes.added] == [
        ("00", "csv", "bo"), ("06", "csv", "bo"), ("01", "suggestion", "curate"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("77,keep,", "this run has no listing for 1 decision: got 77"),
        ("00,relable,desk", r"unknown action for listing 00.*Did you mean 'relabel'\?"),
        ("00,undo,", "unknown action for listing 00"),
        ("00,relabel,dessk", r"listing 00 can't be relabelled: got new_label 'dessk'.*Did you mean 'desk'\?"),
        ("00,relabel,", "listing 00 can't be relabelled"),
    ],
)
def test_a_csv_that_does_not_fit_the_run_is_refused(line: str, match: str, run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(DecisionsError, match=match):
        plan_fixes(run, decisions_file=decide_csv(tmp_path, "05,delete,", line))
    assert run.decisions() == ([], [])


def test_without_any_decision_the_error_says_what_to_type(run: RunFolder) -> None:
    with pytest.raises(
        DecisionsError, match=r"there are no decisions.*review\(\).*accept_suggestions=True.*decisions="
    ):
        plan_fixes(run)


def test_an_empty_csv_of_decisions_is_no_decision(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(DecisionsError, match="has no decision"):
        plan_fixes(run, decisions_file=decide_csv(tmp_path, "00,,"))


def test_without_a_sure_suggestion_the_error_says_what_to_lower(run: RunFolder) -> None:
    with pytest.raises(
        DecisionsError, match=r"no suggestion is accepted.*have a confidence below 0\.98.*lower `min_confidence`"
    ):
        plan_fixes(run, accept_suggestions=True, min_confidence=0.98)


def test_a_damaged_line_of_the_journal_is_a_warning(run: RunFolder) -> None:
    run.decide([decided("00", "relabel", "desk")])
    with run.journal.open("a") as stream:
        stream.write('{"id": "05", "act')
    fixes = plan_fixes(run)
    assert changed(fixes) == [("00", "relabel", "desk")]
    assert len(fixes.damaged) == 1
    assert "line 2" in fixes.damaged[0]


def test_decisions_from_a_file_and_accepted_suggestions_say_what_had_been_suggested(
    run: RunFolder, tmp_path: Path
) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text("id,decision,new_label\n00,keep,\n05,delete,\n")
    apply_fixes(run, plan_fixes(run, decisions_file=path, accept_suggestions=True))
    suggested = {id: suggestion for id, (_, _, suggestion, *_) in LISTINGS.items()}
    journal = run.decisions()[0]
    assert {decision.source for decision in journal} == {"csv", "suggestion"}
    assert all(decision.suggested_label == suggested[decision.id] for decision in journal)
    assert {decision.suggested_label for decision in journal} > {None}


def prices(run: RunFolder) -> dict[str, float]:
    table = cleaned(run).table
    return dict(zip(table["id"], table["price"].tolist(), strict=True))


def test_new_prices_and_labels_are_written_and_undo_takes_them_back(run: RunFolder, tmp_path: Path) -> None:
    path = decide_csv(tmp_path, "00,relabel,desk,S$ 1,,", "01,reprice,,95.5", "05,ambiguous,,", "08,reprice,,17.5")
    path.write_text(path.read_text().replace("new_label", "new_label,new_price", 1).replace("S$ 1,,", "S$ 1"))
    fixes = plan_fixes(run, decisions_file=path)
    assert fixes.counts() == {
        "relabelled": 1,
        "repriced": 2,
        "merged": 0,
        "deleted": 0,
        "kept": 1,
        "ambiguous": 1,
        "in_conflict": 0,
    }
    rows = fixes.changes[["id", "action", "old_label", "new_label", "old_price", "new_price"]].fillna("")
    assert rows.to_numpy().tolist() == [
        ["00", "relabel", "chair", "desk", "9.5", "1"],
        ["01", "reprice", "chair", "", "10.5", "95.5"],
    ]
    apply_fixes(run, fixes)
    before = {id: 9.5 + number for number, id in enumerate(LISTINGS)}
    assert prices(run) == {**before, "00": 1.0, "01": 95.5}
    assert labels(run) == {**given(), "00": "desk"}
    undo_fixes(run)
    assert run.holding_decisions().decisions == {}


def test_a_price_for_a_listing_without_one_is_written(run: RunFolder) -> None:
    for file, table in ((run.issues_file, run.issues()), (run.listings_file, run.listings())):
        table.loc[table["id"] == "01", "price"] = None
        run.write_table(file, table)
    run.decide([replace(decided("01", "reprice"), new_price=12.5)])
    fixes = plan_fixes(run)
    assert fixes.changes[["old_price", "new_price"]].fillna("").to_numpy().tolist() == [["", "12.5"]]
    apply_fixes(run, fixes)
    assert prices(run)["01"] == 12.5


def test_a_new_class_of_a_csv_is_named_by_the_person_or_by_the_row(run: RunFolder, tmp_path: Path) -> None:
    path = decide_csv(tmp_path, "00,relabel,sofa", "01,relabel,sofa")
    with pytest.raises(DecisionsError, match=r"new_label 'sofa'.*say so with `new_classes='sofa'`"):
        plan_fixes(run, decisions_file=path)
    apply_fixes(run, plan_fixes(run, decisions_file=path, new_classes=["sofa"]))
    assert [labels(run)[id] for id in ("00", "01")] == ["sofa", "sofa"]
    path.write_text("id,decision,new_label,new_class\n05,relabel,lamp,yes\n06,relabel,lamp,\n08,relabel,sofa,\n")
    apply_fixes(run, plan_fixes(run, decisions_file=path))
    assert [labels(run)[id] for id in ("05", "06", "08")] == ["lamp", "lamp", "sofa"]


def test_a_new_class_that_no_decision_is_for_is_refused(run: RunFolder, tmp_path: Path) -> None:
    path = decide_csv(tmp_path, "00,relabel,desk")
    with pytest.raises(DecisionsError, match=r"no decision is for the new class 'sofa': got new_label desk"):
        plan_fixes(run, decisions_file=path, new_classes=["sofa"])


def test_two_new_classes_that_are_written_alike_are_refused(run: RunFolder, tmp_path: Path) -> None:
    path = decide_csv(tmp_path, "00,relabel,sofa", "01,relabel,Sofa")
    with pytest.raises(DecisionsError, match="'Sofa' is no new class: it differs from the class 'sofa' only"):
        plan_fixes(run, decisions_file=path, new_classes=["sofa", "Sofa"])


def test_keeping_a_listing_without_a_label_is_refused_and_in_an_old_journal_decides_nothing(
    run: RunFolder, tmp_path: Path
) -> None:
    with pytest.raises(DecisionsError, match="1 listing without a label can't be kept: got keep for 04"):
        plan_fixes(run, decisions_file=decide_csv(tmp_path, "00,keep,", "04,keep,"))
    run.decide([decided("04", "keep"), decided("00", "keep")])
    fixes = plan_fixes(run)
    assert (fixes.undecided, fixes.counts()["kept"]) == (("04",), 1)


def test_a_misspelt_new_class_that_was_taken_back_is_in_nobody_s_way(run: RunFolder) -> None:
    decide(run, ["00"], "relabel", label="Sofa", new_class=True)
    decide(run, ["00"], "undo")
    decide(run, ["00"], "relabel", label="sofas", new_class=True)
    decide(run, ["00"], "undo")
    decide(run, ["00", "01"], "relabel", label="sofa", new_class=True)
    apply_fixes(run, plan_fixes(run))
    assert [labels(run)[id] for id in ("00", "01")] == ["sofa", "sofa"]


def test_where_no_decision_can_be_read_the_lines_are_named_and_nothing_else_is_advised(run: RunFolder) -> None:
    run.decide([decided("00", "relabel", "desk")])
    run.journal.write_bytes(run.journal.read_bytes().replace(b"desk", b"dusk", 1))
    with pytest.raises(DecisionsError, match=r"no decision in .* that can be read: got .*line 1 .*`verify\(\)`"):
        plan_fixes(run)


def test_what_became_of_each_flagged_label_is_counted(run: RunFolder) -> None:
    run.decide([decided("06", "keep")])
    became = plan_fixes(run, accept_suggestions=True).acceptance
    assert became is not None
    assert (became.flagged, became.accepted, became.tests, became.unlikely, became.decided) == (4, 1, 1, 1, 1)
    assert list(became.sentences(written=False)) == [
        "1 of 4 flagged labels accepted; 1 is in the test set, 1 suggestion is not likelier than the label, "
        "1 was decided by people."
    ]


def test_what_was_accepted_before_and_would_not_be_now_is_said_with_the_way_back(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True, min_confidence=0.4))
    assert (
        len(list(plan_fixes(run, accept_suggestions=True, min_confidence=0.4).acceptance.sentences(written=True))) == 1
    )
    done = apply_fixes(run, plan_fixes(run, accept_suggestions=True, min_confidence=0.9))
    assert done.acceptance is not None
    accepted, stay = done.acceptance.sentences(written=True)
    assert accepted == "3 of 4 flagged labels accepted; 1 is in the test set."
    assert stay.startswith("2 suggestions that an earlier apply-fixes accepted stay accepted")
    assert "`undo()` twice" in stay
    undo_fixes(run)
    undo_fixes(run)
    assert [each.id for each in plan_fixes(run, accept_suggestions=True, min_confidence=0.9).added] == ["00"]
