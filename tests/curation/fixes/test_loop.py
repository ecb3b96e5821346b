"""Find issues, apply fixes, and find issues in what came out: whole loops with given probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import curation
from tests.curation.fixes.test_cleaned import photos
from tests.curation.fixes.test_cleaned_layouts import class_folders


def found(source: Path, folder: Path) -> curation.Run:
    listings = curation.read_listings(source)
    # every listing is probably what its neighbour is
    sure = np.full((len(listings.table), len(listings.classes)), 0.1 / (len(listings.classes) - 1))
    classes = {name: place for place, name in enumerate(listings.classes)}
    for row, label in enumerate(listings.table["label"].tolist()):
        sure[row, classes[label]] = 0.9
    return curation.find_issues(listings, probabilities=sure, run=folder, text=False)


@pytest.mark.parametrize("name", ["export.csv", "export.xlsx", "folders"])
def test_what_comes_out_goes_in_again_without_options(name: str, tmp_path: Path) -> None:
    root = tmp_path / "in"
    if name == "folders":
        source = class_folders(root)
    else:
        photos(root / "photos", *(f"{n}.png" for n in range(12)))
        table = pd.DataFrame(
            {
                "SKU": [f"{n:05}" for n in range(12)],
                "Category": ["lamp", "sofa"] * 6,
                "Photo": [f"photos/{n}.png" for n in range(12)],
                "Asking price": [f"£{n + 1},{n:03}" for n in range(12)],
            }
        )
        source = root / name
        table.to_csv(source, index=False) if name.endswith("csv") else table.to_excel(source, index=False)
    run = found(source, tmp_path / "one")
    first, second, third = run.listings["id"][:3]
    other = next(label for label in run.listings["label"].unique() if label != run.listings["label"][0])
    run.decide(first, "relabel", label=other)
    run.decide(second, "delete")
    if name != "folders":
        run.decide(third, "reprice", price=450)
    notes = run.apply_fixes().notes
    assert notes == ()
    again = found(run.folder / "cleaned", tmp_path / "two")
    assert len(again.issues) == len(run.issues) - 1
    before, after = run.listings, again.listings
    assert after["sha256"].tolist() != []
    # photos tell listings apart whose ids are paths
    labels = dict(zip(after["sha256"], after["label"], strict=True))
    expected = dict(zip(before["sha256"], before["label"], strict=True))
    expected[before["sha256"][0]] = other
    del expected[before["sha256"][1]]
    assert labels == expected
    if name != "folders":
        assert after["price"].tolist()[1] == 450
        assert after.columns.tolist() == before.columns.tolist()
