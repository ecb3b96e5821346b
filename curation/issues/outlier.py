"""Off-topic photos: unlike all others, and of none of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import standing_of
from curation.issues.base import IssueKind
from curation.listings.columns import groups_of
from curation.run.flags import TITLES
from training.utils.arrays import Float32, Float64, Int64

if TYPE_CHECKING:
    from training.features.neighbours import Nearest

__all__ = ["KIND"]


# Chosen on four demos (seeds 0 to 3), CIFAR-10 and one real table; `benchmarks/outliers.py` measures on other seeds.
# photos are flagged below this score; if distance and uncertainty were independent, that would be 0.5 % of them
_CUT = 0.07
# from this belief on, the photo shows that class; if it is not the given one, the label is wrong
_BELIEVED = 0.5
# number of nearest photos whose distances count
_NEAREST = 10
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
        rows, nearest = _neighbours(evidence.features, listings)
        standing = standing_of(belief.logs, np.maximum(evidence.given, 0))[rows]
        best = standing.sure
        as_uncertain = np.searchsorted(np.sort(best), best, side="right") / max(len(rows), 1)
        score[rows] = np.maximum(_as_far(nearest.distance), as_uncertain)
        flagged[rows] = (score[rows] < _CUT) & (best < _BELIEVED)
        for place in np.flatnonzero(flagged[rows]):
            times = nearest.distance[place] / np.median(nearest.distance)
            fits = f"{evidence.classes[int(standing.best[place])]} ({best[place]:.2f})"
            reasons[rows[place]] = _reason(times, listings.iloc[nearest.row[place]], fits)
    return pd.DataFrame({"is_outlier_issue": flagged, "outlier_score": score, "reason": reasons}, index=listings.index)


def _neighbours(features: Float32, listings: pd.DataFrame) -> tuple[Int64, Nearest]:
    """Return the rows with a photo and others to compare it with, and the distance and nearest other of each."""
    # imported late, because reading issues needs no torch
    from training.features.neighbours import Nearest, nearest_of_others, sample_of

    rows = np.flatnonzero(listings["unreadable"].isna())
    # in the order of the ids, so that not even the last digits depend on the order of the table
    rows = rows[np.argsort(listings["id"].to_numpy(dtype=str)[rows], kind="stable")]
    nearest = nearest_of_others(features, rows, sample_of(rows, seed=0), groups_of(listings), count=_NEAREST)
    compared = nearest.row >= 0
    return rows[compared], Nearest(nearest.distance[compared], nearest.row[compared])


def _as_far(distance: Float32) -> Float64:
    """Return the share of photos that would be as far if log distances were normal, by robust estimates."""
    if not len(distance):
        return np.empty(0)
    # slow to import, and without photos there is no need of it
    from scipy.stats import median_abs_deviation, norm

    # equal photos have a distance of 0
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
