"""New listings and those of a finished run as one table, with the groups of photos that they make together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.incoming.changes import Changes
from curation.incoming.judge import Judged, repost_columns
from curation.incoming.model import RunModel
from curation.incoming.reposts import Placed
from curation.photos.facts import by_smallest_id
from training.utils.arrays import Bool, Float32, Int64

__all__ = ["Joined", "joined"]

#: Facts that a run adds to the table.
_FACTS = (
    *("sha256", "width", "height", "unreadable", "detail", "near_group", "near_likeness", "text_share", "text"),
    *("split", "fold"),
)


@dataclass(frozen=True)
class Joined:
    """All listings of the new run.

    Attributes
    ----------
    table : DataFrame
        In the order of the ids, with the facts about the photos, ``split`` and ``fold``.
    reposts : DataFrame
        What :mod:`curation.issues.near_duplicate` says of the listings whose group of photos is not as it was; its
        index is their place in the table.
    before : DataFrame
        What it said of them before, by the same index, of those that the earlier run had.
    group : Series of Int64
        ``near_duplicate_group`` of all.
    """

    table: pd.DataFrame
    reposts: pd.DataFrame
    before: pd.DataFrame
    group: pd.Series

    def seen(self, model: RunModel, judged: Judged, changes: Changes) -> tuple[Int64, Float32]:
        """Return the class that the models find likeliest for each listing, -1 for none, and the features."""
        best = np.full(len(self.table), -1, dtype=np.int64)
        known = model.run.probabilities().in_order(model.table["id"].astype(str).tolist(), model.classes)
        features = self.features(model, judged, changes)
        old = np.flatnonzero(~changes.judged)
        for rows, probs in (
            (old, known.probs[changes.before[old]]),
            (np.flatnonzero(changes.judged), judged.scores.probs),
        ):
            there = np.isfinite(probs).all(axis=1)
            best[rows[there]] = probs[there].argmax(axis=1)
        return best, features

    def features(self, model: RunModel, judged: Judged | None, changes: Changes) -> Float32:
        """Return the features of all listings, shape (N, D)."""
        own = model.run.features()
        if own is None:
            raise AssertionError("a run without features is refused before")
        features = np.empty((len(self.table), own.shape[1]), dtype=np.float32)
        old = np.flatnonzero(~changes.judged)
        features[old] = own[changes.before[old]]
        if judged is not None:
            features[changes.judged] = judged.features
        return features


def joined(
    model: RunModel,
    table: pd.DataFrame,
    new: pd.DataFrame,
    changes: Changes,
    found: list[dict[int, float]],
    place: Placed,
) -> Joined:
    """Return all listings of a new run.

    Parameters
    ----------
    model : RunModel
        The earlier run.
    table : DataFrame
        The newer table, in the order of the ids.
    new : DataFrame
        Those that are judged, in this order, with the facts about their photos.
    changes : Changes
        Which they are.
    found : list of dict
        The known photos that they show.
    place : Placed
        Where they belong.
    """
    judged = changes.judged
    old = np.flatnonzero(~judged)
    known = model.table.iloc[changes.before[old]]
    new = new.assign(fold=place.fold, split=pd.array(np.where(place.test, "test", "train"), dtype="string"))
    asked = (table["split"][judged] == "test").fillna(False).to_numpy(dtype=bool)
    new["split"] = new["split"].mask(asked, "test")
    columns = {}
    for name in _FACTS:
        parts = [known[name].set_axis(old), new[name].set_axis(np.flatnonzero(judged))]
        columns[name] = pd.concat([part for part in parts if len(part)]).sort_index().astype(model.table[name].dtype)
    whole = table.assign(**columns)
    near, likeness = _near(model, whole, changes, found)
    whole = whole.assign(near_group=near, near_likeness=likeness, training_row=np.arange(len(whole)))
    group = pd.Series(Evidence(whole, model.classes, np.empty((0, 0))).photo_group)
    touched = _touched(model, group, changes)
    reposts = repost_columns(whole[touched], model)
    was = np.flatnonzero(touched & ~judged)
    return Joined(whole, reposts, _before(model, changes, was), _numbers(group, whole["id"]))


def _near(
    model: RunModel, whole: pd.DataFrame, changes: Changes, found: list[dict[int, float]]
) -> tuple[pd.Series, pd.Series]:
    """Return the groups of nearly equal photos, numbered by their smallest id, and how much alike they are."""
    likeness = whole["near_likeness"].to_numpy(dtype=np.float64, na_value=0.0)
    number = whole["near_group"].to_numpy(dtype=np.int64, na_value=-1)
    judged = np.flatnonzero(changes.judged)
    # new ones are numbered behind the known ones
    most = int(model.table["near_group"].fillna(-1).max()) + 1
    number[judged] = np.where(number[judged] < 0, -1, number[judged] + most)
    following = int(number.max(initial=-1)) + 1
    still = {int(row): place for place, row in enumerate(changes.before) if row >= 0 and not changes.changed[place]}
    for place, rows in zip(judged, found, strict=True):
        there = [row for row in rows if row in still]
        if not there:
            continue
        first = still[min(there, key=lambda row: (-rows[row], row))]
        if number[first] < 0:
            number[first], following = following, following + 1
        # those that it came with come along
        own = judged[number[judged] == number[place]] if number[place] >= 0 else place
        number[own] = number[first]
        for row in there:
            both = np.array([place, still[row]], dtype=np.int64)
            likeness[both] = np.maximum(likeness[both], rows[row])
    group = pd.Series(number, index=whole.index)
    alone = (group < 0) | ~group.duplicated(keep=False)
    near = by_smallest_id(group.astype("Int64").mask(alone), whole["id"])
    return near, pd.Series(likeness, index=whole.index, dtype="Float64").mask(alone)


def _touched(model: RunModel, group: pd.Series, changes: Changes) -> Bool:
    """Return the listings whose group of photos is not as it was: one came, or one went."""
    judged = changes.judged
    lost = {model.place[id] for id in changes.removed} | {int(row) for row in changes.before[changes.changed]}
    of_lost = {int(model.photo_group[row]) for row in lost}
    left = np.array([row >= 0 and int(model.photo_group[row]) in of_lost for row in changes.before]) & ~judged
    marked = set(group[judged | left])
    return group.isin(marked).to_numpy(dtype=bool)


def _before(model: RunModel, changes: Changes, rows: Int64) -> pd.DataFrame:
    """Return what the earlier run said of reposts of listings."""
    groups = {int(model.photo_group[row]) for row in changes.before[rows]}
    members = sorted({int(row) for row in np.flatnonzero(np.isin(model.photo_group, list(groups)))})
    said = repost_columns(model.table.iloc[members].reset_index(drop=True), model)
    place = {row: number for number, row in enumerate(members)}
    return said.iloc[[place[int(row)] for row in changes.before[rows]]].set_axis(rows)


def _numbers(group: pd.Series, ids: pd.Series) -> pd.Series:
    """Return the groups that have several listings, numbered in the order of their smallest ids."""
    shared = group.duplicated(keep=False)
    return by_smallest_id(group.where(shared).astype("Int64"), ids.reset_index(drop=True))
