"""Which listings are drawn for a review."""

import numpy as np
import pytest

from training.evaluation.sampling import Design, allocate, stratify

DESIGN = Design(most=5, listings=20, least=10, unsure=0.1)


def drawn(spread, budget, seed=0):
    strata = stratify(spread, budget, DESIGN, seed=seed)
    number = allocate(strata.sizes, strata.spread, budget, least=DESIGN.least)
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
    assert number.tolist() == [30]
    assert chosen.sum() == 30
    assert sorted(strata.rank) == list(range(80))


@pytest.mark.parametrize("budget", [1, 5, 40, 100, 1000])
def test_no_more_are_drawn_than_the_budget_or_than_there_are(budget):
    assert drawn(np.random.default_rng(0).random(60), budget)[2].sum() == min(budget, 60)


def test_a_larger_draw_keeps_what_was_drawn():
    sizes, spread = np.array([300, 100, 40]), np.array([0.1, 0.4, 2.0])
    before = allocate(sizes, spread, 60, least=10)
    after = allocate(sizes, spread, 150, least=10, drawn=before)
    assert after.sum() == 150
    assert (after >= before).all()


def test_the_draw_is_in_proportion_to_size_times_spread():
    assert allocate(np.array([1000, 1000]), np.array([1.0, 3.0]), 200, least=10).tolist() == [50, 150]


def test_listings_of_which_as_much_is_unknown_share_a_stratum_whatever_the_seed_and_the_order():
    random = np.random.default_rng(0)
    spread = random.choice([0.0, 0.1, 0.2, 0.5], 300)
    strata = stratify(spread, 100, DESIGN, seed=0).stratum
    assert all(len(set(strata[spread == each].tolist())) == 1 for each in (0.0, 0.1, 0.2, 0.5))
    order = random.permutation(300)
    assert (stratify(spread[order], 100, DESIGN, seed=1).stratum == strata[order]).all()


def test_listings_that_must_stay_apart_never_share_a_stratum():
    apart = np.arange(300) % 3
    strata = stratify(np.random.default_rng(0).random(300), 100, DESIGN, seed=0, apart=apart).stratum
    assert all(len(set(apart[strata == each].tolist())) == 1 for each in set(strata.tolist()))
    assert len(set(strata.tolist())) >= 5


def test_no_other_allocation_of_whole_numbers_has_a_smaller_variance():
    sizes, spread = np.array([40, 25, 12]), np.array([0.1, 0.4, 1.0])

    def variance(number):
        return (sizes**2 * spread**2 / number).sum()

    others = [
        (first, second, 30 - first - second)
        for first in range(2, 29)
        for second in range(2, 29 - first)
        if 2 <= 30 - first - second <= 12 and second <= 25
    ]
    assert variance(allocate(sizes, spread, 30, least=2)) == min(variance(np.array(other)) for other in others)
