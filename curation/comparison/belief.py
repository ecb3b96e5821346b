"""What a run believes of the labels of its test set: chances of the classes, from models that are not compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from curation.listings.columns import class_numbers
from curation.run.folder import RunFolder
from training.utils.arrays import Bool, Float64

__all__ = ["belief_of", "in_test_set"]


def in_test_set(table: pd.DataFrame) -> Bool:
    """Return which listings of a run's table are in the test set: with a label and a readable photo; shape (N,)."""
    usable = table["unreadable"].isna() & table["label"].notna()
    return np.asarray(((table["split"] == "test") & usable).to_numpy(dtype=bool))


def belief_of(run: RunFolder, ids: Sequence[str], classes: Sequence[str]) -> Float64:
    """Return the probability of each class for listings of the test set.

    The given label has its `label_score` and the suggested one its confidence, which come from all evidence. The rest
    is shared by the other classes as the out-of-fold probabilities say. No label of the test set taught the models
    behind these numbers, and no decision.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    ids : sequence of str, length n
        Listings.
    classes : sequence of str, length K
        Classes of the run, and those that people added, which nobody believes in.

    Returns
    -------
    ndarray of float64, shape (n, K)
        Rows sum to 1. All of it is on the given label where nothing is known.
    """
    issues = run.issues().set_index("id").loc[list(ids)]
    known = run.probabilities().in_order(ids, run.classes).probs.astype(np.float64)
    rows, number = np.arange(len(known)), len(run.classes)
    given, suggested = (class_numbers(issues[name], run.classes) for name in ("given_label", "suggested_label"))
    score, confidence = (issues[name].astype("float64").to_numpy() for name in ("label_score", "suggested_confidence"))
    score = np.where(np.isnan(score), 1.0, score)
    chance = np.where(np.isfinite(known).all(axis=1, keepdims=True), known, 1 / number)
    belief = np.zeros((len(known), len(classes)))
    has_given, has_other = given >= 0, (suggested >= 0) & (suggested != given) & np.isfinite(confidence)
    chance[rows[has_given], given[has_given]] = 0
    chance[rows[has_other], suggested[has_other]] = 0
    fixed = np.zeros_like(chance)
    fixed[rows[has_given], given[has_given]] = score[has_given]
    fixed[rows[has_other], suggested[has_other]] = confidence[has_other]
    rest = np.maximum(0.0, 1 - fixed.sum(axis=1, keepdims=True))
    total = chance.sum(axis=1, keepdims=True)
    belief[:, :number] = fixed + rest * np.divide(chance, total, out=np.zeros_like(chance), where=total > 0)
    sums = belief.sum(axis=1, keepdims=True)
    even = np.full_like(belief, 1 / len(classes))
    return np.asarray(np.divide(belief, sums, out=even, where=sums > 0), dtype=np.float64)
