"""Heads that learn doubtful labels less, and which labels have a part in a probability."""

import numpy as np
import pytest
import torch

import training.features.refit as refit
from training.features.linear import fit_with
from training.features.refit import BELIEVED, Decided, refitted_probabilities
from training.utils.targets import Targets

CPU = torch.device("cpu")
STRENGTH = 0.01


def clouds(n=240, classes=3, dimensions=40, seed=0):
    """Return features in overlapping clouds, their classes, and labels of which every sixth is wrong."""
    rng = np.random.default_rng(seed)
    true = rng.permutation(np.arange(n) % classes)
    features = (rng.normal(0, 0.5, (classes, dimensions))[true] + rng.normal(0, 1, (n, dimensions))).astype(np.float32)
    labels = np.where(rng.random(n) < 1 / 6, (true + 1) % classes, true)
    return features, true.astype(np.int64), labels.astype(np.int64)


def refitted(folder, features, labels, folds=4, trains=None, has_photo=None, decided=None):
    np.save(folder / "features.npy", features)
    n = len(labels)
    return refitted_probabilities(
        folder / "features.npy",
        labels,
        np.arange(n) % folds,
        np.ones(n, dtype=bool) if trains is None else trains,
        np.ones(n, dtype=bool) if has_photo is None else has_photo,
        strengths=[STRENGTH] * folds,
        classes=3,
        device=CPU,
        decided=decided,
    )


@pytest.mark.parametrize("folds", [3, 4, 7])
def test_no_label_of_a_fold_has_a_part_in_the_probabilities_of_that_fold(folds, tmp_path):
    features, _, labels = clouds()
    before = refitted(tmp_path, features, labels, folds)
    others = labels.copy()
    first = np.arange(len(labels)) % folds == 0
    others[first] = (labels[first] + 1) % 3
    after = refitted(tmp_path, features, others, folds)
    assert np.array_equal(after[first], before[first])
    assert not np.allclose(after[~first], before[~first], atol=0.01)


def test_wrong_labels_teach_less_than_at_first(tmp_path):
    features, true, labels = clouds(n=600)
    fold, everyone = np.arange(600) % 4, np.arange(600)
    plain = np.empty((600, 3))
    for number in range(4):
        rows = np.flatnonzero(fold != number)
        head = fit_with(features, rows, Targets(labels, 3), strength=STRENGTH, device=CPU)
        plain[fold == number] = head.predict(features, np.flatnonzero(fold == number))
    again = refitted(tmp_path, features, labels)
    of_true = np.log(again[everyone, true]).mean() - np.log(plain[everyone, true]).mean()
    assert of_true > 0.02
    assert again[everyone, true].mean() > plain[everyone, true].mean()


def test_a_label_counts_by_the_documented_odds_and_the_model_for_the_rest():
    probs = np.float32([[0.4, 0.4, 0.2], [0.1, 0.7, 0.2]])
    nothing = Decided(np.zeros(2, dtype=bool), np.array([0, 0]), np.full(2, np.nan))
    soft, weight = refit._softened(probs, np.array([0, 0]), nothing, np.arange(2))
    assert weight is None
    believed = 1 / (1 + np.exp([-3, -3 + np.log(7)]))
    assert soft[:, 1:] == pytest.approx(probs[:, 1:] * (1 - believed[:, None]), abs=1e-5)
    assert soft.sum(axis=1) == pytest.approx(1)


def test_not_even_the_penalty_of_a_teacher_depends_on_the_fold_that_is_scored(tmp_path):
    features, _, labels = clouds()
    np.save(tmp_path / "features.npy", features)
    fold, everyone = np.arange(240) % 4, np.ones(240, dtype=bool)

    def probs(*strengths):
        path = tmp_path / "features.npy"
        return refitted_probabilities(
            path, labels, fold, everyone, everyone, strengths=strengths, classes=3, device=CPU
        )

    before, after = probs(0.01, 0.01, 0.01, 0.01), probs(0.01, 0.03, 0.03, 0.03)
    assert np.array_equal(before[fold == 0], after[fold == 0])
    assert not np.allclose(before[fold == 1], after[fold == 1], atol=0.01)


