"""The queue: all kinds in one table, and the order in which a person should look.

``priority`` orders all listings by the worth of looking at them: the chance that something must change. A label that
no evidence supports is worth most; a price that is merely odd is worth less, because many odd prices
are real. ``docs/how-it-works.md`` explains it with examples.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.evidence import Evidence
from curation.issues.registry import KINDS

__all__ = ["COLUMNS", "find_issues"]

#: Columns of ``issues.parquet`` and ``issues.csv``. A kind that is not there leaves its columns empty.
COLUMNS = {
    "id": "string",
    "image": "string",
    "given_label": "string",
    "price": "float64",
    "is_label_issue": "boolean",
    "label_score": "float64",
    "suggested_label": "string",
    "suggested_confidence": "float64",
    "is_price_issue": "boolean",
    "price_score": "float64",
    "price_low": "float64",
    "price_high": "float64",
    "is_indirect_image_issue": "boolean",
    "indirect_image_score": "float64",
    "is_near_duplicate_issue": "boolean",
    "near_duplicate_score": "float64",
    "near_duplicate_group": "Int64",
    "is_outlier_issue": "boolean",
    "outlier_score": "float64",
    "is_unreadable_issue": "boolean",
    "priority": "int64",
    "reasons": "string",
}

#: Worth of looking at a flagged listing that has no wrong label: the share of such flags that call for a change, as a
#: person would guess before having seen any. A wrong label counts with its own chance, up to 1.
WORTH = {"unreadable": 0.6, "near_duplicate": 0.5, "price": 0.4, "indirect_image": 0.5, "outlier": 0.2}
_DEFAULT_WORTH = 0.3


def find_issues(evidence: Evidence) -> pd.DataFrame:
    """Run every issue kind and put the listings in order.

    Parameters
    ----------
    evidence : Evidence
        What is known of the listings.

    Returns
    -------
    DataFrame
        One row per listing, in the order of the evidence: the columns of :data:`COLUMNS`, and after them those of kinds
        that are not in it.
    """
    listings = evidence.listings
    table = pd.DataFrame(
        {
            "id": listings["id"],
            "image": listings["image"],
            "given_label": listings["label"],
            "price": listings["price"],
        },
        index=listings.index,
    )
    reasons: list[Iterable[str]] = []
    for kind in KINDS:
        found = kind.find(evidence)
        if kind.score in found and found[kind.score].isna().all():
            # no evidence for any listing: the columns are there, and empty
            found[kind.flag] = pd.array([pd.NA] * len(found), dtype="boolean")
        reasons.append(found.pop("reason"))
        table[list(found.columns)] = found
    table["priority"] = _priority(table)
    table["reasons"] = ["; ".join(filter(None, row)) for row in zip(*reasons, strict=True)]
    others = [column for column in table if column not in COLUMNS]
    return table.reindex(columns=[*COLUMNS, *others]).astype(COLUMNS)


def _priority(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return a permutation of 1..N, 1 first; equal worth is ordered by id, so shuffled rows give the same order."""
    nothing = table["label_score"].fillna(1.0).to_numpy(dtype=np.float64)
    for kind in KINDS:
        if kind.name != "label":
            worth = WORTH.get(kind.name, _DEFAULT_WORTH)
            nothing = nothing * (1 - worth * table[kind.flag].to_numpy(dtype=np.float64, na_value=0.0))
    order = np.lexsort((table["id"].to_numpy(dtype=str), nothing))
    priority = np.empty(len(order), dtype=np.int64)
    priority[order] = np.arange(1, len(order) + 1)
    return priority
