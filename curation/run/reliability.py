"""How far several reviewers agree beyond chance: Cohen's kappa of two, Krippendorff's alpha of any number.

J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960), 37-46.
K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", University of Pennsylvania (2011), for nominal data.

Intervals are of a bootstrap over listings. What was said of a listing is one of few patterns, so a sample of listings
is a draw of how often each pattern occurs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from training.utils.arrays import Float64

__all__ = ["Coefficient", "agreement_of_pair", "alpha", "kappa"]

#: Samples of the bootstrap.
_SAMPLES = 2000
#: Listings from which on an interval is told: of fewer, the bootstrap knows too little.
_ENOUGH = 10
_INTERVAL = (2.5, 97.5)
_Measure = Callable[[Float64], Float64]


class Coefficient(NamedTuple):
    """A coefficient and its 95 % interval.

    Attributes
    ----------
    value : float or None
        At most 1, which is perfect; 0 is chance. None where it is not defined: all said the same of all listings.
    low, high : float or None
        The interval; None with fewer than 10 listings.
    """

    value: float | None
    low: float | None
    high: float | None


def agreement_of_pair(pairs: Sequence[tuple[Hashable, Hashable]]) -> Coefficient:
    """Return the share of the listings of which two reviewers say the same.

    Parameters
    ----------
    pairs : sequence of (hashable, hashable)
        What both say of each listing.
    """
    patterns = Counter(one == other for one, other in pairs)
    same = np.array([float(pattern) for pattern in patterns])

    def share(often: Float64) -> Float64:
        shares: Float64 = (often @ same) / often.sum(axis=1)
        return shares

    return _with_interval(list(patterns.values()), share)


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Coefficient:
    """Return Cohen's kappa of two reviewers, each with a chance of each answer of their own.

    Parameters
    ----------
    pairs : sequence of (hashable, hashable)
        What both say of each listing.

    Examples
    --------
    >>> kappa([("a", "a"), ("a", "b"), ("b", "b"), ("b", "b")]).value
    0.5
    """
    patterns = Counter(pairs)
    known = dict.fromkeys(answer for pair in patterns for answer in pair)
    answers = {answer: number for number, answer in enumerate(known)}
    first, second = (np.zeros((len(patterns), len(answers))) for _ in range(2))
    for row, (one, other) in enumerate(patterns):
        first[row, answers[one]] = second[row, answers[other]] = 1.0
    same = (first * second).sum(axis=1)

    def beyond_chance(often: Float64) -> Float64:
        total = often.sum(axis=1)
        observed = (often @ same) / total
        expected = ((often @ first) * (often @ second)).sum(axis=1) / total**2
        return _over(observed - expected, 1 - expected)

    return _with_interval(list(patterns.values()), beyond_chance)


def alpha(units: Iterable[Mapping[str, Hashable]]) -> Coefficient:
    """Return Krippendorff's alpha for nominal data of any number of reviewers, of whom some may be missing.

    Parameters
    ----------
    units : iterable of mapping of str to hashable
        What each reviewer says of a listing. Listings with one reviewer don't count.

    Examples
    --------
    >>> round(alpha([{"ana": 1, "ben": 1}, {"ana": 2, "ben": 3}, {"ana": 3, "ben": 3}]).value, 3)
    0.545
    """
    values = (frozenset(Counter(said.values()).items()) for said in units if len(said) > 1)
    patterns = Counter(values)
    answers = {answer: number for number, answer in enumerate({answer: 0 for each in patterns for answer, _ in each})}
    counts = np.zeros((len(patterns), len(answers)))
    for row, pattern in enumerate(patterns):
        for answer, often in pattern:
            counts[row, answers[answer]] = often
    size = counts.sum(axis=1)
    # pairs of values in a listing that differ, each listing with the weight of its values
    differ = (size**2 - (counts**2).sum(axis=1)) / np.maximum(size - 1, 1)

    def beyond_chance(often: Float64) -> Float64:
        total, of_answer = often @ size, often @ counts
        expected = (total**2 - (of_answer**2).sum(axis=1)) / np.maximum(total - 1, 1)
        return 1 - _over(often @ differ, expected)

    return _with_interval(list(patterns.values()), beyond_chance)


def _over(one: Float64, other: Float64) -> Float64:
    return np.divide(one, other, out=np.full_like(one, np.nan), where=other > 1e-12)


def _with_interval(often: Sequence[int], measure: _Measure) -> Coefficient:
    total = sum(often)
    if not total:
        return Coefficient(None, None, None)
    value = float(measure(np.array([often], dtype=np.float64))[0])
    if np.isnan(value):
        return Coefficient(None, None, None)
    if total < _ENOUGH:
        return Coefficient(value, None, None)
    shares = np.array(often, dtype=np.float64) / total
    drawn = np.random.default_rng(0).multinomial(total, shares, size=_SAMPLES).astype(np.float64)
    samples = measure(drawn)
    low, high = np.nanpercentile(samples, _INTERVAL)
    return Coefficient(value, float(low), float(high))
