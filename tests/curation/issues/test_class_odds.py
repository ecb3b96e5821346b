"""Classes whose labels are wrong more often than the models think."""

import numpy as np
import pytest

from curation.issues.label.class_odds import class_odds

EVERY = np.arange(400)
GIVEN, FOLD = EVERY % 4, EVERY // 4 % 5


def rises(wrong, rows=EVERY, odds=None):
    return class_odds(np.zeros(400) if odds is None else odds, GIVEN, FOLD, rows, wrong, classes=4)


def test_without_decisions_nothing_rises():
    assert (rises(np.array([]), rows=np.array([], dtype=np.int64)) == 0).all()


def test_labels_of_a_class_that_was_often_wrong_are_doubted_more_and_others_less():
    rise = rises((GIVEN == 2).astype(float))
    assert rise[GIVEN == 2].min() > 1
    assert rise[GIVEN != 2].max() < 0


def test_what_the_models_knew_already_adds_nothing():
    rng = np.random.default_rng(0)
    odds = np.where(GIVEN == 2, 2.0, -2.0)
    wrong = (rng.random(400) < 1 / (1 + np.exp(-odds))).astype(float)
    assert np.abs(rises(wrong, odds=odds)).max() < 0.6


def test_one_decision_moves_its_class_a_little():
    rise = rises(np.array([1.0]), rows=np.array([0]))
    assert 0 < rise[(GIVEN == 0) & (FOLD[0] != FOLD)].min() < 0.3
    assert np.abs(rise[GIVEN != 0]).max() < 1e-4


def test_decisions_of_a_fold_have_no_part_in_what_is_said_of_it():
    wrong = (GIVEN == 1).astype(float)
    before, after = rises(wrong), rises(np.where(FOLD == 3, 1 - wrong, wrong))
    assert np.array_equal(before[FOLD == 3], after[FOLD == 3])
    assert not np.allclose(before[FOLD != 3], after[FOLD != 3], atol=0.01)


@pytest.mark.parametrize("beyond", [12.0, 34.0])
def test_log_odds_count_up_to_12(beyond):
    wrong = (GIVEN == 1).astype(float)
    sure = np.where(EVERY < 40, beyond, 0.0)
    assert np.array_equal(rises(wrong, odds=sure), rises(wrong, odds=np.minimum(sure, 12.0)))
