"""Listings that belong to none of the classes: their chance, their reason, and what stays as it was."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from curation.evidence.evidence import Evidence
from curation.issues import find_issues
from curation.issues.label.none_of_these import FEWEST_CLASSES, FEWEST_LISTINGS
from curation.issues.summary import _expected_none
from tests.support.listings import evidence_of

CLASSES = ("cable", "laptop", "mouse", "phone", "printer", "tablet")


def marketplace(
    strange: int = 15, n: int = 400, classes: int = 6, mistaken: int = 20, titles: bool = False
) -> Evidence:
    """Return evidence whose first listings are of a class that the set lacks, and the next ones mislabelled."""
    rng = np.random.default_rng(0)
    true = np.where(np.arange(n) < strange, classes, np.arange(n) % classes)
    features = rng.normal(0, 1, (n, 24)).astype(np.float32)
    features[np.arange(n), true] += 6
    # what a model says that was trained on the classes
    probs = np.exp(1.5 * np.clip(features[:, :classes].astype(np.float64), -2, 4))
    probs /= probs.sum(axis=1, keepdims=True)
    labels = np.where(true == classes, rng.integers(0, classes, n), true)
    wrong = slice(strange, strange + mistaken)
    labels[wrong] = (true[wrong] + rng.integers(1, classes, mistaken)) % classes
    names = CLASSES[:classes]
    # each a word of its own: one that many of them share is soon known
    new = [f"thing{'abcdefghijklmno'[row]}" if k == classes else names[k] for row, k in enumerate(true)]
    words = {"title": pd.array(new, dtype="string")} if titles else {}
    return evidence_of([names[k] for k in labels], names, probs=probs, features=features, **words)


def chances(evidence: Evidence) -> pd.Series:
    return find_issues(evidence)["none_of_these"]


@pytest.mark.parametrize("titles", [False, True])
def test_listings_of_a_class_that_the_set_lacks_have_the_highest_chances(titles: bool) -> None:
    found = chances(marketplace(titles=titles))
    assert found.between(0, 1).all()
    assert (found.nlargest(15).index < 15).mean() >= 0.8
    assert found[:15].mean() > 5 * found[15:35].mean()


def test_a_set_without_such_listings_expects_hardly_any() -> None:
    assert chances(marketplace(strange=0)).sum() < 2
    assert chances(marketplace(strange=0, mistaken=0)).sum() < 1


def test_the_chances_that_the_label_the_suggestion_or_none_is_right_never_exceed_one() -> None:
    issues = find_issues(marketplace())
    together = issues["label_score"] + issues["suggested_confidence"].fillna(0) + issues["none_of_these"]
    assert together.max() <= 1 + 1e-9


def test_the_reason_of_a_flag_says_so_where_that_is_likelier_than_the_suggestion() -> None:
    issues = find_issues(marketplace())
    said = issues["reasons"].str.contains("perhaps none of the classes", regex=False)
    expected = issues["is_label_issue"] & (issues["none_of_these"] > issues["suggested_confidence"])
    assert said.tolist() == expected.tolist()
    first = issues[said].iloc[0]
    assert f"; perhaps none of the classes ({first['none_of_these']:.2f})" in first["reasons"]


def test_flags_suggestions_and_queue_are_the_same_without_these_chances(monkeypatch: pytest.MonkeyPatch) -> None:
    issues = find_issues(marketplace())
    nothing = lambda evidence, right, suggested: np.full(len(right), np.nan)  # noqa: E731
    monkeypatch.setattr("curation.issues.label.kind.none_of_these", nothing)
    others = [name for name in issues if name not in ("none_of_these", "reasons")]
    pd.testing.assert_frame_equal(find_issues(marketplace())[others], issues[others])


def test_the_order_of_the_table_changes_nothing() -> None:
    evidence = marketplace(titles=True)
    order = np.random.default_rng(1).permutation(len(evidence.listings))
    assert evidence.features is not None
    assert evidence.trained is not None
    shuffled = replace(
        evidence,
        listings=evidence.listings.iloc[order].reset_index(drop=True),
        probs=evidence.probs[order],
        features=evidence.features[order],
        trained=evidence.trained[order],
    )
    assert np.array_equal(chances(shuffled).to_numpy(), chances(evidence).to_numpy()[order])


@pytest.mark.parametrize(
    ("evidence", "known"),
    [
        (marketplace(classes=FEWEST_CLASSES), True),
        (marketplace(classes=FEWEST_CLASSES - 1), False),
        (marketplace(n=FEWEST_LISTINGS), True),
        (marketplace(n=FEWEST_LISTINGS - 1), False),
        (replace(marketplace(), features=None), False),
    ],
)
def test_there_are_no_chances_without_enough_classes_listings_and_features(evidence: Evidence, known: bool) -> None:
    assert chances(evidence).notna().all() == known
    assert chances(evidence).notna().any() == known


def test_a_listing_without_a_photo_or_without_a_label_has_no_chance() -> None:
    evidence = marketplace()
    evidence.probs[20] = np.nan
    listings = evidence.listings.copy()
    listings.loc[21, "label"] = pd.NA
    found = chances(replace(evidence, listings=listings))
    assert np.flatnonzero(found.isna()).tolist() == [20, 21]


def test_the_summary_adds_the_chances_up_and_has_no_sum_for_older_runs() -> None:
    issues = find_issues(marketplace())
    assert _expected_none(issues) == pytest.approx(issues["none_of_these"].sum())
    assert _expected_none(issues.drop(columns="none_of_these")) is None
    assert _expected_none(issues.assign(none_of_these=np.nan)) is None
