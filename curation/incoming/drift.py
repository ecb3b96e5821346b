"""Drift: how far new listings are from those that the models learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtri

from curation.listings.columns import class_numbers
from training.utils.arrays import Bool, Float32, Float64, Int64

__all__ = ["LARGE", "SMALL", "Drift", "drift_of", "stability_index"]

#: Usual bounds of the population stability index (Siddiqi, "Credit Risk Scorecards", 2006): below this, nothing has
#: changed.
SMALL = 0.1
#: From this on, a lot has.
LARGE = 0.25
#: Chance that as much is found by chance, where nothing has changed.
_BY_CHANCE = 0.001
#: Bins at most, and listings that a bin is expected to have at least: of fewer, the index says little.
_BINS, _IN_BIN = 10, 10
#: Leading directions of the features that are compared.
_DIRECTIONS = 8
#: Listings are compared from so many on.
_FEWEST = 20


@dataclass(frozen=True)
class Drift:
    """How far new listings are from known ones, in one respect.

    Attributes
    ----------
    of : str
        ``labels``, ``predicted labels``, ``prices`` or ``photos``.
    index : float
        Population stability index, 0 or more.
    by_chance : float
        What it stays below in 999 of 1,000 samples of this size of listings that have not changed.
    listings : int
        How many new ones were compared.
    """

    of: str
    index: float
    by_chance: float
    listings: int

    @property
    def size(self) -> str:
        """``none``, ``some`` or ``large``; what may be chance is none."""
        if self.index < max(SMALL, self.by_chance):
            return "none"
        return "large" if self.index >= max(LARGE, self.by_chance) else "some"

    def to_dict(self) -> dict[str, Any]:
        """Return it as ``run.json`` has it."""
        return {**asdict(self), "size": self.size}


def stability_index(old: Float64, new: Float64, *, tries: int = 1) -> tuple[float, float]:
    """Return the population stability index of two samples in the same bins, and what it stays below by chance.

    Where nothing has changed, the index times the harmonic sum of the sample sizes has a chi-square distribution
    (Yurdakul and Naranjo, "Statistical Properties of the Population Stability Index", Journal of Risk Model Validation
    2020).

    Parameters
    ----------
    old, new : ndarray of float64, shape (bins,)
        How many of each sample are in each bin.
    tries : int
        Among how many indices the largest is looked for.

    Examples
    --------
    >>> index, by_chance = stability_index(np.array([500.0, 500]), np.array([100.0, 100]))
    >>> round(index, 4), round(by_chance, 3)
    (0.0, 0.065)
    """
    bins, sizes = len(old), (old.sum(), new.sum())
    # an empty bin counts as half a listing
    shares = [(np.maximum(counts, 0.5)) / np.maximum(counts, 0.5).sum() for counts in (old, new)]
    index = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    return index, float(chdtri(max(bins - 1, 1), _BY_CHANCE / tries) * (1 / sizes[0] + 1 / sizes[1]))


def drift_of(table: pd.DataFrame, new: Bool, best: Int64, features: Float32, classes: tuple[str, ...]) -> list[Drift]:
    """Return the drift of new listings in every respect in which there are enough of them.

    Parameters
    ----------
    table : DataFrame
        All listings, with ``label`` and ``price``.
    new : ndarray of bool, shape (N,)
        Which of them are new or changed.
    best : ndarray of int64, shape (N,)
        The class that the models find likeliest; -1 without a photo.
    features : ndarray of float32, shape (N, D)
        Of the photos.
    classes : tuple of str
        K names.
    """
    return list(_all(table, new, best, features, classes))


def _all(table: pd.DataFrame, new: Bool, best: Int64, features: Float32, classes: tuple[str, ...]) -> Iterator[Drift]:
    for of, numbers in (("labels", class_numbers(table["label"], classes)), ("predicted labels", best)):
        drift = _of_numbers(of, numbers, new, len(classes))
        if drift is not None:
            yield drift
    prices = np.log(table["price"].where(table["price"] > 0)).to_numpy(dtype=np.float64)
    drift = _of_values("prices", prices, new)
    if drift is not None:
        yield drift
    shown = best >= 0
    directions = [
        drift
        for column in range(min(_DIRECTIONS, features.shape[1]))
        if (drift := _of_values("photos", np.where(shown, features[:, column], np.nan), new, _DIRECTIONS)) is not None
    ]
    if directions:
        # of several directions, the one that moved most
        yield max(directions, key=lambda drift: drift.index)


def _of_numbers(of: str, numbers: Int64, new: Bool, classes: int) -> Drift | None:
    there = numbers >= 0
    old_counts, new_counts = (np.bincount(numbers[there & rows], minlength=classes) for rows in (~new, new))
    if new_counts.sum() < _FEWEST or old_counts.sum() < _FEWEST:
        return None
    # classes of which few are expected count as one
    large = old_counts / old_counts.sum() * new_counts.sum() >= _IN_BIN
    bins = [np.r_[counts[large], counts[~large].sum()].astype(np.float64) for counts in (old_counts, new_counts)]
    index, by_chance = stability_index(*bins)
    return Drift(of, index, by_chance, int(new_counts.sum()))


def _of_values(of: str, values: Float64, new: Bool, tries: int = 1) -> Drift | None:
    there = np.isfinite(values)
    old, fresh = values[there & ~new], values[there & new]
    if len(fresh) < _FEWEST or len(old) < _FEWEST:
        return None
    bins = int(np.clip(len(fresh) // _IN_BIN, 2, _BINS))
    edges = np.unique(np.quantile(old, np.linspace(0, 1, bins + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, part), minlength=len(edges) + 1) for part in (old, fresh)]
    index, by_chance = stability_index(*(part.astype(np.float64) for part in counts), tries=tries)
    return Drift(of, index, by_chance, len(fresh))
