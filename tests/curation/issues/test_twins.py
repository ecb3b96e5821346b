"""Spellings of one name are judged as one class until they are merged."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import curation
from curation.evidence.evidence import Evidence
from curation.issues import find_issues
from curation.issues.health import health
from curation.issues.summary import agreement
from tests.cli.test_cli import done

#: As in shared/cases/17-twin-class-names: every class is written in two ways.
SPELLINGS = (
    ("Câble", "Câble", unicodedata.normalize("NFD", "Câble")),
    ("Mouse", "Mouse", "mouse"),
    ("Router", "Router", "Router\u200b"),
)
N = 90


def evidence_of(wrong: int = 4, *, spellings: tuple[tuple[str, ...], ...] = SPELLINGS) -> Evidence:
    """Return evidence of a model that knows the class but not the spelling; the first labels are those of others."""
    truth = np.arange(N) % 3
    labels = [spellings[truth[row]][row // 3 % 3] for row in range(N)]
    for row in range(wrong):
        labels[row] = spellings[(truth[row] + 1) % 3][0]
    classes = tuple(sorted(set(labels)))
    rng = np.random.default_rng(0)
    probs = np.full((N, len(classes)), 0.02) + rng.uniform(0, 0.01, (N, len(classes)))
    for column, name in enumerate(classes):
        mine = np.array([name in spellings[k] for k in truth])
        share = 1 / len({*spellings[[name in group for group in spellings].index(True)]})
        probs[mine, column] += 0.9 * share
    probs /= probs.sum(axis=1, keepdims=True)
    ids = [f"{row:03}" for row in range(N)]
    table = pd.DataFrame({"id": ids, "image": pd.NA, "label": labels, "price": np.nan, "title": pd.NA})
    table = table.assign(group=pd.NA, sha256=pd.NA, unreadable=pd.NA, near_group=pd.NA, near_likeness=np.nan)
    table = table.assign(text_share=np.nan, text=pd.NA, detail=np.nan, width=np.nan, height=np.nan)
    return Evidence(table.astype({"label": "string"}), classes, probs)


def test_a_twin_is_never_suggested_and_wrong_labels_are_found_all_the_same():
    evidence = evidence_of()
    issues = find_issues(evidence)
    assert issues["is_label_issue"].to_numpy().nonzero()[0].tolist() == [0, 1, 2, 3]
    assert issues["given_label"].tolist() == evidence.listings["label"].tolist()
    # the suggestion is the most frequent spelling
    assert issues["suggested_label"].tolist()[:4] == ["Câble", "Mouse", "Router", "Câble"]


def test_twins_give_the_scores_of_one_class():
    one_spelling = tuple((group[0],) * 3 for group in SPELLINGS)
    twins, single = evidence_of(), evidence_of(spellings=one_spelling)
    joined = twins.twins_as_one
    assert joined.classes == single.classes == ("Câble", "Mouse", "Router")
    assert joined.probs.sum(axis=1) == pytest.approx(1)
    assert joined.given.tolist() == single.given.tolist()
    same = Evidence(single.listings, single.classes, joined.probs)
    pd.testing.assert_series_equal(find_issues(twins)["label_score"], find_issues(same)["label_score"])


def test_all_outputs_of_the_models_are_added_up():
    evidence, rng = evidence_of(), np.random.default_rng(1)
    trained = np.zeros(evidence.probs.shape, dtype=bool)
    trained[:, evidence.classes.index("mouse")] = True
    logs, shares = np.log(rng.dirichlet(np.ones(6), N)), rng.dirichlet(np.ones(6), N)
    full = Evidence(evidence.listings, evidence.classes, evidence.probs, trained, None, logs, shares).twins_as_one
    assert full.trained is not None
    assert full.trained[0].tolist() == [False, True, False]
    for values in (np.exp(full.in_fold), full.neighbours, full.probs):
        assert values.sum(axis=1) == pytest.approx(1)


def test_a_listing_that_was_not_scored_stays_so():
    evidence = evidence_of()
    evidence.probs[5] = np.nan
    assert np.flatnonzero(~evidence.twins_as_one.scored).tolist() == [5]


def test_without_twins_the_evidence_is_the_same_object():
    evidence = evidence_of(spellings=(("a", "a", "a"), ("lamp", "lamp", "lamp"), ("A", "A", "A")))
    assert evidence.twins_as_one is evidence


def test_twins_are_no_confused_pair_and_one_row_of_the_health_report():
    evidence = evidence_of()
    report = health(evidence, find_issues(evidence))
    assert {row["class"]: row["listings"] for row in report["classes"]} == {"Câble": 29, "Mouse": 31, "Router": 30}
    assert all({pair["first"], pair["second"]} <= {"Câble", "Mouse", "Router"} for pair in report["confused"])


def test_reposts_under_two_spellings_have_the_same_label():
    evidence = evidence_of(0)
    evidence.listings.loc[[1, 7], "sha256"] = "0f"
    evidence.listings.loc[[2, 4], "sha256"] = "ff"
    assert evidence.listings["label"][[1, 7]].tolist() == ["Mouse", "mouse"]
    issues = find_issues(evidence)
    assert "there" not in issues["reasons"][1]
    assert "given Mouse there" in issues["reasons"][2]


def test_case_17_twin_class_names(tmp_path: Path):
    """Siblings: plurals, hyphens, full width (tests/curation/listings/test_twins.py), a map (test_labels.py)."""
    evidence = evidence_of()
    evidence.listings[["id", "label"]].to_csv(tmp_path / "listings.csv", index=False)
    columns = pd.DataFrame(evidence.probs, columns=list(evidence.classes))
    columns.insert(0, "id", evidence.listings["id"])
    columns.to_csv(tmp_path / "probs.csv", index=False)
    common = ["find-issues", tmp_path / "listings.csv", "--probabilities", tmp_path / "probs.csv", "--no-text"]

    told = done(*common, "--run", tmp_path / "run")
    said = [line for line in told.stderr.splitlines() if "written in several ways" in line]
    assert said == [
        "3 classes are probably written in several ways: Mouse (21) and mouse (10), Router (20) and Router\\u200b "
        "(10), Câble (19) and Ca\\u0302ble (10). Merge them with --merge-labels; until then they count as one class "
        "where labels are judged, and none is suggested for another."
    ]
    issues = pd.read_parquet(tmp_path / "run" / "issues.parquet")
    assert np.flatnonzero(issues["is_label_issue"]).tolist() == [0, 1, 2, 3]
    reached = agreement(curation.open_run(tmp_path / "run")._files)
    assert (reached.with_given_labels, reached.largest_class) == (86 / 90, 31 / 90)

    done(*common, "--merge-labels", "--run", tmp_path / "merged")
    merged = pd.read_parquet(tmp_path / "merged" / "issues.parquet")
    assert sorted(merged["given_label"].unique()) == ["Câble", "Mouse", "Router"]
    assert merged["suggested_label"].dropna().tolist() == issues["suggested_label"].dropna().tolist()


@pytest.mark.parametrize("form", ["columns", "array"])
def test_probabilities_of_the_old_names_are_added_up_where_labels_were_merged(tmp_path, form):
    evidence = evidence_of(spellings=(("laptop", "laptop", "notebook"), ("mouse", "mouse", "Mouse"), ("tv",) * 3))
    evidence.listings[["id", "label"]].to_csv(tmp_path / "listings.csv", index=False)
    (tmp_path / "dataset.toml").write_text('[labels]\n"notebook" = "computer"\n"laptop" = "computer"\n')
    listings = curation.read_listings(tmp_path, needs_image=False, merge_labels=True)
    ids = evidence.listings["id"].to_numpy(dtype=str)
    named = curation.Probabilities(ids, evidence.classes, evidence.probs, np.full(N, -1))
    given = named if form == "columns" else evidence.probs
    run = curation.find_issues(listings, probabilities=given, text=False, run=tmp_path / "run")
    kept = run.probabilities()
    assert set(kept.classes) == {"computer", "mouse", "tv"}
    assert kept.probs.sum(axis=1) == pytest.approx(1)
    assert np.flatnonzero(run.issues["is_label_issue"]).tolist() == [0, 1, 2, 3]
