"""Chances of wrong labels, anchored to what people found among the listings that they decided on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from training.utils.arrays import Float64

__all__ = ["AHEAD", "RECENT", "Anchor", "anchor_to"]


#: So many of the last decisions count: earlier ones were made on listings that were easier to tell.
RECENT = 60
#: So many of the listings that come next say which decisions are about listings like those.
AHEAD = 25
#: Offset and slope of the log-odds are kept near 0 and 1, as if by normal distributions of these spreads.
_SPREADS = np.array([1.0, 0.3])
#: A decision on a listing with more doubt than the next ones counts by 1 / e less for each unit of log-odds.
_REACH = 1.0
#: Log-odds are compared up to about this size: beyond it, no dataset has been seen to tell chances apart.
_WIDEST, _BEYOND = 34.0, 0.001
_LEAST = 1e-15
_FLATTEST = 0.1


@dataclass(frozen=True)
class Anchor:
    """What the log-odds of chances need, to agree with decisions.

    Attributes
    ----------
    offset, slope : float
        Of the log-odds.
    covariance : ndarray of float64, shape (2, 2)
        How uncertain both are.
    """

    offset: float
    slope: float
    covariance: Float64

    def __call__(self, chances: Float64) -> Float64:
        """Return chances that agree with the decisions, of the same shape and in the same order; NaN stays."""
        return np.asarray(expit(self.offset + self.slope * _odds(chances)))

    def spread(self, chances: Float64) -> float:
        """Return the standard deviation of how many labels are wrong, of listings with such chances.

        Parameters
        ----------
        chances : ndarray of float64, shape (n,)
            Before they are anchored.
        """
        odds = _odds(chances)
        changes = (right := self(chances)) * (1 - right)
        slopes = np.array([changes.sum(), (changes * odds).sum()])
        return float(np.sqrt(changes.sum() + slopes @ self.covariance @ slopes))


def anchor_to(left: Float64, decided: Float64, wrong: Float64) -> Anchor:
    """Return what chances need to agree with the last decisions.

    Their log-odds get an offset and a slope (Platt, "Probabilistic Outputs for Support Vector Machines", 1999), as far
    as the decisions say that they need them. All chances are those of the same models, which have learned from what was
    decided about other listings.

    Parameters
    ----------
    left : ndarray of float64, shape (n,)
        Chances of a wrong label of the listings that are left, 0 to 1.
    decided : ndarray of float64, shape (d,)
        The chances of the listings that were decided on, in the order of the decisions.
    wrong : ndarray of float64, shape (d,)
        1 for each of them whose label was wrong, else 0.

    Returns
    -------
    Anchor
        The slope is above 0, so no order changes.

    Examples
    --------
    >>> anchor = anchor_to(np.full(30, 0.5), np.full(100, 0.5), np.zeros(100))
    >>> anchor(np.array([0.5])).round(2)
    array([0.05])
    """
    odds, outcomes = _odds(decided[-RECENT:]), wrong[-RECENT:]
    ahead = _odds(-np.sort(-left)[:AHEAD])
    weight = np.exp(-np.maximum(odds - ahead.mean(), 0) / _REACH) if len(ahead) else np.ones(len(odds))

    def loss(at: Float64) -> float:
        total = at[0] + at[1] * odds
        near = ((at - [0, 1]) / _SPREADS) ** 2 / 2
        return float((weight * (np.logaddexp(0, total) - outcomes * total)).sum() + near.sum())

    offset, slope = minimize(loss, np.array([0.0, 1.0]), method="L-BFGS-B", bounds=[(None, None), (_FLATTEST, None)]).x
    chance = expit(offset + slope * odds)
    terms = np.stack([np.ones(len(odds)), odds])
    information = (terms * (weight * chance * (1 - chance))) @ terms.T + np.diag(1 / _SPREADS**2)
    return Anchor(float(offset), float(slope), np.linalg.inv(information))


def _odds(chances: Float64) -> Float64:
    odds = logit(np.clip(chances, _LEAST, 1 - _LEAST))
    within = np.clip(odds, -_WIDEST, _WIDEST)
    return np.asarray(within + _BEYOND * (odds - within))
