"""Grids: similar listings that need the same decision, to decide on together.

A grid is of one given and one suggested label, and of one main kind of issue. Its first tile is the one that most
probably must change; the others are those of the group whose photos are most like it. Listings that are flagged for
their price alone, or as reposts, are in none: each needs a price, or a choice among its reposts, of its own. What a
person picked on the map makes grids in the same way, as one group, whatever is flagged.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.review.live.filters import Facts, main_kind
from curation.review.page.data import listing_data
from training.utils.arrays import Int64

__all__ = ["FEWEST", "MOST", "USUAL", "Grids"]

#: Tiles of a grid: rather `USUAL` than more, but no rest that is too small for one of its own. Half of one row is still
#: fewer keys than single cards, and the flagged listings of a small dataset come in no larger groups.
FEWEST = 6
USUAL = 24
MOST = USUAL + FEWEST - 1
#: Kinds of issue whose listings need a decision each.
_SINGLE = ("price", "near_duplicate")
#: Listings of a group that are compared with the first tile, the most probable ones.
_COMPARED = 4000
#: Classes that the list to relabel a grid begins with.
_LIKELY = 12


class Grids:
    """Makes grids.

    Parameters
    ----------
    facts : Facts
        Of the queue.

    Attributes
    ----------
    facts : Facts
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._queue = facts.queue
        self._cards = cards = facts.queue.cards
        self._worth = np.nan_to_num(facts.worth)
        shared = sum(1 << bit for bit, kind in enumerate(facts.queue.kinds) if kind["name"] not in _SINGLE)
        self._kind = main_kind(facts.queue.masks[facts.queue.places] & shared)
        self._number = {name: number for number, name in enumerate(cards.classes)}

    def make(self, ranks: Int64, number: int, *, picked: bool = False) -> list[dict[str, Any]]:
        """Return the next grids, the one that is worth most first.

        Parameters
        ----------
        ranks : ndarray of int64
            The listings that they may be of.
        number : int
            How many grids; fewer if there are no more.
        picked : bool
            Whether a person picked them: they are one group, whatever their labels, and however few.

        Returns
        -------
        list of dict
            ``given`` and ``suggested`` (None for no label, or several), ``mixed`` and ``several``: whether the tiles
            have several given or suggested labels, ``kind`` (empty for several), ``size`` of the group, ``likely``
            classes, ``tiles``, each with ``worth``: the chance that it needs a change, whether its suggestion is
            ``likelier`` than its label and what is ``shown`` to be suggested as the journal names it, and sound
            listings of both classes like the first tile.
        """
        grids: list[dict[str, Any]] = []
        while len(grids) < number:
            group = self._likeliest(ranks) if picked else self._best(ranks)
            if not len(group):
                break
            tiles = self._tiles(group)
            grids.append(self._shown(tiles, len(group)))
            ranks = np.setdiff1d(ranks, tiles)
        return grids

    def _best(self, ranks: Int64) -> Int64:
        """Return the group whose likeliest tiles hold the most changes, the likeliest first."""
        groups = self._groups(ranks)
        large = groups >= 0
        ranks, groups = ranks[large], groups[large]
        if not len(ranks):
            return ranks
        order = np.lexsort((ranks, -self._worth[ranks], groups))
        ranks, groups = ranks[order], groups[order]
        number = np.arange(len(groups)) - np.searchsorted(groups, groups)
        worth = np.bincount(groups, np.where(number < USUAL, self._worth[ranks], 0))
        # of equal ones, the one that the queue begins with
        first = np.full(len(worth), np.iinfo(np.int64).max)
        np.minimum.at(first, groups, ranks)
        best = np.lexsort((first, -np.round(worth, 6)))[0]
        found: Int64 = ranks[groups == best]
        return found

    def _likeliest(self, ranks: Int64) -> Int64:
        """Return ranks, the one that most probably must change first."""
        return ranks[np.lexsort((ranks, -self._worth[ranks]))]

    def _groups(self, ranks: Int64) -> Int64:
        """Return the number of the group of each rank; -1 where it is too small for a grid."""
        facts = self.facts
        size = len(facts.names) + 2
        kind, suggested, given = self._kind[ranks] + 1, facts.suggested[ranks] + 1, facts.given[ranks] + 2
        same = (kind * size + suggested) * size
        _, groups, counts = np.unique(same + given, return_inverse=True, return_counts=True)
        # of those that are too small, the ones with the same suggestion are one
        joined = same + np.where(counts[groups] < FEWEST, 0, given)
        _, groups, counts = np.unique(joined, return_inverse=True, return_counts=True)
        return np.where((counts[groups] < FEWEST) | (kind == 0), -1, groups)

    def _tiles(self, group: Int64) -> Int64:
        most = len(group) if len(group) <= MOST else USUAL
        compared = group[:_COMPARED].tolist()
        rank_of = {self._queue.order[rank]: rank for rank in compared}
        first, *others = rank_of
        alike = self._cards.most_alike(first, others, most - 1)
        return np.array([rank_of[id] for id in (first, *alike)], dtype=np.int64)

    def _shown(self, tiles: Int64, size: int) -> dict[str, Any]:
        facts = self.facts
        card = self._cards.card(self._queue.order[tiles[0]], reposts=0)
        kinds = self._queue.kinds
        several = len(np.unique(facts.suggested[tiles])) > 1
        kind = np.where(self._kind < 0, facts.kind, self._kind)[tiles]
        one_kind = len(np.unique(kind)) == 1
        return {
            "given": card.given,
            "suggested": None if several else facts.name(int(facts.suggested[tiles[0]])),
            "mixed": len(np.unique(facts.given[tiles])) > 1,
            "several": several,
            "kind": kinds[int(kind[0])]["title"] if one_kind else "",
            "size": size,
            "likely": [self._number[name] for name, _ in card.classes[:_LIKELY]],
            "likeGiven": [self._queue.beside(example.id) for example in card.like_given],
            "likeSuggested": [] if several else [self._queue.beside(example.id) for example in card.like_suggested],
            "tiles": [self._tile(rank) for rank in tiles.tolist()],
        }

    def _tile(self, rank: int) -> dict[str, Any]:
        chance = (self.facts.worth if self.facts.suggested[rank] < 0 else self.facts.chance)[rank]
        return {
            **listing_data(self._cards.example(self._queue.order[rank])),
            "place": int(self._queue.places[rank]),
            "suggested": self.facts.name(int(self.facts.suggested[rank])),
            "likelier": bool(self.facts.likelier[rank]),
            "chance": None if np.isnan(chance) else round(float(chance), 4),
            "worth": round(float(self._worth[rank]), 4),
            "shown": self.facts.told(rank),
        }
