"""Metrics, and the uncertainty of a difference."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from training.compare import paired_difference
from training.metrics import classification_metrics


def simulated(n=400, classes=4, before=0.6, after=0.6, seeds=1, seed=0):
    """Return test labels, and predictions that are right with the given chances."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)

    def predictions(accuracy):
        wrong = (truth + rng.integers(1, classes, (seeds, n))) % classes
        return np.where(rng.random((seeds, n)) < accuracy, truth, wrong)

    return truth, predictions(before), predictions(after)


def test_metrics_are_those_of_scikit_learn_over_the_classes_that_occur():
    truth, predicted, _ = simulated()
    predicted = predicted[0]
    metrics = classification_metrics(truth, predicted, ["a", "b", "c", "d", "never"])
    assert metrics["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert metrics["accuracy"] == pytest.approx((truth == predicted).mean())
    assert metrics["per_class"]["never"]["support"] == 0
    assert sum(scores["support"] for scores in metrics["per_class"].values()) == 400


def test_the_mean_difference_is_the_difference_of_macro_f1():
    truth, before, after = simulated(after=0.7, seeds=2)
    macro, per_class = paired_difference(truth, before, after, np.arange(400), classes=4, seed=0, resamples=50)
    expected = np.mean(
        [
            f1_score(truth, a, average="macro") - f1_score(truth, b, average="macro")
            for b, a in zip(before, after, strict=True)
        ]
    )
    assert macro.mean == pytest.approx(expected)
    assert np.mean([difference.mean for difference in per_class]) == pytest.approx(expected)
    assert macro.low < macro.mean < macro.high


@pytest.mark.parametrize(("after", "verdict"), [(0.85, "helped"), (0.35, "hurt"), (0.6, "no difference")])
def test_the_verdict_follows_the_interval(after, verdict):
    truth, before, predicted = simulated(after=after)
    macro, _ = paired_difference(truth, before, predicted, np.arange(400), classes=4, seed=0, resamples=300)
    assert macro.verdict == verdict


def test_equal_predictions_make_a_difference_of_exactly_zero():
    truth, before, _ = simulated()
    macro, _ = paired_difference(truth, before, before, np.arange(400), classes=4, seed=0, resamples=100)
    assert (macro.mean, macro.low, macro.high) == (0, 0, 0)
    assert macro.verdict == "no difference"


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    # the truth: what a very large test set would show
    truth, before, after = simulated(200_000, before=0.6, after=0.66, seed=1)
    true = f1_score(truth, after[0], average="macro") - f1_score(truth, before[0], average="macro")
    covered = []
    for trial in range(120):
        rows = rng.choice(len(truth), 250, replace=False)
        macro, _ = paired_difference(
            truth[rows], before[:, rows], after[:, rows], rows, classes=4, seed=trial, resamples=200
        )
        covered.append(macro.low <= true <= macro.high)
    assert 0.88 <= np.mean(covered) <= 0.99


def test_groups_that_move_together_widen_the_interval():
    truth, before, after = simulated(100, after=0.75)
    many = [np.repeat(part, 8, axis=-1) for part in (truth, before, after)]
    groups = np.repeat(np.arange(100), 8)
    alone, _ = paired_difference(*many, np.arange(800), classes=4, seed=0, resamples=400)
    together, _ = paired_difference(*many, groups, classes=4, seed=0, resamples=400)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_a_class_without_test_listings_has_no_difference():
    truth, before, after = simulated()
    _, per_class = paired_difference(truth, before, after, np.arange(400), classes=6, seed=0, resamples=50)
    assert per_class[4] is None
    assert per_class[5] is None
