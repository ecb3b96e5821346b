"""How much each source counts, against the documented loss, and how the sources add up."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from curation.evidence.calibration import some_rows, temperature
from curation.evidence.pool import fuse, learn_weights
from curation.evidence.sources import Source

SIZES = np.log([0.6, 0.3, 0.1])


def two_sources(n=90, seed=0):
    """Return two sources that each know a little, and the labels."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=np.exp(SIZES))
    observed = np.ones(n, dtype=bool)
    sources = []
    for name, sure in (("photo", 3.0), ("title", 2.0)):
        says = rng.normal(0, 2.5, (n, 3))
        says[np.arange(n), labels] += sure
        sources.append(Source(name, says, observed))
    return sources, labels


@pytest.mark.parametrize("fixed", [None, 1.0])
def test_the_weights_predict_given_labels_best_when_5_percent_of_them_are_wrong_at_random(fixed):
    sources, labels = two_sources()
    sources[1] = Source("title", sources[1].log_likelihood[:], sources[1].observed, fixed)
    fold = np.arange(90) % 2
    says = np.stack([*(source.log_likelihood[:] for source in sources), np.tile(SIZES, (90, 1))])

    def loss(weights):
        probs = softmax(np.tensordot(weights, says[:, fold != 0], 1), axis=1)
        right = probs[np.arange(45), labels[fold != 0]]
        return -np.log(0.95 * right + 0.05 / 3).mean() + 1e-3 * (weights**2).sum()

    bounds = [(0, 1), (0, 1) if fixed is None else (fixed, fixed), (0, 1)]
    best = minimize(loss, np.full(3, 0.5), bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15}).x
    assert 0.05 < best[0] < 0.95
    weights = learn_weights(sources, SIZES, labels, fold, np.arange(90))
    assert weights.shape == (2, 3)
    assert weights[0] == pytest.approx(best, abs=2e-4)


def test_a_source_alone_and_a_fold_without_others_count_whole():
    sources, labels = two_sources()
    assert (learn_weights(sources[:1], SIZES, labels, np.arange(90) % 3, np.arange(90)) == np.ones((3, 2))).all()
    assert (learn_weights(sources, SIZES, labels, np.zeros(90, dtype=int), np.arange(90)) == 1).all()


def test_half_of_what_the_sizes_say_is_put_back():
    sources, _ = two_sources()
    weights, fold = np.array([[0.5, 0.25, 1.0], [0.2, 0.4, 0.8]]), np.arange(90) % 2
    own = weights[fold]
    weighted = own[:, [0]] * sources[0].log_likelihood[:] + own[:, [1]] * sources[1].log_likelihood[:]
    assert fuse(sources, SIZES, weights, fold, provided=False)[:] == pytest.approx(weighted + 0.5 * own[:, [2]] * SIZES)
    # probabilities that were brought hold the sizes already
    assert fuse(sources, SIZES, weights, fold, provided=True)[:] == pytest.approx(weighted)


def test_a_belief_is_calibrated_by_the_factor_that_predicts_the_labels_best():
    sources, labels = two_sources()
    logs = sources[0].log_likelihood[:]
    factor = temperature(logs, labels)
    losses = [
        -log_softmax(f * logs, axis=1)[np.arange(90), labels].mean() for f in (0.98 * factor, factor, 1.02 * factor)
    ]
    assert losses[1] == min(losses)


@pytest.mark.parametrize(("right", "factor"), [(True, 10), (False, 0.1)])
def test_a_belief_gets_no_more_than_ten_times_and_no_less_than_a_tenth_as_sure(right, factor):
    labels = np.arange(30) % 3
    logs = np.zeros((30, 3))
    logs[np.arange(30), labels if right else (labels + 1) % 3] = 0.01
    assert temperature(logs, labels) == pytest.approx(factor, rel=1e-3)


@pytest.mark.parametrize(
    ("rows", "classes", "enough"),
    [(10_000, 2, 10_000), (10_001, 2, 10_000), (10_001, 200, 10_000), (5_001, 400, 5_000), (1_500, 4_000, 1_000)],
)
def test_ten_thousand_listings_or_two_million_numbers_are_enough_to_learn_from(rows, classes, enough):
    some = some_rows(np.arange(rows), classes)
    assert len(some) == enough
    assert (np.diff(some) > 0).all()
    assert np.array_equal(some, some_rows(np.arange(rows), classes))
