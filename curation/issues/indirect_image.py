"""Indirect photos: text, as on a spec sheet, a screenshot or a flyer, instead of a photo of the item."""

from __future__ import annotations

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.evidence.fitted import Values
from curation.issues.base import IssueKind
from curation.photos.text import READ_FROM, count_letters
from curation.run.flags import TITLES

__all__ = ["KIND"]

#: Least number of letters and digits on a photo of text, which must also cover a share of the photo. Text on a game box
#: is large and text on a carton is long, but rarely both.
_LETTERS = 40
# text is usual in a class, as for books, if it has at least this many photos and more than this share of them are text
_CLASS = 10
_USUAL = 0.5
# a reason quotes at most this many characters
_QUOTED = 60


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag photos that are mostly text.

    Parameters
    ----------
    evidence : Evidence
        With the share of each photo that text covers, and its words, if curate looked for text.

    Returns
    -------
    DataFrame
        ``is_indirect_image_issue``: text covers at least 15 % of the photo, and at least 40 letters and digits of it
        could be read, unless that is so for most photos of the given class; ``indirect_image_score``, the share of the
        photo that no text covers (low = bad; NaN where curate did not look for text); ``reason``.
    """
    listings = evidence.listings
    share = listings["text_share"].astype("float64")
    letters = listings["text"].fillna("").map(count_letters)
    textual = (share >= READ_FROM) & (letters >= _LETTERS)
    usual = evidence.fit("text is usual", lambda: _usual(textual.where(share.notna()), evidence.labels))["classes"]
    flagged = textual & ~evidence.labels.isin(usual.tolist())
    reasons = np.full(len(listings), "", dtype=object)
    for row in np.flatnonzero(flagged):
        reasons[row] = f'text covers {100 * share.iloc[row]:.0f} % of the photo: "{_quote(listings["text"].iloc[row])}"'
    return pd.DataFrame({KIND.flag: flagged, KIND.score: 1 - share, "reason": reasons})


def _usual(textual: pd.Series, labels: pd.Series) -> Values:
    """Return the classes most of whose photos are text."""
    by_class = textual.astype("float64").groupby(labels).agg(["count", "mean"])
    usual = (by_class["count"] >= _CLASS) & (by_class["mean"] > _USUAL)
    return {"classes": np.array(by_class.index[usual].tolist(), dtype=np.str_)}


def _quote(text: str) -> str:
    """Return the beginning of a text, cut between words if possible."""
    if len(text) <= _QUOTED:
        return text
    return (text[:_QUOTED].rpartition(" ")[0] or text[:_QUOTED]) + " ..."


KIND = IssueKind(
    name="indirect_image",
    order=3,
    title=TITLES["indirect_image"],
    help="The photo is mostly text: a spec sheet, a screenshot or a flyer instead of the item.",
    columns={
        "is_indirect_image_issue": "boolean",
        "indirect_image_score": "float64",
    },
    # measured by benchmarks/text.py, rounded down
    worth=0.8,
    find=find,
)
