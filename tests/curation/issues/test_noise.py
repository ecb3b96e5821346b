"""How many labels are wrong, on margins and beliefs few enough to count by hand."""

import numpy as np
import pytest

from curation.evidence.log_odds import softmax, standing_of
from curation.issues.label.noise import (
    choose_cut,
    confusions,
    find_cut,
    noise_where_sure,
    suggestion_confidence,
)


@pytest.mark.parametrize(("share", "candidates"), [(0.02, 1.0), (0.1, 1.0), (0.1, 4.0), (0.3, 3.0)])
def test_the_cut_is_0_65_times_the_log_odds_of_a_wrong_label_and_1_1(share, candidates):
    # that share is beyond doubt, and nothing is in doubt
    margin = np.where(np.arange(1000) < 1000 * share, -50.0, 50.0)
    theory = np.log(share / (candidates * (1 - share)))
    assert choose_cut(margin, candidates) == pytest.approx(0.65 * theory + 1.1)


def test_the_cut_is_never_above_zero():
    assert choose_cut(np.array([-50.0, 50.0]), 1.0) == 0
    # 0.65 log(e / (1 - e)) = -1.1 for a share of 0.155
    assert choose_cut(np.where(np.arange(1000) < 160, -50.0, 50.0), 1.0) == 0
    assert choose_cut(np.where(np.arange(1000) < 150, -50.0, 50.0), 1.0) < 0


def test_the_cut_and_the_share_below_it_follow_each_other_until_they_agree():
    margin = np.linspace(-6, 40, 4601)
    cut = choose_cut(margin, 3.0)
    share = (margin < cut).mean()
    assert cut == pytest.approx(0.65 * np.log(share / (3 * (1 - share))) + 1.1, abs=0.01)
    # it begins with all listings below zero, and ends well below that
    assert -2 < cut < -0.9


def test_without_a_listing_below_zero_the_cut_is_far_below_and_without_listings_there_is_one():
    lowest = 0.65 * np.log(1e-9 / 2) + 1.1
    assert choose_cut(np.full(100, 3.0), 2.0) == pytest.approx(lowest)
    assert choose_cut(np.empty(0), 2.0) == pytest.approx(lowest)


def test_labels_all_in_doubt_are_cut_at_zero():
    assert choose_cut(np.full(100, -3.0), 2.0) == 0


def test_the_cut_counts_strictly_below_and_over_the_classes_of_those_in_doubt():
    logs = np.log(np.array([[0.8, 0.1, 0.1]] * 8 + [[0.1, 0.8, 0.1]] + [[0.5, 0.5, 1e-9]]))
    cut = find_cut(standing_of(logs, np.zeros(10, dtype=np.int64)))
    # the last one is as likely as another class: not in doubt
    assert cut.candidates == 1
    assert cut.share == pytest.approx(0.1)
    assert cut.margin == pytest.approx(0.65 * np.log(0.1 / 0.9) + 1.1)


def test_confusions_are_averaged_over_the_listings():
    # thirty of one best class, spread over three; ten of another, all given the same
    given, best = np.array([1, 2, 3] * 10 + [0] * 10), np.repeat([0, 1], [30, 10])
    assert confusions(given, best, 4) == pytest.approx(np.exp(0.75 * np.log(3)))


def surest(n, differ):
    """Return beliefs of descending sureness, and labels that differ from the best class in these rows."""
    sure = np.linspace(0.99, 0.6, n)
    given = np.zeros(n, dtype=np.int64)
    given[differ] = 1
    return standing_of(np.log(np.column_stack([sure, 1 - sure])), given)


@pytest.mark.parametrize(("n", "size"), [(1000, 100), (310, 31), (300, 30), (100, 30)])
def test_the_noise_is_that_of_the_surest_tenth_or_at_least_thirty(n, size):
    inside = noise_where_sure(surest(n, [0, size - 1]))
    beyond = noise_where_sure(surest(n, [0, size]))
    assert inside == pytest.approx(2.5 / (size + 1))
    assert beyond == pytest.approx(1.5 / (size + 1))


def confidence(share, given=0, candidates=2.0, probs=(0.2, 0.7, 0.1)):
    return suggestion_confidence(
        np.array([probs]), np.array([given]), np.array([1]), share=share, candidates=candidates
    )[0]


def by_bayes(share, candidates, probs=(0.2, 0.7, 0.1)):
    """Take the noise out of the probabilities, and count the given label as a witness."""
    true = np.maximum(np.array(probs) - share / 3, 0.05 * np.array(probs))
    true[0] *= candidates * (1 - share) / share
    return true[1] / true.sum()


@pytest.mark.parametrize(("share", "candidates"), [(0.05, 1.0), (0.2, 1.0), (0.2, 2.0), (0.6, 2.0)])
def test_the_confidence_takes_the_noise_out_and_counts_the_given_label_as_a_witness(share, candidates):
    assert confidence(share, candidates=candidates) == pytest.approx(by_bayes(share, candidates))


def test_a_share_of_noise_is_taken_to_be_between_a_thousandth_and_nine_tenths():
    assert confidence(0.0) == pytest.approx(by_bayes(0.001, 2.0))
    assert confidence(1.0) == pytest.approx(by_bayes(0.9, 2.0))


def test_without_a_given_label_there_is_no_witness():
    true = np.array([0.2, 0.7, 0.1]) - 0.1 / 3
    assert confidence(0.1, given=-1) == pytest.approx(true[1] / true.sum())


def test_the_best_other_class_is_never_the_given_one_and_probabilities_sum_to_1():
    logs = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]))
    assert standing_of(logs, np.array([0, 0])).other.tolist() == [1, 2]
    assert softmax(logs + 3) == pytest.approx(np.exp(logs))
