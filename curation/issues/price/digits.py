"""The digits of a price: how round it is, and whether it looks like a placeholder."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from curation.evidence.fitted import Fit, Values, unkept
from training.utils.arrays import Bool, Float64, Int8, Int64

__all__ = ["Roundness", "is_placeholder", "roundness"]


#: Prices are whole numbers of less than a cent, of cents, units, tens or hundreds.
_LEVELS = 5
#: Width of smoothing over expected log prices: listings within a factor of 2 are treated nearly alike.
_SMOOTH = 0.7
#: Width of the bins of expected log prices.
_BIN = 0.1
#: The roundness of all prices counts as this many prices everywhere.
_BORROWED = 3.0
#: Digits of the longest numbers that floats hold exactly.
_EXACT = 15
#: What people type as a placeholder: none, one, a row of keys, or one key again and again.
_ROWS = [int("1234567890"[:count]) for count in range(3, 11)]
_REPEATED = [int(key * count) for key in "123456789" for count in range(3, _EXACT + 1)]
_TYPED = np.array([0, 1, *_ROWS, *_REPEATED], dtype=np.float64)


def roundness(price: Float64) -> Int64:
    """Return how round each price is: 0 for parts of a cent, 1 cents, 2 units, 3 tens, 4 hundreds, and missing ones.

    Examples
    --------
    >>> roundness(np.array([1200.0, 150, 7, 0.45, 0.035])).tolist()
    [4, 3, 2, 1, 0]
    """
    price = np.nan_to_num(price)
    cents = np.round(price * 100)
    finer = np.abs(price * 100 - cents) > 1e-6 * np.maximum(1, price * 100)
    return np.select([finer, cents % 100 != 0, cents % 1000 != 0, cents % 10_000 != 0], [0, 1, 2, 3], 4)


class Roundness:
    """How common round prices are among listings that are expected to cost about as much.

    Nobody asks 4.50 for a laptop. Cents where such prices have none suggest a misplaced decimal point.

    Parameters
    ----------
    expected : ndarray of float64, shape (N,)
        Log of the expected price of each listing; finite.
    level : ndarray of int, shape (N,)
        How round each price is, see :func:`roundness`.
    counted : ndarray of bool, shape (N,)
        Which prices count: those that are missing don't.
    fit : callable
        Keeps the frequencies, or has those of an earlier run; by default neither.
    """

    def __init__(self, expected: Float64, level: Int64 | Int8, counted: Bool, fit: Fit = unkept) -> None:
        known = fit("roundness", lambda: self._learn(expected, level, counted))
        self._share, lowest = known["share"], float(known["lowest"])
        # where an earlier run knows no such prices, the nearest that it knows
        self._bin = ((expected - lowest) / _BIN).astype(np.int64).clip(0, len(self._share) - 1)

    @staticmethod
    def _learn(expected: Float64, level: Int64 | Int8, counted: Bool) -> Values:
        lowest = expected.min()
        number = ((expected - lowest) / _BIN).astype(np.int64)
        bins = int(number.max()) + 1
        places = number[counted] * _LEVELS + level[counted]
        counts = np.bincount(places, minlength=bins * _LEVELS).reshape(bins, _LEVELS).astype(np.float64)
        whole = (counts.sum(axis=0) + 0.1) / (counts.sum() + 0.1 * _LEVELS)
        near = gaussian_filter1d(counts, _SMOOTH / _BIN, axis=0, mode="constant")
        # as sums over neighbours, each at most 1
        near *= np.sqrt(2 * np.pi) * _SMOOTH / _BIN
        share = (near + _BORROWED * whole) / (near.sum(axis=1, keepdims=True) + _BORROWED)
        return {"share": share, "lowest": np.array(lowest)}

    def share(self, level: Int64 | Int8, rows: slice = slice(None)) -> Float64:
        """Return the frequency of each level of roundness among listings like those of `rows`; shape (n,)."""
        return np.asarray(self._share[self._bin[rows], level])


def is_placeholder(price: Float64) -> Bool:
    """Return whether people type such a price as a placeholder: 0, 1, 123, 12345, 111, 99999 and the like.

    It may be a real price, so it also matters how well it fits the listing.

    Examples
    --------
    >>> is_placeholder(np.array([0.0, 1, 123456, 99999, 1250, 12, np.nan])).tolist()
    [True, True, True, True, False, False, False]
    """
    return np.isin(price, _TYPED)
