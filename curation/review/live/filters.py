"""What a live page filters, sorts and counts by: class, class pair, kind, price, text and seller."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from curation.errors import DecisionsError, short_repr
from curation.review.card import Cards
from curation.review.live.following import Followed
from curation.review.live.queue import Queue
from training.utils.arrays import Bool, Float64, Int64

__all__ = ["NO_CLASS", "SORTS", "Facts", "Filter", "Left", "read_filter", "read_places"]

#: The number of no class: a listing without a label, or without another one that is suggested.
NO_CLASS = -1
SORTS = ("priority", "cheap", "dear", "class")


@dataclass(frozen=True)
class Filter:
    """Which listings, and in which order.

    Attributes
    ----------
    kind : str
        A kind of issue; empty for all, as are the others.
    words : str
        What id or title holds.
    given, suggested : int or None
        Numbers of classes, of :attr:`Facts.names`; `NO_CLASS` for none.
    low, high : float or None
        The range of the price, both ends in it.
    seller : str or None
    sort : str
        One of `SORTS`; each from the most urgent on where it leaves a choice.
    """

    kind: str = ""
    words: str = ""
    given: int | None = None
    suggested: int | None = None
    low: float | None = None
    high: float | None = None
    seller: str | None = None
    sort: str = SORTS[0]


def read_filter(content: Any) -> Filter:
    """Return a filter that came as JSON.

    Raises
    ------
    DecisionsError
        If it is none.
    """
    try:
        wanted = Filter(**content)
    except TypeError as error:
        raise _no_filter(content) from error
    values = {field.name: getattr(wanted, field.name) for field in fields(Filter)}
    fits = (
        isinstance(wanted.kind, str)
        and isinstance(wanted.words, str)
        and isinstance(wanted.seller, str | None)
        and wanted.sort in SORTS
        and all(values[name] is None or type(values[name]) is int for name in ("given", "suggested"))
        and all(_is_amount(values[name]) for name in ("low", "high"))
    )
    if not fits:
        raise _no_filter(content)
    return wanted


def read_places(content: Any, size: int) -> list[int]:
    """Return places of a queue that came as JSON.

    Parameters
    ----------
    content : object
        What came.
    size : int
        Of the queue.

    Raises
    ------
    DecisionsError
        If they are none.
    """
    if not isinstance(content, list) or not all(type(place) is int and 0 <= place < size for place in content):
        raise DecisionsError("these are no places of a review", got=short_repr(content))
    return content


class Facts:
    """The facts about each place of a queue, as arrays.

    Parameters
    ----------
    cards : Cards
        Of the run.
    queue : Queue
        Its queue.

    Attributes
    ----------
    names : list of str
        The classes, those of the run first.
    given, suggested : ndarray of int64, shape (N,)
        Numbers of classes. A suggestion that is the given label is none.
    price, worth, chance : ndarray of float64, shape (N,)
        The price; the probabilities that the listing must change, and that the suggested label is right. NaN for none.
    kind : ndarray of int64, shape (N,)
        The main kind of issue: the first of `queue.kinds` that is flagged.
    """

    def __init__(self, cards: Cards, queue: Queue) -> None:
        self._cards = cards
        self._queue = queue
        places = np.array([cards.place(id) for id in queue.order], dtype=np.int64)
        self.names = list(cards.classes)
        number = {name: place for place, name in enumerate(self.names)}
        self.given = self._codes(cards.texts("given_label"), places, number)
        suggested = self._codes(cards.texts("suggested_label"), places, number)
        self.suggested = np.where(suggested == self.given, NO_CLASS, suggested)
        self.price = cards.column("price")[places]
        self.worth = cards.column("change_chance")[places]
        self.chance = cards.column("suggested_confidence")[places]
        # the lowest bit that is set
        self.kind = np.log2(np.maximum(queue.masks & -queue.masks, 1)).astype(np.int64)
        sellers = cards.sellers()
        self.sellers = None if sellers is None else [sellers.get(id) for id in queue.order]

    def places(self, wanted: Filter) -> Int64:
        """Return the places that pass a filter, in its order."""
        passes = np.ones(len(self._queue), np.bool_)
        kinds = [kind["name"] for kind in self._queue.kinds]
        if wanted.kind:
            bit = kinds.index(wanted.kind) if wanted.kind in kinds else len(kinds)
            passes &= self._queue.masks >> bit & 1 == 1
        if wanted.given is not None:
            passes &= self.given == wanted.given
        if wanted.suggested is not None:
            passes &= self.suggested == wanted.suggested
        with np.errstate(invalid="ignore"):
            if wanted.low is not None:
                passes &= self.price >= wanted.low
            if wanted.high is not None:
                passes &= self.price <= wanted.high
        if wanted.seller is not None:
            passes &= np.array([seller == wanted.seller for seller in self.sellers or [None] * len(passes)], np.bool_)
        if wanted.words.strip():
            found = np.zeros(len(passes), np.bool_)
            found[self._queue.find(wanted.words)] = True
            passes &= found
        places = np.flatnonzero(passes)
        return places[np.lexsort(self._order(wanted.sort, places))] if wanted.sort != SORTS[0] else places

    def counts(self, left: Bool) -> dict[str, Any]:
        """Return how many places each choice of a filter has.

        Parameters
        ----------
        left : ndarray of bool, shape (N,)
            The places to count.

        Returns
        -------
        dict
            ``given``: number, name (None for no label) and count of each class; ``pairs``: the same of given and of
            suggested label, the most frequent first; ``sellers``: name and count, or None where none are known.
        """
        given, suggested = self.given[left], self.suggested[left]
        size = len(self.names) + 1
        pairs, often = np.unique((given + 1) * size + suggested + 1, return_counts=True)
        found = [
            (int(pair) // size - 1, int(pair) % size - 1, int(count)) for pair, count in zip(pairs, often, strict=True)
        ]
        classes, times = np.unique(given, return_counts=True)
        sellers = None
        if self.sellers is not None:
            counted: dict[str, int] = {}
            for place in np.flatnonzero(left).tolist():
                if (seller := self.sellers[place]) is not None:
                    counted[seller] = counted.get(seller, 0) + 1
            sellers = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        return {
            "given": [
                [code, self.name(code), count] for code, count in zip(classes.tolist(), times.tolist(), strict=True)
            ],
            "pairs": [
                [one, other, self.name(one), self.name(other), count]
                for one, other, count in sorted(found, key=lambda pair: -pair[2])
            ],
            "sellers": sellers,
        }

    def suggestions(self, places: Sequence[int]) -> dict[str, Any]:
        """Return what is suggested for many places.

        Returns
        -------
        dict
            ``labels``: each label that is suggested and its places; ``none``: the places without one; ``unlabelled``:
            those without a label to keep.
        """
        labels: dict[str, list[int]] = {}
        none = []
        for place in places:
            name = self.name(int(self.suggested[place]))
            if name is None:
                none.append(place)
            else:
                labels.setdefault(name, []).append(place)
        unlabelled = [place for place in places if self.given[place] == NO_CLASS]
        return {"labels": list(labels.items()), "none": none, "unlabelled": unlabelled}

    def name(self, number: int) -> str | None:
        """Return the class that a number stands for."""
        return None if number == NO_CLASS else self.names[number]

    def _codes(self, labels: Sequence[str | None], places: Int64, number: dict[str, int]) -> Int64:
        codes = []
        for place in places.tolist():
            label = labels[place]
            if label is not None and label not in number:
                number[label] = len(self.names)
                self.names.append(label)
            codes.append(NO_CLASS if label is None else number[label])
        return np.array(codes, dtype=np.int64)

    def _order(self, sort: str, places: Int64) -> tuple[Int64 | Float64, ...]:
        """Return the keys of a sort, the main one last; listings without a price come last."""
        price = self.price[places]
        if sort == "class":
            return (places, self.suggested[places], self.given[places])
        last = np.where(np.isnan(price), np.inf, price if sort == "cheap" else -price)
        return (places, last)


class Left:
    """Which places are left to decide, as the journal grows. One thread at a time may use it.

    Parameters
    ----------
    followed : Followed
        The journal.
    queue : Queue
        What is shown.
    hidden : set of str
        Listings that are never among them: those that are shown without suggestions, where others must not know what
        is suggested. Whoever draws them adds them to this set.
    """

    def __init__(self, followed: Followed, queue: Queue, hidden: Set[str]) -> None:
        self._followed = followed
        self._queue = queue
        self._hidden = hidden
        self._mask: Bool | None = None
        self._seen = 0

    def mask(self) -> Bool:
        """Return a bool for each place, shape (N,)."""
        changed = self._followed.changed
        if self._mask is None:
            ids = self._queue.order
            self._mask = np.zeros(len(ids), np.bool_)
        else:
            ids = list(dict.fromkeys(changed[self._seen :]))
        self._seen = len(changed)
        for id in ids:
            place = self._queue.place.get(id)
            if place is not None:
                self._mask[place] = self._followed.standing(id) is None
        shown = self._mask.copy()
        shown[[self._queue.place[id] for id in self._hidden if id in self._queue.place]] = False
        return shown


def _is_amount(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value))


def _no_filter(content: object) -> DecisionsError:
    return DecisionsError("this is no filter of a review", got=short_repr(content))
