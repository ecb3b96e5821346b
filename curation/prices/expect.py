"""What a listing should cost: two views, each a density of its log price, told by the listings of other folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp
from scipy.stats import t as student

from curation.labels.chances import Chances
from curation.prices.usual import class_prices, robust_spread
from training.regression import Regression

__all__ = ["Expectation", "expect"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Degrees of freedom of Student's t: nearly normal, with room for the odd price.
_FREEDOM = 30
#: Share of the second view, at least and at most; how often it is learnt anew from what it explains.
_SHARES, _ROUNDS = (0.05, 0.95), 20


@dataclass(frozen=True)
class Expectation:
    """What each listing should cost, if its price is meant.

    Attributes
    ----------
    centre, spread : ndarray of float64, shape (N, M)
        Of the log prices of each class that the listing may be of.
    share : ndarray of float64, shape (N, M)
        The chance of each class; rows sum to 1.
    own : ndarray of float64, shape (N,)
        The log price that its own title and photo lead one to expect.
    own_spread : float
        How far prices lie from that.
    own_share : float
        How many of the prices are better explained so, 0 to 1.
    """

    centre: Floats
    spread: Floats
    share: Floats
    own: Floats
    own_spread: float
    own_share: float

    @property
    def middle(self) -> Floats:
        """Log of what one would expect, shape (N,)."""
        by_class: Floats = (self.share * self.centre).sum(axis=1)
        return by_class + self.own_share * (self.own - by_class)

    @property
    def width(self) -> Floats:
        """Standard deviation of the log prices around `middle`, shape (N,)."""
        apart = self.centre - self.middle[:, None]
        by_class: Floats = (self.share * (self.spread**2 + apart**2)).sum(axis=1)
        by_own: Floats = self.own_spread**2 + (self.own - self.middle) ** 2
        return np.asarray(np.sqrt((1 - self.own_share) * by_class + self.own_share * by_own))

    def log_density(self, x: Floats) -> Floats:
        """Return the log-density at log prices `x`, shape (N,); a price need only fit one of the views."""
        by_class, by_own = self.views(x)
        if not self.own_share:
            return by_class
        return np.asarray(np.logaddexp(np.log1p(-self.own_share) + by_class, np.log(self.own_share) + by_own))

    def views(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the log-density of each view at log prices `x`, shape (N,)."""
        by_class = _log_density(x[:, None], self.centre, self.spread)
        # a class that a listing can't be of has no share, and no logarithm
        with np.errstate(divide="ignore"):
            return logsumexp(by_class + np.log(self.share), axis=1), _log_density(x, self.own, self.own_spread)


def expect(
    x: Floats, weight: Floats, chances: Chances, regression: Regression, fold: Integers, *, classes: int
) -> Expectation:
    """Learn what prices are usual, by class and by the listings' own words and photos.

    Parameters
    ----------
    x : ndarray of float64, shape (N,)
        Log prices; any number where there is none.
    weight : ndarray of float64, shape (N,)
        How much each counts: the chance that it is meant, 0 where there is none.
    chances : Chances
        The classes of the listings.
    regression : Regression
        On titles and photos.
    fold : ndarray of int64, shape (N,)
    classes : int
        K.

    Returns
    -------
    Expectation
    """
    known = weight > 0
    centre, spread = np.empty_like(chances.share), np.empty_like(chances.share)
    for number in np.unique(fold):
        others, rows = known & (fold != number), fold == number
        # all prices in one fold: then there is nothing else to compare with
        others = others if others.any() else known
        by_class = class_prices(
            x[others], chances.number[others], chances.share[others] * weight[others, None], classes=classes
        )
        centre[rows], spread[rows] = (values[chances.number[rows]] for values in by_class)
    usual = (chances.share * centre).sum(axis=1)
    if not regression.knows:
        return Expectation(centre, spread, chances.share, usual, float(spread.max()), 0.0)
    own = usual + regression.predict(x - usual, weight, fold)
    rest = x - own
    found = Expectation(centre, spread, chances.share, own, robust_spread(rest[known], weight[known]), 0.5)
    return _shared(found, x[known], weight[known], known)


def _shared(found: Expectation, x: Floats, weight: Floats, known: npt.NDArray[np.bool_]) -> Expectation:
    """Give the second view the share of the prices that it explains (expectation maximisation)."""
    part = Expectation(
        found.centre[known], found.spread[known], found.share[known], found.own[known], found.own_spread, 0.5
    )
    by_class, by_own = part.views(x)
    share = 0.5
    for _ in range(_ROUNDS):
        explains = expit(np.log(share / (1 - share)) + by_own - by_class)
        share = float(np.clip(np.average(explains, weights=weight), *_SHARES))
    return Expectation(found.centre, found.spread, found.share, found.own, found.own_spread, share)


def _log_density(x: Floats, centre: Floats, spread: Floats | float) -> Floats:
    return np.asarray(student.logpdf((x - centre) / spread, _FREEDOM) - np.log(spread))
