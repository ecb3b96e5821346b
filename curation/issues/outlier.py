"""Off-topic photos: unlike all others, and of none of the classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from curation.evidence.evidence import Evidence, Nearby
from curation.evidence.fitted import Values
from curation.evidence.log_odds import standing_of
from curation.issues.base import IssueKind
from curation.listings.columns import groups_of
from curation.run.flags import TITLES
from training.utils.arrays import Float32, Float64, Int64

__all__ = ["KIND", "NEAREST"]


# Chosen on four demos (seeds 0 to 3), CIFAR-10 and one real table; `benchmarks/outliers.py` measures on other seeds.
# photos are flagged below this score; if distance and uncertainty were independent, that would be 0.5 % of them
_CUT = 0.07
# from this belief on, the photo shows that class; if it is not the given one, the label is wrong
_BELIEVED = 0.5
#: Number of nearest photos whose distances count.
NEAREST = 10
# least spread of the log distances: where all photos are equally far, tiny differences mean nothing
_LEAST_SPREAD = 0.01


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag photos that are far from all others and whose class is uncertain.

    Either alone is common and means little: photos of a small class are far, and difficult ones are uncertain. A
    listing that is believed to be of another class is a wrong label instead.

    Parameters
    ----------
    evidence : Evidence
        With the photos' features; without them, the columns are empty.

    Returns
    -------
    DataFrame
        ``is_outlier_issue``; ``outlier_score``, the larger of two shares: of photos as far from their 10 nearest ones
        (the upper tail of a robust z-score of the log distance), and of photos with as uncertain a class (low = bad;
        NaN without features); ``reason``.
    """
    listings = evidence.listings
    score, flagged = np.full(len(listings), np.nan), np.zeros(len(listings), dtype=bool)
    reasons = np.full(len(listings), "", dtype=object)
    belief = None if evidence.features is None else evidence.belief
    if evidence.features is not None and belief is not None:
        rows, near = _neighbours(evidence.features, evidence)
        standing = standing_of(belief.logs, np.maximum(evidence.given, 0))[rows]
        best = standing.sure
        usual = evidence.fit("usual photos", lambda: _usual(near.distance, best))
        as_uncertain = np.searchsorted(usual["sure"], best, side="right") / max(len(usual["sure"]), 1)
        score[rows] = np.maximum(_as_far(near.distance, usual), as_uncertain)
        flagged[rows] = (score[rows] < _CUT) & (best < _BELIEVED)
        for place in np.flatnonzero(flagged[rows]):
            times = float(near.distance[place] / usual["distance"])
            fits = f"{evidence.classes[int(standing.best[place])]} ({best[place]:.2f})"
            reasons[rows[place]] = _reason(times, near.ids[place], near.labels[place], fits)
    return pd.DataFrame({"is_outlier_issue": flagged, "outlier_score": score, "reason": reasons}, index=listings.index)


def _neighbours(features: Float32, evidence: Evidence) -> tuple[Int64, Nearby]:
    """Return the rows with a photo and others to compare it with, and the distance and nearest other of each."""
    listings = evidence.listings
    if evidence.nearest is not None:
        rows, near = np.flatnonzero(np.isfinite(evidence.nearest.distance)), evidence.nearest
        return rows, Nearby(near.distance[rows], [near.ids[k] for k in rows], [near.labels[k] for k in rows])
    # imported late, because reading issues needs no torch
    from training.features.neighbours import nearest_of_others, sample_of

    rows = np.flatnonzero(listings["unreadable"].isna())
    # in the order of the ids, so that not even the last digits depend on the order of the table
    rows = rows[np.argsort(listings["id"].to_numpy(dtype=str)[rows], kind="stable")]
    nearest = nearest_of_others(features, rows, sample_of(rows, seed=0), groups_of(listings), count=NEAREST)
    compared = nearest.row >= 0
    others = listings.iloc[nearest.row[compared]]
    labels = [None if pd.isna(label) else str(label) for label in others["label"]]
    return rows[compared], Nearby(nearest.distance[compared], others["id"].astype(str).tolist(), labels)


def _usual(distance: Float32, sure: Float64) -> Values:
    """Return what is usual: the median distance, centre and spread of its logarithm, and how sure the classes are."""
    if not len(distance):
        return {"distance": np.array(1.0), "centre": np.array(0.0), "spread": np.array(1.0), "sure": np.sort(sure)}
    # slow to import, and without photos there is no need of it
    from scipy.stats import median_abs_deviation

    logs = _logs(distance)
    spread = max(float(median_abs_deviation(logs, scale="normal")), _LEAST_SPREAD)
    return {
        "distance": np.array(np.median(distance)),
        "centre": np.array(np.median(logs)),
        "spread": np.array(spread),
        "sure": np.sort(sure),
    }


def _logs(distance: Float32) -> Float64:
    # equal photos have a distance of 0
    return np.log(np.maximum(distance.astype(np.float64), 1e-6))


def _as_far(distance: Float32, usual: Values) -> Float64:
    """Return the share of photos that would be as far if log distances were normal, by robust estimates."""
    # the upper tail of the normal distribution, as scipy.stats has it
    return np.asarray(ndtr(-(_logs(distance) - usual["centre"]) / usual["spread"]))


def _reason(times: float, nearest: str, label: str | None, fits: str) -> str:
    given = "" if label is None else f" ({label})"
    return (
        f"photo is unlike all others, {times:.1f} times as far as usual, most like {nearest}{given}; "
        f"no class fits it, best {fits}"
    )


KIND = IssueKind(
    name="outlier",
    order=5,
    title=TITLES["outlier"],
    help="The photo is unlike all others, and no class fits it: a toy, a selfie, a screenshot.",
    columns={
        "is_outlier_issue": "boolean",
        "outlier_score": "float64",
    },
    # measured by benchmarks/outliers.py, rounded down
    worth=0.2,
    find=find,
)
