"""The sources of evidence for a label: photo, title, what it means, text in photo, price, reposts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from curation.evidence.calibration import temperature
from curation.evidence.class_prices import ClassPrices
from curation.evidence.fitted import Values
from curation.evidence.log_odds import softmax
from curation.evidence.rows import Rows
from curation.evidence.title_meaning import meaning_likelihoods
from curation.evidence.titles import text_likelihoods, title_likelihoods
from training.utils.arrays import Bool, Float32, Float64, Int64
from training.utils.blocks import finite_rows

if TYPE_CHECKING:
    # evidence.py imports this module
    from curation.evidence.evidence import Evidence

__all__ = ["MEANING", "PHOTO", "PRICE", "REPOSTS", "TEXT", "TITLE", "Source", "class_sizes", "gather"]


PHOTO = "photo"
TITLE = "title"
MEANING = "title meaning"
TEXT = "text in photo"
PRICE = "price"
REPOSTS = "reposts"
#: Share of prices, titles and texts that say nothing about the class: typing errors, placeholders, bundles, keywords.
#: It keeps one unusual price, or one word, from overruling a photo.
STRAY = 0.05
#: Share of wrong labels that is assumed where listings with the same photo vote.
MISLABELLED = 0.15
#: At most this many reposts count: a seller who posts an item a hundred times makes the same mistake a hundred times.
REPOSTS_COUNT = 2
#: How much the labels of similar photos count beside the model of the photo.
SIMILAR_COUNT = 0.3
#: What the sources of a run were, as it is kept.
_SOURCES = "sources"
#: Lower probabilities are raised to this: no model is that sure.
LEAST = 1e-8


@dataclass(frozen=True)
class Source:
    """One source of evidence.

    Attributes
    ----------
    name : str
        ``photo``, ``title``, ``title meaning``, ``text in photo``, ``price``, ``reposts``.
    log_likelihood : Rows of shape (N, K)
        Log-likelihood of the observation under each class, up to a constant per listing; 0 without an observation.
    observed : ndarray of bool, shape (N,)
        Listings with an observation.
    weight : float or None
        How much the source counts; None if that is learned.
    """

    name: str
    log_likelihood: Rows
    observed: Bool
    weight: float | None = None


def class_sizes(evidence: Evidence) -> Float64:
    """Return the log share of each class among the labels that may be used for training, shape (K,)."""

    def learn() -> Values:
        counts = np.bincount(evidence.taught[evidence.may_train], minlength=len(evidence.classes)) + 0.5
        return {"logs": np.log(counts / counts.sum())}

    return evidence.fit("class sizes", learn)["logs"]


def gather(evidence: Evidence) -> list[Source]:
    """Return every source that says something about at least one listing.

    A model's probabilities include how common each class is. Divided by that, what remains is what the photo shows, so
    a listing is not suspicious because its class is rare. Probabilities that the user provides are used as they are,
    because nobody knows how common the classes were where the model was trained.
    """
    sources = list(_all(evidence))
    observed = [source.name for source in sources if source.observed.any()]
    # listings that an earlier run judges have the sources of that run: each has its weight there
    names = evidence.fit(_SOURCES, lambda: {"names": np.array(observed, dtype=np.str_)})["names"].tolist()
    return [source for source in sources if source.name in names]


def _all(evidence: Evidence) -> Iterator[Source]:
    sizes = np.zeros(len(evidence.classes)) if evidence.provided else class_sizes(evidence)
    photo = _model(PHOTO, evidence.probs if evidence.refitted is None else evidence.refitted, sizes)
    yield photo if evidence.neighbours is None else _with_similar(photo, evidence, evidence.neighbours, sizes)
    titles, texts = (_words(evidence.listings, column) for column in ("title", "text"))
    if _has(evidence, TITLE, any(titles)):
        yield _titles(evidence, titles)
    if evidence.titles is not None and _has(evidence, MEANING, any(titles)):
        yield _meaning(evidence, evidence.titles)
    if _has(evidence, TEXT, any(texts)):
        yield _texts(evidence, texts, titles)
    if _has(evidence, PRICE, bool(evidence.listings["price"].notna().any())):
        yield _prices(evidence)
    if evidence.posted is not None:
        if _has(evidence, REPOSTS, True):
            yield _known_reposts(evidence, evidence.posted)
    else:
        yield from _reposts(evidence)


def _has(evidence: Evidence, name: str, observed: bool) -> bool:
    """Return whether a source says anything: in an earlier run, where that judges the listings."""
    return name in evidence.fitted[_SOURCES]["names"] if evidence.fitted and evidence.applied else observed


def _source(name: str, logs: Rows, observed: Bool, weight: float | None = None) -> Source:
    """Return a source that says nothing of listings without an observation."""

    def said(rows: slice | Int64) -> Float64:
        says = logs[rows]
        says[~observed[rows]] = 0
        return says

    return Source(name, Rows(logs.shape, said), observed, weight)


def _model(name: str, probs: Float32 | Float64, sizes: Float64) -> Source:
    logs = Rows(probs.shape, lambda rows: np.log(np.maximum(probs[rows], LEAST), dtype=np.float64) - sizes)
    return _source(name, logs, finite_rows(probs))


def _with_similar(photo: Source, evidence: Evidence, neighbours: Float32, sizes: Float64) -> Source:
    """Return the photo's source with what similar photos are labelled, as confident as both together are accurate.

    Both are computed from the same features and mostly agree, so they are one witness. As two sources they shared one
    weight, by chance and too little.
    """
    own, others = photo.log_likelihood, _model(PHOTO, neighbours, sizes).log_likelihood
    rows = evidence.training_rows
    rows = rows[(photo.observed & evidence.trained_on_label)[rows]]
    logs = Rows(own.shape, lambda rows: own[rows] + SIMILAR_COUNT * others[rows])
    sized = Rows(own.shape, lambda rows: logs[rows] + sizes)
    factor = evidence.number(
        "factor of photos", lambda: temperature(sized, evidence.taught, rows) if len(rows) else 1.0
    )
    return replace(photo, log_likelihood=Rows(own.shape, lambda rows: factor * logs[rows]), weight=1.0)


def _words(listings: pd.DataFrame, column: str) -> list[str | None]:
    """Return the words in a column; None where there are none."""
    if column not in listings or listings[column].isna().all():
        return [None] * len(listings)
    return [None if pd.isna(words) else str(words) for words in listings[column]]


def _titles(evidence: Evidence, titles: list[str | None]) -> Source:
    logs = title_likelihoods(
        titles, evidence.taught, evidence.fold, evidence.may_train, evidence.classes, evidence.fitted
    )
    # naive Bayes treats every word as independent evidence and is far too confident
    return _tempered(TITLE, logs, evidence)


def _texts(evidence: Evidence, texts: list[str | None], titles: list[str | None]) -> Source:
    logs = text_likelihoods(
        texts, titles, evidence.taught, evidence.fold, evidence.may_train, evidence.classes, evidence.fitted
    )
    return _tempered(TEXT, logs, evidence)


def _meaning(evidence: Evidence, features: Float32) -> Source:
    # by id: the last digits of sums depend on the order
    order = np.argsort(evidence.listings["id"].to_numpy(dtype=str), kind="stable")
    logs = np.empty((len(order), len(evidence.classes)))
    logs[order] = meaning_likelihoods(
        features[order],
        evidence.taught[order],
        evidence.fold[order],
        evidence.may_train[order],
        classes=len(evidence.classes),
        fit=evidence.fit,
    )
    return _tempered(MEANING, logs, evidence)


def _tempered(name: str, likelihoods: Float32 | Float64, evidence: Evidence) -> Source:
    """Return a source as confident as it is accurate, some of which is stray."""
    observed, rows = finite_rows(likelihoods), evidence.training_rows
    logs = Rows(likelihoods.shape, lambda rows: likelihoods[rows].astype(np.float64))
    learnable = rows[observed[rows]]
    factor = evidence.number(
        f"factor of {name}", lambda: temperature(logs, evidence.taught, learnable) if len(learnable) else 1.0
    )
    stray = STRAY / logs.shape[1]
    tempered = Rows(logs.shape, lambda rows: np.log((1 - STRAY) * softmax(factor * logs[rows]) + stray))
    return _source(name, tempered, observed)


def _prices(evidence: Evidence) -> Source:
    """Return the likelihood of each price: log-normal within each class, learned from other folds, and 5 % stray.

    This is a likelihood already, so its weight is 1. A weight learned from given labels would be too small, because
    wrong labels are what makes prices look uninformative.
    """
    price, fold = evidence.listings["price"], evidence.fold
    x = np.log(price.where(price > 0)).to_numpy(dtype=np.float64)
    priced, shape = np.isfinite(x), (len(x), len(evidence.classes))

    def learn() -> Values:
        finite, labels = x[priced], evidence.taught[:, None]
        usual = ClassPrices(np.where(priced, x, 0), labels, np.ones(labels.shape), classes=shape[1])
        numbers = np.full((2, int(fold.max(initial=0)) + 1, shape[1]), np.nan)
        for number in np.unique(fold):
            numbers[:, number] = usual((evidence.may_train & (fold != number) & priced).astype(np.float64))
        # a stray price lies anywhere in the range of all prices
        width = max(float(np.ptp(finite)), 1.0) if len(finite) else 1.0
        return {"centre": numbers[0], "spread": numbers[1], "width": np.array(width)}

    usual = evidence.fit("usual prices", learn)
    centre, spread, width = usual["centre"], usual["spread"], float(usual["width"])

    def logs(rows: slice | Int64) -> Float64:
        of_fold = spread[fold[rows]]
        ordinary = np.exp(-0.5 * ((x[rows, None] - centre[fold[rows]]) / of_fold) ** 2) / (of_fold * np.sqrt(2 * np.pi))
        return np.asarray(np.log((1 - STRAY) * ordinary + STRAY / width))

    # a price of 0 has no logarithm, and without prices in other folds there is no likelihood
    observed = priced & np.asarray(np.isfinite(centre).all(axis=1))[fold]
    return _source(PRICE, Rows(shape, logs), observed, weight=1.0)


def _reposts(evidence: Evidence) -> Iterator[Source]:
    """Count the labels of other listings with the same photo as votes, because they show the same item."""
    classes, votes = len(evidence.classes), evidence.may_train
    _, number, size = np.unique(evidence.photo_group, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(size[number] > 1)
    voting = np.flatnonzero(votes[rows])
    if not len(voting) or classes < 2:
        return
    # number only the photos that occur more than once
    group, taught = np.unique(number[rows], return_inverse=True)[1], evidence.taught[rows]
    # of so few listings, float32 counts exactly
    counts = np.zeros((group.max() + 1, classes), dtype=np.float32)
    np.add.at(counts, (group[voting], taught[voting]), 1)
    total = counts.sum(axis=1, dtype=np.float64)[group] - votes[rows]
    one_vote = _one_vote(classes)
    place = np.full(len(number), -1)
    place[rows] = np.arange(len(rows))
    observed = np.zeros(len(number), dtype=bool)
    observed[rows] = total > 0

    def logs(of: slice | Int64) -> Float64:
        at = place[of]
        posted = np.flatnonzero(at >= 0)
        own = at[posted]
        others = counts[group[own]].astype(np.float64)
        mine = np.flatnonzero(votes[rows[own]])
        others[mine, taught[own[mine]]] -= 1
        says = np.zeros((len(at), classes))
        of_photo = total[own, None]
        says[posted] = one_vote * others * np.minimum(of_photo, REPOSTS_COUNT) / np.maximum(of_photo, 1)
        return says

    yield Source(REPOSTS, Rows((len(number), classes), logs), observed)


def _known_reposts(evidence: Evidence, posted: Float32) -> Source:
    """Count the labels of an earlier run's listings with the same photo; new listings have no votes."""
    total = posted.sum(axis=1, dtype=np.float64)

    def logs(of: slice | Int64) -> Float64:
        of_photo = total[of, None]
        votes = np.minimum(of_photo, REPOSTS_COUNT) / np.maximum(of_photo, 1)
        return np.asarray(_one_vote(posted.shape[1]) * posted[of].astype(np.float64) * votes)

    return Source(REPOSTS, Rows((len(posted), len(evidence.classes)), logs), total > 0)


def _one_vote(classes: int) -> float:
    """Return the log-odds of one label for its class against another."""
    return float(np.log((1 - MISLABELLED) * (classes - 1) / MISLABELLED))
