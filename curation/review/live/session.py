"""One open live review: its queue, its journal, its photos, and the news of them."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from curation.errors import ReviewError
from curation.review.card import cards_of
from curation.review.commands import STORAGE_PREFIX, open_page
from curation.review.live.blind import Blind
from curation.review.live.desk import Desk
from curation.review.live.filters import Facts, Filter, Left
from curation.review.live.following import Followed
from curation.review.live.grids import FEWEST, Grids
from curation.review.live.learner import Learner
from curation.review.live.photomap import PhotoMap
from curation.review.live.photos import Photos
from curation.review.live.queue import Queue
from curation.review.live.steps import Answered, Deciding, Step
from curation.review.live.team import Team
from curation.review.live.told import Told
from curation.review.page.data import decision_data
from curation.run.decidable import Decidable
from curation.run.folder import RunFolder
from curation.run.new_values import MAX_NOTE
from curation.run.overlap import Overlap
from training.utils.arrays import Bool
from training.utils.files import sha256_of_file

__all__ = ["Session"]

#: Listings that come with the page itself, and cards: the second key must not wait for the first card.
_FIRST = 400
_CARDS = 8
#: The command names the run, which may no longer be the latest.
_THEN = "Stop the review with Ctrl-C, and type the command that it prints."
_NOTHING = "Nothing is flagged in this run: there is nothing to decide."
_NO_CONFLICT = "Reviewers disagree on nothing: there is no conflict to settle."
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
        Only so many listings, the most urgent ones that are left.
    learner : Learner, optional
        Gives the queue another order as decisions teach.
    blind : float
        The share of the listings whose suggestion is hidden until they are decided, in [0, 1].
    conflicts : bool
        Show the listings on which reviewers disagree, to settle them.
    overlap : Overlap, optional
        Which listings two reviewers decide on; by default as the run has it.
    desk : Desk, optional
        The open pages of the run; without it, there is no other.
    address : str
        At which the server listens, for the command that starts it again.

    Attributes
    ----------
    queue : Queue
        As it is now; another one after learning.
    photos : Photos
    followed : Followed
        The journal.
    id : str
        Of this process: it counts events from its own start.
    name : str
        The run's, for people.
    port : int
    """

    def __init__(
        self,
        run: RunFolder,
        reviewer: str,
        *,
        port: int,
        first: int | None = None,
        learner: Learner | None = None,
        blind: float = 0.0,
        conflicts: bool = False,
        overlap: Overlap | None = None,
        desk: Desk | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self._run = run
        self.port = port
        self._reviewer = reviewer
        cards = cards_of(run)
        self._classes = cards.classes
        self._made = self._stamp()
        self._decidable = Decidable.of_issues(run, cards.issues, cards.place)
        self._learner = learner
        self._size = len(cards.ids)
        self._is_settling, self._seen = conflicts, (0, 0)
        overlap = Overlap(run) if overlap is None else overlap
        given = self._decidable.labels.__getitem__
        self.followed = Followed(run, given, reviewer, settling=conflicts, overlap=overlap)
        only = set(self.followed.conflicts()) if conflicts else None
        self.queue = Queue(cards, first, only=only, decided=self.followed.decided())
        self.photos = Photos(run, self.queue.photo, self.queue.sha256)
        if learner is not None:
            self.queue = learner.resume(self.queue)
        self._blind = Blind(run, blind, reviewer, _now())
        self._deciding = Deciding(self.followed, self.queue, self._decidable, reviewer)
        self._words = Told(self.followed, self._decidable.labels, self._blind, reviewer, self._waiting)
        self._left = Left(self.followed, self.queue, self._blind)
        self._map = PhotoMap(run, self.queue)
        self._grids: Grids | None = None
        self._team = Team(self.queue, reviewer, sha256_of_file(run.issues_file), overlap, desk)
        # events are counted from the start of this process: the page must notice another one
        self.id = secrets.token_hex(8)
        folder = run.folder.resolve()
        self.name = f"{folder.parent.name}/{folder.name}"
        self._nothing = _NO_CONFLICT if conflicts else _NOTHING
        self._again = open_page(
            run.folder,
            port,
            reviewer,
            address=address,
            first=first,
            learn=learner is not None,
            blind=blind,
            conflicts=conflicts,
        )
        self._key = f"{STORAGE_PREFIX} live {self.name} {sha256_of_file(run.issues_file)[:16]}"

    def opening(self) -> dict[str, Any]:
        """Return the data that come with the page."""
        self._follow()
        order, elsewhere = self._team.order, set(self._elsewhere())
        left = (place for place in order.tolist() if place not in elsewhere and not self._is_decided(place))
        # if all is decided, the first of all
        places = list(itertools.islice(left, _CARDS)) or order[:1].tolist()
        start = places[0] if places else 0
        rank = int(np.flatnonzero(order == start)[0]) if places else 0
        self._show(places[:1])
        first = max(0, rank - _FIRST // 4)
        decidable = self._decidable
        return {
            "classes": self._classes,
            "kinds": self.queue.kinds,
            "currency": decidable.currency,
            "thousandths": decidable.thousandths,
            "max_price": decidable.max_price,
            "max_note": MAX_NOTE,
            "fewest": FEWEST,
            "priced": decidable.priced,
            "added": self._deciding.added(),
            "size": len(self.queue),
            "places": self._size,
            "order": order.tolist(),
            "start": start,
            "piece": self.piece(first, _FIRST),
            "cards": self.cards(places),
            "learns": self._learner is not None,
            "blind": self._blind.share > 0,
            "conflicts": self._is_settling,
            "session": self.id,
            "seq": len(self.followed.changed),
            "said": list(self.followed.messages),
            **self._told(),
            "run": {
                "name": self.name,
                "key": self._key,
                "reviewer": self._reviewer,
                "then": _THEN,
                "nothing": self._nothing,
                "again": self._again,
            },
        }

    def piece(self, start: int, count: int) -> dict[str, Any]:
        """Return a piece of the queue, and what holds of its listings.

        Parameters
        ----------
        start, count : int
            The places.
        """
        piece = self.queue.piece(self._team.order, start, count)
        if self._blind.share:
            # a chance would be a suggestion, and so would a kind
            known = [not self._hides(id) for id in piece["ids"]]
            piece["worth"] = [worth if shown else None for worth, shown in zip(piece["worth"], known, strict=True)]
            piece["kinds"] = [kinds if shown else 0 for kinds, shown in zip(piece["kinds"], known, strict=True)]
        return {
            **piece,
            "learnt": self._team.version,
            "seq": len(self.followed.changed),
            "states": self._states(piece["ids"]),
        }

    def order(self, count: int) -> dict[str, Any]:
        """Return the order as it is now, with the first listings of it.

        Parameters
        ----------
        count : int
            So many of them.
        """
        places = self._team.order.tolist()
        return {"order": places, "kinds": self.queue.kinds, "piece": self.piece(0, count), **self._told()}

    def learn(self) -> dict[str, Any]:
        """Start learning from the decisions so far; return the message for the page."""
        self._follow()
        if self._learner is not None:
            self._learner.ask(self.followed.last)
        return self._told()

    def rows(self, places: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return what the list beside the card shows of some places, in any thread."""
        version, queue = self._team.version, self.queue
        self._showed(queue.ids[place] for place in places)
        rows = queue.rows(places)
        for row in rows.values():
            row["learnt"] = version
            if self._hides(row["id"]):
                row |= {"suggested": None, "blind": True}
        return rows

    def cards(self, places: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the cards of some places, in any thread."""
        version, queue = self._team.version, self.queue
        self._showed(queue.ids[place] for place in places)
        return {
            place: {**queue.card(place, blind=self._hides(queue.ids[place])), "learnt": version} for place in places
        }

    def left(self) -> Bool:
        """Return which places are left to decide for many at once, shape (N,): none whose suggestion is hidden.

        Raises
        ------
        ReviewError
            As for :meth:`news`.
        """
        self._follow()
        left = self._left.known().copy()
        left[self._elsewhere()] = False
        return left

    def veiled(self) -> Bool:
        """Return which places are left whose suggestion is hidden, shape (N,); as :meth:`left`."""
        self._follow()
        return self._left.veiled()

    def counts(self, left: Bool) -> dict[str, Any]:
        """Return how many listings each choice of a filter has; in the thread of cards, as the next five.

        Parameters
        ----------
        left : ndarray of bool, shape (N,)
            By place, the listings to count.
        """
        facts = self._grids_now().facts
        return facts.counts(left[facts.queue.places])

    def narrowed(self, wanted: Filter, veiled: Bool) -> list[int]:
        """Return the places that pass a filter, in its order.

        Parameters
        ----------
        wanted : Filter
        veiled : ndarray of bool, shape (N,)
            Of :meth:`veiled`.
        """
        facts = self._grids_now().facts
        passing = facts.queue.places[facts.passing(wanted, veiled[facts.queue.places])]
        places: list[int] = self._team.arranged(passing).tolist()
        return places

    def suggestions(self, places: Sequence[int], left: Bool) -> dict[str, Any]:
        """Return what is suggested for those of some places that are left, in their order.

        Parameters
        ----------
        places : sequence of int
        left : ndarray of bool, shape (N,)
            Of :meth:`left`.
        """
        facts = self._grids_now().facts
        rank = {place: rank for rank, place in enumerate(facts.queue.places.tolist()) if left[place]}
        # what is no longer doubted has no suggestion to take
        return facts.suggestions([rank[place] for place in places if place in rank])

    def map_state(self) -> dict[str, Any]:
        """Return whether there is a map of the photos, with the names of the classes; see :class:`PhotoMap`."""
        return {**self._map.look(), "names": self._grids_now().facts.names}

    def map_points(self, veiled: Bool) -> bytes:
        """Return the points of the queue.

        Parameters
        ----------
        veiled : ndarray of bool, shape (N,)
            Of :meth:`veiled`.
        """
        facts = self._grids_now().facts
        return self._map.packed(facts, veiled[facts.queue.places])

    def grids(
        self, wanted: Filter, left: Bool, number: int, among: Sequence[int] | None = None
    ) -> list[dict[str, Any]]:
        """Return the next grids.

        Parameters
        ----------
        wanted : Filter
        left : ndarray of bool, shape (N,)
            By place, the listings that they may be of.
        number : int
            How many.
        among : sequence of int, optional
            Places that a person picked: grids of these, whatever their labels.
        """
        grids = self._grids_now()
        may = left[grids.facts.queue.places]
        if among is not None:
            may &= np.isin(grids.facts.queue.places, among)
        ranks = np.sort(grids.facts.passing(wanted, ~may))
        ranks = ranks[may[ranks]]
        mine = self._team.turns[grids.facts.queue.places[ranks]] == 0
        # who has none left of their own helps the others, one grid after the other
        picked = among is not None
        made = grids.make(ranks[mine], number, picked=picked) or grids.make(ranks, 1, picked=picked)
        self._showed(tile["id"] for grid in made for tile in grid["tiles"])
        return made

    def close(self) -> None:
        """End what works for this review."""
        self._team.close()
        self.photos.close()
        self._map.close()
        if self._learner is not None:
            self._learner.close()

    def news(self, session: str, since: int, shown: Sequence[int] | None = None) -> dict[str, Any]:
        """Return what has changed since an event that the page knows.

        Parameters
        ----------
        session : str
            Of the process that counted it.
        since : int
            The number of events then.
        shown : sequence of int, optional
            The places on the screen. Other reviewers are not offered those that are undecided.

        Raises
        ------
        ReviewError
            If the journal can't be read, or the run has changed.
        """
        self._follow()
        if shown is not None:
            self._show(shown)
        changed = self.followed.changed
        now = {"session": self.id, "seq": len(changed), "said": list(self.followed.messages), **self._told()}
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
            recorded, and ``late``: the listings left as they are, as something was decided on them later; ``stopped``:
            why the others are not, or an empty text; and the news.
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
        told = [{"key": each.key, "ids": each.ids, "refused": each.refused, "late": each.late} for each in results]
        try:
            news = self.news(session, since)
        except ReviewError as error:
            news, stopped = {}, stopped or str(error)
        return {"results": told, "stopped": stopped, **news}

    def _grids_now(self) -> Grids:
        """Return the grids of the queue as it is now, with its facts."""
        queue = self.queue
        if self._grids is None or self._grids.facts.queue is not queue:
            self._grids = Grids(Facts(queue))
        return self._grids

    def _follow(self) -> None:
        self._check()
        self.followed.catch_up()
        if self._learner is not None:
            self.queue = self._deciding.queue = self._learner.step(self.queue, self.followed.last)
        if self._is_settling and self._seen != (seen := (len(self.followed.changed), self.queue.version)):
            self._seen = seen
            self.queue = self._deciding.queue = self.queue.with_more(self.followed.conflicts(), self.followed.decided())
        self._team.look(self.queue)

    def _told(self) -> dict[str, Any]:
        """Return what every answer says of learning, of others and of what was decided."""
        return {
            "learnt": self._team.version,
            "elsewhere": self._elsewhere(),
            "learning": self._learner.said if self._learner is not None else "",
            "expected": self._learner.expected if self._learner is not None else None,
            "latest": self.followed.latest_click(),
            "now": round(time.time() * 1000),
            **self._words.now(),
        }

    def _show(self, places: Sequence[int]) -> None:
        """Tell the others which undecided listings are on the screen."""
        self._team.show([self.queue.ids[place] for place in places if not self._is_decided(place)])

    def _elsewhere(self) -> list[int]:
        """Return the undecided places that are on the screen of somebody else, and this reviewer's neither."""
        return [place for place in self._team.elsewhere() if not self._is_decided(place)]

    def _is_decided(self, place: int) -> bool:
        return self.followed.standing(self.queue.ids[place]) is not None

    def _waiting(self) -> int:
        return sum(self.queue.has_place(self.queue.place.get(id, -1)) for id in self.followed.waiting())

    def _showed(self, ids: Iterable[str]) -> None:
        self._blind.show(ids, _now())

    def _hides(self, id: str) -> bool:
        return self._blind.hides(id) and self.followed.standing(id) is None

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
        return {id: state for id, state in states.items() if state["decision"] or state["note"] or "mark" in state}

    def _state(self, id: str) -> dict[str, Any]:
        decision = self.followed.standing(id)
        said = {"decision": None} if decision is None else decision_data(decision)
        state = {**said, "note": self.followed.note(id)}
        if mark := self.followed.mark(id):
            state["mark"] = mark
        words = self.followed.words(id)
        if len(words) > 1:
            state["words"] = [decision_data(word) for word in words]
            state["conflict"] = self.followed.is_disputed(id)
        return state


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
