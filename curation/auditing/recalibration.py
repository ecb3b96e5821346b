"""Chances that agree with an audit: an offset and a slope of their log-odds (Platt 1999)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from training.utils.arrays import Bool, Float64

__all__ = ["fit_recalibration", "recalibrated"]

#: Offset and slope are kept near 0 and 1, as if by normal distributions of this spread.
_SPREAD = 1.0, 0.3
_EDGE = 1e-4


def fit_recalibration(chances: Float64, wrong: Bool, weights: Float64) -> tuple[float, float]:
    """Return offset and slope of the log-odds with which chances agree with audited labels.

    Parameters
    ----------
    chances : ndarray of float64, shape (n,)
        The chance that each audited label is wrong, 0 to 1; NaN where it is unknown.
    wrong : ndarray of bool, shape (n,)
        Whether it is.
    weights : ndarray of float64, shape (n,)
        For how many listings each stands: one over its probability of being drawn.

    Returns
    -------
    offset, slope : float
        0 and 1 leave the chances as they are; so do no listings.

    Examples
    --------
    >>> few = np.array([0.02] * 50)
    >>> offset, slope = fit_recalibration(few, np.arange(50) < 10, np.ones(50))
    >>> bool(offset > 0)
    True
    """
    known = np.isfinite(chances)
    if not known.any():
        return 0.0, 1.0
    odds, outcomes = logit(np.clip(chances[known], _EDGE, 1 - _EDGE)), wrong[known].astype(np.float64)
    # as many listings as there are: the prior is to weigh as much as beside a simple random sample
    shares = weights[known] / weights[known].mean()

    def loss(at: Float64) -> float:
        total = at[0] + at[1] * odds
        near = (at[0] / _SPREAD[0]) ** 2 / 2 + ((at[1] - 1) / _SPREAD[1]) ** 2 / 2
        return float((shares * (np.logaddexp(0, total) - outcomes * total)).sum() + near)

    offset, slope = minimize(loss, np.array([0.0, 1.0])).x
    return float(offset), float(slope)


def recalibrated(chances: Float64, offset: float, slope: float) -> Float64:
    """Return chances after :func:`fit_recalibration`; NaN stays NaN.

    Parameters
    ----------
    chances : ndarray of float64, shape (n,)
        From 0 to 1, or NaN.
    offset, slope : float
        Of their log-odds.

    Examples
    --------
    >>> recalibrated(np.array([0.1, np.nan]), 0.0, 1.0).round(3).tolist()
    [0.1, nan]
    """
    changed: Float64 = expit(offset + slope * logit(np.clip(chances, _EDGE, 1 - _EDGE)))
    return changed
