"""How many labels are wrong, from those that were drawn and reviewed.

A hierarchical model in each stratum of a random sample: the number of wrong labels that are not drawn is beta-binomial
around a curve of the chance, logistic with an offset and a slope that are unknown themselves, and so is how closely the
strata follow it. All are integrated over, so that the intervals hold where no wrong label was drawn, where the chances
are overconfident, and where a stratum is read as a whole. See Gelman et al., "Bayesian Data Analysis", 2013, chapter 5,
and Little, "To Model or Not To Model? Competing Modes of Inference for Finite Population Sampling", Journal of the
American Statistical Association 2004.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, expit, logit

from training.utils.arrays import Bool, Float64, Int64

__all__ = ["DRAWS", "Cells", "Interval", "ends_of", "interval_of", "wrong_in"]

#: Draws from the posterior.
DRAWS = 4000
#: The curve's offset and slope, on the scale of log-odds, around 0 and 1: so much is possible, and so far it is looked.
_OFFSETS, _OFFSET_SPREAD = np.linspace(-3, 3, 31), 2.0
_SLOPES, _SLOPE_SPREAD = np.linspace(0, 2, 21), 0.5
#: How many listings the curve counts for in a stratum: from barely any to nearly all.
_STRENGTHS = np.array([2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
#: Chances are kept this far from 0 and 1.
_EDGE = 1e-3
_LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval.

    Attributes
    ----------
    low, estimate, high : float
    """

    low: float
    estimate: float
    high: float


@dataclass(frozen=True)
class Cells:
    """Parts of the listings, each with a simple random sample of its own.

    Attributes
    ----------
    listings : ndarray of int64, shape (H,)
        Number of listings.
    audited : ndarray of int64, shape (H,)
        Number of those that were drawn and reviewed.
    wrong : ndarray of int64, shape (H,)
        Number of the audited with a wrong label.
    chance : ndarray of float64, shape (H,)
        Mean chance of the listings, 0 to 1; NaN where it is unknown.
    """

    listings: Int64
    audited: Int64
    wrong: Int64
    chance: Float64

    @classmethod
    def of(cls, cell: Int64, chances: Float64, audited: Bool, wrong: Bool, where: Bool | None = None) -> Cells:
        """Count the listings of each cell.

        Parameters
        ----------
        cell : ndarray of int64, shape (N,)
            The cell of each listing, from 0 on; a listing of a negative one is in none.
        chances : ndarray of float64, shape (N,)
        audited, wrong : ndarray of bool, shape (N,)
            Which listings count as drawn and reviewed, and which of them are wrong.
        where : ndarray of bool, shape (N,), optional
            Only these listings.
        """
        rows = (cell >= 0) if where is None else (cell >= 0) & where
        count = int(cell.max(initial=-1)) + 1

        def counted(which: Bool) -> Int64:
            return np.bincount(cell[rows & which], minlength=count).astype(np.int64)

        known = np.isfinite(chances)
        total = np.bincount(cell[rows & known], weights=chances[rows & known], minlength=count)
        scored = counted(known)
        mean = np.where(scored > 0, total / np.maximum(scored, 1), np.nan)
        return cls(counted(np.ones(len(cell), dtype=bool)), counted(audited), counted(audited & wrong), mean)


def wrong_in(cells: Cells, generator: np.random.Generator, draws: int = DRAWS) -> Int64:
    """Return how many labels are wrong in each cell, as often as was asked: draws from the posterior.

    Parameters
    ----------
    cells : Cells
    generator : Generator
    draws : int
        How many.

    Returns
    -------
    ndarray of int64, shape (H, draws)
        Never fewer than the wrong ones that were found, and never more than the listings that are left allow.

    Examples
    --------
    >>> whole = Cells(np.array([20]), np.array([20]), np.array([3]), np.array([0.2]))
    >>> np.unique(wrong_in(whole, np.random.default_rng(0))).tolist()
    [3]
    """
    wrong, right = cells.wrong[:, None], (cells.audited - cells.wrong)[:, None]
    # without a chance, any rate is possible (Jeffreys' prior)
    first = np.full((len(cells.listings), draws), 0.5)
    second = first.copy()
    known = np.isfinite(cells.chance)
    if known.any():
        centre, strength = _curves(cells, known, generator, draws)
        first[known], second[known] = strength * centre, strength * (1 - centre)
    rate = generator.beta(wrong + first, right + second)
    found: Int64 = wrong + generator.binomial((cells.listings - cells.audited)[:, None], rate)
    return found


def _curves(cells: Cells, known: Bool, generator: np.random.Generator, draws: int) -> tuple[Float64, Float64]:
    """Draw curves: the rate of each cell, shape (h, draws), and for how many listings it counts, shape (draws,)."""
    odds = logit(np.clip(cells.chance[known], _EDGE, 1 - _EDGE))
    wrong, right = cells.wrong[known], (cells.audited - cells.wrong)[known]
    means = expit(_OFFSETS[:, None, None] + _SLOPES[:, None] * odds)
    first, second = (_STRENGTHS[:, None, None, None] * part for part in (means, 1 - means))
    fit = (betaln(wrong + first, right + second) - betaln(first, second)).sum(axis=-1)
    fit -= (_OFFSETS[:, None] / _OFFSET_SPREAD) ** 2 / 2 + ((_SLOPES - 1) / _SLOPE_SPREAD) ** 2 / 2
    weights = np.exp(fit - fit.max()).ravel()
    chosen = generator.choice(len(weights), draws, p=weights / weights.sum())
    strength, offset, slope = np.unravel_index(chosen, fit.shape)
    return means[offset, slope].T, _STRENGTHS[strength]


def interval_of(draws: Float64 | Int64) -> Interval | None:
    """Return the mean and the 95 % interval of draws; None without any number among them.

    Examples
    --------
    >>> interval_of(np.array([7, 7]))
    Interval(low=7.0, estimate=7.0, high=7.0)
    """
    numbers = draws[np.isfinite(draws)]
    return Interval(*ends_of(numbers)) if len(numbers) else None


def ends_of(draws: Float64 | Int64) -> tuple[float, float, float]:
    """Return the lower end, the mean and the upper end of draws; there must be some."""
    low, high = np.quantile(draws, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(draws.mean()), float(high)
