"""The most similar photos: what those of other folds are labelled, and how far those of other groups are."""

import numpy as np
import pytest
import torch

from tests.support.synthetic import CPU
from training.features.neighbours import nearest_of_others, neighbour_probabilities

# the weight of "any class" beside all neighbours together
DOUBT = 0.5 / 30


def clouds(n=90, classes=3, dimensions=8, seed=0):
    """Return features that lie in one cloud per class, the classes, and folds."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    centres = rng.normal(0, 1, (classes, dimensions))
    features = centres[labels] + rng.normal(0, 0.5, (n, dimensions))
    return features.astype(np.float32), labels.astype(np.int64), np.arange(n) // classes % 3


def shares_of(folder, features, labels, fold, may_train=None, has_photo=None, classes=3, seed=0):
    everyone = np.ones(len(labels), dtype=bool)
    np.save(folder / "features.npy", np.asarray(features, dtype=np.float32))
    return neighbour_probabilities(
        folder / "features.npy",
        np.asarray(labels, dtype=np.int64),
        np.asarray(fold, dtype=np.int64),
        everyone if may_train is None else may_train,
        everyone if has_photo is None else has_photo,
        classes=classes,
        seed=seed,
        device=CPU.device,
    )


def with_doubt(shares):
    return (np.asarray(shares) + DOUBT / len(shares)) / (1 + DOUBT)


# the shares


def test_shares_sum_to_one_and_none_is_zero(tmp_path):
    features, labels, fold = clouds()
    shares = shares_of(tmp_path, features, labels, fold)
    assert shares.shape == (90, 3)
    assert shares.dtype == np.float32
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares > 0).all()
    assert (shares.argmax(axis=1) == labels).mean() > 0.9


def test_a_wrong_label_is_contradicted_by_the_neighbours(tmp_path):
    features, labels, fold = clouds()
    given = labels.copy()
    given[[4, 50]] = (labels[[4, 50]] + 1) % 3
    assert np.array_equal(shares_of(tmp_path, features, given, fold)[[4, 50]].argmax(axis=1), labels[[4, 50]])


def test_nearer_ones_count_more_with_the_fourth_power_of_the_cosine(tmp_path):
    # the first is asked; of the others, one is alike, one half as similar, one looks the other way
    features = [[1, 0], [3, 0], [0.5, 0.75**0.5], [-1, 0]]
    shares = shares_of(tmp_path, features, [0, 0, 1, 2], [0, 1, 1, 1])
    assert np.allclose(shares[0], with_doubt([16 / 17, 1 / 17, 0]), atol=1e-5)


def test_only_the_thirty_nearest_are_asked(tmp_path):
    near, far = np.tile([1, 0.1], (30, 1)), np.tile([1, 0.2], (30, 1))
    features = np.concatenate([[[1, 0]], far, near])
    shares = shares_of(tmp_path, features, np.repeat([0, 1, 2], [1, 30, 30]), np.repeat([0, 1, 1], [1, 30, 30]))
    assert np.allclose(shares[0], with_doubt([0, 0, 1]), atol=1e-5)


def test_the_length_of_features_does_not_matter(tmp_path):
    features, labels, fold = clouds()
    scale = np.random.default_rng(1).uniform(0.01, 100, (90, 1))
    assert np.allclose(
        shares_of(tmp_path, features * scale, labels, fold), shares_of(tmp_path, features, labels, fold), atol=1e-4
    )


def test_rows_in_another_order_get_the_same_shares(tmp_path):
    features, labels, fold = clouds()
    order = np.random.default_rng(0).permutation(90)
    shares = shares_of(tmp_path, features, labels, fold)
    assert np.allclose(shares_of(tmp_path, features[order], labels[order], fold[order]), shares[order], atol=1e-4)


def test_rows_that_are_asked_in_blocks_get_the_same_shares(tmp_path, monkeypatch):
    features, labels, fold = clouds()
    whole = shares_of(tmp_path, features, labels, fold)
    monkeypatch.setattr("training.features.neighbours._BLOCK", 7)
    assert np.allclose(shares_of(tmp_path, features, labels, fold), whole, atol=1e-5)


@pytest.mark.parametrize("cosine", [0.1, 0.01, 5e-4, 1e-4])
def test_shares_sum_to_one_however_little_alike_the_neighbours_are(cosine, tmp_path):
    shares = shares_of(tmp_path, [[1, 0], [cosine, 1]], [0, 1], [0, 1], classes=2)
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)


# who is asked


@pytest.mark.parametrize(("fold_of_the_copy", "is_asked"), [(0, False), (1, True), (2, True)])
def test_a_copy_tells_its_label_to_other_folds_only(fold_of_the_copy, is_asked, tmp_path):
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (62, 40))
    features[61] = features[60]
    labels, fold = np.arange(62) % 2, np.arange(62) % 3
    # no other row has the label of the copy
    labels[61], fold[60], fold[61] = 2, 0, fold_of_the_copy
    share = shares_of(tmp_path, features, labels, fold)[60, 2]
    nothing = with_doubt([1, 0, 0])[2]
    assert share > 0.9 if is_asked else share == pytest.approx(nothing, abs=1e-6)


def test_the_labels_of_a_fold_never_move_its_own_shares(tmp_path):
    features, labels, fold = clouds()
    first = shares_of(tmp_path, features, labels, fold)
    changed = np.where(fold == 1, (labels + 1) % 3, labels)
    second = shares_of(tmp_path, features, changed, fold)
    assert np.array_equal(first[fold == 1], second[fold == 1])
    assert (first[fold != 1] != second[fold != 1]).any(axis=1).all()


def test_rows_that_may_not_train_are_scored_and_not_asked(tmp_path):
    features, labels, fold = clouds()
    may_train = np.arange(90) % 7 != 0
    shares = shares_of(tmp_path, features, labels, fold, may_train)
    assert np.isfinite(shares).all()
    assert (shares.argmax(axis=1) == labels)[~may_train].mean() > 0.9
    # rows without a label have -1
    for other in ((labels + 1) % 3, np.full(90, -1)):
        changed = np.where(may_train, labels, other)
        assert np.array_equal(shares_of(tmp_path, features, changed, fold, may_train), shares)


def test_rows_without_a_photo_are_nan_and_not_asked(tmp_path):
    features, labels, fold = clouds()
    has_photo = np.arange(90) % 7 != 0
    features[~has_photo] = 0
    shares = shares_of(tmp_path, features, labels, fold, has_photo=has_photo)
    assert np.array_equal(np.isnan(shares).all(axis=1), ~has_photo)
    assert np.array_equal(np.isnan(shares).any(axis=1), ~has_photo)
    changed = np.where(has_photo, labels, (labels + 1) % 3)
    features[~has_photo] = 1
    again = shares_of(tmp_path, features, changed, fold, has_photo=has_photo)
    assert np.array_equal(again, shares, equal_nan=True)


def test_a_class_that_nobody_asked_has_is_unlikely_and_not_impossible(tmp_path):
    features, labels, fold = clouds()
    shares = shares_of(tmp_path, features, labels % 2, fold)
    assert np.allclose(shares[:, 2], with_doubt([1, 0, 0])[2], atol=1e-6)


# few, many, and all alike


@pytest.mark.parametrize("n", [2, 3, 29])
def test_fewer_rows_than_thirty_are_enough(n, tmp_path):
    # all look about the same way, so that each has somebody to ask
    features, labels, fold = np.random.default_rng(0).normal(5, 1, (n, 4)), np.arange(n) % 3, np.arange(n) % 2
    shares = shares_of(tmp_path, features, labels, fold)
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares > 0).all()


@pytest.mark.parametrize("nobody", ["may train", "has a photo", "is in another fold"])
def test_with_nobody_to_ask_all_is_nan(nobody, tmp_path):
    features, labels, fold = clouds()
    none = np.zeros(90, dtype=bool)
    if nobody == "may train":
        shares = shares_of(tmp_path, features, labels, fold, may_train=none)
    elif nobody == "has a photo":
        shares = shares_of(tmp_path, features, labels, fold, has_photo=none)
    else:
        shares = shares_of(tmp_path, features, labels, np.zeros(90))
    assert shares.shape == (90, 3)
    assert np.isnan(shares).all()


def test_the_fold_of_the_only_row_that_may_be_asked_has_nobody_to_ask(tmp_path):
    features, labels, fold = np.ones((9, 4)), np.arange(9) % 3, np.arange(9) % 3
    shares = shares_of(tmp_path, features, labels, fold, may_train=np.arange(9) == 4)
    assert np.array_equal(np.isnan(shares).any(axis=1), fold == 1)
    assert np.allclose(shares[fold != 1], with_doubt([0, 1, 0]), atol=1e-5)


def test_a_row_that_looks_the_other_way_than_all_others_has_nobody_to_ask(tmp_path):
    features, labels, fold = np.ones((9, 4)), np.arange(9) % 3, np.arange(9) % 3
    features[5] = -1
    assert np.array_equal(np.isnan(shares_of(tmp_path, features, labels, fold)).any(axis=1), np.arange(9) == 5)


@pytest.mark.parametrize("n", [6, 120])
def test_photos_that_all_look_the_same_get_shares(n, tmp_path):
    labels, fold = np.arange(n) // 3 % 2, np.arange(n) % 3
    shares = shares_of(tmp_path, np.ones((n, 5)), labels, fold)
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares > 0).all()
    changed = np.where(fold == 2, 2, labels)
    assert np.array_equal(shares_of(tmp_path, np.ones((n, 5)), changed, fold)[fold == 2], shares[fold == 2])


def test_features_of_zero_say_nothing(tmp_path):
    _, labels, fold = clouds()
    assert np.isnan(shares_of(tmp_path, np.zeros((90, 5)), labels, fold)).all()


# a sample


def test_of_many_rows_a_sample_is_asked_that_depends_on_the_seed_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("training.features.neighbours.MOST_SEARCHED", 40)
    features, labels, fold = clouds()
    state = torch.get_rng_state()
    shares = [shares_of(tmp_path, features, labels, fold, seed=seed) for seed in (5, 5, 6)]
    assert torch.equal(state, torch.get_rng_state())
    assert np.array_equal(shares[0], shares[1])
    assert not np.allclose(shares[0], shares[2])
    for each in shares:
        assert np.allclose(each.sum(axis=1), 1, atol=1e-5)
        assert (each.argmax(axis=1) == labels).mean() > 0.9


def test_no_more_rows_than_the_sample_are_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("training.features.neighbours.MOST_SEARCHED", 1)
    fold = np.arange(90) % 3
    shares = shares_of(tmp_path, np.ones((90, 4)), fold, fold)
    alone = np.isnan(shares).any(axis=1)
    [searched] = np.unique(fold[alone])
    assert np.array_equal(alone, fold == searched)
    assert (shares[~alone].argmax(axis=1) == searched).all()


def test_the_labels_of_a_fold_never_move_its_own_shares_in_a_sample(tmp_path, monkeypatch):
    monkeypatch.setattr("training.features.neighbours.MOST_SEARCHED", 40)
    features, labels, fold = clouds()
    changed = np.where(fold == 1, (labels + 1) % 3, labels)
    first, second = (shares_of(tmp_path, features, given, fold) for given in (labels, changed))
    assert np.array_equal(first[fold == 1], second[fold == 1])


def test_as_many_rows_as_the_sample_are_all_asked(tmp_path, monkeypatch):
    features, labels, fold = clouds()
    whole = shares_of(tmp_path, features, labels, fold)
    monkeypatch.setattr("training.features.neighbours.MOST_SEARCHED", 90)
    assert np.array_equal(shares_of(tmp_path, features, labels, fold, seed=1), whole)


# distances


def test_nearest_ones_are_those_that_comparing_all_pairs_gives():
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (700, 12)).astype(np.float32)
    groups = rng.integers(0, 300, 700)
    rows, candidates = rng.permutation(700)[:600], rng.permutation(700)[:400]
    apart = np.linalg.norm(features[rows, None] - features[candidates], axis=2)
    apart[groups[rows, None] == groups[candidates]] = np.inf
    nearest = nearest_of_others(features, rows, candidates, groups, count=5)
    assert np.allclose(nearest.distance, np.sort(apart, axis=1)[:, :5].mean(axis=1), atol=1e-4)
    assert np.array_equal(nearest.row, candidates[apart.argmin(axis=1)])


def test_whoever_has_fewer_others_than_asked_for_is_compared_with_those():
    features = np.array([[0, 0], [3, 4], [0, 0]], dtype=np.float32)
    nearest = nearest_of_others(features, np.arange(3), np.arange(3), np.array([0, 1, 0]), count=10)
    assert nearest.distance.tolist() == [5, 5, 5]
    assert nearest.row.tolist()[0] == nearest.row.tolist()[2] == 1
