"""How likely each title is in each class by its meaning: out-of-fold logistic regression on features of sentences."""

from __future__ import annotations

from functools import partial

import numpy as np

from curation.evidence.fitted import Fit, Values, unkept
from curation.evidence.logistic import learn_logistic, log_probabilities
from training.utils.arrays import Bool, Float32, Float64, Int64

__all__ = ["meaning_likelihoods"]


#: Inverse strength of the penalty, of features with mean 0 and deviation 1 and the summed loss.
_INVERSE_STRENGTH = 0.1
#: Titles to learn from: the time grows with them, and more hardly change what a few hundred features say.
_ENOUGH = 20_000
_ITERATIONS = 200


def meaning_likelihoods(
    features: Float32, labels: Int64, fold: Int64, may_train: Bool, *, classes: int, fit: Fit = unkept
) -> Float64:
    """Return how likely each title is in each class, learned from the features of titles of *other* folds.

    Multinomial logistic regression with ridge penalty. Its probabilities are divided by the sizes of the classes that
    it was trained on; no class is more likely a priori.

    Parameters
    ----------
    features : ndarray of float32, shape (N, D)
        What the titles mean; zeros without a title.
    labels, fold : ndarray of int64, shape (N,)
        Given class numbers, and folds.
    may_train : ndarray of bool, shape (N,)
        Rows whose label may be used for training.
    classes : int
        K.
    fit : callable
        Keeps the model of each fold, or has that of an earlier run; by default neither.

    Returns
    -------
    ndarray of float64, shape (N, K)
        Log-likelihoods up to a constant per row. NaN rows without a title, and where the other folds have titles of
        fewer than two classes. A class that none of these titles has is as likely as the others on average.
    """
    logs = np.full((len(features), classes), np.nan)
    present = features.any(axis=1)
    for number in np.unique(fold):
        rows = _some(np.flatnonzero((fold != number) & may_train & present))
        scored = np.flatnonzero((fold == number) & present)
        if not len(scored):
            continue
        model = fit(f"meaning in fold {number}", partial(_learn, features, labels, rows))
        known, counts = model["known"], model["counts"]
        if len(known) < 2:
            continue
        own = log_probabilities(model, features[scored]) - np.log(counts / counts.sum())
        of_fold = np.repeat(own.mean(axis=1, keepdims=True), classes, axis=1)
        of_fold[:, known] = own
        logs[scored] = of_fold
    return logs


def _learn(features: Float32, labels: Int64, rows: Int64) -> Values:
    """Return a logistic regression on features of rows; only the classes, if they are fewer than two."""
    known, counts = np.unique(labels[rows], return_counts=True)
    if len(known) < 2:
        return {"known": known, "counts": counts}
    training = features[rows].astype(np.float64)
    model = learn_logistic(training, labels[rows], inverse_strength=_INVERSE_STRENGTH, iterations=_ITERATIONS)
    return {"known": known, "counts": counts, **model}


def _some(rows: Int64) -> Int64:
    if len(rows) <= _ENOUGH:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, _ENOUGH, replace=False))
