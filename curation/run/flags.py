"""Which columns of ``issues.parquet`` say that a listing has an issue of some kind, and what people call the kinds.

The columns come from the table, not from the registry of kinds, which is slow to import.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from training.utils.arrays import Bool

__all__ = ["TITLES", "flags_by_kind", "is_flagged"]

#: What people call each kind of issue, plural, in the order of summaries.
TITLES = {
    "label": "Wrong labels",
    "price": "Odd prices",
    "indirect_image": "Indirect photos",
    "near_duplicate": "Reposts",
    "outlier": "Off-topic photos",
    "unreadable": "Unreadable photos",
    "photo_quality": "Poor photos",
}

_FLAG = re.compile(r"is_(\w+)_issue")
#: cleanlab's flags stand beside those of the labels: a second opinion, and no issue of another kind.
_SECOND_OPINION = "cleanlab"


def flags_by_kind(columns: Iterable[str]) -> dict[str, str]:
    """Return the column with the flags of each kind, by kind, in their order.

    Parameters
    ----------
    columns : iterable of str
        Of ``issues.parquet``.

    Examples
    --------
    >>> flags_by_kind(["id", "is_label_issue", "label_score", "is_near_duplicate_issue", "is_cleanlab_issue"])
    {'label': 'is_label_issue', 'near_duplicate': 'is_near_duplicate_issue'}
    """
    flags = {match[1]: match[0] for match in map(_FLAG.fullmatch, columns) if match}
    flags.pop(_SECOND_OPINION, None)
    return flags


def is_flagged(issues: pd.DataFrame) -> Bool:
    """Return which listings have an issue of any kind, which are those that a review shows; shape (N,).

    Parameters
    ----------
    issues : DataFrame
        ``issues.parquet``.
    """
    flags = list(flags_by_kind(issues.columns).values())
    found: Bool = issues[flags].astype("boolean").fillna(False).any(axis=1).to_numpy(dtype=bool)
    return found
