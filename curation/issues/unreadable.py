"""Photos that can't be decoded."""

from __future__ import annotations

import pandas as pd

from curation.evidence.evidence import Evidence
from curation.issues.base import IssueKind
from curation.run.flags import TITLES

__all__ = ["KIND"]


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag listings whose photo is missing or damaged; ``reason`` quotes the decoder.

    Parameters
    ----------
    evidence : Evidence
        With the result of decoding every photo.

    Returns
    -------
    DataFrame
        ``is_unreadable_issue``, ``reason``.
    """
    why = evidence.listings["unreadable"]
    reasons = ("photo can't be read: " + why.astype("string")).fillna("")
    flagged = why.notna().astype("boolean")
    # without an image column, the flag is empty
    nothing = evidence.number("no photos", lambda: bool(evidence.listings["image"].isna().all()))
    return pd.DataFrame({"is_unreadable_issue": pd.NA if nothing else flagged, "reason": reasons})


KIND = IssueKind(
    name="unreadable",
    order=6,
    title=TITLES["unreadable"],
    help="The photo is missing, empty, or can't be decoded.",
    columns={
        "is_unreadable_issue": "boolean",
    },
    # a guess: no dataset has the truth of it
    worth=0.6,
    find=find,
)
