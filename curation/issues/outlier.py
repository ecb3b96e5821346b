"""Off-topic photos: unlike all others, and of no class that the listing could be of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import median_abs_deviation, norm, rankdata

from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import softmax
from curation.issues.base import IssueKind
from curation.listings.columns import groups_of
from training.features.distances import Nearest, nearest_of_others

__all__ = ["KIND"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Chosen on four demos (seeds 0 to 3), CIFAR-10 and one real table; `benchmarks/outliers.py` measures on other seeds.
# flagged below this score: in a table where distance and doubt have nothing to do with each other, 0.5 % are
_CUT = 0.07
# a class that is believed by half is what the photo shows; if it is not the given one, the label is wrong
_BELIEVED = 0.5
# nearest photos whose distances count
_NEAREST = 10
# photos among which they are looked for; a sample of more keeps the cost linear in N
_MOST_KNOWN = 20_000
# least spread of the log distances: where all photos are equally far, a hair's breadth is no sign of anything
_LEAST_SPREAD = 0.01


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag photos that are far from all others and that no class is believed of.

    Either alone is common and says little: photos of a small class are far, and hard ones are doubted. A listing that
    is believed to be of another class is a wrong label instead.

    Parameters
    ----------
    evidence : Evidence
        With the photos' features; without, the columns are empty.

    Returns
    -------
    DataFrame
        ``is_outlier_issue``; ``outlier_score``, the larger of two shares: how many photos are as far from the 10
        nearest ones (the upper tail of a robust z of the log distance), and how many are doubted as much (low = bad;
        NaN without features); ``reason``.
    """
    listings = evidence.listings
    score, flagged = np.full(len(listings), np.nan), np.zeros(len(listings), dtype=bool)
    reasons = np.full(len(listings), "", dtype=object)
    belief = None if evidence.features is None else evidence.belief
    if evidence.features is not None and belief is not None:
        rows, found = _neighbours(evidence.features, listings)
        probs = softmax(belief.logs[rows])
        best = probs.max(axis=1)
        as_doubted = rankdata(best, method="max") / max(len(rows), 1)
        score[rows] = np.maximum(_as_far(found.distance), as_doubted)
        flagged[rows] = (score[rows] < _CUT) & (best < _BELIEVED)
        for place in np.flatnonzero(flagged[rows]):
            times = found.distance[place] / np.median(found.distance)
            fits = f"{evidence.classes[int(probs[place].argmax())]} ({best[place]:.2f})"
            reasons[rows[place]] = _reason(times, listings.iloc[found.row[place]], fits)
    return pd.DataFrame({"is_outlier_issue": flagged, "outlier_score": score, "reason": reasons}, index=listings.index)


def _neighbours(features: npt.NDArray[np.float32], listings: pd.DataFrame) -> tuple[Integers, Nearest]:
    """Return the rows with a photo and anybody to compare it with, and where each is among the others."""
    rows = np.flatnonzero(listings["unreadable"].isna())
    # in the order of the ids: not even a last digit depends on the order of the table
    rows = rows[np.argsort(listings["id"].to_numpy(dtype=str)[rows], kind="stable")]
    known = rows
    if len(rows) > _MOST_KNOWN:
        known = rows[np.sort(np.random.default_rng(0).choice(len(rows), _MOST_KNOWN, replace=False))]
    found = nearest_of_others(features, rows, known, groups_of(listings), count=_NEAREST)
    there = found.row >= 0
    return rows[there], Nearest(found.distance[there], found.row[there])


def _as_far(distance: npt.NDArray[np.float32]) -> Floats:
    """Return the share of photos that would be as far if log distances were normal; robust, as for prices."""
    if not len(distance):
        return np.empty(0)
    # equal photos are no distance apart
    logs = np.log(np.maximum(distance.astype(np.float64), 1e-6))
    spread = max(float(median_abs_deviation(logs, scale="normal")), _LEAST_SPREAD)
    return np.asarray(norm.sf((logs - np.median(logs)) / spread))


def _reason(times: float, nearest: pd.Series, fits: str) -> str:
    given = "" if pd.isna(nearest["label"]) else f" ({nearest['label']})"
    return (
        f"photo is unlike all others, {times:.1f} times as far as usual, most like {nearest['id']}{given}; "
        f"no class fits it, best {fits}"
    )


KIND = IssueKind(
    name="outlier",
    order=5,
    title="Off-topic photos",
    help="The photo is unlike all others, and no class fits it: a toy, a selfie, a screenshot.",
    columns={
        "is_outlier_issue": "boolean",
        "outlier_score": "float64",
    },
    # measured by benchmarks/outliers.py, rounded down
    worth=0.2,
    find=find,
)
