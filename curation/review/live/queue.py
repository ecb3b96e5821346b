"""What a live page shows: the listings to decide on in their order, in pieces, and a card of each when it is asked for.

The page knows a listing by its place, which stays when the order changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from typing import Any

import numpy as np

from curation.review.card import Cards
from curation.review.page.data import blinded, card_data, listing_data, titled
from curation.run.columns import rows_of
from training.utils.arrays import Bool, Int64

__all__ = ["MOST_REPOSTS", "Queue"]

#: Reposts that a card shows: a photo of a catalogue may be in thousands of listings.
MOST_REPOSTS = 40


class _Places(Mapping[str, int]):
    """The place of each listing, by its row in the cards."""

    def __init__(self, rows: Mapping[str, int], places: Int64) -> None:
        self._rows, self._places = rows, places

    def __getitem__(self, id: str) -> int:
        return int(self._places[self._rows[id]])

    def __contains__(self, id: object) -> bool:
        return id in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


class Queue:
    """The listings to decide on.

    A place is a number of a listing that stays, in every process that shows this run: the flagged listings by their
    urgency when the run was made, and then the others. The order is one of places, and changes as decisions teach.

    Parameters
    ----------
    cards : Cards
        Of the run.
    first : int, optional
        Only so many, if there are more: the most urgent ones that are left; if none is left, of all.
    only : set of str, optional
        These instead of the flagged ones.
    before : Queue, optional
        The one that this replaces, of the same run. Of the `first` that it had, those that are decided stay, and the
        most urgent ones that are left join them.
    decided : set of str
        The listings on which a decision holds.

    Attributes
    ----------
    order : list of str
        The listings to decide on, the one to look at first at the beginning.
    places : ndarray of int64, shape (M,)
        The place of each of them.
    row_numbers : ndarray of int64, shape (M,)
        The number of each of them in `cards`.
    ids : list of str
        All listings of the run, by place.
    place : mapping of str to int
        The place of each of `ids`, for good.
    kinds : list of dict
        Name and title of the kinds of issue, each with a bit in the order of this list.
    masks : ndarray of int64, shape (N,)
        The kinds of each place: bit 0 is set for the first of `kinds`.
    version : int
        How many queues this process had before it.
    """

    def __init__(
        self,
        cards: Cards,
        first: int | None = None,
        before: Queue | None = None,
        *,
        only: Set[str] | None = None,
        decided: Set[str] = frozenset(),
    ) -> None:
        self.cards = cards
        self.version: int = before.version + 1 if before else 0
        self._first = first
        self._only = only
        self._number = {name: number for number, name in enumerate(cards.classes)}
        by_urgency = np.argsort(~cards.flagged, kind="stable")
        self.ids: list[str] = before.ids if before else [cards.ids[row] for row in by_urgency.tolist()]
        if before:
            place_of_row: Int64 = before._place_of_row[rows_of(cards.issues["id"], before.cards.issues["id"])]
        else:
            place_of_row = np.empty(len(by_urgency), dtype=np.int64)
            place_of_row[by_urgency] = np.arange(len(by_urgency))
        self._place_of_row: Int64 = place_of_row
        self.place: Mapping[str, int] = _Places(cards.place, place_of_row)
        is_chosen = cards.flagged if only is None else np.array([id in only for id in cards.ids], dtype=np.bool_)
        chosen = np.flatnonzero(is_chosen)
        self.row_numbers = (
            chosen if first is None or len(chosen) <= first else self._chosen(chosen, first, before, decided)
        )
        self.places = place_of_row[self.row_numbers]
        self.order = [self.ids[place] for place in self.places.tolist()]
        # bits stay: a kind that comes later is the last one
        fresh = titled([kind for kind, flagged in cards.flags.items() if flagged.any()])
        known: list[dict[str, str]] = before.kinds if before else []
        self.kinds: list[dict[str, str]] = known + [kind for kind in fresh if kind not in known]
        self.masks = np.zeros(len(self.ids), dtype=np.int64)
        for bit, kind in enumerate(self.kinds):
            self.masks[place_of_row] |= cards.flags[kind["name"]].astype(np.int64) << bit
        self._worth = np.full(len(self.ids), np.nan)
        self._worth[place_of_row] = np.round(cards.column("change_chance"), 4)
        self._listed: Bool = before._listed.copy() if before else np.zeros(len(self.ids), dtype=np.bool_)
        self._listed[self.places] = True
        self._texts: dict[int, str] = before._texts if before else {}

    def _chosen(self, rows: Int64, first: int, before: Queue | None, decided: Set[str]) -> Int64:
        """Return the rows of the `first`, in their order."""
        ids = [self.cards.ids[row] for row in rows.tolist()]
        had = set(before.order) if before else set()
        done = np.array([id in decided for id in ids], dtype=np.bool_)
        mine = done & np.array([id in had for id in ids], dtype=np.bool_)
        left = np.flatnonzero(~done)[: max(0, first - int(mine.sum()))]
        if not (len(left) or mine.any()):
            return rows[:first]
        mine[left] = True
        return rows[mine]

    def again(self, cards: Cards, decided: Set[str] = frozenset()) -> Queue:
        """Return the queue that cards of the same run make which say something else of its listings.

        Parameters
        ----------
        cards : Cards
            Of :meth:`curation.review.card.Cards.judged_again`.
        decided : set of str
            The listings on which a decision holds by then.
        """
        return Queue(cards, self._first, self, only=self._only, decided=decided)

    def with_more(self, ids: Collection[str], decided: Set[str]) -> Queue:
        """Return the queue with listings that join it; itself if they are in it.

        Parameters
        ----------
        ids : collection of str
            To decide on, flagged or not.
        decided : set of str
            As for the class.
        """
        if self._only is None or set(ids) <= self._only:
            return self
        return Queue(self.cards, self._first, self, only=self._only | set(ids), decided=decided)

    def has_place(self, place: int) -> bool:
        """Return whether a listing of this place is to be decided on, or was."""
        return 0 <= place < len(self.ids) and bool(self._listed[place])

    def __len__(self) -> int:
        return len(self.order)

    def given(self, id: str) -> str | None:
        """Return the given label of any listing of the run.

        Raises
        ------
        KeyError
            If the run has no such listing.
        """
        return self.cards.example(id).given

    def holds(self, id: str) -> bool:
        """Return whether the run has a listing, in the queue or not."""
        return id in self.cards

    def piece(self, places: Int64, start: int, count: int) -> dict[str, Any]:
        """Return what the page keeps of listings that it does not show yet: ids, kinds (bits), what a look is worth.

        Parameters
        ----------
        places : ndarray of int64, shape (M,)
            Those of the queue, in the order in which the reviewer is offered them.
        start, count : int
            Where in it.
        """
        places = places[start : start + count]
        worth = [None if np.isnan(chance) else chance for chance in self._worth[places].tolist()]
        ids = [self.ids[place] for place in places.tolist()]
        kinds = self.masks[places].tolist()
        return {"from": start, "places": places.tolist(), "ids": ids, "kinds": kinds, "worth": worth}

    def rows(self, places: Collection[int]) -> dict[int, dict[str, Any]]:
        """Return what the list beside the card shows of some places."""
        shown = {}
        for place in places:
            id = self.ids[place]
            shown[place] = {**listing_data(self.cards.example(id)), "suggested": self.cards.suggested(id)}
        return shown

    def card(self, place: int, *, blind: bool = False) -> dict[str, Any]:
        """Return the card of a place.

        Parameters
        ----------
        place : int
        blind : bool
            Without anything that curate thinks of the listing.
        """
        id = self.ids[place]
        card = self.cards.card(id, reposts=MOST_REPOSTS)
        if blind:
            return {**card_data(blinded(card, set()), self._number, self.beside), "repostCount": 0, "blind": True}
        return {**card_data(card, self._number, self.beside), "repostCount": len(self.cards.reposts(id))}

    def reposts(self, id: str) -> list[str]:
        """Return the other listings with the same photo as a listing, or nearly the same."""
        return list(self.cards.reposts(id))

    def photo(self, id: str) -> str | None:
        """Return the absolute path of a listing's photo, if it has one.

        Raises
        ------
        KeyError
            If the run has no such listing.
        """
        return self.cards.example(id).photo

    def sha256(self, id: str) -> str | None:
        """Return the hash of a listing's photo as the run read it, if it did."""
        return self.cards.sha256(id)

    def find(self, words: str) -> list[int]:
        """Return the places whose id or title holds these words, whatever their case."""
        wanted = words.strip().lower()
        return [place for place in self.places.tolist() if wanted in self._text(place)]

    def suggested(self, id: str) -> tuple[str | None, float | None]:
        """Return the label and the price that are suggested for a listing."""
        return self.cards.suggested(id), self.cards.suggested_price(id)

    def beside(self, id: str) -> dict[str, Any]:
        """Return what is shown of a listing beside another one; its place is -1 if it was never to be decided on."""
        place = self.place[id]
        return {**listing_data(self.cards.example(id)), "place": place if self._listed[place] else -1}

    def _text(self, place: int) -> str:
        if place not in self._texts:
            id = self.ids[place]
            self._texts[place] = f"{id}\n{self.cards.example(id).title or ''}".lower()
        return self._texts[place]
