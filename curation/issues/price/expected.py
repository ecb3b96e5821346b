"""What a listing should cost: several views, each a density of its log price, told by the listings of other folds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from scipy.stats import t as student

from curation.evidence.class_prices import class_prices
from curation.issues.price.class_chances import Chances
from curation.issues.price.regression import Regression

__all__ = ["Expectation", "expect"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Degrees of freedom of Student's t: nearly normal, with room for the odd price.
_FREEDOM = 30
#: Penalties of the views from title, photo and class. The first believes the words of single listings, as where a few
#: office copiers stand among printers; the second what many have in common, which is the better guess for most.
_PENALTIES = (0.03, 2.0)
#: Least share of a view; how often shares are learnt anew from what each view explains.
_LEAST_SHARE, _ROUNDS = 0.1, 20


@dataclass(frozen=True)
class Expectation:
    """What each listing should cost, if its price is meant.

    Attributes
    ----------
    centre, spread : ndarray of float64, shape (N, M)
        Of the log prices of each class that the listing may be of: the first view.
    chance : ndarray of float64, shape (N, M)
        The chance of each class; rows sum to 1.
    own : ndarray of float64, shape (N, V)
        The log prices that the listing's own title and photo lead one to expect: V more views.
    own_spread : ndarray of float64, shape (N, V)
        How far prices of such classes lie from those.
    share : ndarray of float64, shape (1 + V,)
        How many of the prices each view explains; sums to 1.
    """

    centre: Floats
    spread: Floats
    chance: Floats
    own: Floats
    own_spread: Floats
    share: Floats

    @property
    def middle(self) -> Floats:
        """Log of what one would expect, shape (N,)."""
        return np.asarray(self._views_middle @ self.share)

    @property
    def width(self) -> Floats:
        """Standard deviation of the log prices around `middle`, shape (N,)."""
        apart = self.centre - self._views_middle[:, :1]
        by_class = (self.chance * (self.spread**2 + apart**2)).sum(axis=1)
        within = np.column_stack([by_class, self.own_spread**2]) + (self._views_middle - self.middle[:, None]) ** 2
        return np.asarray(np.sqrt(within @ self.share))

    @property
    def _views_middle(self) -> Floats:
        return np.column_stack([(self.chance * self.centre).sum(axis=1), self.own])

    def log_density(self, x: Floats) -> Floats:
        """Return the log-density at log prices `x`, shape (N,); a price need only fit one of the views."""
        return np.asarray(logsumexp(self.views(x) + np.log(self.share), axis=1))

    def views(self, x: Floats) -> Floats:
        """Return the log-density of each view at log prices `x`, shape (N, 1 + V)."""
        by_class = _log_density(x[:, None], self.centre, self.spread)
        # a class that a listing can't be of has no chance, and no logarithm
        with np.errstate(divide="ignore"):
            first = logsumexp(by_class + np.log(self.chance), axis=1)
        return np.column_stack([first, _log_density(x[:, None], self.own, self.own_spread)])


def expect(
    x: Floats,
    weight: Floats,
    chances: Chances,
    regression: Regression,
    fold: Integers,
    *,
    classes: int,
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
        On titles, photos and given classes.
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
    penalties = _PENALTIES if regression.knows else ()
    guesses = [usual + regression.predict(x - usual, weight, fold, penalty=penalty) for penalty in penalties]
    own, own_spread = np.empty((len(x), len(guesses))), np.empty((len(x), len(guesses)))
    for view, guess in enumerate(guesses):
        own[:, view] = guess
        # a title tells the price of a game better than that of a phone
        counts = chances.share[known] * weight[known, None]
        apart = class_prices((x - guess)[known], chances.number[known], counts, classes=classes)[1]
        own_spread[:, view] = (chances.share * apart[chances.number]).sum(axis=1)
    equal = np.full(1 + len(guesses), 1 / (1 + len(guesses)))
    found = Expectation(centre, spread, chances.share, own, own_spread, equal)
    return replace(found, share=_shares(found.views(x)[known], weight[known]))


def _shares(views: Floats, weight: Floats) -> Floats:
    """Return the share of the prices that each view explains (expectation maximisation), shape (1 + V,)."""
    share = np.full(views.shape[1], 1 / views.shape[1])
    for _ in range(_ROUNDS):
        explains = views + np.log(share)
        explains = np.exp(explains - logsumexp(explains, axis=1, keepdims=True))
        share = np.maximum(np.average(explains, axis=0, weights=weight), _LEAST_SHARE)
        share /= share.sum()
    return share


def _log_density(x: Floats, centre: Floats, spread: Floats) -> Floats:
    return np.asarray(student.logpdf((x - centre) / spread, _FREEDOM) - np.log(spread))
