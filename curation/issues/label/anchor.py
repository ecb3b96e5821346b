"""Chances of wrong labels, anchored to what people found among the listings that they decided on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from training.utils.arrays import Float64

__all__ = ["AHEAD", "HALF", "RECENT", "Anchor", "anchor_to", "odds_of"]


#: So many of the last decisions count: earlier ones were made on listings that were easier to tell.
RECENT = 60
#: Of these, one that was made so many before another counts half of it.
HALF = 30
#: So many of the listings that come next are compared with them.
AHEAD = 25
#: Offset and slope of the log-odds are kept near 0 and 1, as if by normal distributions of these spreads.
_SPREADS = np.array([1.0, 0.3])
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
        return np.asarray(expit(self.offset + self.slope * odds_of(chances)))

    def spread(self, chances: Float64) -> float:
        """Return the standard deviation of how many labels are wrong, of listings with such chances.

        Parameters
        ----------
        chances : ndarray of float64, shape (n,)
            Before they are anchored.
        """
        right = self(chances)
        return float(np.hypot(np.sqrt((right * (1 - right)).sum()), self.doubt(chances)))

    def doubt(self, chances: Float64) -> float:
        """Return the part of that standard deviation that offset and slope have: all listings share it.

        Parameters
        ----------
        chances : ndarray of float64, shape (n,)
            Before they are anchored.
        """
        changes = (right := self(chances)) * (1 - right)
        slopes = np.array([changes.sum(), (changes * odds_of(chances)).sum()])
        return float(np.sqrt(slopes @ self.covariance @ slopes))


def anchor_to(left: Float64, decided: Float64, wrong: Float64) -> Anchor:
    """Return what chances need to agree with the last decisions.

    A queue starts with the most doubtful listings, so the next ones are not wrong more often than the last ones were.
    Where chances say so nevertheless, their log-odds get an offset and a slope (Platt, "Probabilistic Outputs for
    Support Vector Machines", 1999), as far as the decisions say that they need them. That the last ones were wrong
    more often says nothing: perhaps no errors are left.

    All chances are those of the same models, which have learned from what was decided about other listings. Such models
    tell decided listings better than those that are left, because errors come in groups of which something is decided.
    So it counts how many of the last ones were wrong, and not which of them.

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
    array([0.09])
    """
    ahead = odds_of(-np.sort(-left)[:AHEAD])
    odds, outcomes = odds_of(decided[-RECENT:]), wrong[-RECENT:]
    weight = 0.5 ** (np.arange(len(odds))[::-1] / HALF)
    number = float(weight.sum())
    if not number or not len(ahead):
        return Anchor(0.0, 1.0, np.diag(_SPREADS**2))
    mean_ahead, mean_before = (_inside(mean) for mean in (expit(ahead).mean(), weight @ expit(odds) / number))
    # half a decision of each kind, because none among so few does not mean none at all
    found = float((weight @ outcomes + 0.5) / (number + 1))
    # in another order than that of the queue, people decide on listings with less doubt than its next ones
    share = float(expit(logit(found) + max(0.0, logit(mean_ahead) - logit(mean_before))))
    if mean_ahead <= share:
        return Anchor(0.0, 1.0, np.diag(_SPREADS**2))

    def loss(at: Float64) -> float:
        apart = ((at - [0, 1]) / _SPREADS) ** 2 / 2
        mean = _inside(expit(at[0] + at[1] * ahead).mean())
        excess = share * np.log(share / mean) + (1 - share) * np.log((1 - share) / (1 - mean)) if mean > share else 0.0
        return float(number * excess + apart.sum())

    offset, slope = minimize(loss, np.array([0.0, 1.0]), method="L-BFGS-B", bounds=[(None, None), (_FLATTEST, None)]).x
    chance = expit(offset + slope * ahead)
    mean, changes = _inside(chance.mean()), chance * (1 - chance)
    terms = np.array([changes.mean(), (changes * ahead).mean()])
    information = number * np.outer(terms, terms) / (mean * (1 - mean)) + np.diag(1 / _SPREADS**2)
    return Anchor(float(offset), float(slope), np.asarray(np.linalg.inv(information), dtype=np.float64))


def _inside(chance: float) -> float:
    return float(np.clip(chance, _LEAST, 1 - _LEAST))


def odds_of(chances: Float64) -> Float64:
    """Return the log-odds of chances, of the same shape, which rise by little beyond 34; NaN stays."""
    odds = logit(np.clip(chances, _LEAST, 1 - _LEAST))
    within = np.clip(odds, -_WIDEST, _WIDEST)
    return np.asarray(within + _BEYOND * (odds - within))
