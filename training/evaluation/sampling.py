"""A stratified random sample of listings whose labels would tell most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.utils.arrays import Float64, Int64

__all__ = ["Strata", "allocate", "stratify"]

#: At most so many strata, each with at least so many drawn, for its weight is estimated from them.
_STRATA, _LEAST = 5, 10
#: Part of the mean variance that every listing has at least: the belief may be wrong where it is sure.
_UNSURE = 0.1


@dataclass(frozen=True)
class Strata:
    """Listings by how much is unknown of them, in a random order.

    Attributes
    ----------
    stratum : ndarray of int64, shape (N,)
        From 0 on, the surest listings first.
    rank : ndarray of int64, shape (N,)
        Place of each listing in the random order of its stratum, from 0 on. The first n are a simple random sample,
        and the first m > n are one, too.
    spread : ndarray of float64, shape (H,)
        Mean standard deviation of what the listings of a stratum may add to what is estimated.
    """

    stratum: Int64
    rank: Int64
    spread: Float64


def stratify(spread: Float64, budget: int, *, seed: int) -> Strata:
    """Put listings into strata.

    Parameters
    ----------
    spread : ndarray of float64, shape (N,)
        Standard deviation of what each listing may add to the estimate, by belief.
    budget : int
        How many will be drawn about; few need few strata.
    seed : int
        Of the random order.

    Returns
    -------
    Strata
        Each has about the same sum of `spread`, so that as many are drawn from each; Dalenius and Hodges, "Minimum
        variance stratification", Journal of the American Statistical Association 1959.
    """
    spread = np.sqrt(spread**2 + max(_UNSURE * float((spread**2).mean()), 1e-18))
    rng = np.random.default_rng(seed)
    # ties, of which there may be many, in a random order
    order = np.lexsort((rng.random(len(spread)), spread))
    wanted = int(np.clip(budget // (2 * _LEAST), 1, _STRATA))
    cut = np.minimum((np.cumsum(spread[order]) / spread.sum() * wanted).astype(np.int64), wanted - 1)
    stratum = np.empty(len(spread), dtype=np.int64)
    stratum[order] = np.unique(cut, return_inverse=True)[1]
    rank = np.empty_like(stratum)
    for number in range(int(stratum.max()) + 1):
        rows = np.flatnonzero(stratum == number)
        rank[rows] = rng.permutation(len(rows))
    sizes = np.bincount(stratum)
    return Strata(stratum, rank, np.bincount(stratum, spread) / sizes)


def allocate(sizes: Int64, spread: Float64, budget: int, least: Int64 | None = None) -> Int64:
    """Return how many listings to draw from each stratum, so that the variance of the estimate is least.

    Parameters
    ----------
    sizes : ndarray of int64, shape (H,)
        Listings of each stratum.
    spread : ndarray of float64, shape (H,)
        Mean standard deviation within each.
    budget : int
        How many to draw in all.
    least : ndarray of int64, shape (H,), optional
        How many have been drawn already.

    Returns
    -------
    ndarray of int64, shape (H,)
        Their sum is `budget`, or all listings if there are fewer. In proportion to size times spread: Neyman, "On the
        two different aspects of the representative method", Journal of the Royal Statistical Society 1934.

    Examples
    --------
    >>> allocate(np.array([900, 100]), np.array([1.0, 3.0]), 40)
    array([30, 10])
    """
    few = np.minimum(sizes, min(_LEAST, budget // len(sizes)))
    drawn = few if least is None else np.maximum(least, few)
    target = sizes * spread
    while drawn.sum() < min(budget, sizes.sum()):
        # the stratum that is furthest behind its share
        behind = np.where(drawn < sizes, target / (drawn + 1), -1)
        drawn[int(behind.argmax())] += 1
    return drawn
