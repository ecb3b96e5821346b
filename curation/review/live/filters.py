"""What a live page filters, sorts and counts by: class, class pair, kind, price, text and seller."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from curation.errors import DecisionsError, short_repr
from curation.review.live.blind import Blind
from curation.review.live.following import Followed
from curation.review.live.queue import Queue
from training.utils.arrays import Bool, Int64

__all__ = ["NO_CLASS", "SORTS", "Facts", "Filter", "Left", "main_kind", "read_filter", "read_places"]

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
    """Return places of listings that came as JSON.

    Parameters
    ----------
    content : object
        What came.
    size : int
        Of the run: a listing that is no longer doubted may be among them.

    Raises
    ------
    DecisionsError
        If they are none.
    """
    if not isinstance(content, list) or not all(type(place) is int and 0 <= place < size for place in content):
        raise DecisionsError("these are no places of a review", got=short_repr(content))
    return content


class Facts:
    """The facts about the listings of a queue, as arrays: rank 0 is the one to look at first.

    Parameters
    ----------
    queue : Queue
        One queue; the next one has its own facts.

    Attributes
    ----------
    queue : Queue
    names : list of str
        The classes, those of the run first; the same for all queues of a run.
    given, suggested : ndarray of int64, shape (M,)
        Numbers of classes. A suggestion that is the given label is none.
    price, worth, chance : ndarray of float64, shape (M,)
        The price; the probabilities that the listing must change, and that the suggested label is right. NaN for none.
    kind : ndarray of int64, shape (M,)
        The main kind of issue: the first of `queue.kinds` that is flagged.
    likelier : ndarray of bool, shape (M,)
        Whether a label is suggested that is likelier than the given one. A listing that is flagged for its price or
        as a repost may have one that is not.
    """

    def __init__(self, queue: Queue) -> None:
        cards, rows = queue.cards, queue.row_numbers
        self.queue = queue
        given, suggested = (cards.texts(name) for name in ("given_label", "suggested_label"))
        known = set(cards.classes)
        # the page keeps numbers, also when decisions have taught another order
        self.names = [*cards.classes, *sorted({name for name in (*given, *suggested) if name is not None} - known)]
        number = {name: code for code, name in enumerate(self.names)}
        self.given, self._suggested = (_codes(labels, rows, number) for labels in (given, suggested))
        self.suggested = np.where(self._suggested == self.given, NO_CLASS, self._suggested)
        self.price = cards.column("price")[rows]
        self.worth = cards.column("change_chance")[rows]
        self.chance = cards.column("suggested_confidence")[rows]
        # where one of both is not known, nothing speaks against the suggestion
        less = self.chance <= cards.column("label_score")[rows]
        self.likelier = (self.suggested != NO_CLASS) & ((self.given == NO_CLASS) | ~less)
        self._suggested_price = cards.column("suggested_price")[rows]
        self._masks = queue.masks[queue.places]
        self.kind = np.maximum(main_kind(self._masks), 0)
        sellers = cards.sellers()
        self.sellers = None if sellers is None else [sellers.get(id) for id in queue.order]

    def passing(self, wanted: Filter, veiled: Bool) -> Int64:
        """Return the ranks that pass a filter, in its order.

        Parameters
        ----------
        wanted : Filter
        veiled : ndarray of bool, shape (M,)
            Those whose suggestion is hidden: neither a filter nor an order may tell it.
        """
        passes = np.ones(len(self.queue), np.bool_)
        kinds = [kind["name"] for kind in self.queue.kinds]
        suggested = np.where(veiled, NO_CLASS, self.suggested)
        if wanted.kind:
            bit = kinds.index(wanted.kind) if wanted.kind in kinds else len(kinds)
            passes &= (self._masks >> bit & 1 == 1) & ~veiled
        if wanted.given is not None:
            passes &= self.given == wanted.given
        if wanted.suggested is not None:
            passes &= (suggested == wanted.suggested) & ~veiled
        with np.errstate(invalid="ignore"):
            if wanted.low is not None:
                passes &= self.price >= wanted.low
            if wanted.high is not None:
                passes &= self.price <= wanted.high
        if wanted.seller is not None:
            passes &= np.array([seller == wanted.seller for seller in self.sellers or [None] * len(passes)], np.bool_)
        if wanted.words.strip():
            found = np.zeros(len(passes), np.bool_)
            found[np.isin(self.queue.places, self.queue.find(wanted.words))] = True
            passes &= found
        ranks = np.flatnonzero(passes)
        if wanted.sort == SORTS[0]:
            return ranks
        if wanted.sort == "class":
            return ranks[np.lexsort((ranks, suggested[ranks], self.given[ranks]))]
        price = self.price[ranks]
        # those without a price come last
        last = np.where(np.isnan(price), np.inf, price if wanted.sort == "cheap" else -price)
        return ranks[np.lexsort((ranks, last))]

    def counts(self, left: Bool) -> dict[str, Any]:
        """Return how many listings each choice of a filter has.

        Parameters
        ----------
        left : ndarray of bool, shape (M,)
            The ranks to count.

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
            for rank in np.flatnonzero(left).tolist():
                if (seller := self.sellers[rank]) is not None:
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

    def suggestions(self, ranks: Sequence[int]) -> dict[str, Any]:
        """Return what is suggested for many listings.

        Returns
        -------
        dict
            ``labels``: each label that is suggested and likelier than the given one, and its places; ``none``: the
            places without such a one; ``unlabelled``: those without a label to keep; ``shown``: each suggestion as
            the journal names it, with its places.
        """
        labels: dict[str, list[int]] = {}
        shown: dict[tuple[str | None, float | None], list[int]] = {}
        none, unlabelled = [], []
        for rank in ranks:
            place = int(self.queue.places[rank])
            name = self.name(int(self.suggested[rank])) if self.likelier[rank] else None
            if name is None:
                none.append(place)
            else:
                labels.setdefault(name, []).append(place)
            if self.given[rank] == NO_CLASS:
                unlabelled.append(place)
            shown.setdefault(self.told(rank), []).append(place)
        return {
            "labels": list(labels.items()),
            "none": none,
            "unlabelled": unlabelled,
            "shown": [[*suggestion, places] for suggestion, places in shown.items()],
        }

    def told(self, rank: int) -> tuple[str | None, float | None]:
        """Return the label and the price that are suggested, as the journal names them."""
        price = float(self._suggested_price[rank])
        return self.name(int(self._suggested[rank])), None if math.isnan(price) else price

    def name(self, number: int) -> str | None:
        """Return the class that a number stands for."""
        return None if number == NO_CLASS else self.names[number]


