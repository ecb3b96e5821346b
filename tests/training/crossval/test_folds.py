"""Folds and the test set."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from training.crossval.folds import assign_folds, check_partition, choose_test, connect
from training.errors import InputError


def labels_and_groups(n=300, classes=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, n), np.arange(n)


def test_rows_that_share_any_key_are_connected_through_chains():
    sellers = ["ann", "ann", "bob", None, None]
    photos = [None, "x", "x", "y", None]
    groups = connect(sellers, photos)
    assert groups[0] == groups[1] == groups[2]
    assert len({groups[0], groups[3], groups[4]}) == 3


def test_every_row_has_one_fold_and_classes_are_spread_evenly():
    labels, groups = labels_and_groups()
    fold = assign_folds(labels, groups, folds=5, seed=0)
    per_class = np.array([[np.sum((fold == f) & (labels == k)) for f in range(5)] for k in range(6)])
    assert per_class.sum() == len(labels)
    assert np.all(per_class.max(axis=1) - per_class.min(axis=1) <= 1)


@pytest.mark.parametrize("share", [0.1, 0.6, 1.0])
def test_no_group_lies_in_two_folds(share):
    labels, groups = labels_and_groups()
    grouped = np.random.default_rng(1).random(300) < share
    groups = np.where(grouped, groups // 4, groups + 1000)
    fold = assign_folds(labels, groups, folds=5, seed=0)
    assert all(len(set(fold[groups == group])) == 1 for group in np.unique(groups))
    assert np.bincount(fold, minlength=5).min() > 30


def test_a_class_with_fewer_members_than_folds_is_spread_and_refuses_nothing():
    labels = np.array([0] * 50 + [1] * 50 + [2] * 3 + [3])
    fold = assign_folds(labels, np.arange(len(labels)), folds=5, seed=0)
    assert len(set(fold[labels == 2])) >= 2


def test_tables_whose_classes_are_all_rare_still_get_folds():
    labels = np.arange(12) // 2
    fold = assign_folds(labels, np.arange(12), folds=4, seed=0)
    assert set(fold) == {0, 1, 2, 3}


def test_the_same_seed_gives_the_same_folds_and_another_seed_others():
    labels, groups = labels_and_groups()
    first = assign_folds(labels, groups, folds=5, seed=3)
    assert np.array_equal(first, assign_folds(labels, groups, folds=5, seed=3))
    assert not np.array_equal(first, assign_folds(labels, groups, folds=5, seed=4))


@pytest.mark.parametrize("folds", [0, 1, 4])
def test_folds_that_cannot_be_made_are_refused_with_the_number_that_can(folds):
    with pytest.raises(InputError, match="2 to 3 folds"):
        assign_folds(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2]), folds=folds, seed=0)


def test_the_test_set_is_a_fifth_of_every_class_and_keeps_groups_whole():
    labels, groups = labels_and_groups(600)
    groups = np.where(groups < 100, groups // 2, groups)
    test = choose_test(labels, groups, share=0.2, seed=0)
    assert 0.17 < test.mean() < 0.23
    assert all(len(set(test[groups == group])) == 1 for group in range(50))
    for k in range(6):
        assert 0.1 < test[labels == k].mean() < 0.3


def test_the_test_set_is_not_one_of_the_folds():
    labels, groups = labels_and_groups()
    test = choose_test(labels, groups, share=0.2, seed=0)
    fold = assign_folds(labels, groups, folds=5, seed=0)
    assert all(0 < test[fold == f].sum() < (fold == f).sum() for f in range(5))


def test_a_group_in_two_folds_is_no_partition():
    with pytest.raises(ValueError, match="more than one fold"):
        check_partition(np.array([0, 1]), np.array([7, 7]), folds=2)


def test_a_row_without_a_fold_is_no_partition():
    with pytest.raises(ValueError, match="every row"):
        check_partition(np.array([0, -1]), np.array([1, 2]), folds=2)


@pytest.mark.parametrize("seed", range(12))
def test_listings_that_stand_alone_have_the_folds_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    strata = rng.permutation(np.concatenate([np.repeat(np.arange(4), 12), rng.integers(0, 4, int(rng.integers(60)))]))
    expected = np.empty(len(strata), dtype=int)
    for number, (_, held_out) in enumerate(StratifiedKFold(5, shuffle=True, random_state=seed).split(strata, strata)):
        expected[held_out] = number
    assert np.array_equal(assign_folds(strata, np.arange(len(strata)), folds=5, seed=seed), expected)
