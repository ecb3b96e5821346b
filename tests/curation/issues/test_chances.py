"""Chances of wrong labels: what they fall with, where they are kept, and from where labels are flagged."""

import numpy as np
import pytest

from curation.evidence.log_odds import margins, standing_of
from curation.issues.label import chances
from curation.issues.label.chances import FACTS, Coefficients, flags_from
from curation.issues.label.noise import find_cut
from tests.curation.issues.test_labels import planted


def beliefs(n=2000, classes=5, sure=4.0, noise=0.1, seed=0):
    """Return log-beliefs that are calibrated, given classes and which of these are wrong."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(0, 1, (n, classes))
    logs[np.arange(n), rng.integers(0, classes, n)] += rng.choice([0.3, 1.0], n) * sure
    true = np.array([rng.choice(classes, p=row) for row in np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)])
    wrong = rng.random(n) < noise
    return logs, np.where(wrong, (true + rng.integers(1, classes, n)) % classes, true), wrong


def chances_wrong(logs, given, learnable):
    return chances.chances_wrong(standing_of(logs, given), learnable).wrong


def set_facts(logs, given):
    standing = standing_of(logs, given)
    return chances.set_facts(standing, find_cut(standing))


def coefficients(offset=0.0, below=1.0, above=2.0):
    zero, constant = np.zeros(len(FACTS)), np.eye(1, 1 + len(FACTS))[0]
    return Coefficients(zero, zero + 1, zero - 9, zero + 9, offset * constant, below * constant, above * constant)


def test_the_log_odds_rise_below_a_margin_of_0_and_fall_above_it():
    found = coefficients(offset=-1.0).chances(np.array([-2.0, 0.0, 3.0]), np.zeros(len(FACTS)))
    assert np.log(found / (1 - found)) == pytest.approx([1.0, -1.0, -7.0])


def test_a_slope_is_at_least_0_7_so_a_larger_margin_never_has_a_larger_chance():
    found = coefficients(below=-5.0, above=0.1).chances(np.array([-1.0, 0.0, 1.0]), np.zeros(len(FACTS)))
    assert np.log(found / (1 - found)) == pytest.approx([0.7, 0.0, -0.7])


def test_margins_count_up_to_12_and_beyond_that_only_for_the_order():
    found = coefficients(below=0.8, above=0.8).chances(np.array([13.0, 12.0, 11.0]), np.zeros(len(FACTS)))
    odds = np.log(found / (1 - found))
    assert np.diff(odds) == pytest.approx([0.008, 0.8])


def test_a_fact_counts_as_far_as_it_was_learned():
    steep = coefficients()
    steep.offset[3] = 1.0
    inside, edge, beyond = (steep.chances(np.zeros(1), np.eye(1, len(FACTS), 2)[0] * fact)[0] for fact in (8, 9, 10))
    assert inside < edge == beyond


def test_chances_fall_with_the_margin_and_lie_between_0_and_1():
    logs, given, _ = beliefs()
    found, margin = chances_wrong(logs, given, np.arange(len(given))), margins(logs, given)
    assert found.min() >= 0
    assert found.max() <= 1
    assert (np.diff(found[np.argsort(margin)]) <= 0).all()


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_as_many_labels_are_expected_to_be_wrong_as_are(noise):
    evidence, _, wrong = planted(1500, noise=noise, sure=5.0)
    belief = evidence.belief
    found = chances_wrong(belief.logs[:], evidence.given, belief.learnable)
    assert found.mean() == pytest.approx(wrong.mean(), abs=0.05)


def test_the_same_margin_is_less_of_a_fault_where_the_model_is_weak():
    chances_of = {}
    for sure in (1.5, 5.0):
        evidence, _, _ = planted(1500, noise=0.05, sure=sure)
        belief = evidence.belief
        margin = margins(belief.logs[:], evidence.given)
        found = chances_wrong(belief.logs[:], evidence.given, belief.learnable)
        chances_of[sure] = np.interp(-1.0, np.sort(margin), found[np.argsort(margin)])
    assert chances_of[1.5] < chances_of[5.0]


def test_other_rows_than_the_learnable_ones_move_no_chance():
    logs, given, _ = beliefs(400)
    learnable = np.arange(0, 400, 2)
    spoilt = given.copy()
    spoilt[1::2] = (given[1::2] + 1) % 5
    before, after = (chances_wrong(logs, labels, learnable)[learnable] for labels in (given, spoilt))
    assert np.array_equal(before, after)


def test_the_surest_listings_are_counted_apart():
    # ten listings, surest first; the labels of the last three differ
    sure = np.linspace(0.95, 0.6, 10)
    logs = np.log(np.column_stack([sure, 1 - sure]))
    given = np.r_[np.zeros(7), np.ones(3)].astype(np.int64)
    facts = dict(zip(FACTS, set_facts(logs, given), strict=True))
    for share, count, differ in ((10, 1, 0), (30, 3, 0), (50, 5, 0), (70, 7, 0), (100, 10, 3)):
        rate = (differ + 0.5) / (count + 1)
        assert facts[f"differ among surest {share}%"] == pytest.approx(np.log(rate / (1 - rate)))
    assert facts["confidence"] == pytest.approx(np.log(sure.mean() / (1 - sure.mean())))
    assert facts["candidates"] == 0


@pytest.mark.parametrize("n", [1, 2])
def test_one_listing_and_certain_beliefs_have_finite_facts(n):
    logs = np.tile([0.0, -800.0], (n, 1))
    assert np.isfinite(set_facts(logs, np.zeros(n, dtype=np.int64))).all()
    assert np.isfinite(set_facts(logs, np.ones(n, dtype=np.int64))).all()


def test_labels_are_flagged_from_half_of_the_highest_expected_f1():
    wrong = np.array([0.9, 0.8, 0.3, 0.1, 0.1])
    expected = [2 * wrong[:n].sum() / (n + wrong.sum()) for n in range(1, 6)]
    assert flags_from(wrong) == pytest.approx(max(expected) / 2)
    assert flags_from(wrong[::-1]) == flags_from(wrong)


@pytest.mark.parametrize(("wrong", "bound"), [([0.1] * 9, 0.35), ([], 0.35), ([1.0] * 9, 0.5)])
def test_no_label_is_flagged_below_a_quarter_and_every_one_from_a_half_on(wrong, bound):
    assert flags_from(np.array(wrong)) == bound


def test_what_was_learned_from_other_facts_is_refused():
    content = coefficients().to_dict()
    assert Coefficients.from_dict(content).to_dict() == content
    with pytest.raises(ValueError, match=r"learn_chances\.py"):
        Coefficients.from_dict({**content, "facts": [*FACTS[1:], FACTS[0]]})
