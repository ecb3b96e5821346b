"""The difference on true labels of which few are known."""

import numpy as np
import pytest

from training.evaluation.bootstrap import resample
from training.evaluation.prediction_powered import GONE, UNKNOWN, Known, effects, estimate, powers

K = 4


def world(n=600, seed=0, wrong=0.3, believed=0.9):
    """Return true labels, versions whose second is better, and a belief in given labels of which some are wrong."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, K, n)
    given = np.where(rng.random(n) < wrong, (true + 1) % K, true)
    # the first version has learned the wrong labels of a part of the listings
    before = np.where(rng.random(n) < 0.6, given, true)
    versions = {"before": before[None], "after": np.where(rng.random(n) < 0.5, true, before)[None]}
    belief = np.full((n, K), (1 - believed) / (K - 1))
    belief[np.arange(n), given] = believed
    return true, versions, belief


def informed(true, right=0.9):
    """Return a belief that knows nothing of given labels, and is right about most listings."""
    rng, n = np.random.default_rng(7), len(true)
    best = np.where(rng.random(n) < right, true, rng.integers(0, K, n))
    belief = np.full((n, K), 0.1 / (K - 1))
    belief[np.arange(n), best] = 0.9
    return belief


def known_of(true, belief, reviewed, stratum=None, groups=None):
    n = len(true)
    return Known(
        np.where(reviewed, true, UNKNOWN),
        np.zeros(n, dtype=np.int64) if stratum is None else stratum,
        belief,
        np.arange(n) if groups is None else groups,
    )


def reviewed_of(n, number, seed):
    reviewed = np.zeros(n, dtype=bool)
    reviewed[np.random.default_rng(seed).choice(n, number, replace=False)] = True
    return reviewed


def powered(known, versions, resamples=200, seed=0):
    present = np.ones(K, dtype=bool)
    power = powers(known, versions["before"], versions["after"], present, seed=seed)
    return estimate(known, versions, power, present=present, seed=seed, resamples=resamples).macro_f1("after", "before")


def truly(true, versions):
    scored = resample(true, versions, np.arange(len(true)), classes=K, seed=0, resamples=2)
    return scored.macro_f1("after", "before").mean


def test_with_all_labels_known_the_estimate_is_the_difference_itself_whatever_is_believed():
    true, versions, belief = world()
    made = powered(known_of(true, belief, np.ones(600, dtype=bool)), versions, resamples=2000)
    exact = resample(true, versions, np.arange(600), classes=K, seed=0).macro_f1("after", "before")
    assert made.mean == pytest.approx(exact.mean)
    assert (made.low, made.high) == pytest.approx((exact.low, exact.high), abs=1e-6)


def test_a_belief_that_is_right_and_sure_needs_few_reviewed_listings():
    true, versions, _ = world()
    sure = np.eye(K)[true]
    made = powered(known_of(true, sure, reviewed_of(600, 30, seed=1)), versions)
    assert made.mean == pytest.approx(truly(true, versions))


def test_a_belief_in_wrong_labels_does_not_bias_the_estimate():
    true, versions, belief = world()
    wanted = truly(true, versions)
    made = [powered(known_of(true, belief, reviewed_of(600, 60, seed)), versions, 2).mean for seed in range(300)]
    assert np.mean(made) == pytest.approx(wanted, abs=4 * np.std(made) / np.sqrt(300))
    # which sees a loss
    assert truly(belief.argmax(axis=1), versions) < 0 < wanted


def test_the_interval_holds_the_difference_of_the_population_about_95_times_of_100():
    true, versions, belief = world(20_000, wrong=0.2)
    wanted, held = truly(true, versions), 0
    for draw in range(200):
        rows = np.random.default_rng(draw).choice(20_000, 400)
        few = {name: runs[:, rows] for name, runs in versions.items()}
        made = powered(known_of(true[rows], belief[rows], reviewed_of(400, 80, draw)), few, resamples=200, seed=draw)
        held += made.low <= wanted <= made.high
    assert 0.90 <= held / 200 <= 0.99


def test_a_belief_makes_the_interval_shorter_than_the_reviewed_listings_alone():
    true, versions, _ = world()
    known = known_of(true, informed(true), reviewed_of(600, 100, 0))
    alone = estimate(known, versions, None, present=np.ones(K, dtype=bool), seed=0, resamples=500)
    assert powered(known, versions, 500).could_show < 0.8 * alone.macro_f1("after", "before").could_show


def test_listings_chosen_for_their_doubt_do_no_harm_as_a_stratum_of_their_own():
    true, versions, belief = world(wrong=0.2, believed=0.8)
    # people looked at wrong labels first, and a sample was drawn from the others
    looked = (belief.argmax(axis=1) != true) & (np.arange(600) % 2 == 0)
    wanted, apart, together = truly(true, versions), [], []
    for seed in range(150):
        reviewed = looked.copy()
        rest = np.flatnonzero(~looked)
        reviewed[np.random.default_rng(seed).choice(rest, 60, replace=False)] = True
        apart.append(powered(known_of(true, belief, reviewed, looked.astype(np.int64)), versions, 2).mean)
        together.append(powered(known_of(true, belief, reviewed), versions, 2).mean)
    assert np.mean(apart) == pytest.approx(wanted, abs=4 * np.std(apart) / np.sqrt(150))
    assert abs(np.mean(together) - wanted) > 4 * np.std(together) / np.sqrt(150)


def test_deleted_listings_leave_the_test_set():
    true, versions, belief = world()
    gone = np.arange(600) < 50
    made = powered(known_of(np.where(gone, GONE, true), belief, np.ones(600, dtype=bool)), versions)
    left = {name: runs[:, ~gone] for name, runs in versions.items()}
    assert made.mean == pytest.approx(truly(true[~gone], left))


def test_lambda_is_low_for_a_belief_that_says_nothing_and_high_for_one_that_is_right():
    true, versions, _ = world()
    reviewed = reviewed_of(600, 200, 0)

    def mean_power(belief):
        known = known_of(true, belief, reviewed)
        return powers(known, versions["before"], versions["after"], np.ones(K, dtype=bool), seed=0)[reviewed].mean()

    nonsense = np.eye(K)[np.random.default_rng(1).integers(0, K, 600)]
    assert mean_power(nonsense) < 0.3
    assert mean_power(np.eye(K)[true]) == pytest.approx(1)


def test_lambda_is_tuned_on_other_listings_of_other_groups_than_it_corrects():
    true, versions, _ = world()
    belief, groups = informed(true, 0.7), np.arange(600) // 3
    known = known_of(true, belief, np.ones(600, dtype=bool), groups=groups)
    few = known_of(true, belief, reviewed_of(600, 120, 0), groups=groups)
    present = np.ones(K, dtype=bool)
    assert (powers(known, versions["before"], versions["after"], present, seed=0) == 0).all()
    power = powers(few, versions["before"], versions["after"], present, seed=0)
    by_group = [set(power[few.reviewed & (groups == group)]) for group in np.unique(groups[few.reviewed])]
    assert all(len(found) == 1 for found in by_group)
    assert len(set(power[few.reviewed])) == 5


def test_effects_are_the_change_of_the_difference_by_one_more_listing_of_each_class():
    true, versions, belief = world(n=300)
    present, once = np.ones(K, dtype=bool), np.ones(300)

    def difference(labels):
        known = Known(labels, np.zeros(300, dtype=np.int64), belief, np.arange(300))
        return estimate(known, versions, once, present=present, seed=0, resamples=1).macro_f1("after", "before").mean

    known = Known(true, np.zeros(300, dtype=np.int64), belief, np.arange(300))
    found, before = effects(known, versions["before"], versions["after"], present), difference(true)
    for row in range(5):
        for label in (*range(K), GONE):
            changed = true.copy()
            changed[row] = label
            expected = found[row, label] - found[row, true[row]]
            assert difference(changed) - before == pytest.approx(expected, abs=4e-5)
