"""Issue kinds are found by their files, and each brings its own columns, order and worth."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from curation.issues import COLUMNS, KINDS
from tests.curation.issues.test_issues import marketplace
from tests.project.structure import ROOT

NEW_KIND = '''
"""Listings without a title."""

import pandas as pd

from curation.evidence.evidence import Evidence
from curation.issues.base import IssueKind


def find(evidence: Evidence) -> pd.DataFrame:
    flagged = evidence.listings["title"].isna()
    return pd.DataFrame(
        {"is_untitled_issue": flagged, "untitled_letters": 0, "reason": flagged.map({True: "no title", False: ""})}
    )


KIND = IssueKind(
    name="untitled",
    order=8,
    title="Listings without a title",
    help="There is no title.",
    columns={"is_untitled_issue": "boolean", "untitled_letters": "int64"},
    worth=0.25,
    find=find,
)
'''


def test_a_kind_that_is_one_new_file_gets_columns_a_count_and_a_place_in_the_queue(tmp_path):
    for package in ("curation", "training"):
        shutil.copytree(ROOT / package, tmp_path / "code" / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "code" / "curation" / "issues" / "untitled.py").write_text(NEW_KIND)
    rows = [{"id": f"{i:02d}", "label": "desk" if i % 2 else "chair", "title": f"item {i}"} for i in range(40)]
    rows[7]["title"] = None
    pd.DataFrame(rows).to_csv(tmp_path / "listings.csv", index=False)
    sure = pd.DataFrame([{"id": row["id"], row["label"]: 0.999} for row in rows]).fillna(0.001)
    sure.to_csv(tmp_path / "probabilities.csv", index=False)
    command = "from curation.cli.commands import main; main()"
    options = ["find-issues", "listings.csv", "--probabilities", "probabilities.csv", "--run", "run", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", command, *options],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "code"), "PATH": "", "CURATE_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    summary, issues = json.loads(done.stdout), pd.read_csv(tmp_path / "run" / "issues.csv", dtype={"id": str})
    assert summary["issues"]["untitled"] == 1
    assert list(issues.columns) == [*COLUMNS, "is_untitled_issue", "untitled_letters"]
    first = issues.set_index("priority").loc[1]
    assert (first["id"], first["reasons"]) == ("07", "no title")
    # the label of every listing is as sure
    others = issues.loc[issues["id"] != "07", "change_chance"]
    assert np.allclose(1 - first["change_chance"], 0.75 * (1 - others.iloc[0]), atol=1e-3)
    assert "Listings without a title" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_returns_the_columns_that_it_declares(kind):
    evidence, _ = marketplace(60)
    assert set(kind.find(evidence)) == {*kind.columns, "reason"}


def test_the_columns_of_the_table_keep_their_places():
    # scripts read issues.csv by position, too
    assert list(COLUMNS) == [
        "id",
        "image",
        "given_label",
        "price",
        "is_label_issue",
        "label_score",
        "suggested_label",
        "suggested_confidence",
        "is_price_issue",
        "price_score",
        "price_low",
        "price_high",
        "suggested_price",
        "is_indirect_image_issue",
        "indirect_image_score",
        "is_near_duplicate_issue",
        "near_duplicate_score",
        "near_duplicate_group",
        "is_outlier_issue",
        "outlier_score",
        "is_unreadable_issue",
        "priority",
        "reasons",
        "change_chance",
        "is_photo_quality_issue",
        "photo_quality_score",
        "is_cleanlab_issue",
        "cleanlab_score",
        "none_of_these",
        "price_cause",
        "price_at_stake",
    ]
