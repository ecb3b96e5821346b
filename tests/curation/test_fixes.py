"""Applying decisions, and taking that back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from curation.errors import DecisionsError, RunError
from curation.fixes import Fixes, Undone, apply_fixes, plan_fixes, undo_fixes
from curation.issues import COLUMNS
from curation.listings import Listings, read_listings
from curation.run.decisions import decide, misfit
from curation.run.folder import RunFolder
from curation.run.journal import UNDO, Decision, current_decisions, reviewer_name
from training.utils.files import write_json

CLASSES = ["NA", "chair", "desk"]
# id: given label, flagged, suggestion, its confidence, split
LISTINGS: dict[str, tuple[str | None, bool, str | None, float | None, str]] = {
    "00": ("chair", True, "desk", 0.97, "train"),
    "01": ("chair", True, "NA", 0.45, "train"),
    "02": ("desk", True, "chair", 0.99, "test"),
    "03": ("desk", False, "chair", 0.95, "train"),
    "04": (None, False, None, None, "train"),
    "05": ("NA", False, None, None, "train"),
    "06": ("chair", True, "desk", 0.5, "train"),
    "07": ("desk", False, None, None, "test"),
    "08": ("NA", False, None, None, "train"),
    "09": ("NA", False, None, None, "train"),
    "10": ("chair", False, None, None, "train"),
    "11": ("desk", False, None, None, "train"),
}


def make_run(folder: Path, name: str = "shop") -> RunFolder:
    """Write a finished run of twelve listings, as find-issues leaves it; 09 has no photo, 04 no label."""
    photos = folder / "input" / "photos"
    photos.mkdir(parents=True)
    ids = list(LISTINGS)
    images = [f"photos/{id}.png" if id != "09" else None for id in ids]
    for number, image in enumerate(images):
        if image:
            Image.new("RGB", (6, 4), (number * 20, 90, 30)).save(folder / "input" / image)
    labels, flagged, suggested, confidence, split = zip(*LISTINGS.values(), strict=True)
    issues = pd.DataFrame(
        {
            "id": ids,
            "image": images,
            "given_label": labels,
            "price": np.arange(12) + 9.5,
            "is_label_issue": flagged,
            "suggested_label": suggested,
            "suggested_confidence": confidence,
            "priority": np.arange(1, 13),
            "reasons": "",
        }
    )
    issues = issues.reindex(columns=list(COLUMNS)).astype(COLUMNS)
    text = {"image": images, "label": labels, "group": None, "split": split, "title": 'a "nice", cheap\nthing'}
    listings = pd.DataFrame({"id": ids, **text, "lot": "007"}, dtype="string").assign(price=issues["price"])
    listings.to_csv(folder / "input" / "listings.csv", index=False)
    listings = listings.assign(fold=np.arange(12) % 3, sha256="x", width=6, height=4, unreadable=None, detail=30.0)
    listings = listings.assign(near_group=pd.NA, near_likeness=np.nan, text_share=np.nan, text=None)
    run = RunFolder(folder / "runs" / "shop" / "1")
    run.folder.mkdir(parents=True)
    run.write_table(run.issues_file, issues)
    run.write_table(run.listings_file, listings)
    dataset = {
        "name": name,
        "path": str(folder / "input"),
        "root": str(folder / "input"),
        "photos": str(folder / "input"),
        "sha256": "of the table",
        "classes": CLASSES,
        "currency": "SGD",
    }
    times = {"started": "2024-05-01T09:00:00.000+00:00", "finished": "2024-05-01T09:10:00.000+00:00"}
    record = {
        "format": 1,
        "status": "finished",
        "command": ["curate", "find-issues"],
        "dataset": dataset,
        "settings": {"folds": 3, "text": True, "train": {}, "probabilities": "probs.csv"},
        "seed": 0,
        "sha256": {"table": "of the table", "images": "of the images"},
        "seconds": {"photos": 1.0},
        "versions": {},
    }
    write_json(run.record_file, {**record, **times})
    write_json(
        run.health_file, {"label_health": None, "noise_count": None, "listings": 0, "classes": [], "confused": []}
    )
    return run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


def decided(id: str, action: str, new_label: str | None = None) -> Decision:
    return Decision(id, action, new_label, "ana", "2024-05-01T10:00:00.000+00:00", "app", "her words")


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def cleaned(run: RunFolder) -> Listings:
    # its photos stay where they are, outside cleaned/
    return read_listings(run.cleaned)


def labels(run: RunFolder) -> dict[str, str | None]:
    table = cleaned(run).table
    return {id: None if pd.isna(label) else label for id, label in zip(table["id"], table["label"], strict=True)}


def given() -> dict[str, str | None]:
    return {id: row[0] for id, row in LISTINGS.items()}


def changed(fixes: Fixes) -> list[tuple[str, str, Any]]:
    return [
        (row.id, row.action, None if pd.isna(row.new_label) else row.new_label) for row in fixes.changes.itertuples()
    ]


def manifest(run: RunFolder) -> dict[str, Any]:
    return dict(json.loads((run.cleaned / "manifest.json").read_text(encoding="utf-8")))


def decide_csv(folder: Path, *lines: str) -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join(["id,decision,new_label", *lines]), encoding="utf-8")
    return path


def test_decisions_of_the_review_are_applied(run: RunFolder) -> None:
    run.decide([decided("00", "relabel", "desk"), decided("05", "delete"), decided("01", "keep")])
    fixes = plan_fixes(run)
    assert changed(fixes) == [("00", "relabel", "desk"), ("05", "delete", None)]
    assert fixes.counts() == {"relabelled": 1, "deleted": 1, "kept": 1}
    assert apply_fixes(run, fixes) == run.cleaned
    expected = {**given(), "00": "desk"}
    del expected["05"]
    assert labels(run) == expected


def test_planning_writes_nothing(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "relabel", "desk")])
    before = files(tmp_path)
    plan_fixes(run, accept_suggestions=True, decisions_file=decide_csv(tmp_path.parent, "05,delete,"))
    assert files(tmp_path) == before


def test_the_input_and_the_run_s_own_tables_are_not_touched(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "relabel", "desk"), decided("05", "delete")])
    before = files(tmp_path)
    apply_fixes(run, plan_fixes(run))
    after = files(tmp_path)
    assert {name: after.get(name) for name in before} == before
    assert {Path(name).parent.name for name in set(after) - set(before)} == {"cleaned"}
    assert not [path for path in run.folder.iterdir() if path.name.startswith(".")]


def test_the_cleaned_dataset_is_a_dataset_whose_photos_resolve(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "relabel", "desk"), decided("05", "delete")])
    apply_fixes(run, plan_fixes(run))
    listings = cleaned(run)
    assert listings.source.name == "shop-cleaned"
    assert listings.source.currency == "SGD"
    assert listings.source.expected == {"listings": 11, "classes": 3}
    assert listings.table["image"].isna().tolist() == [id == "09" for id in listings.table["id"]]
    for id, image in listings.table.set_index("id")["image"].dropna().items():
        photo = (listings.source.root / image).resolve()
        assert photo == tmp_path / "input" / "photos" / f"{id}.png"
        assert photo.is_file()
    # the row without a label and the one without a photo were bad before, and are now; no other became so
    assert listings.problems[["id", "column"]].to_numpy().tolist() == [["04", "label"], ["09", "image"]]


def test_others_may_read_the_cleaned_dataset_and_only_its_owner_may_write(run: RunFolder) -> None:
    run.decide([decided("05", "delete")])
    apply_fixes(run, plan_fixes(run))
    assert run.cleaned.stat().st_mode & 0o777 == 0o755


def test_the_cleaned_dataset_has_the_input_s_columns_and_cells(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "relabel", "NA")])
    apply_fixes(run, plan_fixes(run))
    before = pd.read_csv(tmp_path / "input" / "listings.csv", dtype=str, keep_default_na=False)
    after = pd.read_csv(run.cleaned / "listings.csv", dtype=str, keep_default_na=False)
    # `group` was empty in the input
    assert set(after.columns) == set(before.columns) - {"group"}
    assert after.loc[0, "label"] == "NA"
    after.loc[0, "label"] = before.loc[0, "label"]
    same = [name for name in after.columns if name != "image"]
    pd.testing.assert_frame_equal(after[same], before[same])


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
    rest = {"reviewer": "ana", "time": "2024-05-01T10:00:00.000+00:00", "source": "app", "note": "her words"}
    assert changes.to_dict("records") == [
        {"id": "00", "action": "relabel", "old_label": "chair", "new_label": "desk", **rest},
        {"id": "04", "action": "relabel", "old_label": "", "new_label": "NA", **rest},
        {"id": "05", "action": "delete", "old_label": "NA", "new_label": "", **rest},
    ]


def test_the_manifest_says_where_it_came_from(run: RunFolder) -> None:
    run.decide([decided("00", "relabel", "desk"), decided("05", "delete")])
    apply_fixes(run, plan_fixes(run))
    facts = manifest(run)
    assert facts["input"] == run.record()["dataset"]
    assert (facts["listings_before"], facts["listings_after"]) == (12, 11)
    assert (facts["relabelled"], facts["deleted"], facts["kept"]) == (1, 1, 0)
    written = files(run.cleaned)
    assert facts["sha256"] == {name: written[name] for name in ("dataset.toml", "listings.csv", "changes.csv")}


@pytest.mark.parametrize("action", ["relabel", "delete", "keep"])
def test_a_listing_without_a_label_can_be_decided_on(action: str, run: RunFolder) -> None:
    run.decide([decided("04", action, "desk" if action == "relabel" else None)])
    apply_fixes(run, plan_fixes(run))
    assert labels(run).get("04") == {"relabel": "desk"}.get(action)
    assert ("04" in labels(run)) == (action != "delete")


def test_a_relabel_to_the_given_label_is_no_change(run: RunFolder) -> None:
    run.decide([decided("00", "relabel", "chair")])
    fixes = plan_fixes(run)
    assert changed(fixes) == []
    assert fixes.counts() == {"relabelled": 0, "deleted": 0, "kept": 0}


@pytest.mark.parametrize("label", ["", "NA"])
def test_a_delete_is_done_whatever_label_stands_beside_it(label: str, run: RunFolder, tmp_path: Path) -> None:
    apply_fixes(run, plan_fixes(run, decisions_file=decide_csv(tmp_path, f"05,delete,{label}")))
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


def test_a_confidence_of_one_half_is_the_default(run: RunFolder) -> None:
    assert [decision.id for decision in plan_fixes(run, accept_suggestions=True).added] == ["00", "06"]


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


def test_decisions_of_a_csv_go_before_earlier_ones_and_before_suggestions(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "delete"), decided("05", "delete")])
    path = decide_csv(tmp_path, "00,relabel,NA", "06,keep,", "01,,desk")
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
        ("00,relabel,Desk", r"listing 00 can't be relabelled: got new_label 'Desk'.*Did you mean 'desk'\?"),
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
        DecisionsError, match=r"no suggestion has a confidence of 0\.98 or more.*lower `min_confidence`"
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


@pytest.mark.parametrize("name", ['the "good" shop', "back\\slash", "tab\tbed", "ü"])
def test_a_dataset_of_any_name_can_be_cleaned(name: str, tmp_path: Path) -> None:
    run = make_run(tmp_path, name)
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    assert cleaned(run).source.name == f"{name}-cleaned"


def test_applying_twice_keeps_the_version_before(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    first = files(run.cleaned)
    run.decide([decided("05", "delete")])
    apply_fixes(run, plan_fixes(run))
    assert "05" not in labels(run)
    assert labels(run)["00"] == "desk"
    assert files(run.folder / "versions" / "0001") == first
    run.decide([decided("03", "delete")])
    apply_fixes(run, plan_fixes(run))
    assert sorted(path.name for path in (run.folder / "versions").iterdir()) == ["0001", "0002"]


def test_undo_brings_the_version_before_back_step_by_step(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    first = files(run.cleaned)
    apply_fixes(run, plan_fixes(run, accept_suggestions=True, min_confidence=0.4))
    assert labels(run)["01"] == "NA"
    assert undo_fixes(run) == Undone(str(run.folder), 1, True, ())
    assert files(run.cleaned) == first
    assert sorted(current_decisions(run.decisions()[0])) == ["00", "06"]
    assert undo_fixes(run) == Undone(str(run.folder), 2, False, ())
    assert not run.cleaned.exists()
    assert current_decisions(run.decisions()[0]) == {}
    assert not [path.name for path in run.folder.iterdir() if path.name.startswith(".")]


def test_undo_takes_back_only_what_that_apply_added(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "delete"), decided("05", "delete")])
    apply_fixes(run, plan_fixes(run, decisions_file=decide_csv(tmp_path, "00,keep,", "07,delete,")))
    assert undo_fixes(run).undone == 2
    left = current_decisions(run.decisions()[0])
    assert {id: (decision.action, decision.source) for id, decision in left.items()} == {
        "00": ("delete", "app"),
        "05": ("delete", "app"),
    }


def test_undo_reports_the_lines_of_the_journal_that_it_can_not_read(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    with run.journal.open("a") as stream:
        stream.write("cut sh\n")
    undone = undo_fixes(run)
    assert undone.undone == 2
    (line,) = undone.damaged
    assert line.startswith("decisions.jsonl line 3 can't be read")


def test_undo_leaves_what_people_decided_after_the_apply(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    run.decide([decided("00", "keep"), decided("05", "delete")])
    undo_fixes(run)
    left = current_decisions(run.decisions()[0])
    assert {id: decision.action for id, decision in left.items()} == {"00": "keep", "05": "delete"}
    assert left["00"] == decided("00", "keep")
    # the suggestion is gone for good, not waiting below
    run.decide([decided("00", UNDO)])
    assert list(current_decisions(run.decisions()[0])) == ["05"]


def test_the_same_csv_applied_twice_and_undone_once_holds_still(run: RunFolder, tmp_path: Path) -> None:
    path = decide_csv(tmp_path, "00,relabel,NA")
    apply_fixes(run, plan_fixes(run, decisions_file=path))
    first = files(run.cleaned)
    apply_fixes(run, plan_fixes(run, decisions_file=path))
    assert undo_fixes(run) == Undone(str(run.folder), 1, True, ())
    assert files(run.cleaned) == first
    assert current_decisions(run.decisions()[0])["00"].new_label == "NA"


def test_undo_only_appends_to_the_journal(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    before = run.journal.read_bytes()
    undo_fixes(run)
    assert run.journal.read_bytes().startswith(before)
    assert [decision.action for decision in run.decisions()[0][2:]] == [UNDO, UNDO]


def test_apply_undo_apply_gives_the_same_labels(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    first = labels(run)
    undo_fixes(run)
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    assert labels(run) == first


def test_with_nothing_applied_there_is_nothing_to_undo(run: RunFolder) -> None:
    run.decide([decided("00", "keep")])
    with pytest.raises(RunError, match=r"there is nothing to undo in .*: got no cleaned/"):
        undo_fixes(run)
    assert [decision.action for decision in run.decisions()[0]] == ["keep"]


def test_a_write_that_fails_leaves_the_version_that_was_there(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    before = files(run.cleaned)

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    run.decide([decided("05", "delete")])
    fixes = plan_fixes(run)
    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="No space"):
        apply_fixes(run, fixes)
    assert files(run.cleaned) == before
    assert not [path.name for path in run.folder.iterdir() if path.name.startswith(".")]


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


def test_undo_leaves_what_a_person_decided_since_on_the_same_listing(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    run.decide([decided("00", "delete")])
    assert undo_fixes(run).undone == 2
    left = current_decisions(run.decisions()[0])
    assert {id: decision.action for id, decision in left.items()} == {"00": "delete"}


def test_one_decision_on_several_listings_relabels_each_as_suggested_or_all_as_named(run: RunFolder) -> None:
    decide(run, ["00", "01"], "relabel", label=None, reviewer="ana", note="")
    decide(run, ["02", "03"], "relabel", label="NA", reviewer="ben", note="both are lamps")
    decide(run, ["06"], "keep", label=None, reviewer=None, note="")
    records = run.decisions()[0]
    assert [(each.id, each.action, each.new_label, each.suggested_label, each.note) for each in records] == [
        ("00", "relabel", "desk", "desk", None),
        ("01", "relabel", "NA", "NA", None),
        ("02", "relabel", "NA", "chair", "both are lamps"),
        ("03", "relabel", "NA", "chair", "both are lamps"),
        ("06", "keep", None, "desk", None),
    ]
    assert [each.reviewer for each in records] == ["ana", "ana", "ben", "ben", reviewer_name()]
    with pytest.raises(DecisionsError, match="a label has no effect"):
        decide(run, ["00"], "keep", label="desk", reviewer="ana", note="")


def test_only_a_relabel_to_an_unknown_class_and_an_unknown_action_mean_nothing() -> None:
    assert misfit(decided("00", "keep"), CLASSES) == ""
    assert misfit(decided("00", "relabel", "desk"), CLASSES) == ""
    assert misfit(decided("00", "relabel", "sofa"), CLASSES) == "no class 'sofa'"
    assert misfit(decided("00", "relable", "desk"), CLASSES) == "unknown action 'relable'"
