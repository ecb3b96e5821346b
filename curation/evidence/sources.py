"""The sources of evidence for a label: photo, similar photos, title, price, reposts. Each says which classes fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.evidence.calibration import temperature
from curation.evidence.class_prices import class_prices
from curation.evidence.log_odds import softmax
from curation.evidence.titles import title_likelihoods

if TYPE_CHECKING:
    # which builds its sources with this module
    from curation.evidence.evidence import Evidence

__all__ = ["PHOTO", "PRICE", "SIMILAR", "Source", "class_sizes", "gather"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

PHOTO = "photo"
SIMILAR = "similar photos"
PRICE = "price"
#: Share of prices and titles that say nothing about the class: typing errors, placeholders, bundles, keywords. They
#: keep one odd price, or one word, from overruling a photo.
STRAY = 0.05
#: Share of listings that are given another class than what they show, as far as a repost of them can tell.
MISLABELLED = 0.15
#: Labels of reposts that count: whoever posts a thing a hundred times makes one mistake a hundred times.
REPOSTS_COUNT = 2
#: Probabilities below this are taken as this: a model is never that sure.
LEAST = 1e-8


@dataclass(frozen=True)
class Source:
    """What one source says.

    Attributes
    ----------
    name : str
        ``photo``, ``similar photos``, ``title``, ``price``, ``reposts``.
    says : ndarray of float64, shape (N, K)
        Log-likelihood of what was seen, for each class, up to a number per listing; 0 where nothing was seen.
    known : ndarray of bool, shape (N,)
        Listings that the source has seen.
    weight : float or None
        How much it counts; None where that is learnt.
    """

    name: str
    says: Floats
    known: Mask
    weight: float | None = None


def class_sizes(evidence: Evidence) -> Floats:
    """Return the log share of each class among the given labels that may be learnt from, shape (K,)."""
    counts = np.bincount(evidence.given[evidence.may_train], minlength=len(evidence.classes)) + 0.5
    return np.asarray(np.log(counts / counts.sum()))


def gather(evidence: Evidence) -> list[Source]:
    """Return every source that has seen any of the listings.

    A model's probabilities hold how common each class is; divided by that, what is left is what it saw. So a listing
    is not suspected because its class is rare. Probabilities that were brought are taken as they are: what is common
    may differ where they come from.
    """
    return [source for source in _all(evidence) if source.known.any()]


def _all(evidence: Evidence) -> Iterator[Source]:
    common = np.zeros(len(evidence.classes)) if evidence.brought else class_sizes(evidence)
    yield _model(PHOTO, evidence.probs, common)
    if evidence.neighbours is not None:
        yield _model(SIMILAR, evidence.neighbours, common)
    if "title" in evidence.listings and evidence.listings["title"].notna().any():
        yield _titles(evidence)
    if evidence.listings["price"].notna().any():
        yield _prices(evidence)
    yield from _reposts(evidence)


def _model(name: str, probs: npt.NDArray[np.floating], common: Floats) -> Source:
    known: Mask = np.logical_not(np.isnan(probs).any(axis=1))
    says = np.log(np.maximum(probs, LEAST), dtype=np.float64) - common
    return Source(name, np.where(known[:, None], says, 0), known)


def _titles(evidence: Evidence) -> Source:
    titles = [None if pd.isna(title) else str(title) for title in evidence.listings["title"]]
    given, rows = evidence.given, evidence.rows_to_learn_from
    says = title_likelihoods(titles, given, evidence.fold, evidence.may_train, evidence.classes).astype(np.float64)
    known: Mask = np.logical_not(np.isnan(says).any(axis=1))
    says = np.where(known[:, None], says, 0)
    learnt = rows[known[rows]]
    # naive Bayes takes every word for new evidence and is far too sure
    factor = temperature(says[learnt], given[learnt]) if len(learnt) else 1.0
    probs = (1 - STRAY) * softmax(factor * says) + STRAY / says.shape[1]
    return Source("title", np.where(known[:, None], np.log(probs), 0), known)


def _prices(evidence: Evidence) -> Source:
    """Prices are log-normal within each class, a few of them stray; told by the prices of other folds.

    This is a likelihood by itself, so its weight is 1. Learnt from given labels it would count less, since wrong
    labels are just what makes prices seem to say little.
    """
    price, fold = evidence.listings["price"], evidence.fold
    x = np.log(price.where(price > 0)).to_numpy(dtype=np.float64)
    seen = x[np.isfinite(x)]
    # a stray price lies anywhere in the range of prices there are
    width = max(float(np.ptp(seen)), 1.0) if len(seen) else 1.0
    says = np.zeros((len(x), len(evidence.classes)))
    for number in np.unique(fold):
        others = evidence.may_train & (fold != number) & np.isfinite(x)
        rows = fold == number
        labels = evidence.given[others, None]
        centres, spreads = class_prices(x[others], labels, np.ones(labels.shape), classes=len(evidence.classes))
        ordinary = np.exp(-0.5 * ((x[rows, None] - centres) / spreads) ** 2) / (spreads * np.sqrt(2 * np.pi))
        says[rows] = np.log((1 - STRAY) * ordinary + STRAY / width)
    # a price of 0 has no logarithm; a class of which no price is known says nothing
    known: Mask = np.logical_not(np.isinf(says).any(axis=1) | np.isnan(says).any(axis=1))
    return Source(PRICE, np.where(known[:, None], says, 0), known, weight=1.0)


def _reposts(evidence: Evidence) -> Iterator[Source]:
    """Count the labels of the others with the same photo as votes, as they show the same thing."""
    classes, votes = len(evidence.classes), evidence.may_train
    _, number, size = np.unique(evidence.photo_group, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(size[number] > 1)
    voting = np.flatnonzero(votes[rows])
    if not len(voting) or classes < 2:
        return
    # numbered anew, as most photos occur once
    group, given = np.unique(number[rows], return_inverse=True)[1], evidence.given[rows]
    counts = np.zeros((group.max() + 1, classes))
    np.add.at(counts, (group[voting], given[voting]), 1)
    others = counts[group]
    others[voting, given[voting]] -= 1
    total = others.sum(axis=1, keepdims=True)
    of_one = np.log((1 - MISLABELLED) * (classes - 1) / MISLABELLED)
    says, known = np.zeros((len(number), classes)), np.zeros(len(number), dtype=bool)
    says[rows] = of_one * others * np.minimum(total, REPOSTS_COUNT) / np.maximum(total, 1)
    known[rows] = total[:, 0] > 0
    yield Source("reposts", says, known)
