"""The queue: all kinds in one table, and the order in which a person should look.

``priority`` orders all listings by the expected value of looking at them: the chance that something must change, times
how sure we are what to do. ``docs/how-it-works.md`` explains it with examples.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.issues.registry import KINDS

__all__ = ["COLUMNS", "expected_changes", "find_issues"]

Floats = npt.NDArray[np.float64]

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
    "change_chance": "float64",
}

#: Kinds whose score is the chance that all is well; the flags of the others call for a change as often as is said here.
#: Of exact and near reposts one must go; other figures are those of `benchmarks/issues.py`, or guesses where there is
#: no data set with the truth of it.
_CHANCES = ("label", "price")
WORTH = {"unreadable": 0.6, "near_duplicate": 0.5, "indirect_image": 0.8, "outlier": 0.2, "photo_quality": 0.4}
_DEFAULT_WORTH = 0.3
#: A look that ends with "something is wrong here" is worth half of one that a single key sets right.
_UNSURE = 0.5


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
    table["change_chance"] = _change_chance(table)
    table["priority"] = _priority(table)
    table["reasons"] = ["; ".join(filter(None, row)) for row in zip(*reasons, strict=True)]
    others = [column for column in table if column not in COLUMNS]
    return table.reindex(columns=[*COLUMNS, *others]).astype(COLUMNS)


def expected_changes(issues: pd.DataFrame, first: int) -> float:
    """Return how many of the `first` listings of the queue are expected to need a change.

    Parameters
    ----------
    issues : DataFrame
        With ``priority`` and ``change_chance``.
    first : int
        How many a person is going to look at.
    """
    return float(issues.loc[issues["priority"] <= first, "change_chance"].sum())


def _change_chance(table: pd.DataFrame) -> Floats:
    """Return the chance that something about each listing must change, as if its issues were independent."""
    well = np.ones(len(table))
    for kind in KINDS:
        if kind.name in _CHANCES:
            well *= table[kind.score].fillna(1.0).to_numpy(dtype=np.float64)
        else:
            flagged = table[kind.flag].to_numpy(dtype=np.float64, na_value=0.0)
            well *= 1 - WORTH.get(kind.name, _DEFAULT_WORTH) * flagged
    return 1 - well


def _priority(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return a permutation of 1..N, 1 first; equal worth is ordered by id, so shuffled rows give the same order."""
    wrong = 1 - table["label_score"].fillna(1.0).to_numpy(dtype=np.float64)
    # if the label is wrong, the chance that the suggested one is right: all that can be done with one key
    sure = table["suggested_confidence"].fillna(0.0).to_numpy(dtype=np.float64) / np.maximum(wrong, 1e-9)
    value = table["change_chance"].to_numpy() * (_UNSURE + (1 - _UNSURE) * np.minimum(sure, 1))
    order = np.lexsort((table["id"].to_numpy(dtype=str), -value))
    priority = np.empty(len(order), dtype=np.int64)
    priority[order] = np.arange(1, len(order) + 1)
    return priority
