"""What a listing should cost: several views, each a density of its log price, learned from other folds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp
from scipy.stats import t as student

from curation.evidence.class_prices import class_prices
from curation.issues.price.class_chances import Chances
from curation.issues.price.regression import Regression
from training.utils.arrays import Float64, Int64

__all__ = ["Expectation", "expect"]


#: Degrees of freedom of Student's t: nearly normal, with slightly heavier tails.
_FREEDOM = 30
#: Penalties of the two regressions on title, photo and class. The first trusts words that few listings share, as of
#: office copiers among printers; the second only those that many share, which predicts most prices better.
_PENALTIES = (0.03, 2.0)
#: Least share of a view, before shares are normalised.
_LEAST_SHARE = 0.1
#: Number of updates of the shares.
_UPDATES = 20


@dataclass(frozen=True)
class Expectation:
    """What each listing should cost, if its price is intended.

    Attributes
    ----------
    centre, spread : ndarray of float64, shape (N, M)
        Of the log prices of each class that the listing may belong to: the first view.
    chance : ndarray of float64, shape (N, M)
        The probability of each class; rows sum to 1.
    own : ndarray of float64, shape (N, V)
        The log prices predicted from the listing's own title and photo: V more views.
    own_spread : ndarray of float64, shape (N, V)
        Spread of the prices of such classes around the predictions.
    share : ndarray of float64, shape (1 + V,)
        Share of the prices that each view explains; sums to 1.
    """

    centre: Float64
    spread: Float64
    chance: Float64
    own: Float64
    own_spread: Float64
    share: Float64

    @property
    def middle(self) -> Float64:
        """Log of the expected price, shape (N,)."""
        return np.asarray(self._views_middle @ self.share)

    @property
    def width(self) -> Float64:
        """Standard deviation of the log prices around `middle`, shape (N,)."""
        apart = self.centre - self._views_middle[:, :1]
        by_class = (self.chance * (self.spread**2 + apart**2)).sum(axis=1)
        within = np.column_stack([by_class, self.own_spread**2]) + (self._views_middle - self.middle[:, None]) ** 2
        return np.asarray(np.sqrt(within @ self.share))

    @property
    def _views_middle(self) -> Float64:
        return np.column_stack([(self.chance * self.centre).sum(axis=1), self.own])

    def log_density(self, x: Float64) -> Float64:
        """Return the log-density at log prices `x`, shape (N,); a price needs to fit only one of the views."""
        return np.asarray(logsumexp(self.views(x) + np.log(self.share), axis=1))

    def views(self, x: Float64) -> Float64:
        """Return the log-density of each view at log prices `x`, shape (N, 1 + V)."""
        by_class = _log_density(x[:, None], self.centre, self.spread)
        # the logarithm of a probability of 0
        with np.errstate(divide="ignore"):
            first = logsumexp(by_class + np.log(self.chance), axis=1)
        return np.column_stack([first, _log_density(x[:, None], self.own, self.own_spread)])


def expect(
    x: Float64,
    weight: Float64,
    chances: Chances,
    regression: Regression,
    fold: Int64,
    *,
    classes: int,
) -> Expectation:
    """Learn which prices are usual, by class and by the listings' own titles and photos.

    Parameters
    ----------
    x : ndarray of float64, shape (N,)
        Log prices; anything finite for a missing one.
    weight : ndarray of float64, shape (N,)
        The probability that each is intended; 0 for a missing one.
    chances : Chances
        The classes of the listings.
    regression : Regression
        On titles, photos and given classes.
    fold : ndarray of int64, shape (N,)
    classes : int
        K.

    Returns
    -------
    Expectation
    """
    priced = weight > 0
    centre, spread = np.empty_like(chances.share), np.empty_like(chances.share)
    for number in np.unique(fold):
        others, rows = priced & (fold != number), fold == number
        # if all prices are in one fold, there is nothing else to compare with
        others = others if others.any() else priced
        by_class = class_prices(
            x[others], chances.number[others], chances.share[others] * weight[others, None], classes=classes
        )
        centre[rows], spread[rows] = (values[chances.number[rows]] for values in by_class)
    usual = (chances.share * centre).sum(axis=1)
    penalties = _PENALTIES if regression.informative else ()
    own, own_spread = np.empty((len(x), len(penalties))), np.empty((len(x), len(penalties)))
    counts = chances.share[priced] * weight[priced, None]
    for view, penalty in enumerate(penalties):
        own[:, view] = usual + regression.predict(x - usual, weight, fold, penalty=penalty)
        # a title predicts the price of a game better than that of a phone
        _, residual = class_prices((x - own[:, view])[priced], chances.number[priced], counts, classes=classes)
        own_spread[:, view] = (chances.share * residual[chances.number]).sum(axis=1)
    equal = np.full(1 + len(penalties), 1 / (1 + len(penalties)))
    expectation = Expectation(centre, spread, chances.share, own, own_spread, equal)
    return replace(expectation, share=_shares(expectation.views(x)[priced], weight[priced]))


def _shares(views: Float64, weight: Float64) -> Float64:
    """Return the share of the prices that each view explains (expectation maximisation), shape (1 + V,)."""
    share = np.full(views.shape[1], 1 / views.shape[1])
    if not weight.any():
        # no price tells
        return share
    for _ in range(_UPDATES):
        explains = views + np.log(share)
        explains = np.exp(explains - logsumexp(explains, axis=1, keepdims=True))
        share = np.maximum(np.average(explains, axis=0, weights=weight), _LEAST_SHARE)
        share /= share.sum()
    return share


def _log_density(x: Float64, centre: Float64, spread: Float64) -> Float64:
    return np.asarray(student.logpdf((x - centre) / spread, _FREEDOM) - np.log(spread))
