"""Chances that agree with what people found."""

import numpy as np
import pytest

from curation.issues.label.anchor import AHEAD, HALF, RECENT, anchor_to


def drawn(n, offset, slope, seed=0):
    """Return chances of listings, and whether each is wrong where the truth has this offset and slope."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1, 2, n)
    wrong = rng.random(n) < 1 / (1 + np.exp(-(offset + slope * odds)))
    return 1 / (1 + np.exp(-odds)), wrong.astype(float)


def test_without_decisions_chances_stay_as_they_are():
    chances = np.array([0.001, 0.3, 0.99])
    anchor = anchor_to(chances, np.array([]), np.array([]))
    assert anchor(chances) == pytest.approx(chances)


@pytest.mark.parametrize(("offset", "slope"), [(0.0, 1.0), (-1.5, 1.0), (1.0, 1.3)])
def test_what_is_left_is_expected_as_often_as_it_is_found(offset, slope):
    chances, wrong = drawn(4000, offset, slope)
    anchor = anchor_to(chances[RECENT:], chances[:RECENT], wrong[:RECENT])
    expected, spread = anchor(chances[RECENT:]).sum(), anchor.spread(chances[RECENT:])
    assert abs(expected - wrong[RECENT:].sum()) < 2 * spread


def test_the_order_never_changes_however_wrong_the_chances_were():
    chances = np.linspace(1e-12, 1 - 1e-9, 200)
    anchor = anchor_to(chances, np.linspace(0.9, 0.99, 50), np.zeros(50))
    assert (np.diff(anchor(chances)) > 0).all()


def test_only_the_last_decisions_count():
    left, chances, wrong = np.full(50, 0.6), np.full(RECENT, 0.6), np.tile([1.0, 0.0, 0.0], RECENT // 3)
    once = anchor_to(left, chances, wrong)
    assert once.offset < 0
    assert anchor_to(left, np.r_[0.9, chances], np.r_[1.0, wrong]).offset == once.offset
    assert anchor_to(left, np.r_[chances[1:], 0.6], np.r_[wrong[1:], 1.0]).offset > once.offset


def test_of_the_last_decisions_the_very_last_count_most():
    left, chances, early = np.full(50, 0.9), np.full(2 * HALF, 0.9), np.repeat([1.0, 0.0], HALF)
    assert anchor_to(left, chances, early).offset < anchor_to(left, chances, early[::-1]).offset


def test_fewer_wrong_labels_than_expected_lower_the_chances_of_the_next_ones():
    left, chances = np.full(AHEAD, 0.8), np.full(RECENT, 0.8)
    anchor = anchor_to(left, chances, np.arange(RECENT) % 5 == 0)
    assert 0.2 < anchor(left).mean() < 0.35


def test_that_many_were_wrong_raises_no_chance_because_a_queue_comes_to_an_end():
    anchor = anchor_to(np.full(AHEAD, 0.02), np.full(RECENT, 0.98), np.ones(RECENT))
    assert (anchor.offset, anchor.slope) == (0, 1)


def test_chances_that_are_right_stay_so_for_who_reviews_in_any_order():
    expected, actual = 0.0, 0.0
    for seed in range(20):
        chances, wrong = drawn(500, 0.0, 1.0, seed=seed)
        ahead = RECENT + np.argsort(-chances[RECENT:])[:AHEAD]
        anchor = anchor_to(chances[RECENT:], chances[:RECENT], wrong[:RECENT])
        expected, actual = expected + anchor(chances[ahead]).sum(), actual + wrong[ahead].sum()
    assert expected == pytest.approx(actual, rel=0.05)


def test_the_spread_covers_what_so_few_decisions_leave_open():
    left, chances = np.full(200, 0.6), np.full(RECENT, 0.6)
    few, many = (anchor_to(left, chances[:n], np.arange(n) % 3 == 0) for n in (6, RECENT))
    assert few.spread(left) > many.spread(left)


@pytest.mark.parametrize("sorts", [False, True])
def test_intervals_hold_the_truth_at_least_as_often_as_they_promise(sorts):
    held = []
    for seed in range(100):
        chances, wrong = drawn(460, np.random.default_rng(seed).normal(0, 1), 1.0, seed=seed)
        order = np.argsort(-chances) if sorts else np.arange(460)
        before, left = order[:RECENT], order[RECENT:]
        anchor = anchor_to(chances[left], chances[before], wrong[before])
        held.append(abs(anchor(chances[left]).sum() - wrong[left].sum()) <= 1.96 * anchor.spread(chances[left]))
    assert np.mean(held) >= 0.9


def test_listings_that_were_not_judged_have_no_chance():
    anchor = anchor_to(np.array([0.5]), np.array([0.5]), np.array([1.0]))
    assert np.isnan(anchor(np.array([np.nan, 0.5]))).tolist() == [True, False]
