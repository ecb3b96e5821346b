"""How good predictions are."""

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from training.evaluation.metrics import (
    classification_metrics,
    classification_scores,
    most_predicted,
    price_metrics,
    price_scores,
)

# class 3 is never predicted, class 4 never true, class 5 neither
TRUTH = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3])
PREDICTED = np.array([0, 0, 1, 1, 2, 2, 2, 2, 0, 4])
CLASSES = ["lamp", "sofa", "desk", "chair", "bed", "rug"]


def test_metrics_are_those_of_scikit_learn_with_macro_f1_over_the_classes_that_occur():
    metrics = classification_metrics(TRUTH, PREDICTED, CLASSES)
    occurring = {"labels": [0, 1, 2, 3], "average": None, "zero_division": 0}
    assert metrics["accuracy"] == accuracy_score(TRUTH, PREDICTED)
    assert metrics["macro_f1"] == pytest.approx(f1_score(TRUTH, PREDICTED, **occurring).mean())
    for name, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        ours = [metrics["per_class"][each][name] for each in CLASSES[:4]]
        assert ours == pytest.approx(score(TRUTH, PREDICTED, **occurring)), name
    assert [scores["support"] for scores in metrics["per_class"].values()] == [3, 2, 4, 1, 0, 0]


@pytest.mark.parametrize("name", ["chair", "bed", "rug"])
def test_a_class_that_is_never_predicted_or_never_true_scores_zero(name):
    scores = classification_metrics(TRUTH, PREDICTED, CLASSES)["per_class"][name]
    assert (scores["precision"], scores["recall"], scores["f1"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("truth", "predicted"),
    [
        (TRUTH, PREDICTED),
        (PREDICTED, TRUTH),
        ([0, 0, 1], [0, 1, 1]),
        ([2, 2, 0], [2, 0, 0]),
        ([0], [0]),
        ([0], [3]),
        ([1, 1], [1, 1]),
    ],
)
def test_the_quick_scores_are_those_of_the_full_metrics(truth, predicted):
    truth, predicted = np.array(truth), np.array(predicted)
    metrics = classification_metrics(truth, predicted, CLASSES)
    expected = {name: pytest.approx(metrics[name]) for name in ("accuracy", "macro_f1")}
    assert classification_scores(truth, predicted) == expected


def test_no_listings_score_zero():
    nothing = np.zeros(0, dtype=np.int64)
    assert classification_scores(nothing, nothing) == {"accuracy": 0, "macro_f1": 0}


def test_price_errors_count_alike_in_both_directions_and_no_price_has_none():
    assert price_scores(np.array([10.0, 10, 10, 10]), np.array([4.0, 12, 10, 30])) == {"mae": 7, "median_ae": 4}
    nothing = price_scores(np.zeros(0), np.zeros(0))
    assert math.isnan(nothing["mae"])
    assert math.isnan(nothing["median_ae"])


def test_prices_of_float32_are_subtracted_in_full_precision():
    # the difference is exact in float64 only
    truth, predicted = np.array([16_777_216], dtype=np.float32), np.array([0.5], dtype=np.float32)
    assert price_scores(truth, predicted)["mae"] == 16_777_215.5


def test_prices_are_scored_by_class_and_listings_without_a_label_count_over_all_only():
    truth, predicted = np.array([10.0, 20, 30, 100]), np.array([11.0, 25, 30, 0])
    metrics = price_metrics(truth, predicted, np.array([0, 0, 2, -1]), ["lamp", "sofa", "desk"])
    assert (metrics["mae"], metrics["median_ae"]) == (26.5, 3)
    assert metrics["per_class"] == {
        "lamp": {"mae": 3, "median_ae": 3, "support": 2},
        "sofa": {"mae": None, "median_ae": None, "support": 0},
        "desk": {"mae": 0, "median_ae": 0, "support": 1},
    }


def test_the_class_named_most_often_wins_and_the_smaller_number_where_two_tie():
    named, share = most_predicted(np.array([[3, 1, 0], [3, 0, 2], [1, 1, 2], [1, 0, 2]]))
    assert named.tolist() == [1, 0, 2]
    assert share.tolist() == [0.5, 0.5, 0.75]
