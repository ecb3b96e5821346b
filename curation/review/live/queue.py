"""What a live page shows: the listings to decide on in their order, in pieces, and a card of each when it is asked for.

The page knows a listing by its place in the queue. Everything about the order is here, so that another order needs no
other server.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from curation.review.card import Cards
from curation.review.page.data import card_data, listing_data, titled

__all__ = ["MOST_REPOSTS", "Queue"]

#: Reposts that a card shows: a photo of a catalogue may be in thousands of listings.
MOST_REPOSTS = 40


class Queue:
    """The listings to decide on.

    Parameters
    ----------
    cards : Cards
        Of the run.
    first : int, optional
        Only so many, the most urgent ones.

    Attributes
    ----------
    order : list of str
        The listings, the one to look at first at place 0.
    place : dict of str to int
        The place of each.
    kinds : list of dict
        Name and title of each kind of issue that occurs.
    masks : ndarray of int64, shape (N,)
        The kinds of each place: bit 0 is set for the first of `kinds`.
    """

    def __init__(self, cards: Cards, first: int | None = None) -> None:
        self._cards = cards
        places = np.flatnonzero(cards.flagged)[:first]
        self.order = [cards.ids[place] for place in places.tolist()]
        self.place = {id: place for place, id in enumerate(self.order)}
        self._number = {name: number for number, name in enumerate(cards.classes)}
        flags = {kind: flagged[places] for kind, flagged in cards.flags.items()}
        self.kinds = titled([kind for kind, flagged in flags.items() if flagged.any()])
        masks = np.zeros(len(places), dtype=np.int64)
        for bit, kind in enumerate(self.kinds):
            masks |= flags[kind["name"]].astype(np.int64) << bit
        self.masks = masks
        self._worth = np.round(cards.column("change_chance")[places], 4)

    def __len__(self) -> int:
        return len(self.order)

    def given(self, id: str) -> str | None:
        """Return the given label of any listing of the run.

        Raises
        ------
        KeyError
            If the run has no such listing.
        """
        return self._cards.example(id).given

    def holds(self, id: str) -> bool:
        """Return whether the run has a listing, in the queue or not."""
        return id in self._cards

    def undecided(self, is_decided: Callable[[str], bool]) -> Iterator[int]:
        """Yield the places that are not decided, the one to open first.

        Parameters
        ----------
        is_decided : callable
            Id → whether a decision holds.
        """
        return (place for place, id in enumerate(self.order) if not is_decided(id))

    def piece(self, start: int, count: int) -> dict[str, Any]:
        """Return what the page keeps of listings that it does not show yet: ids, kinds (bits), what a look is worth.

        Parameters
        ----------
        start, count : int
            The places.
        """
        end = start + count
        worth = [None if np.isnan(chance) else chance for chance in self._worth[start:end].tolist()]
        return {"from": start, "ids": self.order[start:end], "kinds": self.masks[start:end].tolist(), "worth": worth}

    def rows(self, places: Collection[int]) -> dict[int, dict[str, Any]]:
        """Return what the list beside the card shows of some places."""
        shown = {}
        for place in places:
            id = self.order[place]
            shown[place] = {**listing_data(self._cards.example(id)), "suggested": self._cards.suggested(id)}
        return shown

    def card(self, place: int) -> dict[str, Any]:
        """Return the card of a place."""
        id = self.order[place]
        card = card_data(self._cards.card(id, reposts=MOST_REPOSTS), self._number, self._beside)
        return {**card, "repostCount": len(self._cards.reposts(id))}

    def reposts(self, id: str) -> list[str]:
        """Return the other listings with the same photo as a listing, or nearly the same."""
        return list(self._cards.reposts(id))

    def photo(self, id: str) -> str | None:
        """Return the absolute path of a listing's photo, if it has one.

        Raises
        ------
        KeyError
            If the run has no such listing.
        """
        return self._cards.example(id).photo

    def sha256(self, id: str) -> str | None:
        """Return the hash of a listing's photo as the run read it, if it did."""
        return self._cards.sha256(id)

    def find(self, words: str) -> list[int]:
        """Return the places whose id or title holds these words, whatever their case."""
        wanted = words.strip().lower()
        return [place for place, text in enumerate(self._texts) if wanted in text]

    @cached_property
    def _texts(self) -> Sequence[str]:
        return [f"{id}\n{self._cards.example(id).title or ''}".lower() for id in self.order]

    def _beside(self, id: str) -> dict[str, Any]:
        return {**listing_data(self._cards.example(id)), "place": self.place.get(id, -1)}
