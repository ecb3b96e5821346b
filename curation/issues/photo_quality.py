"""Poor photos: they can be read but show little."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.issues.base import IssueKind
from curation.photos.near_duplicates import BLANK
from curation.run.flags import TITLES
from training.utils.arrays import Float64

__all__ = ["KIND"]


# No good photo of 753 from a marketplace, 2,710 of groceries, 4,000 of CIFAR-10 and 2 x 594 of demos is beyond a limit;
# each comment gives the closest.
# below this, compression alone causes the standard deviation
_ONE_COLOUR = 1.0
# shorter side in pixels below which a photo is tiny, and the same as a share of the table's median: a table of small
# photos, as CIFAR's 32 x 32, is fine. The shortest of a marketplace was 109
_SIDE = 64
_SIDE_SHARE = 0.5
# ratio of the sides above which a photo is a strip; the largest was 2.9, and a phone's screen has 2.2
_STRETCHED = 4.0


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag photos that are tiny, blank, or a narrow strip.

    Unreadable photos are another kind; these can be decoded completely.

    Parameters
    ----------
    evidence : Evidence
        With the size of each photo and the standard deviation of its colours.

    Returns
    -------
    DataFrame
        ``is_photo_quality_issue``; ``photo_quality_score``, the worst of size, colours and shape, where 0.5 is the
        limit and 1 is twice the limit or better (low = bad; NaN without a readable photo); ``reason``.
    """
    listings = evidence.listings
    width, height, detail = (_numbers(listings, column) for column in ("width", "height", "detail"))
    shorter, longer = np.minimum(width, height), np.maximum(width, height)
    tiny = evidence.number("tiny photos", lambda: _tiny(shorter[~np.isnan(shorter)]))
    # in the order in which people notice defects
    goodness = np.stack([detail / BLANK, shorter / tiny, _STRETCHED * shorter / longer], axis=1) / 2
    score = np.full(len(listings), np.nan)
    rows = np.flatnonzero(~np.isnan(goodness).all(axis=1))
    score[rows] = np.nanmin(goodness[rows], axis=1).clip(0, 1)
    flagged = score < 0.5
    reasons = np.full(len(listings), "", dtype=object)
    for row in np.flatnonzero(flagged):
        bad = goodness[row] < 0.5
        descriptions = (_blank(detail[row]), _small(width[row], height[row]), _strip(width[row], height[row]))
        reasons[row] = "photo is " + " and ".join(itertools.compress(descriptions, bad))
    return pd.DataFrame(
        {"is_photo_quality_issue": flagged, "photo_quality_score": score, "reason": reasons}, index=listings.index
    )


def _tiny(shorter: Float64) -> float:
    """Return the shorter side in pixels of which a photo is tiny, from that of all photos."""
    return min(_SIDE, _SIDE_SHARE * float(np.median(shorter))) if len(shorter) else _SIDE


def _numbers(listings: pd.DataFrame, column: str) -> Float64:
    """Return a column, NaN for unreadable photos and where it is missing."""
    if column not in listings:
        return np.full(len(listings), np.nan)
    return listings[column].where(listings["unreadable"].isna()).to_numpy(dtype=np.float64, na_value=np.nan)


def _blank(detail: float) -> str:
    return f"blank: {'one colour' if detail < _ONE_COLOUR else f'its colours spread by {detail:.1f} of 255'}"


def _small(width: float, height: float) -> str:
    return f"only {width:,.0f} x {height:,.0f} pixels"


def _strip(width: float, height: float) -> str:
    times = max(width, height) / min(width, height)
    shape = "wide as high" if width > height else "high as wide"
    return f"{width:,.0f} x {height:,.0f} pixels, {times:.0f} times as {shape}"


KIND = IssueKind(
    name="photo_quality",
    order=7,
    title=TITLES["photo_quality"],
    help="The photo can be read but shows little: it is tiny, blank, or a narrow strip.",
    columns={
        "is_photo_quality_issue": "boolean",
        "photo_quality_score": "float64",
    },
    # a guess: no dataset has the truth of it
    worth=0.4,
    find=find,
)
