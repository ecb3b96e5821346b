"""The usual prices of a class: centre and spread of log prices."""

from __future__ import annotations

import numpy as np

from training.utils.arrays import Float64, Int64

__all__ = ["class_prices", "weighted_median"]


#: The spread of a class is averaged with the usual one, which counts as this many prices.
BORROWED_PRICES = 8
#: MAD of the standard normal distribution: MAD / 0.6745 estimates a standard deviation.
MAD_OF_NORMAL = 0.6745
#: A smaller spread, of less than a factor of 1.1, comes from round numbers.
LEAST_SPREAD = float(np.log(1.1))


def class_prices(x: Float64, number: Int64, share: Float64, *, classes: int) -> tuple[Float64, Float64]:
    """Describe the log prices of each class.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        Logarithms of prices in one currency; finite.
    number : ndarray of int64, shape (n, M)
        Classes that each listing may belong to; -1 for none.
    share : ndarray of float64, shape (n, M)
        Weight of the listing in each, 0 or more.
    classes : int
        K.

    Returns
    -------
    centre, spread : ndarray of float64, shape (K,)
        Median and robust standard deviation (MAD / 0.6745) of the log prices, the latter shrunk towards the usual
        spread (the median over classes) as if by 8 more prices. A class without prices gets median and spread of all.
        NaN without any prices.
    """
    whole_centre, whole_spread = _centre_and_spread(x, np.ones(len(x)))
    centre, spread, sizes = np.full(classes, whole_centre), np.full(classes, whole_spread), np.zeros(classes)
    # sorted by class, so that the members of each are one slice
    row, column = np.nonzero((number >= 0) & (share > 0))
    order = np.argsort(number[row, column], kind="stable")
    row, member, weight = row[order], number[row, column][order], share[row, column][order]
    starts = np.searchsorted(member, np.arange(classes + 1))
    for k in np.unique(member):
        members = slice(starts[k], starts[k + 1])
        centre[k], spread[k] = _centre_and_spread(x[row[members]], weight[members])
        sizes[k] = weight[members].sum()
    large = sizes >= BORROWED_PRICES
    usual = float(np.median(spread[large])) if large.any() else whole_spread
    shrunk = (sizes * spread + BORROWED_PRICES * usual) / (sizes + BORROWED_PRICES)
    return centre, np.where(sizes > 0, shrunk, whole_spread)


def _centre_and_spread(x: Float64, weight: Float64) -> tuple[float, float]:
    centre = weighted_median(x, weight)
    return centre, _robust_spread(x - centre, weight)


def _robust_spread(residuals: Float64, weight: Float64) -> float:
    """Return MAD / 0.6745 of residuals; at least log 1.1, NaN without any.

    Iglewicz & Hoaglin, "How to Detect and Handle Outliers" (1993).
    """
    spread = weighted_median(np.abs(residuals), weight) / MAD_OF_NORMAL
    if spread < LEAST_SPREAD:
        # where half of the prices or more are equal, the mean deviation still says something (same source)
        spread = max(1.2533 * float(np.average(np.abs(residuals), weights=weight)), LEAST_SPREAD)
    return spread


def weighted_median(x: Float64, weight: Float64) -> float:
    """Return the weighted median; with equal weights, the ordinary median; NaN without values.

    Parameters
    ----------
    x, weight : ndarray of float64, shape (n,)
        Values, and how much each counts, 0 or more.

    Examples
    --------
    >>> weighted_median(np.array([3.0, 1, 2, 9]), np.ones(4))
    2.5
    >>> weighted_median(np.array([1.0, 2, 3]), np.array([1.0, 1, 5]))
    3.0
    """
    if not len(x):
        return float("nan")
    order = np.argsort(x, kind="stable")
    below = np.cumsum(weight[order])
    half = below[-1] / 2
    # the midpoint if the halves meet between two values; sums of equal weights differ in the last digits
    low, high = np.searchsorted(below, half * (1 + np.array([-1e-9, 1e-9])))
    return float((x[order[low]] + x[order[min(high, len(x) - 1)]]) / 2)
