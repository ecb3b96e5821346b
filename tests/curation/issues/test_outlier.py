"""Off-topic photos: far from all others, and no class is believed of them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from curation.evidence.log_odds import softmax
from curation.issues import Evidence, find_issues
from curation.issues.outlier import KIND
from tests.support.listings import evidence_of, sure_of
from tests.support.photo_facts import nothing_found

CLASSES = ("cable", "laptop", "mouse")


def marketplace(odd=4, n=300, seed=0):
    """Return evidence in which the first `odd` photos are far from all and of no class; others cluster by class."""
    rng = np.random.default_rng(seed)
    true = np.arange(n) % 3
    features = rng.normal(0, 1, (n, 16)).astype(np.float32)
    features[np.arange(n), true] += 8
    features[:odd] = rng.normal(0, 8, (odd, 16))
    probs = np.full((n, 3), 0.04)
    probs[np.arange(n), true] = 0.92
    probs[:odd] = 1 / 3
    listings = pd.DataFrame(
        {
            "id": pd.array([f"L{row:03}" for row in rng.permutation(n)], dtype="string"),
            "image": pd.array([f"{row}.jpg" for row in range(n)], dtype="string"),
            "label": pd.array([CLASSES[k] for k in true], dtype="string"),
            "group": pd.array([pd.NA] * n, dtype="string"),
            "price": np.nan,
            "sha256": pd.array([f"hash {row}" for row in range(n)], dtype="string"),
            **nothing_found(n),
            "unreadable": pd.array([pd.NA] * n, dtype="string"),
        }
    )
    return listings, probs, features


def issues_of(listings, probs, features):
    return KIND.find(Evidence(listings, CLASSES, probs, features=features))


def test_photos_that_are_far_from_all_and_of_no_class_are_flagged_and_no_others():
    issues = issues_of(*marketplace())
    assert np.flatnonzero(issues["is_outlier_issue"]).tolist() == [0, 1, 2, 3]
    score = issues["outlier_score"]
    assert score.between(0, 1).all()
    assert score[:4].max() < score[4:].min()


def test_a_table_without_off_topic_photos_has_no_flags():
    assert not issues_of(*marketplace(odd=0))["is_outlier_issue"].any()


def test_a_far_photo_whose_class_is_believed_is_no_off_topic_one():
    listings, probs, features = marketplace()
    probs[0] = [0.02, 0.96, 0.02]
    assert np.flatnonzero(issues_of(listings, probs, features)["is_outlier_issue"]).tolist() == [1, 2, 3]


def test_a_doubted_photo_among_others_like_it_is_no_off_topic_one():
    listings, probs, features = marketplace()
    features[0] = features[[5, 8, 11]].mean(axis=0)
    assert np.flatnonzero(issues_of(listings, probs, features)["is_outlier_issue"]).tolist() == [1, 2, 3]


@pytest.mark.parametrize(("column", "dtype"), [("sha256", "string"), ("near_group", "Int64"), ("group", "string")])
def test_reposts_of_an_off_topic_photo_do_not_hide_each_other(column, dtype):
    listings, probs, features = marketplace()
    features[1:4] = features[0] + np.float32(0.01)
    values = listings[column].copy() if column in listings else pd.Series(pd.NA, index=listings.index, dtype=dtype)
    values[:4] = 7 if dtype == "Int64" else "the same"
    issues = issues_of(listings.assign(**{column: values}), probs, features)
    assert np.flatnonzero(issues["is_outlier_issue"]).tolist() == [0, 1, 2, 3]


def test_the_reason_says_how_far_names_the_most_alike_listing_and_the_best_class():
    listings, probs, features = marketplace()
    reason = issues_of(listings, probs, features)["reason"][0]
    distance = np.linalg.norm(features[1:] - features[0], axis=1)
    nearest = listings.iloc[1 + distance.argmin()]
    assert f"most like {nearest['id']} ({nearest['label']})" in reason
    assert "times as far as usual" in reason
    assert "no class fits it, best" in reason


def test_shuffled_rows_give_exactly_the_same_scores_and_reasons():
    listings, probs, features = marketplace()
    order = np.random.default_rng(1).permutation(300)
    first = issues_of(listings, probs, features)
    second = issues_of(listings.iloc[order], probs[order], features[order])
    pd.testing.assert_frame_equal(first, second.loc[first.index])


def test_unreadable_photos_have_no_score():
    listings, probs, features = marketplace()
    listings.loc[[0, 9], "unreadable"], probs[[0, 9]], features[[0, 9]] = "not an image", np.nan, 0
    issues = issues_of(listings, probs, features)
    assert np.flatnonzero(issues["outlier_score"].isna()).tolist() == [0, 9]
    assert np.flatnonzero(issues["is_outlier_issue"]).tolist() == [1, 2, 3]


def test_without_features_the_columns_are_there_and_empty():
    listings, probs, _ = marketplace()
    issues = find_issues(Evidence(listings, CLASSES, probs))
    assert issues[["is_outlier_issue", "outlier_score"]].isna().all(axis=None)


def test_photos_that_are_all_alike_or_all_of_one_group_have_no_flags():
    listings, probs, features = marketplace()
    assert not issues_of(listings, probs, np.ones_like(features))["is_outlier_issue"].any()
    alone = issues_of(listings.assign(group="one seller"), probs, features)
    assert alone["outlier_score"].isna().all()
    assert not alone["is_outlier_issue"].any()


def test_more_photos_than_are_compared_give_nearly_the_same(monkeypatch):
    listings, probs, features = marketplace()
    monkeypatch.setattr("training.features.neighbours.MOST_SEARCHED", 150)
    assert np.flatnonzero(issues_of(listings, probs, features)["is_outlier_issue"]).tolist() == [0, 1, 2, 3]


def test_of_two_classes_one_is_always_believed_by_half_so_no_photo_is_off_topic():
    listings, _, features = marketplace()
    halves = np.where(np.arange(300)[:, None] < 4, 0.5, np.repeat([[0.95, 0.05]], 300, axis=0))
    evidence = Evidence(listings.assign(label=CLASSES[0]), CLASSES[:2], halves, features=features)
    assert softmax(evidence.belief.logs[:])[0].tolist() == [0.5, 0.5]
    issues = KIND.find(evidence)
    assert (issues["outlier_score"][:4] < 0.07).all()
    assert not issues["is_outlier_issue"].any()


def test_a_score_of_exactly_0_07_is_no_flag():
    # of a hundred photos, seven are as uncertain as this one or more
    listings, probs, features = marketplace(n=100, odd=8)
    probs[:8] = [[0.34 + step / 1000, 0.33 - step / 2000, 0.33 - step / 2000] for step in range(8)]
    evidence = Evidence(listings, CLASSES, probs, features=features)
    assert softmax(evidence.belief.logs[:])[:8].max() < 0.5
    issues = KIND.find(evidence)
    assert issues["outlier_score"][6] == 0.07
    assert np.flatnonzero(issues["is_outlier_issue"]).tolist() == [0, 1, 2, 3, 4, 5]


def test_the_score_is_the_larger_share_of_photos_as_far_and_of_photos_as_doubted():
    listings, probs, features = marketplace()
    evidence = Evidence(listings, CLASSES, probs, features=features)
    score = KIND.find(evidence)["outlier_score"].to_numpy()
    apart = np.sort(np.linalg.norm(features[:, None] - features, axis=2), axis=1)[:, 1:11].mean(axis=1)
    logs = np.log(apart)
    off = logs - np.median(logs)
    far = norm.sf(off * 0.67449 / np.median(np.abs(off)))
    best = softmax(evidence.belief.logs[:]).max(axis=1)
    doubted = (best[:, None] >= best).mean(axis=1)
    assert score == pytest.approx(np.maximum(far, doubted), abs=1e-3)


def doubted(least, most):
    """Return scores, flags and beliefs of 300 photos, a fifth of which are far and doubted by more or less."""
    listings, probs, features = marketplace(odd=60)
    rng = np.random.default_rng(1)
    features[:60] = features[100:160] + 6 * rng.exponential(1, (60, 1)) * rng.normal(0, 1, (60, 16))
    best = rng.uniform(least, most, 60)
    probs[:60] = np.column_stack([(1 - best) / 2, best, (1 - best) / 2])
    evidence = Evidence(listings, CLASSES, probs, features=features)
    issues = KIND.find(evidence)
    return issues["outlier_score"], issues["is_outlier_issue"], softmax(evidence.belief.logs[:]).max(axis=1)


def test_a_photo_that_no_class_is_believed_of_is_off_topic_below_a_score_of_0_07():
    score, flagged, believed = doubted(0.34, 0.5)
    assert np.array_equal(flagged, (score < 0.07) & (believed < 0.5))
    assert score[flagged].between(0.035, 0.07).any()
    assert score[believed < 0.5].between(0.07, 0.14).any()


def test_a_photo_is_not_off_topic_of_which_a_class_is_believed_by_half():
    score, flagged, believed = doubted(0.36, 0.64)
    assert np.array_equal(flagged, (score < 0.07) & (believed < 0.5))
    assert (believed[score < 0.07] > 0.5).any()
    assert (believed[flagged] > 0.25).all()


def test_where_all_photos_are_about_as_far_a_hundredth_of_difference_is_no_sign():
    # on a circle, each is as far from its neighbours; one stands three thousandths further out
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    features = 100 * np.column_stack([np.cos(angle), np.sin(angle)])
    features[0] *= 1.0003
    probs = sure_of([0, 1] * 100, 0.9, classes=2)
    probs[10::10] = probs[11::10]
    probs[0] = 0.5
    evidence = evidence_of(["cable", "laptop"] * 100, CLASSES[:2], probs=probs, features=features.astype(np.float32))
    score = KIND.find(evidence)["outlier_score"]
    apart = np.sort(np.linalg.norm(features[:, None] - features, axis=2), axis=1)[:, 1:11].mean(axis=1)
    off = np.log(apart[0] / np.median(apart))
    assert 0 < off < 0.003
    assert score[0] == pytest.approx(norm.sf(off / 0.01), abs=2e-3)
    assert score[0] > 0.4
