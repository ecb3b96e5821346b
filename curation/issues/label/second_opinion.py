"""What cleanlab flags on its own, with its defaults, beside our flags.

Confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR
2021) as in ``cleanlab.filter.find_label_issues``, and self-confidence as in
``cleanlab.rank.get_label_quality_scores``, on the same out-of-fold probabilities. Both know the photo alone.

The steps are those of cleanlab, to the last flag, but they go through the listings of one given class at a time. Its
package takes seconds to import and needs several copies of all probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from curation.evidence.evidence import Evidence
from training.utils.arrays import Bool, Float32, Float64, Int64

__all__ = ["SecondOpinion", "second_opinion"]

#: What counts as equal to cleanlab.
_NEARLY = 1e-6
#: Instead of a division by zero.
_TINY = 1e-100


@dataclass(frozen=True)
class SecondOpinion:
    """What cleanlab says about each given label.

    Attributes
    ----------
    flagged : ndarray of bool, shape (N,)
        Whether it is among cleanlab's label issues; False where there is no score.
    score : ndarray of float64, shape (N,)
        Label quality, 0 to 1, low = bad: the probability of the given label. NaN without a label, without
        probabilities, and where the model that scored the listing was trained on nothing of its class.
    """

    flagged: Bool
    score: Float64


def second_opinion(evidence: Evidence) -> SecondOpinion:
    """Return what cleanlab flags with its defaults.

    Parameters
    ----------
    evidence : Evidence
        With the out-of-fold probabilities.
    """
    flagged, score = np.zeros(len(evidence.probs), dtype=bool), np.full(len(evidence.probs), np.nan)
    rows = np.flatnonzero(evidence.scored & (evidence.given >= 0) & evidence.trained_on_label)
    # cleanlab expects classes 0 to k-1 that all occur
    occurring, label = np.unique(evidence.given[rows], return_inverse=True)
    if len(occurring) < 2:
        return SecondOpinion(flagged, score)
    joint, sizes = _confident_joint(evidence, rows, occurring, label), np.bincount(label)
    prune = _noise_counts(_calibrated(joint, sizes))
    for k, own, probs in _by_class(evidence, rows, occurring, label):
        flagged[own] = _pruned(probs, k, prune[k]) if len(own) > 1 else False
        score[own] = probs[:, k]
    return SecondOpinion(flagged, score)


def _by_class(
    evidence: Evidence, rows: Int64, occurring: Int64, label: Int64
) -> Iterator[tuple[int, Int64, Float32 | Float64]]:
    """Yield each class, the rows that are labelled with it, and their probabilities."""
    order = np.argsort(label, kind="stable")
    for k, own in enumerate(np.split(rows[order], np.cumsum(np.bincount(label))[:-1])):
        yield k, own, _probs(evidence.probs[own], occurring)


def _confident_joint(evidence: Evidence, rows: Int64, occurring: Int64, label: Int64) -> Int64:
    """Return how many listings of each given class (row) are confidently of each class (column)."""
    thresholds = np.array(
        [np.mean(np.ascontiguousarray(probs[:, k])) for k, _, probs in _by_class(evidence, rows, occurring, label)]
    )
    least = np.maximum(thresholds, 2 * _NEARLY) - _NEARLY
    joint = np.empty((len(occurring), len(occurring)), dtype=np.int64)
    for k, _, probs in _by_class(evidence, rows, occurring, label):
        confident = probs >= least
        number = confident.sum(axis=1)
        guess = np.where(number > 1, probs.argmax(axis=1), confident.argmax(axis=1))
        joint[k] = np.bincount(guess[number > 0], minlength=len(occurring))
        joint[k, k] = max(joint[k, k], 1)
    return joint


def _calibrated(joint: Int64, sizes: Int64) -> Int64:
    """Return the joint such that its rows add up to the sizes of the given classes."""
    shares = (joint.T / np.clip(joint.sum(axis=1), _TINY, None) * sizes).T
    shares = shares / np.clip(np.sum(shares), _TINY, None) * sum(sizes)
    return np.stack([_rounded(row) for row in shares])


def _rounded(values: Float64) -> Int64:
    """Round to whole numbers with the same sum."""
    whole, wanted = values.round(), np.sum(values).round()
    while abs(missing := wanted - np.sum(whole).round()) > _NEARLY:
        step = -1 if missing < 0 else 1
        whole[np.argsort(values - whole)[::-step][: min(int(abs(missing)), len(values))]] += step
    return whole.astype(np.int64)


def _noise_counts(joint: Int64) -> Int64:
    """Return how many listings of each given class are of each other one, with one at least that is right."""
    right = np.maximum(joint.diagonal(), 1)
    others = np.maximum(np.count_nonzero(joint, axis=1) - 1.0, 1.0)
    counts = np.maximum(joint - ((right - joint.diagonal()) / others)[:, None], 0)
    np.fill_diagonal(counts, right)
    return counts.astype(np.int64)


def _pruned(probs: Float32 | Float64, k: int, counts: Int64) -> Bool:
    """Return which listings that are labelled as class `k` are the likeliest ones of the others."""
    flagged = np.zeros(len(probs), dtype=bool)
    for other in np.flatnonzero(counts):
        if other != k:
            margin = probs[:, other] - probs[:, k]
            flagged[np.argsort(-margin)[: counts[other]]] = True
    best = probs.copy()
    best[:, k] += _NEARLY
    return np.asarray(flagged & (best.argmax(axis=1) != k))


def _probs(probs: Float32 | Float64, occurring: Int64) -> Float32 | Float64:
    """Return the probabilities of the classes that occur; rows sum to 1."""
    if len(occurring) < probs.shape[1]:
        probs = probs[:, occurring]
    mass = probs.sum(axis=1, keepdims=True)
    return np.where(mass > 0, probs / np.where(mass > 0, mass, 1), 1 / len(occurring))
