"""Functions of log-beliefs, shape (n, K)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from curation.evidence.rows import Rows
from training.utils.arrays import Bool, Float64, Int64
from training.utils.blocks import row_blocks

__all__ = ["Standing", "margins", "softmax", "standing_of"]


@dataclass(frozen=True)
class Standing:
    """What of the beliefs in all classes counts for each given label.

    Attributes
    ----------
    given : ndarray of int64, shape (n,)
        Given classes.
    classes : int
        K.
    margin : ndarray of float64, shape (n,)
        Log-odds of the given class against the best other one; low = bad.
    other : ndarray of int64, shape (n,)
        The most believed class that is not the given one; with K = 1, the given one.
    best : ndarray of int64, shape (n,)
        The most believed class.
    sure : ndarray of float64, shape (n,)
        Its probability, 0 to 1.
    """

    given: Int64
    classes: int
    margin: Float64
    other: Int64
    best: Int64
    sure: Float64

    @property
    def differs(self) -> Bool:
        """Whether the most believed class is not the given one, shape (n,)."""
        return np.asarray(self.best != self.given)

    def __getitem__(self, rows: Int64) -> Standing:
        """Return that of some of the listings."""
        own = (self.margin[rows], self.other[rows], self.best[rows], self.sure[rows])
        return Standing(self.given[rows], self.classes, *own)


def standing_of(logs: Rows | Float64, given: Int64) -> Standing:
    """Return what counts for each given label, by going through the beliefs once.

    Parameters
    ----------
    logs : Rows or ndarray of float64, shape (n, K)
        Log-beliefs.
    given : ndarray of int64, shape (n,)
        Given classes.

    Examples
    --------
    >>> standing = standing_of(np.log([[0.2, 0.8], [0.5, 0.5]]), np.array([0, 1]))
    >>> standing.margin.round(2), standing.other, standing.best, standing.sure.round(2)
    (array([-1.39,  0.  ]), array([1, 0]), array([1, 0]), array([0.8, 0.5]))
    """
    n = len(given)
    margin, sure = np.empty(n), np.empty(n)
    other, best = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for block in row_blocks(n):
        # a copy: it is written to
        part, own = np.array(logs[block]), given[block]
        each = np.arange(len(part))
        of_given = part[each, own]
        part[each, own] = -np.inf
        second = part.argmax(axis=1)
        part[each, own] = of_given
        of_second = part[each, second]
        margin[block], other[block] = of_given - of_second, second
        # of equal ones the first
        first = (of_given > of_second) | ((of_given == of_second) & (own < second))
        best[block] = np.where(first, own, second)
        part -= np.maximum(of_given, of_second)[:, None]
        sure[block] = np.exp(-np.log(np.exp(part, out=part).sum(axis=1)))
    return Standing(given, logs.shape[1], margin, other, best, sure)


def softmax(logs: Float64) -> Float64:
    """Return probabilities; rows sum to 1."""
    # scipy's softmax differs in the last digits, which the regressions of prices, stopped early, turn into percents
    return np.asarray(np.exp(log_softmax(logs, axis=1)))


def margins(logs: Rows | Float64, given: Int64) -> Float64:
    """Return the log-odds of the given class against the best other one, shape (n,); low = bad.

    Parameters
    ----------
    logs : Rows or ndarray of float64, shape (n, K)
        Logarithms of probabilities.
    given : ndarray of int64, shape (n,)
        Given classes.

    Examples
    --------
    >>> margins(np.log([[0.2, 0.8], [0.5, 0.5]]), np.array([0, 1])).round(2)
    array([-1.39,  0.  ])
    """
    return standing_of(logs, given).margin
