"""Writing the cleaned dataset, and going back to the version before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from curation.errors import RunError
from curation.fixes import Undone, apply_fixes, plan_fixes, undo_fixes, versions
from curation.run.folder import RunFolder
from curation.run.journal import UNDO, current_decisions
from tests.support.fixes import (
    cleaned,
    decide_csv,
    decided,
    files,
    labels,
    make_run,
    manifest,
)


def test_the_input_and_the_run_s_own_tables_are_not_touched(run: RunFolder, tmp_path: Path) -> None:
    run.decide([decided("00", "relabel", "desk"), decided("05", "delete")])
    before = files(tmp_path)
    apply_fixes(run, plan_fixes(run))
    after = files(tmp_path)
    # the journal is only appended to
    journal = run.journal.relative_to(tmp_path).as_posix()
    assert {name: after.get(name) for name in before if name != journal} | {journal: before[journal]} == before
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


def test_the_manifest_says_where_it_came_from(run: RunFolder) -> None:
    run.decide([decided("00", "relabel", "desk"), decided("05", "delete")])
    apply_fixes(run, plan_fixes(run))
    facts = manifest(run)
    assert facts["input"] == run.record()["dataset"]
    assert (facts["listings_before"], facts["listings_after"]) == (12, 11)
    assert (facts["relabelled"], facts["deleted"], facts["kept"]) == (1, 1, 0)
    written = files(run.cleaned)
    assert facts["sha256"] == {name: written[name] for name in ("dataset.toml", "listings.csv", "changes.csv")}


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
    assert line.startswith("decisions.jsonl line 5 can't be read")


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
    monkeypatch.setattr(versions, "write_csv", full)
    with pytest.raises(OSError, match="No space"):
        apply_fixes(run, fixes)
    assert files(run.cleaned) == before
    assert not [path.name for path in run.folder.iterdir() if path.name.startswith(".")]


def test_undo_leaves_what_a_person_decided_since_on_the_same_listing(run: RunFolder) -> None:
    apply_fixes(run, plan_fixes(run, accept_suggestions=True))
    run.decide([decided("00", "delete")])
    assert undo_fixes(run).undone == 2
    left = current_decisions(run.decisions()[0])
    assert {id: decision.action for id, decision in left.items()} == {"00": "delete"}
