"""Out-of-fold regression on titles, photos and classes."""

import numpy as np

from curation.issues.price.regression import Regression


def goods(n=200, seed=0):
    rng = np.random.default_rng(seed)
    words = np.array(["phone", "case", "charger", "tablet"])
    kind = rng.integers(0, 4, n)
    titles = [f"{word} {colour}" for word, colour in zip(words[kind], rng.choice(["red", "blue"], n), strict=True)]
    return titles, np.array([6.0, 2.0, 3.0, 5.5])[kind], np.arange(n) % 5


NO_LABELS = np.full(200, -1)


def predicted(titles, target, fold, features=None, labels=NO_LABELS, penalty=0.3):
    return Regression(titles, features, labels, [penalty]).predict(target, np.ones(len(target)), fold)[:, 0]


def test_words_tell_the_number_of_listings_in_other_folds():
    titles, target, fold = goods()
    assert np.abs(predicted(titles, target, fold) - target).max() < 0.3


def test_what_stands_beside_a_listing_in_its_own_fold_is_not_looked_at():
    titles, target, fold = goods()
    changed = np.where(fold == 2, 100.0, target)
    assert np.abs(predicted(titles, changed, fold)[fold == 2] - target[fold == 2]).max() < 0.3
    assert not np.allclose(predicted(titles, changed, fold)[fold == 1], target[fold == 1], atol=5)


def test_a_listing_that_counts_nothing_teaches_nothing():
    titles, target, fold = goods()
    weight = np.where(np.arange(200) < 20, 0.0, 1.0)
    odd = np.where(weight == 0, 50.0, target)
    first, second = (Regression(titles, None, NO_LABELS, [0.3]).predict(y, weight, fold) for y in (target, odd))
    assert np.array_equal(first, second)


def test_photos_tell_where_there_are_no_titles():
    _, target, fold = goods()
    features = np.zeros((200, 8), dtype=np.float32)
    features[:, 0] = 100 * (target - target.mean())
    off = np.abs(predicted([None] * 200, target, fold, features) - target)
    assert off.max() < 0.5


def test_the_class_counts_beside_the_words():
    _, target, fold = goods()
    same = ["for sale"] * 200
    blind, informed = (predicted(same, target, fold, labels=labels) for labels in (NO_LABELS, target.astype(int)))
    assert np.abs(informed - target).mean() < 0.2 * np.abs(blind - target).mean()


def test_without_titles_and_photos_nothing_is_known():
    for titles in ([None] * 200, [""] * 200):
        model = Regression(titles, np.zeros((200, 4), dtype=np.float32), np.zeros(200, dtype=int), [1.0])
        assert not model.informative
        assert not model.predict(np.ones(200), np.ones(200), np.arange(200) % 5).any()


def test_penalties_are_solved_together_as_they_are_alone():
    titles, target, fold = goods()
    both = Regression(titles, None, NO_LABELS, [0.03, 2.0]).predict(target, np.ones(200), fold)
    alone = [predicted(titles, target, fold, penalty=penalty) for penalty in (0.03, 2.0)]
    assert np.allclose(both, np.column_stack(alone), atol=1e-4)
    assert np.abs(both[:, 0] - target).mean() < np.abs(both[:, 1] - target).mean()


def test_a_second_call_with_other_weights_finds_what_it_would_have_found_at_first():
    titles, target, fold = goods()
    some = np.where(np.arange(200) % 9 == 0, 0.0, 1.0)
    again = Regression(titles, None, NO_LABELS, [0.3])
    again.predict(target, np.ones(200), fold)
    first = Regression(titles, None, NO_LABELS, [0.3]).predict(target, some, fold)
    assert np.abs(again.predict(target, some, fold) - first).max() < 0.05


def test_where_only_one_fold_has_weight_the_others_learn_from_it_and_it_learns_nothing():
    titles, target, fold = goods()
    weight = (fold == 0).astype(float)
    found = Regression(titles, None, NO_LABELS, [0.3]).predict(target, weight, fold)[:, 0]
    assert not found[fold == 0].any()
    assert np.abs(found - target)[fold != 0].max() < 0.8


def test_an_offset_of_all_features_changes_nothing():
    _, target, fold = goods()
    features = np.random.default_rng(1).normal(0, 30, (200, 6)).astype(np.float32)
    features[:, 0] = 100 * (target - target.mean())
    here, there = (
        predicted([None] * 200, target, fold, features + offset) for offset in (np.float32(0), np.float32(4096))
    )
    assert np.allclose(here, there, atol=0.01)
