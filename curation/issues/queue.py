"""The queue: all kinds in one table, and the order in which to review.

``priority`` orders all listings by the expected value of a review: the probability that something must change, times
how sure we are what to do, times what the listing is worth, where that is known. ``docs/how-it-works.md`` explains it
with examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.issues.price.intended import expected_prices
from curation.issues.registry import KINDS
from training.utils.arrays import Float64, Int64
from training.utils.memory import release_unused

__all__ = [
    "COLUMNS",
    "FETCHED_COLUMNS",
    "WORTH_COLUMNS",
    "at_stake",
    "change_chance",
    "expected_changes",
    "find_issues",
    "priorities",
]


_LISTING = {"id": "string", "image": "string", "given_label": "string", "price": "float64"}
_QUEUE = {"priority": "int64", "reasons": "string", "change_chance": "float64"}
#: These columns came later than the others of their kind.
_LATER = ("is_cleanlab_issue", "cleanlab_score", "none_of_these", "price_cause", "price_at_stake")
#: Kinds up to the first order have their columns before those of the queue, kinds up to the second one before the later
#: columns. Others follow at the end, so that a new kind moves no column.
_LAST_BEFORE_THE_QUEUE, _LAST_BEFORE_THE_LATER = 6, 7


def _columns(first: int, last: int) -> dict[str, str]:
    kinds = (kind for kind in KINDS if first <= kind.order <= last)
    return {name: dtype for kind in kinds for name, dtype in kind.columns.items() if name not in _LATER}


#: Columns of ``issues.parquet`` and ``issues.csv``, and their dtypes.
COLUMNS = {
    **_LISTING,
    **_columns(1, _LAST_BEFORE_THE_QUEUE),
    **_QUEUE,
    **_columns(_LAST_BEFORE_THE_QUEUE + 1, _LAST_BEFORE_THE_LATER),
    **{name: dtype for kind in KINDS for name, dtype in kind.columns.items() if name in _LATER},
    **_columns(_LAST_BEFORE_THE_LATER + 1, len(KINDS)),
}
#: Columns at the end, only where it was asked for what listings are worth.
WORTH_COLUMNS = {"worth": "float64", "worth_at_stake": "float64"}
#: The last column, only where photos were fetched.
FETCHED_COLUMNS = {"fetched_from": "string"}

#: A review that ends with "something is wrong here" is worth half of one that a single key resolves.
_UNSURE = 0.5


def find_issues(evidence: Evidence) -> pd.DataFrame:
    """Run every issue kind and rank the listings.

    All spellings of a name are judged as one class, so none of them is suggested for another.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    DataFrame
        One row per listing, in the order of the evidence, with the columns of :data:`COLUMNS`, of
        :data:`WORTH_COLUMNS` if the evidence says what listings are worth, and of :data:`FETCHED_COLUMNS` if photos
        were fetched.
    """
    evidence = evidence.twins_as_one
    listings = evidence.listings
    found: dict[str, pd.Series] = {
        "id": listings["id"],
        "image": listings["image"],
        "given_label": listings["label"],
        "price": listings["price"],
    }
    reasons = np.full(len(listings), "", dtype=object)
    for kind in KINDS:
        columns = kind.find(evidence)
        if kind.score in columns and evidence.number(
            f"{kind.name}: no scores", partial(_is_empty, columns[kind.score])
        ):
            # without evidence for any listing, its columns are empty
            columns[kind.flag] = pd.array([pd.NA] * len(columns), dtype="boolean")
        _add_reasons(reasons, columns["reason"])
        found |= {name: columns[name].set_axis(listings.index) for name in kind.columns}
        if not evidence.applied:
            # of few listings there is nothing to give back
            release_unused()
    # one column at a time would take longer than judging a single listing
    table = pd.DataFrame(found, copy=False)
    table["change_chance"] = change_chance(table)
    dtypes = COLUMNS
    if evidence.worth is not None:
        table["worth"] = _worth(table, listings[evidence.worth], evidence)
        table["worth_at_stake"] = at_stake(table)
        dtypes = {**COLUMNS, **WORTH_COLUMNS}
    if "fetched_from" in listings:
        table["fetched_from"] = listings["fetched_from"]
        dtypes = {**dtypes, **FETCHED_COLUMNS}
    table["priority"] = priorities(table)
    table["reasons"] = reasons
    return _typed(table, dtypes)


def _typed(table: pd.DataFrame, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """Return these columns; casting those that have their type already takes longer than judging a listing's price."""
    columns = {name: table[name] for name in dtypes}
    for name, column in columns.items():
        dtype = pd.api.types.pandas_dtype(dtypes[name])
        if column.dtype != dtype:
            columns[name] = column.astype(dtype)
    return pd.DataFrame(columns, copy=False)


