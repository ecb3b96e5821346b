"""The draw of an audit: which listings, by chance, and in which order they are reviewed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.auditing.strata import allocated, strata_of
from training.utils.arrays import Bool, Float64, Int64

__all__ = ["Draw", "draw"]


@dataclass(frozen=True)
class Draw:
    """A stratified random sample.

    Attributes
    ----------
    rows : ndarray of int64, shape (size,)
        The listings that are drawn, in the order of the review. Each beginning of it is a stratified random sample,
        too, so that an audit that stops half-way is a smaller audit.
    strata : ndarray of int64, shape (N,)
        The stratum of each listing, 0 to H - 1.
    inclusion : ndarray of float64, shape (H,)
        The probability that a listing of a stratum is drawn, above 0 and up to 1.
    """

    rows: Int64
    strata: Int64
    inclusion: Float64


def draw(chances: Float64, flagged: Bool, size: int, seed: int) -> Draw:
    """Draw listings by chance: simple random samples without replacement within strata.

    Parameters
    ----------
    chances : ndarray of float64, shape (N,)
        The chance that each given label is wrong, 0 to 1; NaN where it is unknown.
    flagged : ndarray of bool, shape (N,)
        Whether the label is flagged.
    size : int
        Listings to draw, 1 to N.
    seed : int
        The same seed draws the same listings.

    Examples
    --------
    >>> drawn = draw(np.array([0.01, 0.02, 0.03, 0.9]), np.array([False, False, False, True]), 3, seed=0)
    >>> len(drawn.rows), drawn.inclusion.round(2).tolist()
    (3, [0.67, 1.0])
    """
    generator = np.random.default_rng(seed)
    strata, shares = strata_of(chances, flagged, size)
    counts = allocated(strata, shares, size)
    rows, places = [], []
    for stratum, count in enumerate(counts.tolist()):
        rows.append(generator.permutation(np.flatnonzero(strata == stratum))[:count])
        # evenly over the review, from a random place on
        places.append((np.arange(count) + generator.random()) / max(count, 1))
    order = np.argsort(np.concatenate(places), kind="stable")
    return Draw(np.concatenate(rows)[order], strata, counts / np.bincount(strata))
