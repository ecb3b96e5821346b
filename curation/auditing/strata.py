"""Strata of an audit: listings of similar chance, and how many of each are drawn.

The number that is drawn from a stratum follows Neyman, "On the Two Different Aspects of the Representative Method",
Journal of the Royal Statistical Society 1934: its size times the standard deviation within it. Of labels that are wrong
with chance p, that is the square root of p (1 - p). Strata of equal sums of it are those of Dalenius and Hodges,
"Minimum Variance Stratification", Journal of the American Statistical Association 1959, for such labels.
"""

from __future__ import annotations

import numpy as np

from training.utils.arrays import Bool, Float64, Int64

__all__ = ["LEAST", "allocated", "strata_of"]

#: Share of the sample that is drawn in proportion to the listings, whatever the chances say: where they are near 0, the
#: labels may still be wrong, and most listings are there.
_PROPORTIONAL = 0.2
#: Listings that are drawn from each stratum, if it has so many.
LEAST = 2
#: Listings that are drawn from each stratum, on average.
_PER_STRATUM = 12
_MOST_STRATA = 24


def strata_of(chances: Float64, flagged: Bool, size: int) -> tuple[Int64, Float64]:
    """Return the stratum of each listing, and how much of the sample each listing should get.

    Flagged listings, those that are not, and those without a chance have strata of their own.

    Parameters
    ----------
    chances : ndarray of float64, shape (N,)
        The chance that each given label is wrong, 0 to 1; NaN where it is unknown.
    flagged : ndarray of bool, shape (N,)
        Whether the label is flagged.
    size : int
        Listings to draw, 1 to N.

    Returns
    -------
    strata : ndarray of int64, shape (N,)
        Numbers from 0 on; the chances rise with them among flagged listings, and among the others.
    shares : ndarray of float64, shape (N,)
        They sum to 1.

    Examples
    --------
    >>> strata, shares = strata_of(np.array([0.01, 0.02, 0.9, np.nan]), np.array([False, False, True, False]), 3)
    >>> strata.tolist(), shares.round(2).tolist()
    ([0, 0, 1, 2], [0.13, 0.16, 0.28, 0.43])
    """
    known = np.isfinite(chances)
    # of what is unknown, half may be wrong
    likely = np.where(known, chances, 0.5)
    spread = np.sqrt(likely * (1 - likely))
    even = np.full(len(chances), 1 / max(len(chances), 1))
    neyman = spread / spread.sum() if spread.sum() > 0 else even
    shares = (1 - _PROPORTIONAL) * neyman + _PROPORTIONAL * even
    strata, first = np.zeros(len(chances), dtype=np.int64), 0
    most = int(np.clip(size // _PER_STRATUM, 1, _MOST_STRATA))
    for rows in (np.flatnonzero(known & ~flagged), np.flatnonzero(known & flagged), np.flatnonzero(~known)):
        if not len(rows):
            continue
        rows = rows[np.argsort(likely[rows], kind="stable")]
        share = shares[rows]
        count = max(1, round(most * share.sum())) if known[rows[0]] else 1
        place = (np.cumsum(share) - share / 2) / share.sum()
        # a single listing may have more than one stratum's share, and no stratum is empty
        _, number = np.unique(np.minimum((place * count).astype(np.int64), count - 1), return_inverse=True)
        strata[rows] = first + number
        first += int(number.max()) + 1
    return strata, shares


def allocated(strata: Int64, shares: Float64, size: int) -> Int64:
    """Return how many listings of each stratum are drawn.

    Parameters
    ----------
    strata : ndarray of int64, shape (N,)
        Of :func:`strata_of`.
    shares : ndarray of float64, shape (N,)
        Of :func:`strata_of`.
    size : int
        Listings to draw, 1 to N.

    Returns
    -------
    ndarray of int64, shape (H,)
        They sum to `size`; at least two of each stratum, if it has two and `size` allows it.

    Examples
    --------
    >>> allocated(np.array([0] * 90 + [1] * 10), np.array([0.005] * 90 + [0.055] * 10), 20).tolist()
    [10, 10]
    """
    held = np.bincount(strata)
    wanted = np.bincount(strata, weights=shares) * size
    least = np.minimum(held, LEAST)
    if least.sum() > size:
        least = np.zeros_like(held)
    drawn = least.copy()
    # one by one to where most is missing: exact, and no stratum gets more than it has
    for _ in range(size - int(drawn.sum())):
        missing = np.where(drawn < held, wanted - drawn, -np.inf)
        drawn[int(np.argmax(missing))] += 1
    return drawn
