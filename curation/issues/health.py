"""The labels of a whole dataset: how many are sound, which classes are doubtful, which are confused with each other.

The estimates are cleanlab's, of confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating
Uncertainty in Dataset Labels", JAIR 2021); the counts are those of our own flags.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.evidence.evidence import Evidence

__all__ = ["FEW", "doubtful", "health", "often_confused"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: A smaller share of flagged labels is few.
FEW = 0.03
#: One flag makes no class doubtful, and no pair confused.
_FLAGS = 2
#: A class is ranked as if it had this many more listings, flagged like all: one of one is not the worst class of all.
#: An m-estimate: Cestnik, "Estimating Probabilities: A Crucial Task in Machine Learning", ECAI 1990.
_AVERAGE_LISTINGS = 5
#: The model knows a class if it gives its listings at least these times the odds that it gives others.
_KNOWN_BY_ODDS = 2.0
_PAIRS = 10


def health(evidence: Evidence, issues: pd.DataFrame) -> dict[str, Any]:
    """Estimate how sound the given labels are, altogether, of each class, and between classes.

    Only listings that may be learnt from count in the estimates; all listings count as flagged. A class that the model
    does not know is left out of the estimates: cleanlab would take every unsure listing for one of its members.

    Parameters
    ----------
    evidence : Evidence
        With the out-of-fold probabilities that cleanlab is asked about.
    issues : DataFrame
        ``is_label_issue`` and ``suggested_label``, in the order of the evidence.

    Returns
    -------
    dict
        As ``health.json`` keeps it, None where there is no telling:

        - ``label_health``, the share of sound labels, 0 to 1, low = bad; ``noise_count``, the number of wrong ones;
          ``listings``, of how many.
        - ``classes``, worst first: ``class``, its ``listings``, how many of them are ``flagged``, ``label_quality``
          (the share of sound labels, 0 to 1, low = bad) and ``estimated_noise`` (1 minus that).
        - ``confused``, worst first, at most 10: ``first`` and ``second``; how many listings of one are ``flagged`` with
          the other suggested; the estimated number of ``listings`` that are one and labelled as the other, and their
          ``share`` of all.

        Without any probabilities, both lists are empty.
    """
    classes, given = evidence.classes, evidence.given
    flagged = issues["is_label_issue"].fillna(False).to_numpy(dtype=bool) & (given >= 0)
    if not evidence.scored.any():
        return {"label_health": None, "noise_count": None, "listings": 0, "classes": [], "confused": []}
    learnt = _learnt(evidence)
    known = _known(evidence.probs, given, learnt)
    learnt = learnt[np.isin(given[learnt], known)]
    quality = np.full(len(classes), np.nan)
    between = np.full((len(classes), len(classes)), np.nan)
    noise = None
    if len(known) > 1:
        noise, quality[known], between[np.ix_(known, known)] = _estimate(evidence.probs, given, learnt, known)
    suggested = pd.Categorical(issues["suggested_label"], categories=classes).codes.astype(np.int64)
    pairs = flagged & (suggested >= 0)
    return {
        "label_health": None if noise is None else round(1 - noise / len(learnt), 4),
        "noise_count": noise,
        "listings": 0 if noise is None else len(learnt),
        "classes": _classes(classes, given, flagged, quality),
        "confused": _confused(classes, given[pairs], suggested[pairs], between, len(learnt)),
    }


def doubtful(found: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """Return the classes of `found`, a :func:`health`, that a person should hear of; worst first, at most `most`."""
    rows = [row for row in found["classes"] if row["flagged"] >= max(_FLAGS, FEW * row["listings"])]
    return rows[:most]


def often_confused(found: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """Return the pairs of `found`, a :func:`health`, that a person should hear of; worst first, at most `most`."""
    return [pair for pair in found["confused"] if pair["flagged"] >= _FLAGS][:most]


def _learnt(evidence: Evidence) -> Integers:
    """Return the rows that may be learnt from and were scored by a model that had seen their class."""
    rows = evidence.rows_to_learn_from
    return rows[(evidence.scored & evidence.class_seen)[rows]]


def _known(probs: Floats, given: Integers, learnt: Integers) -> Integers:
    """Return the classes that occur and that the model tells from others, ascending.

    cleanlab counts a listing as a class if it reaches the mean probability of that class's listings. Where that mean is
    as low as everybody's, all that are unsure of something else reach it.
    """
    label, classes = given[learnt], probs.shape[1]
    size = np.bincount(label, minlength=classes)
    own = np.bincount(label, probs[learnt, label], classes)
    chosen = np.zeros((len(probs), 1), dtype=bool)
    chosen[learnt] = True
    others = probs.sum(axis=0, where=chosen) - own
    inside, outside = own / np.maximum(size, 1), others / np.maximum(len(label) - size, 1)
    return np.flatnonzero(inside * (1 - outside) > _KNOWN_BY_ODDS * outside * (1 - inside)).astype(np.int64)


def _estimate(probs: Floats, given: Integers, learnt: Integers, known: Integers) -> tuple[int, Floats, Floats]:
    """Return the number of wrong labels, the quality of each known class, and the listings given as i that are j."""
    # takes seconds to import; in a notebook without widgets, its progress bars warn of that
    with warnings.catch_warnings(action="ignore"):
        from cleanlab.count import estimate_joint, num_label_issues
        from cleanlab.dataset import rank_classes_by_label_quality

    # cleanlab wants classes 0 to k-1 that all occur
    label = np.searchsorted(known, given[learnt])
    within = probs[np.ix_(learnt, known)]
    mass = within.sum(axis=1, keepdims=True)
    # a listing whose probability lies wholly on other classes is no evidence for any of these
    within[mass[:, 0] <= 0] = 1 / len(known)
    within /= np.where(mass > 0, mass, 1)
    joint = estimate_joint(label, within)
    # in the order of the classes, not from the worst one on
    ranked = rank_classes_by_label_quality(joint=joint, num_examples=len(label)).sort_values("Class Index")
    return int(num_label_issues(label, within)), ranked["Label Quality Score"].to_numpy(), joint * len(label)


def _classes(
    classes: tuple[str, ...], given: Integers, flagged: npt.NDArray[np.bool_], quality: Floats
) -> list[dict[str, Any]]:
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
    classes: tuple[str, ...], given: Integers, suggested: Integers, between: Floats, listings: int
) -> list[dict[str, Any]]:
    flags = np.zeros(between.shape, dtype=np.int64)
    np.add.at(flags, (given, suggested), 1)
    flags, both = flags + flags.T, between + between.T
    # what cleanlab.dataset.find_overlapping_classes counts, without its table of all pairs of classes
    counts = np.round(np.nan_to_num(both)).astype(np.int64)
    first, second = np.nonzero(np.triu((flags > 0) | (counts > 0), k=1))
    order = np.lexsort((-counts[first, second], -flags[first, second]))[:_PAIRS]
    return [
        {
            "first": classes[i],
            "second": classes[j],
            "flagged": int(flags[i, j]),
            "listings": None if np.isnan(both[i, j]) else int(counts[i, j]),
            "share": _share(both[i, j] / max(listings, 1)),
        }
        for i, j in zip(first[order], second[order], strict=True)
    ]


def _share(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