def test_listings_without_a_photo_have_no_probabilities_and_others_sum_to_one(tmp_path):
    features, _, labels = clouds()
    has_photo = np.arange(240) % 10 != 0
    probs = refitted(tmp_path, features, labels, trains=has_photo, has_photo=has_photo)
    assert np.isnan(probs[~has_photo]).all()
    assert probs[has_photo].sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_labels_that_may_not_be_learned_have_no_part_in_any_probability(tmp_path):
    features, _, labels = clouds()
    trains = np.arange(240) % 5 != 0
    before = refitted(tmp_path, features, labels, trains=trains)
    assert np.array_equal(refitted(tmp_path, features, np.where(trains, labels, -1), trains=trains), before)


def test_three_folds_are_the_fewest(tmp_path):
    features, _, labels = clouds()
    assert refitted(tmp_path, features, labels, folds=2) is None
    assert refitted(tmp_path, features, labels, folds=3) is not None


def test_without_a_label_to_learn_from_there_is_no_second_fit(tmp_path):
    features, _, labels = clouds()
    assert refitted(tmp_path, features, labels, folds=3, trains=np.arange(240) % 3 == 0) is None


@pytest.mark.parametrize(("folds", "fits"), [(3, 6), (5, 15), (6, 15), (20, 15)])
def test_twenty_folds_take_no_more_models_than_five(folds, fits, tmp_path, monkeypatch):
    features, _, labels = clouds()
    counted = []
    monkeypatch.setattr(refit, "fit_with", lambda *args, **options: counted.append(1) or fit_with(*args, **options))
    refitted(tmp_path, features, labels, folds=folds)
    assert len(counted) == fits


def decided_of(true, labels, rows):
    """Return what people say who know the truth about `rows`, and the labels that follow from that."""
    sure, wrong = np.zeros(len(labels), dtype=bool), np.full(len(labels), np.nan)
    sure[rows], wrong[rows] = True, labels[rows] != true[rows]
    return Decided(sure, labels, wrong), np.where(sure, true, labels)


def test_where_nothing_is_decided_nothing_changes(tmp_path):
    features, true, labels = clouds()
    nothing, _ = decided_of(true, labels, np.array([], dtype=np.int64))
    before, after = (refitted(tmp_path, features, labels, decided=decided) for decided in (None, nothing))
    assert np.array_equal(before, after)


@pytest.mark.parametrize("folds", [3, 7])
def test_no_decision_on_a_fold_has_a_part_in_the_probabilities_of_that_fold(folds, tmp_path):
    features, true, labels = clouds()
    part = np.arange(len(labels)) % folds % 5
    rows = np.arange(0, len(labels), 2)
    (some, taught), (fewer, taught_fewer) = (decided_of(true, labels, each) for each in (rows, rows[part[rows] != 0]))
    before = refitted(tmp_path, features, taught, folds, decided=some)
    after = refitted(tmp_path, features, taught_fewer, folds, decided=fewer)
    assert np.array_equal(before[part == 0], after[part == 0])
    assert not np.allclose(before[part != 0], after[part != 0], atol=0.01)


def test_decisions_say_how_far_a_label_is_believed_that_a_model_doubts():
    margin = np.linspace(-6, 2, 200, dtype=np.float32)
    assert refit._belief(margin[:0], np.array([])) == (BELIEVED, 1.0)
    all_wrong, all_right = (refit._belief(margin, np.full(200, right))[0] for right in (0.0, 1.0))
    assert all_wrong < BELIEVED - 1 < BELIEVED <= all_right


def test_a_decided_label_counts_fully_and_others_as_far_as_they_are_certain():
    labels, n = np.array([0, 0, 1]), 3
    probs = np.array([[0.1, 0.9], [0.1, 0.9], [0.1, 0.9]], dtype=np.float32)
    decided = Decided(np.array([True, False, False]), labels, np.array([0.0, np.nan, np.nan]))
    soft, weight = refit._softened(probs, labels, decided, np.arange(n))
    assert soft.sum(axis=1) == pytest.approx(np.ones(n))
    assert (soft[0].tolist(), weight[0]) == ([1, 0], 1)
    assert weight[1] < weight[2] < 1
