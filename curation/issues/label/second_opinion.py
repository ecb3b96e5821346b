"""What cleanlab flags on its own, with its defaults, beside our flags.

Confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR
2021) as in ``cleanlab.filter.find_label_issues``, and self-confidence as in
``cleanlab.rank.get_label_quality_scores``, on the same out-of-fold probabilities. Both know the photo alone.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from curation.evidence.evidence import Evidence
from training.utils.arrays import Bool, Float64

__all__ = ["SecondOpinion", "second_opinion"]


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
    probs = evidence.probs[np.ix_(rows, occurring)]
    mass = probs.sum(axis=1, keepdims=True)
    probs = np.where(mass > 0, probs / np.where(mass > 0, mass, 1), 1 / len(occurring))
    # takes seconds to import, and warns in a notebook without widgets for its progress bars
    with warnings.catch_warnings(action="ignore"):
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores

        flagged[rows] = find_label_issues(label, probs, n_jobs=1)
        score[rows] = get_label_quality_scores(label, probs)
    return SecondOpinion(flagged, score)
