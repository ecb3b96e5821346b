"""Confusions within a parent are told apart from those across."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import curation
from curation.evidence.hierarchy import Hierarchy
from tests.cli.test_cli import done

CLASSES = ("Games > Consoles", "Games > Video games", "Phones > Home")
N = 90


def write(folder: Path) -> list[object]:
    """Write a table whose first label is wrong within its parent, and the second and the third across."""
    truth = np.arange(N) % 3
    labels = [CLASSES[k] for k in truth]
    labels[0], labels[1], labels[4] = CLASSES[1], CLASSES[2], CLASSES[2]
    ids = [f"{row:02}" for row in range(N)]
    pd.DataFrame({"id": ids, "label": labels}).to_csv(folder / "listings.csv", index=False)
    probs = np.full((N, 3), 0.03) + np.random.default_rng(0).uniform(0, 0.01, (N, 3))
    probs[np.arange(N), truth] = 0.9
    probs /= probs.sum(axis=1, keepdims=True)
    pd.DataFrame(probs, columns=list(CLASSES)).assign(id=ids).to_csv(folder / "probs.csv", index=False)
    return ["find-issues", folder / "listings.csv", "--probabilities", folder / "probs.csv", "--no-text"]


def test_issues_summary_and_health_tell_them_apart(tmp_path):
    told = done(*write(tmp_path), "--label-separator", ">", "--run", tmp_path / "run")
    run = curation.open_run(tmp_path / "run")
    reasons = run.issues["reasons"]
    assert ", within Games: your model says so" in reasons[0]
    assert ", from Phones to Games" in reasons[1]
    assert run.listings["label_parent"].value_counts().to_dict() == {"Games": 58, "Phones": 32}
    assert run.listings["label"].isin(CLASSES).all()
    assert run.summary().parents == {"within": 1, "across": 2}
    line = "Labels that look wrong: 1 fits another class within its parent, 2 fit one of another parent."
    assert line in told.stdout
    pairs = {(pair["first"], pair["second"]): pair["within_parent"] for pair in run.health["confused"]}
    assert pairs[CLASSES[0], CLASSES[1]] is True
    assert pairs[CLASSES[1], CLASSES[2]] is False
    assert f"{CLASSES[1]} with {CLASSES[2]} (2 listings, across parents)" in told.stdout


def test_without_a_separator_nothing_is_said_of_parents(tmp_path):
    told = done(*write(tmp_path), "--run", tmp_path / "run")
    run = curation.open_run(tmp_path / "run")
    assert "label_parent" not in run.listings
    assert run.summary().parents is None
    assert {pair["within_parent"] for pair in run.health["confused"]} == {None}
    assert "within" not in told.stdout
    assert not run.issues["reasons"].str.contains("within|from Phones").any()


def test_the_cleaned_dataset_keeps_the_separator(tmp_path):
    done(*write(tmp_path), "--label-separator", ">", "--run", tmp_path / "run")
    curation.open_run(tmp_path / "run").apply_fixes(accept_suggestions=True, min_confidence=0.3)
    again = curation.read_listings(tmp_path / "run" / "cleaned", needs_image=False)
    assert again.table["label_parent"].dropna().unique().tolist() == ["Games", "Phones"]


@pytest.mark.parametrize(
    ("one", "other", "within"),
    [
        ("A > B > C", "A > B > D", True),
        ("A > B > C", "A > B", True),
        ("A > B", "A > B > C", True),
        ("A > B > C", "A > E > C", False),
        ("A > B > C", "Other", False),
        ("Other", "Elsewhere", False),
    ],
)
def test_a_class_and_the_one_above_it_are_within_a_parent(one, other, within):
    parents = {name: name.rpartition(">")[0].strip() for name in ("A > B > C", "A > B > D", "A > B", "A > E > C")}
    assert Hierarchy(parents).within(one, other) is within
