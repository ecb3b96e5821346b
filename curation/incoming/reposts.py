"""New photos that show the same as known ones: which listings, whose fold, and what their labels say."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from curation.incoming.model import RunModel
from curation.photos.alignment import likeness
from training.images import Photos, Pixels
from training.utils.arrays import Float32, Int64

__all__ = ["Placed", "find_known", "placed"]


@dataclass(frozen=True)
class Placed:
    """Where n new listings belong among those of the run.

    Attributes
    ----------
    fold : ndarray of int64, shape (n,)
        Whose model scores each: that of the listings with the same photo, or its own if it is changed, or that of its
        group; else any.
    test : ndarray of bool, shape (n,)
        Whether these are in the test set.
    members : list of list of int, length n
        Rows of the run that show the same photo, whether they are still there or not.
    posted : ndarray of float32, shape (n, K)
        How many of those that are still there have each label.
    apart : list of int
        Listings whose photo and group belong to different folds, or sides of the split; that of the photo counts.
    """

    fold: Int64
    test: np.ndarray[tuple[int], np.dtype[np.bool_]]
    members: list[list[int]]
    posted: Float32
    apart: list[int]


def find_known(model: RunModel, table: pd.DataFrame, photos: Photos, small: Pixels) -> list[dict[int, float]]:
    """Return the known photos that new ones show: by the row of the run, how much alike both are.

    Parameters
    ----------
    model : RunModel
        The run.
    table : DataFrame
        The new listings, with ``sha256``, ``unreadable`` and ``detail``.
    photos : Photos, shape (n, S, S, 3)
        Their decoded photos.
    small : ndarray of uint8, shape (n, 16, 16, 3)
        The same as they are hashed.
    """
    found: list[dict[int, float]] = [{} for _ in range(len(table))]
    readable = np.flatnonzero(table["unreadable"].isna() & table["sha256"].notna())
    if not len(model.by_content) or not len(readable):
        return found
    from curation.photos.near_duplicates import BLANK

    contents, detail = table["sha256"].tolist(), table["detail"].to_numpy(dtype=np.float64, na_value=np.nan)
    for row, rows in zip(readable, model.photos.like(small[readable]), strict=True):
        same = model.by_content.get(contents[row])
        if same is not None and not detail[row] < BLANK:
            found[row][same] = 1.0
        others = rows[rows != same] if same is not None else rows
        if len(others):
            others, pixels = model.pixels(others)
            like = likeness(np.repeat(photos[np.array([row])], len(others), axis=0), pixels)
            found[row].update(
                (int(other), float(value)) for other, value in zip(others, like, strict=True) if value > 0
            )
    return found


def placed(
    model: RunModel,
    table: pd.DataFrame,
    found: list[dict[int, float]],
    gone: frozenset[int],
    own: Sequence[int | None],
) -> Placed:
    """Return where new and changed listings belong.

    Parameters
    ----------
    model : RunModel
        The run.
    table : DataFrame
        The new listings, with ``id``, ``group`` and ``near_group``, by which new ones belong together.
    found : list of dict
        Of :func:`find_known`.
    gone : set of int
        Rows of the run that are no longer there, or not as they were: they have no vote.
    own : sequence of int or None, length n
        The row of the run that each listing has; None for a new one.
    """
    members = [_members(model, rows) for rows in found]
    posted = np.zeros((len(table), len(model.classes)), dtype=np.float32)
    for row, shown in enumerate(members):
        for other in shown:
            if other not in gone and model.taught[other] >= 0:
                posted[row, model.taught[other]] += 1
    folds, splits = model.table["fold"].to_numpy(dtype=np.int64), (model.table["split"] == "test").to_numpy(dtype=bool)
    by_photo = [min(rows, key=lambda row: (-rows[row], row)) if rows else None for rows in found]
    named = table["group"].tolist()
    by_group = [None if pd.isna(group) else model.by_group.get(str(group)) for group in named]
    belongs = _together(table)
    fold, test, apart = np.empty(len(table), dtype=np.int64), np.zeros(len(table), dtype=bool), list[int]()
    for rows in belongs:
        # the models of the other folds know its photo, or what it was before
        single = [by_photo[row] if by_photo[row] is not None else own[row] for row in rows]
        group = next((by_group[row] for row in rows if by_group[row] is not None), None)
        shared = next((anchor for anchor in single if anchor is not None), group)
        for row, anchor in zip(rows, (shared if one is None else one for one in single), strict=True):
            fold[row] = _any_fold(table, rows, model.folds) if anchor is None else folds[anchor]
            test[row] = anchor is not None and splits[anchor]
        there = (fold[rows[0]], test[rows[0]]) if group is None else (folds[group], splits[group])
        apart += [row for row in rows if (fold[row], test[row]) != there]
    return Placed(fold, test, members, posted, apart)


def _members(model: RunModel, rows: dict[int, float]) -> list[int]:
    groups = {int(model.photo_group[row]) for row in rows}
    return sorted({member for group in groups for member in model.members.get(group, ())} | set(rows))


def _together(table: pd.DataFrame) -> list[list[int]]:
    """Return the rows of new listings that belong together."""
    from curation.listings.columns import groups_of

    if len(table) == 1:
        return [[0]]
    groups = pd.Series(groups_of(table))
    return [[int(row) for row in rows] for rows in groups.groupby(groups, sort=False).indices.values()]


def _any_fold(table: pd.DataFrame, rows: list[int], folds: int) -> int:
    """Return the fold of listings that belong to no known ones: by the hash of what they have in common."""
    smallest = min(rows, key=lambda row: str(table["id"].iloc[row]))
    keys = [table[name].iloc[smallest] for name in ("group", "sha256", "id")]
    return zlib.crc32(str(next(key for key in keys if pd.notna(key))).encode()) % folds
