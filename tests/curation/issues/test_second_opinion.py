"""cleanlab's own flags beside ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

import curation
from curation.errors import InputError
from curation.evidence.evidence import CLEANLAB
from curation.find import FindSettings
from curation.issues import COLUMNS, find_issues
from curation.issues.label.second_opinion import second_opinion
from curation.issues.summary import Overlap, overlap
from curation.run.flags import flags_by_kind
from tests.cli.test_cli import done
from tests.curation.issues.test_health import dataset, evidence_of


def test_flags_and_scores_are_those_of_cleanlab():
    evidence = dataset(noise=0.2, sure=2.0)
    issues = find_issues(evidence)
    expected = find_label_issues(evidence.given, evidence.probs)
    assert 20 < expected.sum() < 200
    assert issues["is_cleanlab_issue"].tolist() == expected.tolist()
    assert issues["cleanlab_score"].to_numpy() == pytest.approx(
        get_label_quality_scores(evidence.given, evidence.probs)
    )


@pytest.mark.parametrize("seed", range(24))
def test_random_tables_have_the_flags_of_cleanlab_to_the_last_one(seed):
    rng = np.random.default_rng(seed)
    classes, listings = int(rng.integers(2, 12)), int(rng.integers(15, 900))
    given = np.concatenate([np.arange(classes), rng.choice(classes, listings, p=rng.dirichlet(np.ones(classes)))])
    probs = rng.dirichlet(np.full(classes, rng.uniform(0.05, 2)), size=len(given)).astype(rng.choice(["f4", "f8"]))
    probs[np.arange(len(given)), given] += rng.uniform(0, 2) * (rng.random(len(given)) < 0.8)
    if seed % 3 == 0:
        # many equal ones
        probs = probs.round(1) + probs.dtype.type(0.05)
    probs /= probs.sum(axis=1, keepdims=True)
    evidence = evidence_of(given, probs)
    opinion = second_opinion(evidence)
    mass = probs.sum(axis=1, keepdims=True)
    with warnings.catch_warnings(action="ignore"):
        expected = find_label_issues(given, probs / mass, n_jobs=1)
    assert opinion.flagged.tolist() == expected.tolist()
    assert np.array_equal(opinion.score, get_label_quality_scores(given, probs / mass))


def test_listings_without_label_or_probabilities_have_no_score_and_classes_that_do_not_occur_do_not_matter():
    probs = np.array([[0.8, 0.2, 0.0], [0.3, 0.3, 0.4], [0.9, 0.1, 0.0], [np.nan] * 3, [0.1, 0.9, 0.0]])
    given = np.array([0, -1, 1, 0, 1])
    opinion = second_opinion(evidence_of(given, probs))
    assert opinion.score == pytest.approx([0.8, np.nan, 0.1, np.nan, 0.9], nan_ok=True)
    assert opinion.flagged.tolist() == [False, False, True, False, False]


def test_without_probabilities_or_with_one_class_the_columns_are_empty():
    for given, probs in (([0, 0, 0], np.full((3, 2), 0.5)), ([0, 1, 0], np.full((3, 2), np.nan))):
        issues = find_issues(evidence_of(np.array(given), probs))
        assert issues["is_cleanlab_issue"].isna().all()
        assert issues["cleanlab_score"].isna().all()
        assert overlap(issues) is None


def test_they_are_no_kind_of_issue_and_their_columns_follow_all_that_came_before_them():
    assert list(COLUMNS)[26:29] == ["is_cleanlab_issue", "cleanlab_score", "none_of_these"]
    assert "cleanlab" not in flags_by_kind(COLUMNS)


def test_flags_of_cleanlab_hold_if_asked_for_with_a_suggestion_each_and_nothing_else_changes():
    evidence = dataset(noise=0.02, sure=3.0)
    ours, theirs = find_issues(evidence), find_issues(replace(evidence, flags=CLEANLAB))
    assert theirs["is_label_issue"].tolist() == theirs["is_cleanlab_issue"].tolist()
    assert theirs["is_label_issue"].tolist() != ours["is_label_issue"].tolist()
    flagged = theirs[theirs["is_label_issue"]]
    assert flagged["suggested_label"].notna().all()
    assert flagged["reasons"].str.startswith("given class").all()
    # among them are labels that we believe
    assert (flagged["label_score"] > 0.5).any()
    same = ["label_score", "change_chance", "cleanlab_score"]
    assert theirs[same].equals(ours[same])
    counts = overlap(theirs)
    assert counts == Overlap(len(flagged), len(flagged))


def test_a_label_that_is_missing_is_flagged_in_either_case():
    evidence = dataset()
    missing = replace(
        evidence, listings=evidence.listings.assign(label=evidence.listings["label"].where(lambda s: s.index > 0))
    )
    for flags in ("curate", CLEANLAB):
        assert find_issues(replace(missing, flags=flags))["is_label_issue"].iloc[0]


def test_the_summary_compares_and_the_settings_say_whose_flags_hold(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo = curation.demo("shop", listings=120)
    listings = curation.read_listings(demo.folder)
    rng = np.random.default_rng(0)
    number = {name: k for k, name in enumerate(listings.classes)}
    probs = rng.dirichlet(np.full(12, 0.3), size=120)
    for row, label in enumerate(listings.table["label"]):
        probs[row] += 2 * np.eye(12)[number[label]] if row % 6 else 0
    probs /= probs.sum(axis=1, keepdims=True)
    np.savez("probs.npz", ids=listings.table["id"].to_numpy(str), pred_probs=probs, class_names=listings.classes)
    command = ("find-issues", "shop", "--probabilities", "probs.npz", "--no-text")
    printed = done(*command, "--flags", "cleanlab").output
    run = curation.open_run()
    for said in (" ".join(printed.split()), (run.folder / "report.html").read_text()):
        assert "cleanlab flags it with its defaults" in said
        assert "Photo, title and price together" not in said
        # they are no second opinion on themselves
        assert "of them are among" not in said
    assert json.loads((run.folder / "run.json").read_text())["settings"]["flags"] == "cleanlab"
    printed = done(*command).output
    run = curation.open_run()
    counts = run.summary().cleanlab
    assert counts is not None
    assert counts.flagged > 0
    assert f"cleanlab flags {counts.flagged} labels; {counts.both} of them" in " ".join(printed.split())
    assert "With its defaults, cleanlab flags" in (run.folder / "report.html").read_text()


def test_flags_of_somebody_else_are_refused():
    with pytest.raises(InputError, match="source of the flags"):
        FindSettings(flags="cleanlabs")


def test_a_run_on_given_probabilities_loads_nothing_that_trains(tmp_path: Path):
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b", "c"])[rng.integers(0, 3, 40)]
    rows = [f"L{row},{label},{row + 5}" for row, label in enumerate(labels)]
    (tmp_path / "listings.csv").write_text("\n".join(["id,label,price", *rows]) + "\n")
    np.save(tmp_path / "probs.npy", rng.dirichlet(np.ones(3), size=40))
    code = (
        "import sys, curation\n"
        "listings = curation.read_listings('listings.csv', needs_image=False)\n"
        "curation.find_issues(listings, run='run', probabilities='probs.npy')\n"
        "import curation.comparison.compare\n"
        "print([name for name in ('torch', 'torchvision') if name in sys.modules])"
    )
    root = Path(__file__).parents[3]
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.splitlines()[-1] == "[]"


def test_of_cleanlab_only_what_flags_is_loaded_and_whoever_imports_it_later_gets_all_of_it():
    code = """
import sys
from curation.issues.label import second_opinion
parts = second_opinion._cleanlab()
assert callable(parts.filter.find_label_issues)
assert "datasets" not in sys.modules
assert "cleanlab" not in sys.modules
import cleanlab
assert cleanlab.Datalab.__name__ == "Datalab"
assert second_opinion._cleanlab() is parts
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
