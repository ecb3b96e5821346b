"""How much networks count beside heads."""

import numpy as np

from training.crossval.cross_validate import blend, network_shares

FOLDS = 3
N = 300
FOLD = np.arange(N) % FOLDS
LABELS = np.arange(N) // FOLDS % 4


def guesses(sure, seed):
    """Return probabilities that give the right class about `sure`, the rest at random."""
    probs = np.random.default_rng(seed).dirichlet(np.ones(4), N) * (1 - sure)
    probs[np.arange(N), LABELS] += sure
    return probs.astype(np.float32)


def shares(head, network, labels=LABELS):
    return network_shares(head, network, labels, FOLD, folds=FOLDS)


def test_the_better_of_the_two_counts_more():
    good, poor = guesses(0.6, 0), guesses(0.1, 1)
    assert (shares(poor, good) > 0.5).all()
    assert (shares(good, poor) < 0.5).all()


def test_a_model_that_knows_nothing_counts_for_nothing():
    nothing = np.full((N, 4), 0.25, dtype=np.float32)
    assert np.array_equal(shares(guesses(0.9, 0), nothing), np.zeros(FOLDS))


def test_two_models_that_err_apart_are_both_heard():
    sure = np.random.default_rng(0).random(N) < 0.5
    one = np.where(sure[:, None], guesses(0.9, 0), guesses(0.0, 1))
    other = np.where(sure[:, None], guesses(0.0, 2), guesses(0.9, 3))
    assert ((shares(one, other) > 0.2) & (shares(one, other) < 0.8)).all()


def test_the_labels_of_a_fold_have_no_say_in_its_own_share():
    # a network that is right in fold 1 alone, and a head that is right in the others
    good, poor = guesses(0.8, 0), guesses(0.0, 1)
    mine = (FOLD == 1)[:, None]
    head, network = np.where(mine, poor, good), np.where(mine, good, poor)
    first = shares(head, network)
    changed = np.where(FOLD == 1, (LABELS + 1) % 4, LABELS)
    second = shares(head, network, changed)
    assert first[1] == second[1]
    assert first[0] != second[0]


def test_rows_without_a_label_have_no_say():
    good, poor = guesses(0.8, 0), guesses(0.0, 1)
    unlabelled = np.arange(N) >= 150
    # the unlabelled half would speak for the network
    head, network = (np.where(unlabelled[:, None], a, b) for a, b in ((poor, good), (good, poor)))
    assert (shares(head, network, np.where(unlabelled, -1, LABELS)) < 0.2).all()


def test_a_blend_lies_between_the_two_and_sums_to_one():
    head, network = guesses(0.2, 0), guesses(0.7, 1)
    blended = blend(head, network, np.linspace(0, 1, N, dtype=np.float32)[:, None])
    assert blended.dtype == np.float32
    assert np.allclose(blended.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(blended[0], head[0])
    assert np.array_equal(blended[-1], network[-1])
