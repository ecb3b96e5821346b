"""Wrong labels: confident learning on out-of-fold probabilities."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from curation.issues.base import Evidence, IssueKind

__all__ = ["KIND"]


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag listings whose given label the out-of-fold model does not believe.

    The score is the self-confidence, the out-of-fold probability of the given label; the flags are confident
    learning's (Northcutt et al., "Confident Learning", JAIR 2021, `prune_by_noise_rate`). The suggestion is the most
    probable class. A listing without a label is flagged with score 0. A listing whose class the model that scored
    it had never seen has no score: such a model can't tell.

    Parameters
    ----------
    evidence : Evidence
        With probabilities.

    Returns
    -------
    DataFrame
        ``is_label_issue``, ``label_score``, ``suggested_label`` (NA where the given label is the most probable or there
        is no evidence), ``suggested_confidence`` (probability of the suggested label), ``reason``.
    """
    given, scored = evidence.given, evidence.scored
    rows = np.arange(len(given))
    judged = scored & (given >= 0)
    if evidence.trained is not None:
        judged &= evidence.trained[rows, given]
    score = np.full(len(given), np.nan)
    flagged = np.zeros(len(given), dtype=bool)
    if judged.any():
        labels, probs = given[judged], evidence.probs[judged]
        score[judged] = get_label_quality_scores(labels, probs, method="self_confidence").clip(0, 1)
        flagged[judged] = _confident_learning(labels, probs)
    unlabelled = scored & (given < 0)
    score[unlabelled], flagged[unlabelled] = 0.0, True
    best = np.where(scored, np.nan_to_num(evidence.probs).argmax(axis=1), -1)
    suggests = (judged | unlabelled) & (best != given)
    names = np.array([*evidence.classes, None], dtype=object)
    confidence = np.where(suggests, evidence.probs[rows, best], np.nan)
    table = pd.DataFrame(
        {
            "is_label_issue": flagged,
            "label_score": score,
            "suggested_label": pd.array(names[np.where(suggests, best, -1)], dtype="string"),
            "suggested_confidence": confidence,
        },
        index=evidence.listings.index,
    )
    reasons = [_reason(label, row) for label, row in zip(evidence.listings["label"], table.itertuples(), strict=True)]
    return table.assign(reason=reasons)


def _confident_learning(labels: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """Return cleanlab's flags; it wants classes 0 to k-1 that all occur, so empty ones are left out."""
    occurring = np.unique(labels)
    if len(occurring) < 2:
        return np.zeros(len(labels), dtype=bool)
    within = probs[:, occurring]
    mass = within.sum(axis=1, keepdims=True)
    # a listing whose probability lies wholly on classes that nobody is given is no evidence for any of the others
    within = np.divide(within, mass, out=np.full_like(within, 1 / len(occurring)), where=mass > 0)
    with warnings.catch_warnings():
        # a warning for every rare class; they are said once, before training
        warnings.filterwarnings("ignore", message="May not flag all label issues")
        flags = find_label_issues(np.searchsorted(occurring, labels), within, n_jobs=1)
    return np.asarray(flags, dtype=bool)


def _reason(given: object, row: object) -> str:
    if not row.is_label_issue:  # type: ignore[attr-defined]
        return ""
    what = "no label given" if pd.isna(given) else f"given {given}"  # type: ignore[call-overload]
    suggested, confidence = row.suggested_label, row.suggested_confidence  # type: ignore[attr-defined]
    if pd.isna(suggested):
        return f"{what}, but that is not sure ({row.label_score:.2f})"  # type: ignore[attr-defined]
    return f"{what}, looks like {suggested} ({confidence:.2f})"


KIND = IssueKind(
    name="label",
    order=1,
    title="Wrong labels",
    help="The out-of-fold model does not believe the given label (cleanlab's confident learning).",
    find=find,
)
