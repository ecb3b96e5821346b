"""The classes that each price is compared with, and their probabilities, which do not depend on the price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.evidence.belief import Belief, believe
from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import softmax
from curation.evidence.sources import PRICE
from curation.issues.label.chances import chances_wrong
from training.utils.arrays import Float64, Int64
from training.utils.blocks import row_blocks

__all__ = ["Chances", "class_chances"]


#: Each price is compared with at most this many classes; there may be thousands, and the rest hardly ever matters.
MOST_CLASSES = 5


@dataclass(frozen=True)
class Chances:
    """The classes that each listing may belong to.

    Attributes
    ----------
    number : ndarray of int64, shape (N, M)
        Class numbers, the most likely first.
    share : ndarray of float64, shape (N, M)
        The probability of each; rows sum to 1.
    """

    number: Int64
    share: Float64


def class_chances(evidence: Evidence) -> Chances:
    """Return the likely classes of each listing by photo, title and given label, but not by its price.

    A price that selected the class it is compared with would nearly always fit.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    Chances
        At most 5 classes per listing. Without any evidence, the given label; without a label either, the largest
        classes.
    """
    belief = believe(evidence, [source for source in evidence.sources if source.name != PRICE])
    probs = _given_alone(evidence) if belief is None else _believed(belief, evidence)
    number, share = _likeliest(probs)
    return Chances(number, share / share.sum(axis=1, keepdims=True))


def _likeliest(probs: Float64) -> tuple[Int64, Float64]:
    """Return the numbers of the likeliest classes, of equal ones the first, and their probabilities."""
    number = np.empty((len(probs), min(MOST_CLASSES, probs.shape[1])), dtype=np.int64)
    share = np.empty(number.shape)
    for rows in row_blocks(len(probs)):
        left = probs[rows].copy()
        for place in range(number.shape[1]):
            best = left.argmax(axis=1)[:, None]
            number[rows, place], share[rows, place] = best[:, 0], np.take_along_axis(left, best, axis=1)[:, 0]
            np.put_along_axis(left, best, -1, axis=1)
    return number, share


def _given_alone(evidence: Evidence) -> Float64:
    given, classes = evidence.given, len(evidence.classes)
    sizes = np.bincount(given[given >= 0], minlength=classes) + 1.0
    probs = np.tile(sizes / sizes.sum(), (len(given), 1))
    probs[given >= 0] = np.eye(classes)[given[given >= 0]]
    return probs


def _believed(belief: Belief, evidence: Evidence) -> Float64:
    given, probs = evidence.given, _given_alone(evidence)
    unlabelled = belief.observed & (given < 0)
    believed, rows = softmax(belief.logs), np.flatnonzero(belief.judged)
    probs[unlabelled] = believed[unlabelled]
    wrong = chances_wrong(belief.logs, believed, np.maximum(given, 0), belief.learnable).wrong[rows]
    others = belief.logs[rows]
    others[np.arange(len(rows)), given[rows]] = -np.inf
    probs[rows] = wrong[:, None] * softmax(others)
    probs[rows, given[rows]] = 1 - wrong
    return probs
