"""Logistic regression that is learned by scikit-learn, kept as numbers, and applied without it."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import expit

from curation.evidence.fitted import Values
from training.utils.arrays import Float32, Float64, Int64

__all__ = ["learn_logistic", "log_probabilities"]


def learn_logistic(features: Float64, labels: Int64, *, inverse_strength: float, iterations: int) -> Values:
    """Learn a multinomial logistic regression with ridge penalty, on standardised features.

    Parameters
    ----------
    features : ndarray of float64, shape (n, D)
    labels : ndarray of int64, shape (n,)
        Of at least two classes.
    inverse_strength : float
        Of the penalty, beside the summed loss; above 0.
    iterations : int
        At most.

    Returns
    -------
    mapping of str to ndarray
        ``centre`` and ``spread`` of the features; ``weight``, shape (K, D), or (1, D) for two classes, and ``bias``.
    """
    # takes a second to import, and few datasets need it
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread == 0] = 1
    model = LogisticRegression(C=inverse_strength, max_iter=iterations)
    # a few steps more would change nothing that is seen
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        model.fit((features - centre) / spread, labels)
    return {"centre": centre, "spread": spread, "weight": model.coef_, "bias": model.intercept_}


def log_probabilities(model: Values, features: Float32 | Float64) -> Float64:
    """Return the log-probability of each class, as scikit-learn computes it to the last bit, shape (n, K).

    Parameters
    ----------
    model : mapping of str to ndarray
        Of :func:`learn_logistic`.
    features : ndarray of float32 or float64, shape (n, D)
    """
    outputs = ((features - model["centre"]) / model["spread"]) @ model["weight"].T + model["bias"]
    if outputs.shape[1] == 1:
        second = expit(outputs[:, 0])
        return np.asarray(np.log(np.stack([1 - second, second], axis=1)))
    likely = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(np.log(likely / likely.sum(axis=1, keepdims=True)))
