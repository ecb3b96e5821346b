"""Everything about a listing that a person needs to decide on it; the App and the page show the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from curation.review.similar import features_of, nearest
from curation.review.table import photo_at, photo_folder
from curation.run.columns import Listed, read_issues, rows_of
from curation.run.flags import flags_by_kind
from curation.run.folder import RunFolder
from curation.run.probabilities import Probabilities
from training.utils.arrays import Bool, Float32, Float64, Int64

__all__ = ["EXAMPLES", "Card", "Cards", "Example", "cards_of"]

#: Number of sound examples of a class beside a listing.
EXAMPLES = 3
#: Sound listings of a class that are compared, at most: more cost a reviewer's time, and no example gets closer that
#: a person would notice.
_COMPARED = 4000
#: Listings whose photos are looked at together.
_PART = 4096
#: The columns that a card shows, but for the title, which the listings have.
_COLUMNS = (
    "id",
    "image",
    "price",
    "price_low",
    "price_high",
    "suggested_price",
    "given_label",
    "label_score",
    "suggested_label",
    "suggested_confidence",
    "change_chance",
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
    issues : pyarrow.Table, optional
        Its issues, the most urgent listing first, if they are no longer those of ``issues.parquet``.

    Attributes
    ----------
    issues : pyarrow.Table
        The columns that cards show, and the flags.
    classes : list of str
    ids : list of str
        All listings, the most urgent first.
    flags : dict of str to ndarray of bool, shape (N,)
        By kind of issue: which of them are flagged.
    """

    def __init__(self, run: RunFolder, issues: Any = None) -> None:
        self._run = run
        self.classes = run.classes
        self._currency = run.record()["dataset"].get("currency")
        # Arrow's columns, in which a value is made when it is asked for: 200,000 listings open in a second
        issues = read_issues(run, _COLUMNS, flags=True) if issues is None else issues
        self.issues = issues
        self._columns = {name: issues[name] for name in _COLUMNS if name in issues.column_names}
        self.flags = {
            kind: np.asarray(issues[column].fill_null(False), dtype=np.bool_)
            for kind, column in flags_by_kind(issues.column_names).items()
        }
        self.ids: list[str] = issues["id"].to_pylist()
        self._place = {id: place for place, id in enumerate(self.ids)}
        self._folder = photo_folder(run, needed=self._has_photos())

    def judged_again(self, issues: Any) -> Cards:
        """Return cards of the same run that say something else of its listings.

        Parameters
        ----------
        issues : pyarrow.Table
            As `issues`, the most urgent listing first.
        """
        cards = Cards(self._run, issues)
        cards._listings, cards._probabilities = self._listings, self._probabilities
        return cards

    def prepare(self) -> None:
        """Compute now what the first card would wait for."""
        self._sound, self._members, self._scored_rows  # noqa: B018

    def __contains__(self, id: str) -> bool:
        """Return whether there is a card of this listing."""
        return id in self._place

    @property
    def place(self) -> Mapping[str, int]:
        """Where each listing is in `ids`."""
        return self._place

    def row(self, id: str) -> int | None:
        """Return where a listing is in `ids`; None if the run has no such listing."""
        return self._place.get(id)

    @property
    def queue(self) -> list[str]:
        """The flagged listings, the most urgent first."""
        return [self.ids[place] for place in np.flatnonzero(self.flagged)]

    @property
    def flagged(self) -> Bool:
        """Which listings have an issue, shape (N,), the most urgent first."""
        return np.asarray(np.logical_or.reduce([np.zeros(len(self.ids), np.bool_), *self.flags.values()]))

    def column(self, name: str) -> Float64:
        """Return the numbers of a column, the most urgent listing first; NaN where there is none."""
        if name not in self._columns:
            return np.full(len(self.ids), np.nan)
        return np.asarray(self._columns[name].cast("float64").to_numpy(), dtype=np.float64)

    def texts(self, name: str) -> list[str | None]:
        """Return the texts of a column, the most urgent listing first; None where there is none."""
        if name not in self._columns:
            return [None] * len(self.ids)
        texts: list[str | None] = self._columns[name].to_pylist()
        return texts

    def sellers(self) -> dict[str, str] | None:
        """Return the seller of each listing that has one; None if the listings don't say."""
        return self._listings.sellers()

    def most_alike(self, id: str, others: Sequence[str], number: int) -> list[str]:
        """Return those of some listings whose photos are most like one.

        Parameters
        ----------
        id : str
            The one.
        others : sequence of str
            The listings to choose from.
        number : int
            How many. Those without a photo that could be compared come last, in their order.
        """
        rows = self._rows[[self._place[other] for other in others]]
        chosen = [self._listings.ids[row] for row in nearest(self._features, self._row(id), rows, number)]
        there = set(chosen)
        return (chosen + [other for other in others if other not in there])[:number]

    def reposts(self, id: str) -> tuple[str, ...]:
        """Return the other listings with the same photo, or nearly the same."""
        return tuple(other for other in self._group(id) if other != id)

    def suggested(self, id: str) -> str | None:
        """Return the suggested label of a listing, if there is one."""
        label: str | None = self._value("suggested_label", id)
        return label

    def suggested_price(self, id: str) -> float | None:
        """Return the price that would fit a listing, if one is suggested."""
        price: float | None = self._value("suggested_price", id)
        return price

    def card(self, id: str, *, reposts: int | None = None) -> Card:
        """Return the card of a listing.

        Parameters
        ----------
        id : str
            The listing.
        reposts : int, optional
            So many of them at most.

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
            photo=self._photo(id),
            title=self._title(id),
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
            issues=tuple(kind for kind, flags in self.flags.items() if flags[self._place[id]]),
            reasons=tuple(filter(None, (row.get("reasons") or "").split("; "))),
            classes=tuple((name, judged.get(name)) for name in likely),
            reposts=self.reposts(id)[:reposts],
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
        return Example(id, self._photo(id), self._title(id), self._value("price", id), self._value("given_label", id))

    def likely_classes(self, ids: Sequence[str]) -> list[str]:
        """Return all classes, those that are most probable for these listings together first."""
        rows = self._scored_rows[[self._place[id] for id in ids if id in self._place]]
        probs = self._probabilities.probs[rows[rows >= 0]]
        probs = probs[np.isfinite(probs).all(axis=1)]
        if not len(probs):
            return list(self.classes)
        return [self.classes[number] for number in np.argsort(-np.mean(probs, axis=0), kind="stable")]

    def sha256(self, id: str) -> str | None:
        """Return the hash of a listing's photo as the run read it, if it did."""
        return self._listings.text("sha256", self._row(id))

    @cached_property
    def _listings(self) -> Listed:
        return Listed(self._run)

    @cached_property
    def _features(self) -> Float32:
        return features_of(self._run)

    @cached_property
    def _rows(self) -> Int64:
        """The row of each listing in the arrays of the run, the most urgent first, shape (N,)."""
        return self._listings.rows(self.issues["id"])

    def _row(self, id: str) -> int:
        return int(self._rows[self._place[id]])

    @cached_property
    def _probabilities(self) -> Probabilities:
        return self._run.probabilities()

    @cached_property
    def _scored_rows(self) -> Int64:
        """The row of each listing among the probabilities, -1 where it has none, the most urgent first, shape (N,)."""
        return rows_of(self.issues["id"], pa.array(self._probabilities.ids))

    @cached_property
    def _members(self) -> dict[int, list[str]]:
        """The listings of each group of reposts, the most urgent first."""
        members: dict[int, list[str]] = {}
        if "near_duplicate_group" in self._columns:
            groups = self.column("near_duplicate_group")
            for place in np.flatnonzero(~np.isnan(groups)).tolist():
                members.setdefault(int(groups[place]), []).append(self.ids[place])
        return members

    @cached_property
    def _sound(self) -> dict[str, Int64]:
        """For each class, the rows of its listings without any issue."""
        codes = self._columns["given_label"].combine_chunks().dictionary_encode()
        labels, given = codes.dictionary.to_pylist(), np.asarray(codes.indices.fill_null(-1), dtype=np.int64)
        rows = self._rows
        sound = ~self.flagged & ~self._listings.unreadable[rows]
        return {str(name): np.sort(rows[sound & (given == code)]) for code, name in enumerate(labels)}

    def _examples(self, id: str, label: str | None) -> tuple[Example, ...]:
        if label not in self._sound:
            return ()
        row = self._row(id)
        among = self._sound[label]
        # evenly, for the listings of a shop or a seller stand together
        among = among[:: -(-len(among) // _COMPARED) or 1]
        similar = nearest(self._features, row, among[among != row], EXAMPLES)
        return tuple(self.example(self._listings.ids[number]) for number in similar)

    def _group(self, id: str) -> list[str]:
        return self._members.get(self._value("near_duplicate_group", id), [])

    def _values(self, id: str) -> dict[str, Any]:
        return {name: self._value(name, id) for name in self._columns}

    def _value(self, name: str, id: str) -> Any:
        if name not in self._columns:
            return None
        value = self._columns[name][self._place[id]].as_py()
        return None if isinstance(value, float) and math.isnan(value) else value

    def _title(self, id: str) -> str | None:
        return self._listings.text("title", self._row(id))

    def _photo(self, id: str) -> str | None:
        image = self._value("image", id)
        return photo_at(self._folder, image) if _is_photo(image) else None

    def _has_photos(self) -> bool:
        images = self._columns.get("image")
        if images is None:
            return False
        # nearly always the first ones have some
        parts = (images.slice(start, _PART) for start in range(0, len(images), _PART))
        return any(_is_photo(image) for part in parts for image in part.unique().to_pylist())


def _is_photo(image: object) -> bool:
    return image is not None and bool(str(image).strip())


def cards_of(run: RunFolder) -> Cards:
    """Return the cards of a run; cached for as long as its tables stay the same."""
    changed = run.issues_file.stat().st_mtime_ns
    return _cards(run, changed)


@lru_cache(maxsize=2)
def _cards(run: RunFolder, _changed: int) -> Cards:
    return Cards(run)
