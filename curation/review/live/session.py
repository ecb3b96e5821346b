"""One open live review: its queue, its journal, its photos, and the news of them."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from curation.errors import ReviewError
from curation.review.card import cards_of
from curation.review.commands import STORAGE_PREFIX, open_page
from curation.review.live.filters import Facts, Filter, Left
from curation.review.live.following import Followed
from curation.review.live.grids import Grids
from curation.review.live.photos import Photos
from curation.review.live.queue import Queue
from curation.review.live.steps import Answered, Deciding, Step
from curation.review.page.data import decision_data
from curation.run.decidable import Decidable
from curation.run.folder import RunFolder
from curation.run.new_values import MAX_NOTE
from training.utils.arrays import Bool
from training.utils.files import sha256_of_file

__all__ = ["Session"]

#: Listings that come with the page itself, and cards: the second key must not wait for the first card.
_FIRST = 400
_CARDS = 8
#: The command names the run, which may no longer be the latest.
_THEN = "Stop the review with Ctrl-C, and type the command that it prints."
#: Of more changes, the page loads all again.
_MOST_NEWS = 2000


class Session:
    """An open review. Its methods belong to one thread, but for `queue` and `photos`.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    reviewer : str
        Who decides.
    port : int
        Where the server listens.
    first : int, optional
        Only so many listings, the most urgent ones.

    Attributes
    ----------
    queue : Queue
    photos : Photos
    followed : Followed
        The journal.
    id : str
        Of this process: it counts events from its own start.
    name : str
        The run's, for people.
    port : int
    hidden : set of str
        Listings that are neither in grids nor in what is decided for many at once; see
        :class:`curation.review.live.filters.Left`.
    """

    def __init__(self, run: RunFolder, reviewer: str, *, port: int, first: int | None = None) -> None:
        self._run = run
        self.port = port
        self._reviewer = reviewer
        self._cards = cards_of(run)
        self._made = self._stamp()
        self._decidable = Decidable.of(run)
        self.queue = Queue(self._cards, first)
        self.photos = Photos(run, self.queue.photo, self.queue.sha256)
        self.followed = Followed(run, self._decidable.labels.__getitem__)
        self._deciding = Deciding(self.followed, self.queue, self._decidable, reviewer)
        self.hidden: set[str] = set()
        self._left = Left(self.followed, self.queue, self.hidden)
        # events are counted from the start of this process: the page must notice another one
        self.id = secrets.token_hex(8)
        folder = run.folder.resolve()
        self.name = f"{folder.parent.name}/{folder.name}"
        self._key = f"{STORAGE_PREFIX} live {self.name} {sha256_of_file(run.issues_file)[:16]}"

    @cached_property
    def facts(self) -> Facts:
        """The facts about each place of the queue; belongs to the thread of the queue."""
        return Facts(self._cards, self.queue)

    @cached_property
    def grids(self) -> Grids:
        """The grids; as `facts`."""
        return Grids(self._cards, self.queue, self.facts)

    def narrowed(self, wanted: Filter) -> list[int]:
        """Return the places that pass a filter, in its order; as `facts`."""
        places: list[int] = self.facts.places(wanted).tolist()
        if wanted.suggested is None:
            return places
        # to find a listing by what is suggested tells what is suggested
        return [place for place in places if self.queue.order[place] not in self.hidden]

    def left(self) -> Bool:
        """Return which places are left to decide for many at once, shape (N,).

        Raises
        ------
        ReviewError
            As for :meth:`news`.
        """
        self._follow()
        return self._left.mask()

    def opening(self) -> dict[str, Any]:
        """Return the data that come with the page."""
        self._follow()
        left = self.queue.undecided(lambda id: self.followed.standing(id) is not None)
        # if all is decided, the first of all
        places = list(itertools.islice(left, _CARDS)) or list(range(min(1, len(self.queue))))
        start = places[0] if places else 0
        first = max(0, start - _FIRST // 4)
        decidable = self._decidable
        return {
            "classes": self._cards.classes,
            "kinds": self.queue.kinds,
            "currency": decidable.currency,
            "thousandths": decidable.thousandths,
            "max_price": decidable.max_price,
            "max_note": MAX_NOTE,
            "priced": decidable.priced,
            "added": self._deciding.added(),
            "size": len(self.queue),
            "start": start,
            "piece": self.piece(first, _FIRST),
            "cards": {place: self.queue.card(place) for place in places},
            "session": self.id,
            "seq": len(self.followed.changed),
            "said": list(self.followed.messages),
            "now": round(time.time() * 1000),
            "run": {
                "name": self.name,
                "key": self._key,
                "reviewer": self._reviewer,
                "then": _THEN,
                "again": open_page(self._run.folder, self.port),
            },
        }

    def piece(self, start: int, count: int) -> dict[str, Any]:
        """Return a piece of the queue, and what holds of its listings.

        Parameters
        ----------
        start, count : int
            The places.
        """
        piece = self.queue.piece(start, count)
        return {**piece, "seq": len(self.followed.changed), "states": self._states(piece["ids"])}

    def news(self, session: str, since: int) -> dict[str, Any]:
        """Return what has changed since an event that the page knows.

        Parameters
        ----------
        session : str
            Of the process that counted it.
        since : int
            The number of events then.

        Raises
        ------
        ReviewError
            If the journal can't be read, or the run has changed.
        """
        self._follow()
        changed = self.followed.changed
        now = {"session": self.id, "seq": len(changed), "said": list(self.followed.messages)}
        if session != self.id or not 0 <= since <= len(changed):
            return {**now, "reset": True}
        ids = dict.fromkeys(changed[since:])
        if len(ids) > _MOST_NEWS:
            return {**now, "reset": True}
        return {**now, "changed": {id: self._state(id) for id in ids}}

    def take(self, steps: Sequence[Step], session: str, since: int) -> dict[str, Any]:
        """Write steps to the journal, in their order, until one can't be written.

        Parameters
        ----------
        steps : sequence of Step
            What the reviewer did.
        session, since
            As for :meth:`news`.

        Returns
        -------
        dict
            ``results`` of those that are done: ``key``, ``ids``, and ``refused`` with a reason if nothing was
            recorded; ``stopped``: why the others are not, or an empty text; and the news.
        """
        results: list[Answered] = []
        stopped = ""
        try:
            self._check()
            for step in steps:
                results.append(self._deciding.take(step))
        except ReviewError as error:
            stopped = str(error)
        except OSError as error:
            stopped = f"{self._run.journal.name} can't be written: {error.strerror or error}"
        told = [{"key": each.key, "ids": each.ids, "refused": each.refused} for each in results]
        try:
            news = self.news(session, since)
        except ReviewError as error:
            news, stopped = {}, stopped or str(error)
        return {"results": told, "stopped": stopped, **news}

    def _follow(self) -> None:
        self._check()
        self.followed.catch_up()

    def _check(self) -> None:
        try:
            same = self._stamp() == self._made
        except OSError as error:
            raise ReviewError(f"the run can't be read ({error.strerror})") from error
        if not same:
            raise ReviewError("the issues of this run have changed. Stop the review, and open it again")

    def _stamp(self) -> tuple[int, int]:
        found = self._run.issues_file.stat()
        return found.st_mtime_ns, found.st_size

    def _states(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        states = {id: self._state(id) for id in ids}
        return {id: state for id, state in states.items() if state["decision"] or state["note"]}

    def _state(self, id: str) -> dict[str, Any]:
        decision = self.followed.standing(id)
        if decision is None:
            return {"decision": None, "note": self.followed.note(id)}
        return decision_data(decision)
