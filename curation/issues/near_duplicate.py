"""Reposts: listings that show the same photo."""

from __future__ import annotations

import pandas as pd

from curation.errors import some
from curation.evidence import Evidence
from curation.issues.base import IssueKind

__all__ = ["KIND"]


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag listings whose photo has exactly the same content as another one's.

    Parameters
    ----------
    evidence : Evidence
        With the photos' hashes.

    Returns
    -------
    DataFrame
        ``is_near_duplicate_issue``, ``near_duplicate_score`` (0 for an exact duplicate, 1 for a photo that occurs once;
        NaN without a photo), ``near_duplicate_group`` (a number for every group; NA outside of groups), ``reason``.
    """
    listings = evidence.listings
    content = listings["sha256"]
    flagged = content.duplicated(keep=False) & content.notna()
    numbers = pd.Series(pd.factorize(content.where(flagged))[0], index=listings.index)
    members = listings[flagged].groupby(content[flagged])
    reasons = pd.Series("", index=listings.index)
    for _, group in members:
        for row in group.index:
            reasons[row] = _reason(listings.loc[row], group.drop(index=row))
    return pd.DataFrame(
        {
            "is_near_duplicate_issue": flagged,
            "near_duplicate_score": 1.0 - flagged.astype("float64").where(content.notna()),
            "near_duplicate_group": numbers.where(flagged).astype("Int64"),
            "reason": reasons,
        }
    )


def _reason(listing: pd.Series, others: pd.DataFrame) -> str:
    labels = sorted(set(others["label"].dropna()) - {listing["label"]})
    elsewhere = f", listed under {some(labels)} there" if labels else ""
    return f"same photo as {some(others['id'], 3)}{elsewhere}"


KIND = IssueKind(
    name="near_duplicate",
    order=4,
    title="Reposts",
    help="Another listing shows exactly the same photo.",
    find=find,
)