def _is_empty(scores: pd.Series) -> float:
    return float(scores.isna().all())


def _add_reasons(reasons: npt.NDArray[np.object_], texts: pd.Series) -> None:
    """Add the texts of a kind to those of the kinds before it; most listings have none."""
    rows = np.flatnonzero((texts != "").to_numpy(dtype=bool))
    for row, text in zip(rows.tolist(), texts.iloc[rows].tolist(), strict=True):
        reasons[row] = f"{reasons[row]}; {text}" if reasons[row] else text


def _worth(table: pd.DataFrame, values: pd.Series, evidence: Evidence) -> Float64:
    """Return what each listing is worth; where nothing says it, the median."""
    # a price with two zeros too many is not worth a hundred others
    worth = expected_prices(table) if evidence.worth == "price" else values.to_numpy(dtype=np.float64)
    usual = evidence.number("usual worth", lambda: float(np.nanmedian(worth)))
    return np.where(np.isnan(worth), usual, worth)


def at_stake(issues: pd.DataFrame) -> Float64:
    """Return the worth at stake of each listing, shape (N,): the chance that it must change, times its worth.

    Parameters
    ----------
    issues : DataFrame
        With ``change_chance`` and ``worth``.
    """
    stake: Float64 = issues["change_chance"].to_numpy(np.float64) * issues["worth"].to_numpy(np.float64)
    return stake


def expected_changes(issues: pd.DataFrame, first: int) -> float:
    """Return how many of the first listings of the queue are expected to need a change.

    Parameters
    ----------
    issues : DataFrame
        With ``priority`` and ``change_chance``.
    first : int
        How many a person is going to review.
    """
    return float(issues.loc[issues["priority"] <= first, "change_chance"].sum())


def change_chance(table: pd.DataFrame) -> Float64:
    """Return the probability that something about each listing must change, as if its issues were independent.

    Parameters
    ----------
    table : DataFrame
        With the flags and scores of all kinds.

    Returns
    -------
    ndarray of float64, shape (N,)
        0 to 1.
    """
    all_right = np.ones(len(table))
    for kind in KINDS:
        if kind.worth is None:
            all_right *= table[kind.score].fillna(1.0).to_numpy(dtype=np.float64)
        else:
            flagged = table[kind.flag].to_numpy(dtype=np.float64, na_value=0.0)
            all_right *= 1 - kind.worth * flagged
    return 1 - all_right


def priorities(table: pd.DataFrame) -> Int64:
    """Return a permutation of 1..N, 1 first.

    Listings of equal value, such as those that are worth nothing, are ordered as if all were worth the same, and then
    by id, so shuffled rows give the same order.

    Parameters
    ----------
    table : DataFrame
        With ``id``, ``label_score``, ``suggested_confidence``, ``change_chance``, and perhaps ``worth``.
    """
    wrong = 1 - table["label_score"].fillna(1.0).to_numpy(dtype=np.float64)
    # the probability that the suggested label is right if the given one is wrong: one key resolves that
    sure = table["suggested_confidence"].fillna(0.0).to_numpy(dtype=np.float64) / np.maximum(wrong, 1e-9)
    gain = table["change_chance"].to_numpy() * (_UNSURE + (1 - _UNSURE) * np.minimum(sure, 1))
    value = gain * table["worth"].to_numpy(dtype=np.float64) if "worth" in table else gain
    order = np.lexsort((table["id"].to_numpy(dtype=str), -gain, -value))
    priority = np.empty(len(order), dtype=np.int64)
    priority[order] = np.arange(1, len(order) + 1)
    return priority
