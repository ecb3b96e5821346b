"""What a live page offers its reviewer while others review the same run."""

from __future__ import annotations

import time
from collections.abc import Sequence

from curation.review.live.desk import Desk, Seat
from curation.review.live.queue import Queue
from curation.review.live.split import Split, arranged
from curation.run.journal import person
from curation.run.overlap import Overlap
from training.utils.arrays import Int64

__all__ = ["Team"]

#: Seconds between two looks at who is there.
_PAUSE = 0.5


class Team:
    """The order in which a reviewer is offered the queue. For one thread, but for `version`.

    Parameters
    ----------
    queue : Queue
        As it is now.
    reviewer : str
        Who decides here.
    salt : str
        Of the run.
    overlap : Overlap
        Which listings two reviewers decide on.
    desk : Desk, optional
        Knows the others; without it, there are none.

    Attributes
    ----------
    order : ndarray of int64, shape (M,)
        The places of the queue: one's own, then those of others.
    turns : ndarray of int64, shape (N,)
        Of :meth:`curation.review.live.split.Split.turns`.
    version : int
        How many orders there were before it, and queues.
    """

    def __init__(self, queue: Queue, reviewer: str, salt: str, overlap: Overlap, desk: Desk | None) -> None:
        self._queue, self._me, self._desk = queue, person(reviewer), desk
        self._split = Split(queue.ids, salt, overlap)
        self._seats: list[Seat] = []
        self._others: list[str] = []
        self._looked = 0.0
        self.version = queue.version
        self.turns = self._split.turns(self._me, [])
        self.order: Int64 = queue.places
        self.look(queue)

    def look(self, queue: Queue) -> None:
        """See who is there, and order the queue for it.

        Parameters
        ----------
        queue : Queue
            As it is now.
        """
        if self._desk is not None and time.monotonic() - self._looked > _PAUSE:
            self._looked = time.monotonic()
            self._seats = self._desk.others()
        others = sorted({person(seat.reviewer) for seat in self._seats} - {self._me})
        if others == self._others and queue is self._queue:
            return
        if others != self._others:
            self.turns = self._split.turns(self._me, others)
        self._others, self._queue = others, queue
        self.order = self.arranged(queue.places)
        # last, as who shows cards reads it first
        self.version += 1

    def arranged(self, places: Int64) -> Int64:
        """Return places in the order in which the reviewer is offered them.

        Parameters
        ----------
        places : ndarray of int64
            In the order that they have in the queue, or another one.
        """
        ordered: Int64 = places[arranged(self.turns[places])]
        return ordered

    def elsewhere(self) -> list[int]:
        """Return the places on the screens of others; those that two decide on may be on both."""
        ids = dict.fromkeys(id for seat in self._seats if person(seat.reviewer) != self._me for id in seat.shown)
        places = [self._queue.place[id] for id in ids if id in self._queue.place]
        return [place for place in places if not self._split.doubled()[place]]

    def show(self, ids: Sequence[str]) -> None:
        """Tell the others what is on the screen.

        Parameters
        ----------
        ids : sequence of str
            The undecided listings.
        """
        if self._desk is not None:
            self._desk.show(ids)

    def close(self) -> None:
        """Leave the others."""
        if self._desk is not None:
            self._desk.close()
