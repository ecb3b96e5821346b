"""What cleanlab flags on its own, with its defaults, beside our flags.

Confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR
2021) as in ``cleanlab.filter.find_label_issues``, and self-confidence as in
``cleanlab.rank.get_label_quality_scores``, on the same out-of-fold probabilities. Both know the photo alone.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np

from curation.evidence.evidence import Evidence
from curation.evidence.fitted import Values
from training.utils.arrays import Bool, Float32, Float64, Int64

__all__ = ["SecondOpinion", "second_opinion"]

#: What is kept of cleanlab's flags, by this name.
_MARGINS = "cleanlab"
#: Listings at a time, if classes are not larger. Each time costs as much again as there are pairs of classes.
_LISTINGS = 65_536


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
    if evidence.fitted is not None and evidence.applied:
        return _by_known_margins(evidence, evidence.fitted[_MARGINS], rows)
    # cleanlab expects classes 0 to k-1 that all occur
    occurring, label = np.unique(evidence.given[rows], return_inverse=True)
    if len(occurring) < 2:
        evidence.fit(_MARGINS, lambda: {"occurring": occurring})
        return SecondOpinion(flagged, score)
    cleanlab = _cleanlab()
    with warnings.catch_warnings(action="ignore"):
        # what cleanlab computes of all listings at once, class by class of the given label: the same numbers, of copies
        # that are small
        order = np.argsort(label, kind="stable")
        thresholds, joint = np.empty(len(occurring)), np.empty((len(occurring), len(occurring)), dtype=np.int64)
        blocks = list(_blocks(np.bincount(label)))
        for classes, part in blocks:
            probs, own = _probs(evidence.probs[rows[order[part]]], occurring), label[order[part]]
            thresholds[classes] = cleanlab.count.get_confident_thresholds(own, probs)[classes]
        for classes, part in blocks:
            probs, own = _probs(evidence.probs[rows[order[part]]], occurring), label[order[part]]
            counted = cleanlab.count.compute_confident_joint(own, probs, thresholds=thresholds, calibrate=False)
            joint[classes] = counted[classes]
        joint = cleanlab.count.calibrate_confident_joint(joint, label)
        for _, part in blocks:
            probs, own = _probs(evidence.probs[rows[order[part]]], occurring), label[order[part]]
            flagged[rows[order[part]]] = cleanlab.filter.find_label_issues(own, probs, confident_joint=joint, n_jobs=1)
            score[rows[order[part]]] = cleanlab.rank.get_label_quality_scores(own, probs)
    evidence.fit(_MARGINS, lambda: _margins(evidence, np.flatnonzero(flagged), occurring))
    return SecondOpinion(flagged, score)


def _margins(evidence: Evidence, flagged: Int64, occurring: Int64) -> Values:
    """Return by how much the best class must exceed the given one to be flagged, by both of them; shape (k, k)."""
    least = np.full((len(occurring), len(occurring)), np.inf)
    for start in range(0, len(flagged), _LISTINGS):
        rows = flagged[start : start + _LISTINGS]
        given, best, margin = _apart(evidence, rows, occurring)
        np.minimum.at(least, (given, best), margin)
    return {"occurring": occurring, "least": least}


def _apart(evidence: Evidence, rows: Int64, occurring: Int64) -> tuple[Int64, Int64, Float64]:
    """Return the places of the given and the best classes among those that occur, and by how much they differ."""
    probs, each = _probs(evidence.probs[rows], occurring), np.arange(len(rows))
    given, best = np.searchsorted(occurring, evidence.given[rows]), probs.argmax(axis=1)
    return given, best, np.asarray(probs[each, best] - probs[each, given], dtype=np.float64)


def _by_known_margins(evidence: Evidence, known: Values, rows: Int64) -> SecondOpinion:
    """Return what an earlier run's flags say of listings: cleanlab itself judges none alone."""
    flagged, score = np.zeros(len(evidence.probs), dtype=bool), np.full(len(evidence.probs), np.nan)
    occurring = known["occurring"]
    rows = rows[np.isin(evidence.given[rows], occurring)]
    if "least" in known and len(rows):
        given, best, margin = _apart(evidence, rows, occurring)
        flagged[rows] = (given != best) & (margin >= known["least"][given, best])
        score[rows] = _probs(evidence.probs[rows], occurring)[np.arange(len(rows)), given]
    return SecondOpinion(flagged, score)


@cache
def _cleanlab() -> ModuleType:
    """Return cleanlab with its ``count``, ``filter`` and ``rank`` alone.

    The whole of it takes as long again, and 80 MB: its Datalab imports Hugging Face's library of datasets. Whoever
    imports cleanlab elsewhere gets the whole.
    """
    if (whole := sys.modules.get("cleanlab")) is not None:
        return whole
    spec = importlib.util.find_spec("cleanlab")
    if spec is None:
        raise ModuleNotFoundError("No module named 'cleanlab'", name="cleanlab")
    # the package as it is before its __init__.py runs, which imports everything
    package = sys.modules["cleanlab"] = importlib.util.module_from_spec(spec)
    try:
        # in a notebook without widgets, it warns of its progress bars
        with warnings.catch_warnings(action="ignore"):
            for part in ("count", "filter", "rank"):
                importlib.import_module(f"cleanlab.{part}")
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "cleanlab"]:
            del sys.modules[name]
    return package


def _blocks(sizes: Int64) -> Iterator[tuple[slice, slice]]:
    """Yield classes that follow each other, at least two, and the places of their listings ordered by class."""
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        begin = int(ends[first] - sizes[first])
        last = max(int(np.searchsorted(ends, begin + _LISTINGS, side="right")), first + 2)
        # cleanlab takes no class alone
        last = len(sizes) if last >= len(sizes) - 1 else last
        yield slice(first, last), slice(begin, int(ends[last - 1]))
        first = last


def _probs(probs: Float32 | Float64, occurring: Int64) -> Float32 | Float64:
    """Return the probabilities of the classes that occur; rows sum to 1."""
    if len(occurring) < probs.shape[1]:
        probs = probs[:, occurring]
    mass = probs.sum(axis=1, keepdims=True)
    return np.where(mass > 0, probs / np.where(mass > 0, mass, 1), 1 / len(occurring))
