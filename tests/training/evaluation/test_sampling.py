"""Which listings are drawn for a review."""

import numpy as np
import pytest

from training.evaluation.sampling import allocate, stratify


def drawn(spread, budget, seed=0):
    strata = stratify(spread, budget, seed=seed)
    number = allocate(np.bincount(strata.stratum), strata.spread, budget)
    return strata, number, strata.rank < number[strata.stratum]


def test_more_are_drawn_from_where_more_is_unknown_and_some_from_everywhere():
    spread = np.r_[np.full(900, 0.01), np.full(100, 0.5)]
    strata, number, chosen = drawn(spread, 100)
    assert chosen.sum() == number.sum() == 100
    assert chosen[900:].mean() > 3 * chosen[:900].mean() > 0
    assert (number >= np.minimum(10, np.bincount(strata.stratum))).all()


def test_every_listing_of_a_stratum_has_the_same_chance():
    spread = np.linspace(0, 1, 50)
    times = sum(drawn(spread, 20, seed)[2].astype(int) for seed in range(400))
    strata, number, _ = drawn(spread, 20)
    for stratum, chance in enumerate(number / np.bincount(strata.stratum)):
        assert times[strata.stratum == stratum] / 400 == pytest.approx(chance, abs=0.1)


def test_listings_of_which_nothing_is_unknown_are_one_random_sample():
    strata, number, chosen = drawn(np.zeros(80), 30)
    assert number.sum() == chosen.sum() == 30
    assert sorted(strata.rank[strata.stratum == 0]) == list(range(int((strata.stratum == 0).sum())))


@pytest.mark.parametrize("budget", [1, 5, 40, 100, 1000])
def test_no_more_are_drawn_than_the_budget_or_than_there_are(budget):
    assert drawn(np.random.default_rng(0).random(60), budget)[2].sum() == min(budget, 60)


def test_a_larger_draw_keeps_what_was_drawn():
    sizes, spread = np.array([300, 100, 40]), np.array([0.1, 0.4, 2.0])
    before = allocate(sizes, spread, 60)
    after = allocate(sizes, spread, 150, before)
    assert after.sum() == 150
    assert (after >= before).all()


def test_the_draw_is_in_proportion_to_size_times_spread():
    assert allocate(np.array([1000, 1000]), np.array([1.0, 3.0]), 200).tolist() == [50, 150]
