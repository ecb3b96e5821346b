"""The draw of an audit: which listings, by chance, and in which order they are reviewed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.evaluation.sampling import Design, allocate, stratify
from training.utils.arrays import Bool, Float64, Int64

__all__ = ["Draw", "draw"]

#: Fine strata: the estimate shares what they show among those of similar chance.
_DESIGN = Design(most=24, listings=12, least=2, unsure=0.02)


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
    """Draw listings by chance: simple random samples without replacement within strata of similar chance.

    Flagged listings, those that are not, and those without a chance have strata of their own.

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
    known = np.isfinite(chances)
    # of what is unknown, half may be wrong
    likely = np.where(known, chances, 0.5)
    apart = np.where(known, flagged.astype(np.int64), 2)
    strata = stratify(np.sqrt(likely * (1 - likely)), size, _DESIGN, seed=seed, order=likely, apart=apart)
    counts = allocate(strata.sizes, strata.spread, size, least=_DESIGN.least)
    rows = np.flatnonzero(strata.rank < counts[strata.stratum])
    stratum = strata.stratum[rows]
    # evenly over the review, from a random place on: another generator than that of the ranks
    starts = np.random.default_rng([seed, 1]).random(len(counts))
    place = (strata.rank[rows] + starts[stratum]) / counts[stratum]
    return Draw(rows[np.argsort(place, kind="stable")], strata.stratum, counts / strata.sizes)
