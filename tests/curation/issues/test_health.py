"""The health of a dataset's labels, on planted noise."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from curation.evidence.evidence import Evidence
from curation.issues import find_issues
from curation.issues.health import FEW, doubtful, health, often_confused
from tests.support.photo_facts import nothing_found


def dataset(n: int = 400, classes: int = 4, noise: float = 0.1, seed: int = 0, sure: float = 4.0) -> Evidence:
    """Return evidence whose model is right about most photos; labels are wrong at random."""
    rng = np.random.default_rng(seed)
    true = np.arange(n) % classes
    given = np.where(rng.random(n) < noise, (true + rng.integers(1, classes, n)) % classes, true)
    return evidence_of(given, beliefs(true, classes, rng, sure))


def beliefs(true: Any, classes: int, rng: np.random.Generator, sure: float = 4.0) -> Any:
    logits = rng.normal(0, 1, (len(true), classes))
    logits[np.arange(len(true)), true] += sure
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def evidence_of(given: Any, probs: Any, **columns: Any) -> Evidence:
    names = names_of(probs.shape[1])
    listings = pd.DataFrame(
        {
            "id": pd.array([f"L{row:05}" for row in range(len(given))], dtype="string"),
            "image": pd.array([pd.NA] * len(given), dtype="string"),
            "label": pd.array([names[k] if k >= 0 else pd.NA for k in given], dtype="string"),
            "price": np.nan,
            "sha256": pd.array([pd.NA] * len(given), dtype="string"),
            **nothing_found(len(given)),
            "unreadable": pd.array([pd.NA] * len(given), dtype="string"),
        }
    )
    return Evidence(listings.assign(**columns), names, probs)


def names_of(classes: int) -> tuple[str, ...]:
    return tuple(f"class {k:04}" for k in range(classes))


def flags(evidence: Evidence, which: Any = None, suggested: Any = None) -> pd.DataFrame:
    """Return issues that flag the listings in `which` for sure; by default those that the model disbelieves."""
    believed = evidence.probs.argmax(axis=1)
    which = believed != evidence.given if which is None else which
    names = np.array(evidence.classes)[believed if suggested is None else suggested]
    unknown = (evidence.given < 0) | ~evidence.trained_on_label | np.isnan(evidence.probs[:, 0])
    return pd.DataFrame(
        {
            "is_label_issue": pd.array(which, dtype="boolean"),
            "label_score": np.where(unknown, np.nan, np.where(which, 0.0, 1.0)),
            "suggested_label": pd.Series(names, dtype="string").where(which),
            "suggested_confidence": np.where(which, 0.9, np.nan),
        }
    )


def health_of(evidence: Evidence) -> dict[str, Any]:
    return health(evidence, flags(evidence))


def by_class(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["class"]: row for row in report["classes"]}


def test_the_estimate_is_near_the_share_of_planted_wrong_labels() -> None:
    for noise in (0.0, 0.1, 0.3):
        report = health_of(dataset(1000, noise=noise))
        assert report["label_health"] == pytest.approx(1 - noise, abs=0.05)
        assert report["noise_count"] == round((1 - report["label_health"]) * report["listings"])


def test_the_estimates_add_up_the_chances_of_the_issues() -> None:
    evidence = dataset()
    issues = find_issues(evidence)
    report = health(evidence, issues)
    assert report["label_health"] == pytest.approx(issues["label_score"].mean(), abs=1e-4)
    assert report["noise_count"] == round((1 - issues["label_score"]).sum())
    for name, row in by_class(report).items():
        scores = issues.loc[issues["given_label"] == name, "label_score"]
        assert row["label_quality"] == pytest.approx(scores.mean(), abs=1e-4)
        assert row["estimated_noise"] == pytest.approx(1 - scores.mean(), abs=1e-4)


def test_a_pair_is_estimated_by_the_confidence_of_its_suggestions_in_both_directions() -> None:
    evidence = dataset()
    issues = find_issues(evidence)
    suggested = issues.dropna(subset="suggested_label")
    assert report_pairs(health(evidence, issues)) == {
        pair: pytest.approx(
            suggested.loc[
                [
                    {*names} == {*pair}
                    for names in zip(suggested["given_label"], suggested["suggested_label"], strict=True)
                ],
                "suggested_confidence",
            ].sum()
            / 400,
            abs=1e-4,
        )
        for pair in report_pairs(health(evidence, issues))
    }


def report_pairs(report: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {(pair["first"], pair["second"]): pair["share"] for pair in report["confused"]}


def test_the_class_with_most_wrong_labels_is_the_worst() -> None:
    rng = np.random.default_rng(0)
    true = np.arange(400) % 4
    given = np.where((true == 1) & (rng.random(400) < 0.5), 2, true)
    report = health_of(evidence_of(given, beliefs(true, 4, rng)))
    worst = report["classes"][0]
    assert worst["class"] == "class 0002"
    assert worst["listings"] == (given == 2).sum()
    assert worst["label_quality"] == min(row["label_quality"] for row in report["classes"])
    assert worst["estimated_noise"] == pytest.approx(1 - worst["label_quality"])
    assert (report["confused"][0]["first"], report["confused"][0]["second"]) == ("class 0001", "class 0002")
    assert doubtful(report, 5)[0]["class"] == "class 0002"


def test_flagged_listings_are_those_that_the_issues_flag() -> None:
    evidence = dataset()
    issues = find_issues(evidence)
    report = health(evidence, issues)
    counted = issues[issues["is_label_issue"]]["given_label"].value_counts()
    assert {name: row["flagged"] for name, row in by_class(report).items()} == {
        name: counted.get(name, 0) for name in evidence.classes
    }
    assert sum(pair["flagged"] for pair in report["confused"]) == issues["is_label_issue"].sum()


def test_a_pair_counts_flags_of_both_directions() -> None:
    evidence = dataset(120, classes=3, noise=0.0)
    which = np.isin(np.arange(120), [0, 3, 1, 2])
    suggested = np.array([1, 0, 0, *[1] * 117])
    report = health(evidence, flags(evidence, which, suggested))
    assert [(pair["first"], pair["second"], pair["flagged"]) for pair in often_confused(report, 5)] == [
        ("class 0000", "class 0001", 3)
    ]


def test_a_class_that_nobody_is_given_changes_nothing_and_is_not_named() -> None:
    evidence = dataset()
    wider = np.insert(evidence.probs, 2, 0.0, axis=1)
    moved = np.where(evidence.given >= 2, evidence.given + 1, evidence.given)
    report, expected = health_of(evidence_of(moved, wider)), health_of(evidence)
    assert "class 0002" not in by_class(report)
    assert report["label_health"] == expected["label_health"]
    assert [row["label_quality"] for row in report["classes"]] == [row["label_quality"] for row in expected["classes"]]


@pytest.mark.parametrize(("n", "classes"), [(30, 2), (30, 5), (30, 30), (400, 2), (3000, 1000)])
def test_any_number_of_classes_gives_whole_and_finite_results(n: int, classes: int) -> None:
    evidence = dataset(n, classes, sure=8.0)
    report = health_of(evidence)
    assert 0.5 < report["label_health"] <= 1
    assert len(report["classes"]) == len(np.unique(evidence.given))
    assert len(report["confused"]) <= 10
    json.dumps(report, allow_nan=False)


def test_one_flagged_listing_of_one_is_neither_the_worst_class_nor_doubtful() -> None:
    evidence = dataset(401, noise=0.0)
    given = np.where(np.arange(401) % 8 == 0, 1, evidence.given)
    given[400] = 4
    report = health_of(evidence_of(given, np.insert(0.999 * evidence.probs, 4, 0.001, axis=1)))
    assert by_class(report)["class 0004"]["flagged"] == 1
    assert report["classes"][0]["class"] == "class 0001"
    assert [row["class"] for row in doubtful(report, 5)] == ["class 0001"]


def test_a_class_with_few_flags_is_not_doubtful() -> None:
    evidence = dataset(400, noise=0.0)
    which = np.isin(np.arange(400), [0, 4, 1, 5, 9, 13])
    report = health(evidence, flags(evidence, which))
    assert [(row["class"], row["flagged"]) for row in doubtful(report, 5)] == [("class 0001", 4)]
    assert 4 / 100 > FEW > 2 / 100


def test_without_any_probabilities_the_result_is_empty() -> None:
    evidence = evidence_of(np.arange(30) % 3, np.full((30, 3), np.nan))
    assert health(evidence, find_issues(evidence)) == {
        "label_health": None,
        "noise_count": None,
        "listings": 0,
        "classes": [],
        "unscored": [],
        "confused": [],
    }


def test_listings_without_photo_or_label_count_in_no_estimate() -> None:
    evidence = dataset()
    given, probs = (
        np.append(evidence.given, [-1, 0]),
        np.vstack([evidence.probs, evidence.probs[:1], np.full(4, np.nan)]),
    )
    more = evidence_of(given, probs)
    issues = flags(more, np.append(evidence.probs.argmax(axis=1) != evidence.given, [True, False]))
    report, expected = health(more, issues), health_of(evidence)
    assert (report["label_health"], report["listings"]) == (expected["label_health"], 400)
    assert sum(row["flagged"] for row in report["classes"]) == issues["is_label_issue"].sum() - 1


def test_labels_of_the_test_set_count_as_flagged_but_move_no_estimate() -> None:
    evidence = dataset()
    test = np.arange(400) % 5 == 0
    split = np.where(test, "test", "train")
    spoilt = np.where(test, (evidence.given + 1) % 4, evidence.given)
    report = health_of(evidence_of(spoilt, evidence.probs, split=split))
    expected = health_of(evidence_of(evidence.given, evidence.probs, split=split))
    assert (report["label_health"], report["listings"]) == (expected["label_health"], 320)
    for name, row in by_class(expected).items():
        assert by_class(report)[name]["label_quality"] == row["label_quality"]
    assert sum(row["flagged"] for row in report["classes"]) > sum(row["flagged"] for row in expected["classes"]) + 60


def test_a_listing_whose_model_had_never_seen_its_class_counts_in_no_estimate() -> None:
    evidence = dataset()
    trained = np.ones((400, 4), dtype=bool)
    trained[evidence.given == 3, 3] = False
    report = health_of(Evidence(evidence.listings, evidence.classes, evidence.probs, trained))
    assert report["listings"] == (evidence.given != 3).sum()
    assert by_class(report)["class 0003"]["label_quality"] is None
    assert by_class(report)["class 0002"]["label_quality"] > 0.5


def test_shuffled_rows_give_the_same_result() -> None:
    evidence = dataset()
    order = np.random.default_rng(1).permutation(400)
    assert health_of(evidence_of(evidence.given[order], evidence.probs[order])) == health_of(evidence)


def test_it_says_nothing_and_leaves_the_evidence_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    evidence = dataset()
    before, issues = evidence.probs.copy(), flags(evidence)
    unchanged = issues.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        health(evidence, issues)
    assert capfd.readouterr() == ("", "")
    assert np.array_equal(evidence.probs, before)
    pd.testing.assert_frame_equal(issues, unchanged)


def of_classes(*sizes_and_flags: tuple[int, int]) -> dict[str, Any]:
    """Return the health of classes of these sizes, of which so many listings are flagged as the class after it."""
    classes = len(sizes_and_flags)
    given = np.repeat(np.arange(classes), [size for size, _ in sizes_and_flags])
    which = np.concatenate([np.arange(size) < flagged for size, flagged in sizes_and_flags])
    evidence = evidence_of(given, beliefs(given, classes, np.random.default_rng(0), 8.0))
    return health(evidence, flags(evidence, which, (given + 1) % classes))


def test_a_class_is_doubtful_from_two_flags_and_three_percent_on() -> None:
    report = of_classes((100, 3), (101, 3), (20, 2), (20, 1), (67, 2))
    assert {row["class"] for row in doubtful(report, 9)} == {"class 0000", "class 0002"}
    assert len(doubtful(report, 1)) == 1


def test_a_pair_is_often_confused_from_two_flags_on() -> None:
    pairs = often_confused(of_classes((50, 2), (50, 1), (50, 3), (50, 0)), 9)
    assert [(pair["first"], pair["second"]) for pair in pairs] == [
        ("class 0002", "class 0003"),
        ("class 0000", "class 0001"),
    ]


def test_classes_are_ranked_as_if_five_more_listings_of_each_were_flagged_like_all() -> None:
    # 14 of 200 are flagged: 0.07 of five more
    report = of_classes((2, 1), (20, 4), (8, 2), (170, 7))
    share = {"class 0000": 1.35 / 7, "class 0001": 4.35 / 25, "class 0002": 2.35 / 13, "class 0003": 7.35 / 175}
    assert [row["class"] for row in report["classes"]] == sorted(share, key=lambda name: -share[name])
    # three listings of one with one flag stand behind it
    closer = of_classes((3, 1), (20, 4), (8, 2), (169, 7))
    assert [row["class"] for row in closer["classes"]][:3] == ["class 0002", "class 0001", "class 0000"]


def test_at_most_ten_pairs_are_kept() -> None:
    assert len(of_classes(*[(20, 2)] * 12)["confused"]) == 10
