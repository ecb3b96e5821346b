"""The classes that each price is compared with, and their probabilities, which do not depend on the price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curation.evidence.belief import Belief, believe
from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import softmax, standing_of
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
    number : ndarray of unsigned integers, shape (N, M)
        Class numbers, the most likely first.
    share : ndarray of float64, shape (N, M)
        The probability of each; rows sum to 1.
    """

    number: npt.NDArray[np.integer]
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
    given, classes = evidence.given, len(evidence.classes)
    counts = lambda: {"sizes": np.bincount(given[given >= 0], minlength=classes) + 1.0}  # noqa: E731
    sizes = evidence.fit("classes of prices", counts)["sizes"]
    wrong = np.zeros(len(given)) if belief is None else _wrong(belief, given, evidence)
    # in the smallest type: there are several classes for each listing
    number = np.empty((len(given), min(MOST_CLASSES, classes)), dtype=np.min_scalar_type(classes))
    share = np.empty(number.shape)
    for rows in row_blocks(len(given)):
        probs = np.tile(sizes / sizes.sum(), (len(given[rows]), 1))
        probs[given[rows] >= 0] = np.eye(classes)[given[rows][given[rows] >= 0]]
        if belief is not None:
            _fill_in(probs, belief, given, wrong, rows)
        number[rows], share[rows] = _likeliest(probs)
    share /= share.sum(axis=1, keepdims=True)
    return Chances(number, share)


def _wrong(belief: Belief, given: Int64, evidence: Evidence) -> Float64:
    standing = standing_of(belief.logs, np.maximum(given, 0))
    return chances_wrong(standing, belief.learnable, evidence.fit, "classes of prices").wrong


def _fill_in(probs: Float64, belief: Belief, given: Int64, wrong: Float64, rows: slice) -> None:
    """Replace the probabilities of listings that are believed to be something, among those of `rows`."""
    logs, given, judged = belief.logs[rows], given[rows], np.flatnonzero(belief.judged[rows])
    unlabelled = belief.observed[rows] & (given < 0)
    probs[unlabelled] = softmax(logs[unlabelled])
    chance, own = wrong[rows][judged], given[judged]
    others = logs[judged]
    others[np.arange(len(judged)), own] = -np.inf
    probs[judged] = chance[:, None] * softmax(others)
    probs[judged, own] = 1 - chance


def _likeliest(probs: Float64) -> tuple[Int64, Float64]:
    """Return the numbers of the likeliest classes, of equal ones the first, and their probabilities."""
    number = np.empty((len(probs), min(MOST_CLASSES, probs.shape[1])), dtype=np.int64)
    share, left = np.empty(number.shape), probs.copy()
    for place in range(number.shape[1]):
        best = left.argmax(axis=1)[:, None]
        number[:, place], share[:, place] = best[:, 0], np.take_along_axis(left, best, axis=1)[:, 0]
        np.put_along_axis(left, best, -1, axis=1)
    return number, share
