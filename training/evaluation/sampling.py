"""A stratified random sample of listings whose labels would tell most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.utils.arrays import Float64, Int64

__all__ = ["Design", "Strata", "allocate", "stratify"]


@dataclass(frozen=True)
class Design:
    """How finely listings are put into strata; it depends on what is estimated from the sample.

    Attributes
    ----------
    most : int
        At most about so many strata, 1 or more.
    listings : int
        Drawn from each, on average, 1 or more.
    least : int
        Drawn from each at least, if it has so many.
    unsure : float
        Part of the mean variance that every listing has at least, in (0, 1]: the belief may be wrong where it is sure.
    """

    most: int
    listings: int
    least: int
    unsure: float


@dataclass(frozen=True)
class Strata:
    """Listings by how much is unknown of them, in a random order.

    Attributes
    ----------
    stratum : ndarray of int64, shape (N,)
        From 0 on, in the order in which the listings were cut.
    rank : ndarray of int64, shape (N,)
        Place of each listing in the random order of its stratum, from 0 on. The first n are a simple random sample,
        and the first m > n are one, too.
    spread : ndarray of float64, shape (H,)
        Mean standard deviation of what the listings of a stratum may add to what is estimated.
    """

    stratum: Int64
    rank: Int64
    spread: Float64

    @property
    def sizes(self) -> Int64:
        """How many listings each stratum has, shape (H,)."""
        return np.bincount(self.stratum)


def stratify(
    spread: Float64,
    budget: int,
    design: Design,
    *,
    seed: int,
    order: Float64 | None = None,
    apart: Int64 | None = None,
) -> Strata:
    """Put listings into strata.

    Parameters
    ----------
    spread : ndarray of float64, shape (N,)
        Standard deviation of what each listing may add to the estimate, by belief.
    budget : int
        How many will be drawn about; few need few strata.
    design : Design
        How many strata.
    seed : int
        Of the random order.
    order : ndarray of float64, shape (N,), optional
        Listings whose numbers are close share a stratum; by default the spread. Listings with the same number always
        do, so that neither the seed nor the order of the rows changes the strata.
    apart : ndarray of int64, shape (N,), optional
        Listings with different numbers never share one.

    Returns
    -------
    Strata
        Each has about the same sum of `spread`, so that as many are drawn from each; Dalenius and Hodges, "Minimum
        variance stratification", Journal of the American Statistical Association 1959.
    """
    spread = np.sqrt(spread**2 + max(design.unsure * float((spread**2).mean()), 1e-18))
    order = spread if order is None else order
    apart = np.zeros(len(spread), dtype=np.int64) if apart is None else apart
    wanted = int(np.clip(budget // design.listings, 1, design.most))
    stratum, first = np.empty(len(spread), dtype=np.int64), 0
    for kind in np.unique(apart):
        rows = np.flatnonzero(apart == kind)
        cut = _cut(order[rows], spread[rows], max(1, round(wanted * float(spread[rows].sum() / spread.sum()))))
        stratum[rows] = first + cut
        first += int(cut.max()) + 1
    rank, rng = np.empty_like(stratum), np.random.default_rng(seed)
    for number in range(first):
        rows = np.flatnonzero(stratum == number)
        rank[rows] = rng.permutation(len(rows))
    return Strata(stratum, rank, np.bincount(stratum, spread) / np.bincount(stratum))


def _cut(order: Float64, spread: Float64, parts: int) -> Int64:
    """Cut an order into at most so many parts of about equal sums, none of them empty, and return each one's part."""
    place = np.unique(order, return_inverse=True)[1]
    share = np.bincount(place, spread)
    middle = (np.cumsum(share) - share / 2) / share.sum()
    part = np.minimum((middle * parts).astype(np.int64), parts - 1)
    numbers: Int64 = np.unique(part, return_inverse=True)[1][place]
    return numbers


def allocate(sizes: Int64, spread: Float64, budget: int, *, least: int, drawn: Int64 | None = None) -> Int64:
    """Return how many listings to draw from each stratum, so that the variance of the estimate is least.

    Parameters
    ----------
    sizes : ndarray of int64, shape (H,)
        Listings of each stratum.
    spread : ndarray of float64, shape (H,)
        Mean standard deviation within each.
    budget : int
        How many to draw in all.
    least : int
        At least so many of each, where it has them and the budget allows it.
    drawn : ndarray of int64, shape (H,), optional
        How many have been drawn already.

    Returns
    -------
    ndarray of int64, shape (H,)
        Their sum is `budget`, or all listings if there are fewer. In proportion to size times spread: Neyman, "On the
        two different aspects of the representative method", Journal of the Royal Statistical Society 1934; in whole
        numbers: Wright, "The equivalence of Neyman optimum allocation for sampling and equal proportions for
        apportioning the U.S. House of Representatives", The American Statistician 2012.

    Examples
    --------
    >>> allocate(np.array([900, 100]), np.array([1.0, 3.0]), 40, least=10)
    array([30, 10])
    """
    number = np.minimum(sizes, min(least, budget // len(sizes)))
    if drawn is not None:
        number = np.maximum(number, drawn)
    for _ in range(min(budget, int(sizes.sum())) - int(number.sum())):
        # the root of what one more takes off the variance; the first of a stratum takes most
        gain = sizes * spread / np.sqrt(np.maximum(number * (number + 1), 1e-9))
        number[int(np.where(number < sizes, gain, -1).argmax())] += 1
    return number
