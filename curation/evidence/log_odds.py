"""Functions of log-beliefs, shape (n, K)."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from training.utils.arrays import Float64, Int64

__all__ = ["best_other", "margins", "softmax"]


def softmax(logs: Float64) -> Float64:
    """Return probabilities; rows sum to 1."""
    # scipy's softmax differs in the last digits, which the regressions of prices, stopped early, turn into percents
    return np.asarray(np.exp(log_softmax(logs, axis=1)))


def best_other(logs: Float64, given: Int64) -> Int64:
    """Return the most believed class that is not the given one, shape (n,); with K = 1, the given one.

    Parameters
    ----------
    logs : ndarray of float64, shape (n, K)
        Logarithms of probabilities.
    given : ndarray of int64, shape (n,)
        Given classes.
    """
    others = logs.copy()
    others[np.arange(len(given)), given] = -np.inf
    return np.asarray(others.argmax(axis=1), dtype=np.int64)


def margins(logs: Float64, given: Int64) -> Float64:
    """Return the log-odds of the given class against the best other one, shape (n,); low = bad.

    Parameters
    ----------
    logs : ndarray of float64, shape (n, K)
        Logarithms of probabilities.
    given : ndarray of int64, shape (n,)
        Given classes.

    Examples
    --------
    >>> margins(np.log([[0.2, 0.8], [0.5, 0.5]]), np.array([0, 1])).round(2)
    array([-1.39,  0.  ])
    """
    rows = np.arange(len(given))
    difference: Float64 = logs[rows, given] - logs[rows, best_other(logs, given)]
    return difference
