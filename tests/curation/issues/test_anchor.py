"""Chances that agree with what people found."""

import numpy as np
import pytest

from curation.issues.label.anchor import AHEAD, RECENT, anchor_to


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
    chances, wrong = drawn(RECENT, 0.0, 1.0)
    left = np.full(50, 0.2)
    once = anchor_to(left, chances, wrong)
    assert anchor_to(left, np.r_[0.5, chances], np.r_[1.0, wrong]).offset == once.offset
    assert anchor_to(left, np.r_[chances[1:], 0.5], np.r_[wrong[1:], 1.0]).offset != once.offset


def test_decisions_on_listings_more_doubtful_than_the_next_ones_count_less():
    sure_ones, all_wrong = np.full(40, 0.95), np.ones(40)
    among_such = anchor_to(np.full(AHEAD, 0.95), sure_ones, all_wrong)
    below_them = anchor_to(np.full(AHEAD, 0.05), sure_ones, all_wrong)
    assert 0 < below_them.offset < 0.3 * among_such.offset


def test_the_spread_covers_what_so_few_decisions_leave_open():
    chances, wrong = drawn(4000, 0.0, 1.0)
    few, many = (anchor_to(chances[100:], chances[:n], wrong[:n]) for n in (5, 60))
    assert few.spread(chances[100:]) > many.spread(chances[100:])


def test_the_share_of_intervals_that_hold_the_truth_is_what_they_promise():
    held = []
    for seed in range(200):
        chances, wrong = drawn(460, np.random.default_rng(seed).normal(0, 1), 1.0, seed=seed)
        left = chances[RECENT:]
        anchor = anchor_to(left, chances[:RECENT], wrong[:RECENT])
        held.append(abs(anchor(left).sum() - wrong[RECENT:].sum()) <= 1.96 * anchor.spread(left))
    assert 0.9 <= np.mean(held) <= 0.99


def test_listings_that_were_not_judged_have_no_chance():
    anchor = anchor_to(np.array([0.5]), np.array([0.5]), np.array([1.0]))
    assert np.isnan(anchor(np.array([np.nan, 0.5]))).tolist() == [True, False]
