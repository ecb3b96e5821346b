"""The labels of a whole dataset: how many are right, which classes are doubtful, and which are confused.

The estimates add up the chances of the listings; the counts are those of flags.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from curation.errors import some
from curation.evidence.evidence import Evidence
from curation.rendering.words import agree, many
from training.utils.arrays import Bool, Float64, Int64

__all__ = ["FEW", "doubtful", "health", "often_confused", "without_score"]


#: A smaller share of flagged labels is few.
FEW = 0.03
#: Fewer flags make no class doubtful, and no pair confused.
_LEAST_FLAGS = 2
#: A class is ranked as if it had this many more listings, flagged at the overall rate: one of one is not the worst.
#: An m-estimate: Cestnik, "Estimating Probabilities: A Crucial Task in Machine Learning", ECAI 1990.
_AVERAGE_LISTINGS = 5
#: At most this many pairs of classes are reported.
_PAIRS = 10


def health(evidence: Evidence, issues: pd.DataFrame) -> dict[str, Any]:
    """Estimate how many given labels are right: in all, in each class, and between classes.

    All spellings of a name are one class, called by the most frequent one. The estimates cover judged listings that may
    be used for training; the flags cover all.

    Parameters
    ----------
    evidence : Evidence
    issues : DataFrame
        ``is_label_issue``, ``label_score``, ``suggested_label`` and ``suggested_confidence``, in the order of the
        evidence.

    Returns
    -------
    dict
        The content of ``health.json``, with None for what can't be estimated:

        - ``label_health``, the share of right labels, 0 to 1, low = bad; ``noise_count``, the number of wrong ones;
          ``listings``, the number of labels that were judged.
        - ``classes``, worst first: ``class``, its ``listings``, how many of them are ``flagged``, ``label_quality``
          (the share of right labels, 0 to 1, low = bad) and ``estimated_noise`` (1 minus that).
        - ``unscored``, the classes with listings whose label could not be judged because the model that scored them was
          trained on none of the class, most first: ``class``, and how many ``listings``.
        - ``confused``, worst first, at most 10: ``first`` and ``second``; ``within_parent``, whether they have the same
          parent (None if the labels are no hierarchy); how many listings given as one are ``flagged`` with the other
          suggested; the estimated number of ``listings`` of one that are labelled as the other, and their ``share`` of
          all.

        Where no label could be judged, the lists are empty, but for ``unscored``.
    """
    evidence = evidence.twins_as_one
    classes, given = evidence.classes, evidence.given
    flagged = issues["is_label_issue"].fillna(False).to_numpy(dtype=bool) & (given >= 0)
    score = issues["label_score"].to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isnan(score[given >= 0]).all():
        nothing: dict[str, Any] = {"label_health": None, "noise_count": None, "listings": 0, "classes": []}
        return {**nothing, "unscored": _unscored(evidence), "confused": []}
    if evidence.known is not None:
        score = np.where(np.isnan(evidence.known.wrong), score, 1 - evidence.known.wrong)
    rows = evidence.given_rows
    rows = rows[~np.isnan(score[rows])]
    right, size = np.bincount(given[rows], score[rows], len(classes)), np.bincount(given[rows], minlength=len(classes))
    quality = np.where(size > 0, right / np.maximum(size, 1), np.nan)
    suggested = pd.Categorical(issues["suggested_label"], categories=classes).codes.astype(np.int64)
    pairs, likely = flagged & (suggested >= 0), rows[suggested[rows] >= 0]
    between = np.zeros((len(classes), len(classes)))
    confidence = issues["suggested_confidence"].to_numpy(dtype=np.float64, na_value=0.0)
    np.add.at(between, (given[likely], suggested[likely]), confidence[likely])
    return {
        "label_health": round(float(score[rows].mean()), 4) if len(rows) else None,
        "noise_count": round(float((1 - score[rows]).sum())) if len(rows) else None,
        "listings": len(rows),
        "classes": _classes(classes, given, flagged, quality),
        "unscored": _unscored(evidence),
        "confused": _confused(evidence, given[pairs], suggested[pairs], between, len(rows)),
    }


def doubtful(report: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """Return the classes of a :func:`health` report that are worth showing; worst first, at most `most`."""
    return [row for row in report["classes"] if row["flagged"] >= max(_LEAST_FLAGS, FEW * row["listings"])][:most]


def often_confused(report: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """Return the pairs of a :func:`health` report that are worth showing; worst first, at most `most`."""
    return [pair for pair in report["confused"] if pair["flagged"] >= _LEAST_FLAGS][:most]


def without_score(report: dict[str, Any]) -> str:
    """Return which classes of a :func:`health` report have listings without a label score, and why; empty if none."""
    # a run of an earlier version does not tell
    rows = report.get("unscored", [])
    if not rows:
        return ""
    listings = sum(row["listings"] for row in rows)
    named = some([f"{row['class']} ({row['listings']:,})" for row in rows])
    return (
        f"{many(listings, 'listing')} {agree(listings, 'has', 'have')} no label score: {named}. The models that score "
        f"{agree(listings, 'it', 'them')} were trained on nothing else of that class: the rest of it is in the same "
        "group, in the same fold, or in the test set."
    )


def _unscored(evidence: Evidence) -> list[dict[str, Any]]:
    rows = evidence.scored & (evidence.given >= 0) & ~evidence.trained_on_label
    counts = np.bincount(evidence.given[rows], minlength=len(evidence.classes))
    most = np.argsort(-counts, kind="stable")
    return [{"class": evidence.classes[k], "listings": int(counts[k])} for k in most if counts[k]]


def _classes(classes: tuple[str, ...], given: Int64, flagged: Bool, quality: Float64) -> list[dict[str, Any]]:
    size = np.bincount(given[given >= 0], minlength=len(classes))
    flags = np.bincount(given[flagged], minlength=len(classes))
    average = flags.sum() / max(size.sum(), 1)
    share = (flags + _AVERAGE_LISTINGS * average) / (size + _AVERAGE_LISTINGS)
    order = np.lexsort((np.nan_to_num(quality, nan=1.0), -share))
    return [
        {
            "class": classes[k],
            "listings": int(size[k]),
            "flagged": int(flags[k]),
            "label_quality": _share(quality[k]),
            "estimated_noise": _share(1 - quality[k]),
        }
        for k in order
        if size[k]
    ]


def _confused(
    evidence: Evidence, given: Int64, suggested: Int64, between: Float64, listings: int
) -> list[dict[str, Any]]:
    classes = evidence.classes
    flags = np.zeros(between.shape, dtype=np.int64)
    np.add.at(flags, (given, suggested), 1)
    flags, both = flags + flags.T, between + between.T
    counts = np.round(both).astype(np.int64)
    first, second = np.nonzero(np.triu((flags > 0) | (counts > 0), k=1))
    order = np.lexsort((-counts[first, second], -flags[first, second]))[:_PAIRS]
    return [
        {
            "first": classes[i],
            "second": classes[j],
            "within_parent": evidence.hierarchy.within(classes[i], classes[j]),
            "flagged": int(flags[i, j]),
            "listings": int(counts[i, j]),
            "share": _share(both[i, j] / max(listings, 1)),
        }
        for i, j in zip(first[order], second[order], strict=True)
    ]


def _share(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
