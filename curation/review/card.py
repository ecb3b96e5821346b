"""Everything about a listing that a person needs to decide on it; the App and the page show the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from curation.review.similar import features_of, nearest
from curation.review.table import plain, review_table
from curation.run.folder import RunFolder
from training.utils.arrays import Float64, Int64

__all__ = ["EXAMPLES", "Card", "Cards", "Example", "cards_of"]

#: Number of sound examples of a class beside a listing.
EXAMPLES = 3
#: The columns of the review's table that a card shows.
_COLUMNS = (
    "id",
    "photo",
    "title",
    "price",
    "price_low",
    "price_high",
    "suggested_price",
    "given_label",
    "label_score",
    "suggested_label",
    "suggested_confidence",
    "change_chance",
    "issues",
    "reasons",
    "near_duplicate_group",
)


@dataclass(frozen=True)
class Example:
    """A listing beside another one.

    Attributes
    ----------
    id : str
    photo : str or None
        Absolute path; None for a listing without a photo.
    title : str or None
    price : float or None
    given : str or None
        The given label.
    """

    id: str
    photo: str | None
    title: str | None
    price: float | None
    given: str | None


@dataclass(frozen=True)
class Card:
    """One listing.

    Attributes
    ----------
    id : str
        The listing.
    photo : str or None
        The absolute path of its photo, if it has one.
    title : str or None
    price, price_low, price_high : float or None
        The price, and the range of 95 % of the prices of such listings.
    suggested_price : float or None
        What the price would be without a slip of the decimal point, if that is what is wrong.
    currency : str or None
    given, suggested : str or None
        Labels.
    given_chance, suggested_chance : float or None
        The probability that each is right, in [0, 1].
    change_chance : float or None
        The probability that the listing must change, in [0, 1].
    issues : tuple of str
        The kinds of issue that are flagged.
    reasons : tuple of str
        Why the listing is flagged, in words.
    classes : tuple of (str, float or None)
        All classes, the suggested one first, the others from likely to unlikely by the photo alone, with
        `suggested_chance` and `given_chance`, which all evidence gives. No other class has such a number.
    reposts : tuple of str
        The other listings with the same photo, or nearly the same.
    like_given, like_suggested : tuple of Example
        The sound listings of each class with the most similar photos; at most `EXAMPLES`.
    """

    id: str
    photo: str | None
    title: str | None
    price: float | None
    price_low: float | None
    price_high: float | None
    suggested_price: float | None
    currency: str | None
    given: str | None
    given_chance: float | None
    suggested: str | None
    suggested_chance: float | None
    change_chance: float | None
    issues: tuple[str, ...]
    reasons: tuple[str, ...]
    classes: tuple[tuple[str, float | None], ...]
    reposts: tuple[str, ...]
    like_given: tuple[Example, ...]
    like_suggested: tuple[Example, ...]


class Cards:
    """The cards of a run, made on demand.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Attributes
    ----------
    table : DataFrame
        The table of the review; see :func:`curation.review.table.review_table`.
    classes : list of str
    """

    def __init__(self, run: RunFolder) -> None:
        self.table = table = review_table(run)
        listings = run.training_table()
        self.classes = run.classes
        self._currency = run.record()["dataset"].get("currency")
        # lists, because pandas takes a millisecond for a row of many types, and a page needs thousands
        self._columns = {name: table[name].tolist() for name in _COLUMNS if name in table}
        self._place = {id: place for place, id in enumerate(self._columns["id"])}
        self._ids = listings["id"].astype(str).tolist()
        self._row = {id: row for row, id in enumerate(self._ids)}
        self._features = features_of(run)
        self._probs = _probabilities(run)
        groups = table["near_duplicate_group"] if "near_duplicate_group" in table else pd.Series(index=table.index)
        self._members = table["id"].groupby(groups).agg(list).to_dict()
        self._sound = self._sound_rows(table, listings)

    def __contains__(self, id: str) -> bool:
        """Return whether there is a card of this listing."""
        return id in self._place

    @property
    def queue(self) -> list[str]:
        """The flagged listings, the most urgent first."""
        return [id for id, issues in zip(self._columns["id"], self._columns["issues"], strict=True) if issues]

    def card(self, id: str) -> Card:
        """Return the card of a listing.

        Raises
        ------
        KeyError
            If the run has no such listing.
        """
        row = self._values(id)
        given, suggested = row.get("given_label"), row.get("suggested_label")
        # what the photo's model says of the other classes is no number to compare with these two: it only orders them
        judged = {given: row.get("label_score"), suggested: row.get("suggested_confidence")}
        likely = sorted(self.likely_classes([id]), key=lambda name: name != suggested)
        return Card(
            id=id,
            photo=row["photo"],
            title=_text(row.get("title")),
            price=row.get("price"),
            price_low=row.get("price_low"),
            price_high=row.get("price_high"),
            suggested_price=row.get("suggested_price"),
            currency=self._currency,
            given=given,
            given_chance=row.get("label_score"),
            suggested=suggested,
            suggested_chance=row.get("suggested_confidence"),
            change_chance=row.get("change_chance"),
            issues=tuple(row["issues"]),
            reasons=tuple(filter(None, (row.get("reasons") or "").split("; "))),
            classes=tuple((name, judged.get(name)) for name in likely),
            reposts=tuple(other for other in self._members.get(row.get("near_duplicate_group"), []) if other != id),
            like_given=self._examples(id, given),
            like_suggested=self._examples(id, suggested),
        )

    def example(self, id: str) -> Example:
        """Return a listing as it is shown beside another one.

        Raises
        ------
        KeyError
            As for :meth:`card`.
        """
        row = self._values(id)
        return Example(id, row["photo"], _text(row.get("title")), row.get("price"), row.get("given_label"))

    def likely_classes(self, ids: Sequence[str]) -> list[str]:
        """Return all classes, those that are most probable for these listings together first."""
        probs = [self._probs[id] for id in ids if id in self._probs]
        if not probs:
            return list(self.classes)
        return [self.classes[number] for number in np.argsort(-np.mean(probs, axis=0), kind="stable")]

    def _sound_rows(self, table: pd.DataFrame, listings: pd.DataFrame) -> dict[str, Int64]:
        """Return, for each class, the rows of its listings without any issue."""
        sound = table[(table["issues"].str.len() == 0) & table["given_label"].notna()]
        if "unreadable" in listings:
            broken = set(listings["id"][listings["unreadable"].notna()].astype(str))
            sound = sound[~sound["id"].isin(broken)]
        rows = sound["id"].map(self._row)
        return {
            str(name): np.sort(numbers.to_numpy(dtype=np.int64)) for name, numbers in rows.groupby(sound["given_label"])
        }

    def _examples(self, id: str, label: str | None) -> tuple[Example, ...]:
        if label not in self._sound:
            return ()
        row = self._row[id]
        among = self._sound[label]
        similar = nearest(self._features, row, among[among != row], EXAMPLES)
        return tuple(self.example(self._ids[number]) for number in similar)

    def _values(self, id: str) -> dict[str, Any]:
        place = self._place[id]
        return {name: plain(column[place]) for name, column in self._columns.items()}


def cards_of(run: RunFolder) -> Cards:
    """Return the cards of a run; cached for as long as its tables stay the same."""
    changed = run.issues_file.stat().st_mtime_ns
    return _cards(run, changed)


@lru_cache(maxsize=2)
def _cards(run: RunFolder, _changed: int) -> Cards:
    return Cards(run)


def _probabilities(run: RunFolder) -> dict[str, Float64]:
    probabilities = run.probabilities()
    scored = probabilities.scored
    return dict(zip(probabilities.ids[scored].tolist(), probabilities.probs[scored], strict=True))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