def main_kind(masks: Int64) -> Int64:
    """Return the lowest bit that is set: the number of the first kind of issue; -1 for none.

    Parameters
    ----------
    masks : ndarray of int64
        As :attr:`Queue.masks`.
    """
    lowest = np.log2(np.maximum(masks & -masks, 1)).astype(np.int64)
    return np.where(masks == 0, -1, lowest)


class Left:
    """Which listings are left to decide, as the journal grows. One thread at a time may use it.

    Parameters
    ----------
    followed : Followed
        The journal.
    queue : Queue
        A queue of the run: the places of all its queues are the same.
    blind : Blind
        Whose suggestion is hidden until they are decided.
    """

    def __init__(self, followed: Followed, queue: Queue, blind: Blind) -> None:
        self._followed = followed
        self._ids, self._place = queue.ids, queue.place
        self._blind = blind
        self._undecided: Bool | None = None
        self._seen = 0

    def known(self) -> Bool:
        """Return which places are left whose suggestion is shown, shape (N,): those to decide on many at once."""
        return self._mask() & ~self._drawn

    def veiled(self) -> Bool:
        """Return which places are left whose suggestion is hidden, shape (N,)."""
        return self._mask() & self._drawn

    @cached_property
    def _drawn(self) -> Bool:
        if not self._blind.share:
            return np.zeros(len(self._ids), np.bool_)
        return np.array([self._blind.hides(id) for id in self._ids], dtype=np.bool_)

    def _mask(self) -> Bool:
        changed = self._followed.changed
        if self._undecided is None:
            self._undecided = np.ones(len(self._ids), np.bool_)
            ids = {decision.id for decision in self._followed.holding()}
        else:
            ids = set(changed[self._seen :])
        self._seen = len(changed)
        for id in ids:
            if (place := self._place.get(id)) is not None:
                self._undecided[place] = self._followed.standing(id) is None
        return self._undecided


def _codes(labels: Sequence[str | None], rows: Int64, number: dict[str, int]) -> Int64:
    chosen = (labels[row] for row in rows.tolist())
    return np.array([NO_CLASS if label is None else number[label] for label in chosen], dtype=np.int64)


def _is_amount(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value))


def _no_filter(content: object) -> DecisionsError:
    return DecisionsError("this is no filter of a review", got=short_repr(content))
