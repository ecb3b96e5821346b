"""Before and after on one fixed test set, with the uncertainty of the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Difference", "paired_difference"]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_CHUNK = 100


@dataclass(frozen=True)
class Difference:
    """After minus before, with a 95 % interval; positive is better.

    Attributes
    ----------
    mean : float
        The difference that was measured, the mean over the seeds.
    low, high : float
        Bounds of the interval.
    """

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """``helped``, ``hurt``, or ``no difference`` when the interval holds zero."""
        if self.low > 0:
            return "helped"
        return "hurt" if self.high < 0 else "no difference"

    def to_dict(self) -> dict[str, Any]:
        """Return mean, low and high."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


def paired_difference(
    truth: Integers,
    before: Integers,
    after: Integers,
    groups: Integers,
    *,
    classes: int,
    seed: int,
    resamples: int = 2000,
) -> tuple[Difference, list[Difference | None]]:
    """Compare F1 before and after by a paired bootstrap over groups of test listings and over seeds.

    Every resample draws whole groups (the same seller, the same photo) with replacement, and as many seeds as
    there are; both models are scored on the same draw, so what makes a draw hard cancels out.

    Parameters
    ----------
    truth : ndarray of int64, shape (n,)
        Test labels as class numbers.
    before, after : ndarray of int64, shape (S, n)
        Predictions of the S models of each version, paired by seed.
    groups : ndarray of int64, shape (n,)
        Group of each test listing.
    classes : int
        K.
    seed : int
        Seed of the resampling.
    resamples : int
        Number of resamples.

    Returns
    -------
    macro : Difference
        Of macro-F1 over the classes in `truth`.
    per_class : list of (Difference or None), length K
        Of each class's F1; None for a class without test listings.

    Notes
    -----
    Percentile bootstrap, Efron & Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 13; clusters as
    in Davison & Hinkley, *Bootstrap Methods and their Application* (1997), section 3.8.
    """
    generator = np.random.default_rng(seed)
    _, group = np.unique(groups, return_inverse=True)
    present = np.bincount(truth, minlength=classes) > 0
    counts = [[_outcomes(truth, run, classes) for run in version] for version in (before, after)]
    ones = np.ones((1, len(truth)))
    measured = np.mean([_f1(ones, b) * -1 + _f1(ones, a) for b, a in zip(*counts, strict=True)], axis=0)[0]
    draws = []
    for start in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - start)
        drawn = generator.multinomial(group.max() + 1, np.full(group.max() + 1, 1 / (group.max() + 1)), size=size)
        weights = drawn[:, group].astype(np.float64)
        by_seed = np.stack([_f1(weights, a) - _f1(weights, b) for b, a in zip(*counts, strict=True)])
        chosen = generator.integers(0, len(by_seed), size=(len(by_seed), size))
        draws.append(by_seed[chosen, np.arange(size)].mean(axis=0))
    sampled = np.concatenate(draws)
    macro = _interval(measured[present].mean(), sampled[:, present].mean(axis=1))
    per_class = [_interval(measured[k], sampled[:, k]) if present[k] else None for k in range(classes)]
    return macro, per_class


def _outcomes(truth: Integers, predicted: Integers, classes: int) -> tuple[Floats, Floats, Floats]:
    """Return who is of, who is put into, and who is rightly put into each class; each of shape (n, K)."""
    of = np.eye(classes)[truth]
    put = np.eye(classes)[predicted]
    return of, put, of * put


def _f1(weights: Floats, outcomes: tuple[Floats, Floats, Floats]) -> Floats:
    """Return F1 of every class under every weighting; shape (B, K). A class nobody is in or put into scores 0."""
    of, put, hit = (weights @ part for part in outcomes)
    return np.divide(2 * hit, of + put, out=np.zeros_like(hit), where=(of + put) > 0)


def _interval(mean: float, sampled: Floats) -> Difference:
    low, high = np.quantile(sampled, [0.025, 0.975])
    return Difference(float(mean), float(low), float(high))
