"""How far each photo is from those most like it, and which one is nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.utils.arrays import Float32, Int64

__all__ = ["Nearest", "nearest_of_others"]


# rows whose distances to all others are in memory at a time
_BLOCK = 512


@dataclass(frozen=True)
class Nearest:
    """Where each row is among others.

    Attributes
    ----------
    distance : ndarray of float32, shape (n,)
        Mean distance to the nearest ones, in the units of the features; NaN where there is nobody else.
    row : ndarray of int64, shape (n,)
        The nearest one; -1 where there is none.
    """

    distance: Float32
    row: Int64


def nearest_of_others(features: Float32, rows: Int64, known: Int64, groups: Int64, *, count: int) -> Nearest:
    """Measure the mean Euclidean distance to the nearest `count` rows of other groups.

    After Ramaswamy, Rastogi and Shim, "Efficient Algorithms for Mining Outliers from Large Data Sets", SIGMOD 2000,
    with the mean distance of Angiulli and Pizzuti, "Fast Outlier Detection in High Dimensional Spaces", PKDD 2002.

    Parameters
    ----------
    features : ndarray of float32, shape (N, D)
        May be memory-mapped.
    rows : ndarray of int64, shape (n,)
        Who asks.
    known : ndarray of int64, shape (m,)
        Among whom nearest ones are looked for; memory and time grow with m.
    groups : ndarray of int64, shape (N,)
        Rows of one group do not count for each other: a repost would say that its twin is at home.
    count : int
        How many; fewer where there are fewer.

    Returns
    -------
    Nearest
        In the order of `rows`.
    """
    distance = np.full(len(rows), np.nan, dtype=np.float32)
    nearest = np.full(len(rows), -1, dtype=np.int64)
    if not len(known):
        return Nearest(distance, nearest)
    others = np.ascontiguousarray(features[known])
    squares, their_groups = np.einsum("md,md->m", others, others), groups[known]
    places = np.arange(min(count, len(known)))
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        asking = np.ascontiguousarray(features[part])
        # |a - b|^2 without |a|^2, which makes no difference to the order
        apart = squares - 2 * (asking @ others.T)
        apart[groups[part][:, None] == their_groups] = np.inf
        found = np.argpartition(apart, places[-1], axis=1)[:, places]
        square = np.take_along_axis(apart, found, axis=1) + np.einsum("nd,nd->n", asking, asking)[:, None]
        there = np.isfinite(square)
        lengths = np.sqrt(np.where(there, square, 0).clip(min=0))
        number = there.sum(axis=1)
        somebody = number > 0
        block = slice(start, start + len(part))
        distance[block] = np.where(somebody, lengths.sum(axis=1) / np.maximum(number, 1), np.nan)
        first = known[np.take_along_axis(found, square.argmin(axis=1)[:, None], axis=1)[:, 0]]
        nearest[block] = np.where(somebody, first, -1)
    return Nearest(distance, nearest)
