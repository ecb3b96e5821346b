"""What a listing should cost: several views, each a density of its log price, learned from other folds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from curation.evidence.class_prices import ClassPrices
from curation.evidence.fitted import Fit, Values, unkept
from curation.evidence.rows import Rows
from curation.issues.price.class_chances import Chances
from curation.issues.price.regression import Regression
from training.utils.arrays import Float64, Int64
from training.utils.blocks import row_blocks

__all__ = ["PENALTIES", "Expectation", "expect"]


#: Degrees of freedom of Student's t: nearly normal, with slightly heavier tails.
_FREEDOM = 30
_STUDENT = float(np.exp(gammaln((_FREEDOM + 1) / 2) - gammaln(_FREEDOM / 2)) / np.sqrt(_FREEDOM * np.pi))
#: Penalties of the two regressions on title, photo and class. The first trusts words that few listings share, as of
#: office copiers among printers; the second only those that many share, which predicts most prices better.
PENALTIES = (0.03, 2.0)
#: Least share of a view, before shares are normalised.
_LEAST_SHARE = 0.1
#: Number of updates of the shares.
_UPDATES = 20


@dataclass(frozen=True)
class Expectation:
    """What each listing should cost, if its price is intended.

    Attributes
    ----------
    centre, spread : Rows of shape (N, M)
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

    centre: Rows
    spread: Rows
    chance: Float64
    own: Float64
    own_spread: Float64
    share: Float64

    @property
    def middle(self) -> Float64:
        """Log of the expected price, shape (N,)."""
        return np.concatenate([self._views_middle(rows) @ self.share for rows in row_blocks(len(self.chance))])

    @property
    def width(self) -> Float64:
        """Standard deviation of the log prices around `middle`, shape (N,)."""
        return np.concatenate([self._width(rows) for rows in row_blocks(len(self.chance))])

    def _width(self, rows: slice) -> Float64:
        middles = self._views_middle(rows)
        apart = self.centre[rows] - middles[:, :1]
        by_class = (self.chance[rows] * (self.spread[rows] ** 2 + apart**2)).sum(axis=1)
        around = (middles - (middles @ self.share)[:, None]) ** 2
        within = np.column_stack([by_class, self.own_spread[rows] ** 2]) + around
        return np.asarray(np.sqrt(within @ self.share))

    def _views_middle(self, rows: slice) -> Float64:
        return np.column_stack([(self.chance[rows] * self.centre[rows]).sum(axis=1), self.own[rows]])

    def density(self, x: Float64, rows: slice = slice(None)) -> Float64:
        """Return the density at log prices `x` of some rows, shape (n,); a price needs to fit only one of the views."""
        return np.asarray(self.views(x, rows) @ self.share)

    def views(self, x: Float64, rows: slice = slice(None)) -> Float64:
        """Return the density of each view at log prices `x` of some rows, shape (n, 1 + V)."""
        by_class = _density(x[:, None], self.centre[rows], self.spread[rows])
        first = (self.chance[rows] * by_class).sum(axis=1)
        return np.column_stack([first, _density(x[:, None], self.own[rows], self.own_spread[rows])])


def expect(
    x: Float64,
    weight: Float64,
    chances: Chances,
    *,
    prices: ClassPrices,
    regression: Regression,
    fold: Int64,
    fit: Fit = unkept,
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
    prices : ClassPrices
        The log prices of these classes.
    regression : Regression
        On titles, photos and given classes.
    fold : ndarray of int64, shape (N,)
    fit : callable
        Keeps what is usual, or has that of an earlier run; by default neither.

    Returns
    -------
    Expectation
    """
    usual_of = fit("prices of classes", lambda: _of_classes(prices, weight, fold))
    place = np.searchsorted(usual_of["folds"], fold).astype(np.min_scalar_type(len(usual_of["folds"])))
    # looked up where they are needed: for each listing and class, they would be most of the memory
    centre, spread = (_by_listing(usual_of[name], place, chances.number) for name in ("centre", "spread"))
    usual = np.concatenate([(chances.share[rows] * centre[rows]).sum(axis=1) for rows in row_blocks(len(x))])
    views = len(PENALTIES) if regression.informative else 0
    own, own_spread = np.empty((len(x), views)), np.empty((len(x), views))
    if views:
        own[:] = usual[:, None] + regression.predict(x - usual, weight, fold)
    for view in range(views):
        # a title predicts the price of a game better than that of a phone
        apart = partial(_spreads, x - own[:, view], weight, chances, prices.classes)
        spreads = fit(f"prices around regression {view}", apart)["spread"]
        own_spread[:, view] = (chances.share * spreads[chances.number]).sum(axis=1)
    equal = np.full(1 + views, 1 / (1 + views))
    expectation = Expectation(centre, spread, chances.share, own, own_spread, equal)
    if not views:
        return expectation
    share = fit("shares of the views of prices", lambda: {"share": _shares(expectation, x, weight)})["share"]
    return replace(expectation, share=share)


def _of_classes(prices: ClassPrices, weight: Float64, fold: Int64) -> Values:
    """Return the usual log prices of each class, shape (F, K), by the listings of other folds."""
    folds = np.unique(fold)
    usual = np.empty((2, len(folds), prices.classes))
    for at, number in enumerate(folds):
        others = np.where(fold == number, 0, weight)
        # if all prices are in one fold, there is nothing else to compare with
        usual[:, at] = prices(others if others.any() else weight)
    return {"folds": folds, "centre": usual[0], "spread": usual[1]}


def _spreads(residuals: Float64, weight: Float64, chances: Chances, classes: int) -> Values:
    return {"spread": ClassPrices(residuals, chances.number, chances.share, classes=classes)(weight)[1]}


def _by_listing(values: Float64, fold: npt.NDArray[np.integer], number: npt.NDArray[np.integer]) -> Rows:
    """Return for each listing what `values`, of each fold and class, say of its classes."""
    return Rows((number.shape[0], number.shape[1]), lambda rows: values[fold[rows, None], number[rows]])


def _shares(expectation: Expectation, x: Float64, weight: Float64) -> Float64:
    """Return the share of the prices that each view explains (expectation maximisation), shape (1 + V,)."""
    share = expectation.share
    if not weight.any():
        # no price tells
        return share
    views = np.concatenate([expectation.views(x[rows], rows) for rows in row_blocks(len(x))])
    for _ in range(_UPDATES):
        explains = views * share
        explains /= explains.sum(axis=1, keepdims=True)
        share = np.maximum(np.average(explains, axis=0, weights=weight), _LEAST_SHARE)
        share /= share.sum()
    return share


def _density(x: Float64, centre: Float64, spread: Float64) -> Float64:
    """Return the density of Student's t."""
    squares = ((x - centre) / spread) ** 2
    return np.asarray(_STUDENT / spread * (1 + squares / _FREEDOM) ** (-(_FREEDOM + 1) / 2))
