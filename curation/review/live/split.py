"""Who of several reviewers is offered which listings: a part each, without anybody who hands them out.

For each listing, a hash puts the reviewers in an order; it is the first one's. Who joins takes a part of each share,
who leaves leaves theirs to the others, and nothing else changes hands. Who has decided all of their own is offered
those of the others, as they come second and third for them, from the far end: the least urgent first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from curation.run.overlap import Overlap, drawn
from training.utils.arrays import Bool, Int64

__all__ = ["Split", "arranged"]


class Split:
    """The listings of a run among the reviewers who are there.

    Parameters
    ----------
    ids : sequence of str
        All listings, by place.
    salt : str
        Of the run.
    overlap : Overlap
        Which ones are two reviewers'.
    """

    def __init__(self, ids: Sequence[str], salt: str, overlap: Overlap) -> None:
        self._ids, self._salt, self._overlap = ids, f"split\n{salt}", overlap
        self._drawn: np.ndarray[tuple[int], np.dtype[np.uint64]] | None = None
        self._doubled: Bool | None = None

    def turns(self, me: str, others: Sequence[str]) -> Int64:
        """Return the place of a reviewer in the order that each listing has of the reviewers: 0 if it is theirs.

        Parameters
        ----------
        me : str
            The reviewer.
        others : sequence of str
            Those who are there, too; of :func:`curation.run.journal.person`, as `me`.

        Returns
        -------
        ndarray of int64, shape (N,)
            By place of the listing.
        """
        team = sorted({*others} - {me})
        before = np.zeros(len(self._ids), dtype=np.int64)
        if not team:
            return before
        mine = self._scores(me)
        for other in team:
            before += self._scores(other) > mine
        # a listing of two is that of the first two
        return np.where(self.doubled(), np.maximum(before - 1, 0), before)

    def doubled(self) -> Bool:
        """Return which listings are two reviewers', shape (N,)."""
        if self._doubled is None:
            known = map(self._overlap.doubles, self._ids) if self._overlap.share else [False] * len(self._ids)
            self._doubled = np.fromiter(known, dtype=np.bool_, count=len(self._ids))
        return self._doubled

    def _scores(self, reviewer: str) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        if self._drawn is None:
            self._drawn = np.array([drawn(self._salt, id) for id in self._ids], dtype=np.uint64)
        own = int.from_bytes(hashlib.sha256(reviewer.encode("utf-8", "surrogatepass")).digest()[:8], "big")
        # the finaliser of SplitMix64: each bit of both numbers changes half of the bits of the score
        mixed = self._drawn ^ np.uint64(own)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        return mixed ^ (mixed >> np.uint64(31))


def arranged(turns: Int64) -> Int64:
    """Return the order in which a reviewer is offered listings: their own, then those of others from the far end.

    Parameters
    ----------
    turns : ndarray of int64, shape (M,)
        Of :meth:`Split.turns`, of listings in the order of the queue.

    Returns
    -------
    ndarray of int64, shape (M,)
        Numbers of those listings.
    """
    number = np.arange(len(turns))
    return np.lexsort((np.where(turns > 0, -number, number), turns)).astype(np.int64)
