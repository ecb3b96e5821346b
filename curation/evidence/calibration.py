"""Calibration of beliefs: as confident as they are accurate."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from curation.evidence.rows import Rows
from training.utils.arrays import Float64, Int64

__all__ = ["some_rows", "temperature"]


#: A few numbers are learned from at most this many listings, and log-beliefs; more do not change them.
_ENOUGH = 10_000
_NUMBERS = 2_000_000


def temperature(belief: Rows | Float64, labels: Int64, among: Int64 | None = None) -> float:
    """Return the factor that makes log-beliefs predict given labels best, 0.1 to 10.

    Above 1, the beliefs were not confident enough (temperature scaling: Guo et al., "On Calibration of Modern
    Neural Networks", ICML 2017).

    Parameters
    ----------
    belief : Rows or ndarray of float64, shape (N, K)
        Log-beliefs.
    labels : ndarray of int64, shape (N,)
        Given class numbers.
    among : ndarray of int64, optional
        The rows that count; by default all.
    """
    among = np.arange(len(labels)) if among is None else among
    rows = among[some_rows(np.arange(len(among)), belief.shape[1])]
    sample, labels, each = belief[rows], labels[rows], np.arange(len(rows))

    def loss(log_factor: float) -> float:
        return float(-log_softmax(np.exp(log_factor) * sample, axis=1)[each, labels].mean())

    return float(np.exp(minimize_scalar(loss, bounds=np.log([0.1, 10]), method="bounded").x))


def some_rows(rows: Int64, classes: int) -> Int64:
    """Return a sample of the rows, always the same, that is large enough to learn a few numbers from.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        Rows to choose from.
    classes : int
        K. With more classes, fewer rows are returned, down to 1,000.
    """
    most = max(1_000, min(_ENOUGH, _NUMBERS // classes))
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
