"""Labels that reading merged, in what apply-fixes writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import curation

LABELS = ["Mouse", "Mouse", "mouse", "notebook", "Laptop", "Laptop", "Mouse", "Laptop", "mouse", "notebook"]


def merged_run(folder: Path) -> curation.Run:
    ids = [f"{row:02}" for row in range(40)]
    labels = LABELS * 4
    table = pd.DataFrame({"id": ids, "Category": labels, "price": [f"{row + 5}" for row in range(40)]})
    table.to_csv(folder / "listings.csv", index=False)
    (folder / "dataset.toml").write_text('[columns]\nlabel = "Category"\n[labels]\n"notebook" = "Laptop"\n')
    listings = curation.read_listings(folder, needs_image=False, merge_labels=True)
    assert listings.classes == ("Laptop", "Mouse")
    probs = np.array([[0.9, 0.1] if name in ("notebook", "Laptop") else [0.1, 0.9] for name in labels])
    return curation.find_issues(listings, probabilities=probs, text=False, run=folder / "run")


def test_merges_are_changes_and_are_in_the_cleaned_dataset(tmp_path):
    run = merged_run(tmp_path)
    before = (tmp_path / "listings.csv").read_bytes()
    fixes = run.apply_fixes()
    merges = fixes.changes[["action", "old_label", "new_label"]].value_counts()
    assert merges.to_dict() == {("merge", "mouse", "Mouse"): 8, ("merge", "notebook", "Laptop"): 8}
    assert fixes.counts()["merged"] == 16
    written = pd.read_csv(run.folder / "cleaned" / "changes.csv", dtype=str)
    assert written["action"].tolist() == ["merge"] * 16
    again = curation.read_listings(run.folder / "cleaned", needs_image=False)
    assert again.table["label"].value_counts().to_dict() == {"Laptop": 20, "Mouse": 20}
    assert (tmp_path / "listings.csv").read_bytes() == before
    assert run.undo().undone == 0
    assert not (run.folder / "cleaned").exists()


def test_a_decision_on_a_merged_listing_is_one_row_with_its_label_in_the_input(tmp_path):
    run = merged_run(tmp_path)
    run.decide("02", "relabel", label="Laptop")
    run.decide("03", "delete")
    run.decide("08", "keep")
    run.decide("09", "reprice", price=77)
    changes = run.apply_fixes().changes.set_index("id")
    assert changes.index.is_unique
    columns = ["action", "old_label", "new_label"]
    assert changes.loc["02", columns].tolist() == ["relabel", "mouse", "Laptop"]
    assert changes.loc["03", columns[:2]].tolist() == ["delete", "notebook"]
    assert changes.loc["08", columns].tolist() == ["merge", "mouse", "Mouse"]
    assert changes.loc["09", [*columns, "new_price"]].tolist() == ["merge", "notebook", "Laptop", "77"]
    cleaned = curation.read_listings(run.folder / "cleaned", needs_image=False).table.set_index("id")
    assert cleaned.loc[["02", "08", "09"], "label"].tolist() == ["Laptop", "Mouse", "Laptop"]
    assert cleaned.loc["09", "price"] == 77
    assert "03" not in cleaned.index


def test_the_changes_of_one_copy_of_a_run_are_decisions_in_another(tmp_path):
    run = merged_run(tmp_path)
    other = curation.Run(Path(shutil.copytree(run.folder, tmp_path / "other")))
    other.decide("02", "keep")
    run.decide("02", "relabel", label="Laptop")
    run.decide("03", "delete")
    run.decide("09", "reprice", price=77.25)
    run.apply_fixes()
    changes = other.apply_fixes(run.folder / "cleaned/changes.csv").changes
    written = pd.read_csv(run.folder / "cleaned/changes.csv", dtype="string")
    columns = ["id", "action", "old_label", "new_label", "new_price"]
    assert changes[columns].equals(written[columns])
    (tmp_path / "typed.csv").write_text("id,decision,new_label\n04,merge,Laptop\n")
    with pytest.raises(curation.DecisionsError, match="unknown action"):
        other.apply_fixes(tmp_path / "typed.csv")


def test_the_run_records_what_was_merged(tmp_path):
    dataset = json.loads((merged_run(tmp_path).folder / "run.json").read_text())["dataset"]
    assert dataset["merged"] == [
        {"old": "mouse", "new": "Mouse", "listings": 8},
        {"old": "notebook", "new": "Laptop", "listings": 8},
    ]


def test_a_spelling_with_a_blank_at_its_end_is_written_as_its_class(tmp_path):
    labels = ["Mouse ", "Mouse", "Laptop", "Mouse", "Laptop"] * 8
    table = pd.DataFrame({"id": [f"{row:02}" for row in range(40)], "label": labels})
    table.to_csv(tmp_path / "listings.csv", index=False)
    probs = np.array([[0.1, 0.9] if name.startswith("Mouse") else [0.9, 0.1] for name in labels])
    for merge, merged in ((True, 8), (False, 0)):
        listings = curation.read_listings(tmp_path, needs_image=False, merge_labels=merge)
        run = curation.find_issues(listings, probabilities=probs, text=False, run=tmp_path / f"run-{merge}")
        run.decide("05", "relabel", label="Mouse")
        counts = run.apply_fixes().counts()
        assert (counts["merged"], counts["kept"]) == (merged, 0 if merge else 1)
        written = pd.read_csv(run.folder / "cleaned" / "listings.csv", dtype=str)["label"]
        assert (written == "Mouse ").sum() == 8 - merged
