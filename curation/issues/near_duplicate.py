"""Reposts: listings that show the same photo, or nearly the same one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from curation.errors import some
from curation.evidence.evidence import Evidence
from curation.issues.base import IssueKind
from curation.photos.alignment import LEAST_LIKENESS
from curation.rendering.words import amount
from curation.run.flags import TITLES
from training.utils.arrays import Float64

__all__ = ["KIND"]


# a reason names at most this many listings, and this many labels
_NAMED = 3
# a reason names prices that differ by a larger factor; sellers who repost often lower the price a little
_PRICE_FACTOR = 1.5


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag listings whose photo another listing has: exactly, or saved again, resized, slightly cropped or brightened.

    Parameters
    ----------
    evidence : Evidence
        With the photos' hashes and the groups of near duplicates.

    Returns
    -------
    DataFrame
        ``is_near_duplicate_issue``, ``near_duplicate_score`` (0 for an exact duplicate, up to 0.5 for a near one, 1 for
        a photo that occurs once or is blank; NaN without a readable photo), ``near_duplicate_group`` (numbered from 0
        in the order of the smallest ids; NA outside of groups), ``reason``.
    """
    if evidence.reposts is not None:
        return evidence.reposts
    listings = evidence.listings
    content = evidence.shown
    group = pd.Series(evidence.photo_group, index=listings.index)
    flagged = group.duplicated(keep=False)
    exact = content.duplicated(keep=False) & content.notna()
    score = pd.Series(1.0, index=listings.index).mask(flagged, _near_score(listings)).mask(exact, 0.0)
    smallest = listings["id"][flagged].astype(str).groupby(group[flagged]).transform("min")
    return pd.DataFrame(
        {
            "is_near_duplicate_issue": flagged,
            "near_duplicate_score": score.where(listings["sha256"].notna() & listings["unreadable"].isna()),
            "near_duplicate_group": smallest.rank(method="dense").sub(1).astype("Int64").reindex(listings.index),
            "reason": _reasons(
                listings.assign(label=evidence.labels)[flagged], group[flagged], content[flagged]
            ).reindex(listings.index, fill_value=""),
        }
    )


def _near_score(listings: pd.DataFrame) -> pd.Series:
    """Return how much near duplicates differ, above 0 and up to 0.5."""
    likeness = listings["near_likeness"].astype("float64").fillna(LEAST_LIKENESS)
    # only equal files get 0
    return (0.5 * (1 - likeness) / (1 - LEAST_LIKENESS)).clip(0.01, 0.5)


def _reasons(listings: pd.DataFrame, group: pd.Series, content: pd.Series) -> pd.Series:
    """Return a reason for each of these listings, in one pass over every group, however large."""
    table = pd.DataFrame(
        {
            "id": listings["id"].astype(str),
            "label": listings["label"].astype("string"),
            "price": listings["price"].astype("float64"),
            "group": group,
            "content": pd.factorize(content)[0],
        }
    ).assign(row=np.arange(len(listings)))
    table = table.sort_values(["group", "id"])
    labels = [None if pd.isna(label) else str(label) for label in table["label"]]
    # plain lists, because selecting every small group from a table takes milliseconds each
    ids, contents, prices = table["id"].tolist(), table["content"].tolist(), table["price"].to_numpy()
    reasons: list[str] = []
    starts = np.flatnonzero(np.diff(table["group"], prepend=-1)).tolist()
    for start, end in itertools.pairwise([*starts, len(table)]):
        rows = slice(start, end)
        reasons += _reasons_of_group(ids[rows], contents[rows], labels[rows], prices[rows])
    return pd.Series(reasons, index=listings.index[table["row"]], dtype=object)


def _reasons_of_group(
    ids: Sequence[str], contents: Sequence[int], labels: Sequence[str | None], prices: Float64
) -> Iterator[str]:
    distinct = sorted({label for label in labels if label is not None})
    same: dict[int, list[str]] = {}
    for id, content in zip(ids, contents, strict=True):
        same.setdefault(content, []).append(id)
    # the reasons of listings with the same file name the same others
    others = {content: _first_of_others(content, ids, contents) for content in same}
    for id, content, label, price, other_price in zip(ids, contents, labels, prices, _farthest(prices), strict=True):
        equal, near = same[content], len(ids) - len(same[content])
        twins = [other for other in equal[: _NAMED + 1] if other != id]
        photos = []
        if len(equal) > 1:
            photos.append(f"the same photo as {_named(twins, len(equal) - 1)}")
        if near:
            photos.append(f"nearly the same photo as {_named(others[content], near)}")
        other_labels = [other for other in distinct if other != label]
        differences = [f"given {some(other_labels, _NAMED)} there"] if other_labels else []
        if _differ(price, other_price):
            differences.append(f"price {amount(other_price)} there")
        yield ", ".join([" and ".join(photos), *differences])


def _first_of_others(content: int, ids: Sequence[str], contents: Sequence[int]) -> list[str]:
    others = (id for id, other in zip(ids, contents, strict=True) if other != content)
    return list(itertools.islice(others, _NAMED))


def _named(ids: Sequence[str], count: int) -> str:
    more = [f"+{count - _NAMED} more"] if count > _NAMED else []
    return ", ".join([*ids[:_NAMED], *more])


def _farthest(prices: Float64) -> Float64:
    """Return for each price of a group the one that differs from it by the largest factor; NaN without prices."""
    if np.isnan(prices).all():
        return prices
    low, high = np.nanmin(prices), np.nanmax(prices)
    # a price of 0 counts as a cent
    logs, ends = np.log(np.maximum(prices, 0.01)), np.log(np.maximum([low, high], 0.01))
    return np.where(logs - ends[0] > ends[1] - logs, low, high)


def _differ(one: float, other: float) -> bool:
    """Return whether two prices differ a lot; a missing one does not."""
    return max(one, other) > _PRICE_FACTOR * min(one, other)


KIND = IssueKind(
    name="near_duplicate",
    order=4,
    title=TITLES["near_duplicate"],
    help="Another listing shows the same photo, or nearly the same one: saved again, resized, slightly cropped.",
    columns={
        "is_near_duplicate_issue": "boolean",
        "near_duplicate_score": "float64",
        "near_duplicate_group": "Int64",
    },
    # one of two reposts must go
    worth=0.5,
    find=find,
)
