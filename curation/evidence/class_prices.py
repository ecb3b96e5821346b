"""The usual prices of a class: centre and spread of log prices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.utils.arrays import Float64, Int64
from training.utils.blocks import row_blocks

__all__ = ["ClassPrices"]


#: The spread of a class is averaged with the usual one, which counts as this many prices.
BORROWED_PRICES = 8
#: MAD of the standard normal distribution: MAD / 0.6745 estimates a standard deviation.
MAD_OF_NORMAL = 0.6745
#: A smaller spread, of less than a factor of 1.1, comes from round numbers.
LEAST_SPREAD = float(np.log(1.1))


class ClassPrices:
    """The log prices of each class, sorted once, to be described with other weights again and again.

    Parameters
    ----------
    x : ndarray of float64, shape (N,)
        Logarithms of prices in one currency; finite.
    number : ndarray of integers, shape (N, M)
        Classes that each listing may belong to, each once; -1 for none.
    share : ndarray of float64, shape (N, M)
        How much the listing belongs to each, 0 or more.
    classes : int
        K.

    Examples
    --------
    >>> prices = ClassPrices(np.log([10.0, 20, 40]), np.zeros((3, 1), dtype=int), np.ones((3, 1)), classes=1)
    >>> [np.exp(prices(np.array(weight))[0]).round(2).tolist() for weight in ([1.0, 1, 1], [1.0, 0, 0])]
    [[20.0], [10.0]]
    """

    def __init__(self, x: Float64, number: npt.NDArray[np.integer], share: Float64, *, classes: int) -> None:
        self.classes = classes
        # sorted by class and price: the members of each class are one slice, which is sorted already
        self._order = np.argsort(x, kind="stable")
        self._x = x[self._order]
        row, column, member = _members(self._order, number, share, classes)
        # a type of two bytes is sorted in one pass
        by_class = np.argsort(member, kind="stable")
        self._starts = np.r_[0, np.cumsum(np.bincount(member, minlength=classes))]
        del member
        self._row, self._column = row[by_class], column[by_class]
        del row, column, by_class
        # prices and shares are looked up again: for each class of each listing, they would be most of the memory
        self._of_row, self._share = x, share

    def __call__(self, weight: Float64) -> tuple[Float64, Float64]:
        """Describe the log prices of each class.

        Parameters
        ----------
        weight : ndarray of float64, shape (N,)
            Weight of each listing, 0 or more; those of weight 0 are left out.

        Returns
        -------
        centre, spread : ndarray of float64, shape (K,)
            Median and robust standard deviation (MAD / 0.6745) of the log prices, the latter shrunk towards the usual
            spread (the median over classes) as if by 8 more prices. A class without prices gets median and spread of
            all, however much each counts. NaN without any prices.
        """
        whole_centre, whole_spread = _centre_and_spread(self._x, np.sign(weight)[self._order])
        centre, spread = np.full(self.classes, whole_centre), np.full(self.classes, whole_spread)
        sizes = np.zeros(self.classes)
        for k in np.flatnonzero(np.diff(self._starts)):
            members = slice(self._starts[k], self._starts[k + 1])
            row = self._row[members]
            counts = self._share[row, self._column[members]] * weight[row]
            sizes[k] = counts.sum()
            if sizes[k] > 0:
                centre[k], spread[k] = _centre_and_spread(self._of_row[row], counts)
        large = sizes >= BORROWED_PRICES
        usual = float(np.median(spread[large])) if large.any() else whole_spread
        shrunk = (sizes * spread + BORROWED_PRICES * usual) / (sizes + BORROWED_PRICES)
        return centre, np.where(sizes > 0, shrunk, whole_spread)


def _members(
    order: Int64, number: npt.NDArray[np.integer], share: Float64, classes: int
) -> tuple[npt.NDArray[np.unsignedinteger], ...]:
    """Return row, column and class of all members of classes, the rows in this order, in the smallest types."""
    belongs = [(number[order[rows]] >= 0) & (share[order[rows]] > 0) for rows in row_blocks(len(order))]
    count = sum(int(each.sum()) for each in belongs)
    sizes = (len(order), number.shape[1], classes)
    row, column, member = (np.empty(count, dtype=np.min_scalar_type(size)) for size in sizes)
    start = 0
    for rows, chosen in zip(row_blocks(len(order)), belongs, strict=True):
        place, of = np.nonzero(chosen)
        block = slice(start, start + len(place))
        row[block], column[block] = order[rows][place], of
        member[block] = number[row[block], of]
        start += len(place)
    return row, column, member


def _centre_and_spread(x: Float64, weight: Float64) -> tuple[float, float]:
    """Return median and spread of sorted values; NaN if none has a weight."""
    centre = _weighted_median(x, weight)
    if np.isnan(centre):
        return centre, centre
    below = int(np.searchsorted(x, centre))
    # two sorted halves, which a stable sort only merges
    apart = np.concatenate([(centre - x[:below])[::-1], x[below:] - centre])
    weight = np.concatenate([weight[:below][::-1], weight[below:]])
    order = np.argsort(apart, kind="stable")
    return centre, _robust_spread(apart[order], weight[order])


def _robust_spread(apart: Float64, weight: Float64) -> float:
    """Return MAD / 0.6745 of sorted absolute deviations; at least log 1.1.

    Iglewicz & Hoaglin, "How to Detect and Handle Outliers" (1993).
    """
    spread = _weighted_median(apart, weight) / MAD_OF_NORMAL
    if spread < LEAST_SPREAD:
        # where half of the prices or more are equal, the mean deviation still says something (same source)
        spread = max(1.2533 * float(np.average(apart, weights=weight)), LEAST_SPREAD)
    return spread


def _weighted_median(x: Float64, weight: Float64) -> float:
    """Return the weighted median of sorted values; with equal weights, the ordinary one; NaN if none has a weight.

    >>> _weighted_median(np.array([1.0, 2, 3, 9]), np.ones(4))
    2.5
    >>> _weighted_median(np.array([1.0, 2, 3]), np.array([1.0, 1, 5]))
    3.0
    """
    below = np.cumsum(weight)
    if not len(x) or not below[-1]:
        return float("nan")
    half = below[-1] / 2
    # the midpoint if the halves meet between two values; sums of equal weights differ in the last digits
    low, high = np.searchsorted(below, half * (1 + np.array([-1e-9, 1e-9])))
    return float((x[low] + x[high]) / 2)
