"""The steps of a reviewer on a live page: each is one click, written to the journal once, however often it arrives.

A page that gets no answer sends a step again, also to a server that was started after a crash. The journal tells that
it has a step already: its reviewer and its time are its name, whoever the server was started for. A step that comes so
late that something was decided after it leaves those listings as they are.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from curation.errors import CurateError, DecisionsError, short_repr
from curation.review.live.following import PAGE, Followed, is_after
from curation.review.live.queue import Queue
from curation.run.conflicts import take_back, with_note
from curation.run.decidable import Decidable
from curation.run.decisions import Words, beside, meaning_of
from curation.run.journal import ACTIONS, NOTE, UNDO, Decision, check_reviewer, last_click, person, words_of
from curation.run.new_values import check_note

__all__ = ["ONLY", "Answered", "Deciding", "Part", "Step", "read_step"]

#: Of several reposts, this one stays.
ONLY = "only"
#: A time to the microsecond, which no other step of this reviewer has.
_KEY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
#: A clock that is ahead by more is wrong.
_AHEAD = timedelta(minutes=5)
#: A label and a suggestion each, at most.
_MOST_PARTS = 100_000


@dataclass(frozen=True)
class Part:
    """What a step says of some listings.

    Attributes
    ----------
    ids : tuple of str
        The listings; none for an undo of the latest click.
    action : str
        An action of the journal, or ``only``: keep this one of the reposts, and delete the others.
    label : str or None
    price : float or None
    new_class : bool
    note : str or None
        As for :meth:`curation.Run.decide`. A listing keeps its note if None.
    alone : bool
        Whether a label or a price of before is dropped, and not joined with this one.
    shown : tuple of (str or None, float or None), optional
        The label and the price that were suggested on the card; None if it showed no suggestions.
    takes_back : str
        Of an undo: the key of the step that it takes back; empty for the latest click, or `ids`.
    undecided : bool
        Whether listings are left out on which a decision holds by now: who decides on many at once does not want to
        change what somebody has said of one of them meanwhile.
    saw : dict of str to str
        What others had said of listings when this was decided, as :meth:`Followed.mark` names it.
    """

    ids: tuple[str, ...]
    action: str
    label: str | None = None
    price: float | None = None
    new_class: bool = False
    note: str | None = None
    alone: bool = False
    shown: tuple[str | None, float | None] | None = None
    undecided: bool = False
    saw: dict[str, str] = field(default_factory=dict)
    takes_back: str = ""


@dataclass(frozen=True)
class Step:
    """One click.

    Attributes
    ----------
    key : str
        When it was made, to the microsecond: the time of its decisions, and its name.
    parts : tuple of Part
        What it says; one undo takes all of it back.
    reviewer : str
        Who made it; empty for the one whose page is open.
    """

    key: str
    parts: tuple[Part, ...]
    reviewer: str = ""


@dataclass(frozen=True)
class Answered:
    """What became of a step.

    Attributes
    ----------
    key : str
        Of the step.
    ids : tuple of str
        The listings of which something was said.
    refused : str
        Why nothing was recorded; empty if the step is in the journal, or was nothing to record.
    late : tuple of str
        The listings of which nothing was recorded, as something was decided after the step was made.
    """

    key: str
    ids: tuple[str, ...]
    refused: str = ""
    late: tuple[str, ...] = ()


def read_step(content: Any) -> Step:
    """Return a step that came as JSON.

    Raises
    ------
    DecisionsError
        If it is none.
    """
    try:
        parts = tuple(
            Part(**{**part, "ids": _ids(part["ids"]), "shown": _shown(part.get("shown"))}) for part in content["parts"]
        )
        reviewer = content.get("reviewer", "")
        step = Step(content["key"], parts, check_reviewer(reviewer) if reviewer else "")
        if not (_is_key(step.key) and 0 < len(parts) <= _MOST_PARTS and all(map(_is_part, parts))):
            raise TypeError("a value is of another type")
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise DecisionsError("this is no step of a review", got=short_repr(content)) from error
    return step


def _is_key(key: object) -> bool:
    # a ValueError for a day that no month has
    return isinstance(key, str) and bool(_KEY.fullmatch(key) and datetime.fromisoformat(key))


def _is_part(part: Part) -> bool:
    return (
        part.action in (*ACTIONS, UNDO, NOTE, ONLY)
        and (bool(part.ids) or part.action == UNDO)
        and isinstance(part.label, str | None)
        and (part.price is None or (isinstance(part.price, int | float) and not isinstance(part.price, bool)))
        and isinstance(part.new_class, bool)
        and isinstance(part.alone, bool)
        and isinstance(part.undecided, bool)
        and isinstance(part.note, str | None)
        and isinstance(part.saw, dict)
        and all(isinstance(mark, str) for mark in part.saw.values())
        and isinstance(part.takes_back, str)
    )


def _ids(given: Any) -> tuple[str, ...]:
    # a text is a list of letters, too
    if not isinstance(given, list) or not all(isinstance(id, str) for id in given):
        raise TypeError("a value is of another type")
    return tuple(given)


def _shown(pair: Any) -> tuple[str | None, float | None] | None:
    if pair is None:
        return None
    label, price = pair
    if not isinstance(label, str | None) or not (price is None or _is_price(price)):
        raise TypeError("a value is of another type")
    return label, price


def _is_price(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class Deciding:
    """Writes the steps of one reviewer to the journal.

    Parameters
    ----------
    followed : Followed
        The journal.
    queue : Queue
        What is shown.
    decidable : Decidable
        What can be decided.
    reviewer : str
        Who decides.

    Attributes
    ----------
    queue : Queue
        What is shown; another one after learning.
    """

    def __init__(self, followed: Followed, queue: Queue, decidable: Decidable, reviewer: str) -> None:
        self._followed = followed
        self.queue = queue
        self._decidable = decidable
        self._reviewer = reviewer

    def take(self, step: Step) -> Answered:
        """Write a step to the journal, unless it is there already.

        Raises
        ------
        ReviewError
            If the journal can't be read.
        OSError
            If it can't be written. Then the step is not in it, and may come again.
        """
        if step.reviewer not in ("", self._reviewer):
            # the browser has kept it since another one reviewed here
            theirs = Deciding(self._followed, self.queue, self._decidable, step.reviewer)
            return theirs.take(replace(step, reviewer=""))
        self._followed.catch_up()
        named = tuple(id for part in step.parts for id in part.ids)
        if self._followed.has(self._reviewer, step.key):
            return Answered(step.key, named)
        if datetime.fromisoformat(step.key) > datetime.now(UTC) + _AHEAD:
            # not recorded, or it would be the latest for as long; and answered, or what follows would wait as long
            return Answered(step.key, named, f"its time, {step.key[:16]}, is still to come: a clock was set back")
        said: list[str] = []
        late: list[str] = []

        def decisions() -> Sequence[Decision]:
            # another process of the same reviewer may have got the same step meanwhile
            if self._followed.has(self._reviewer, step.key):
                return []
            parts = [self._in_time(part, step.key) for part in step.parts]
            late[:] = dict.fromkeys(id for _, ids in parts for id in ids)
            made = [each for part, _ in parts for each in self._meant(part, step.key)]
            said[:] = [each.id for each in made]
            if len(set(said)) < len(said):
                # one undo would take the later record back, and leave the other
                (often,) = Counter(said).most_common(1)
                raise DecisionsError(
                    "a step names a listing once", got=f"{often[0]}, {often[1]} times", parameter="ids"
                )
            return made

        try:
            self._followed.decide(decisions)
        except CurateError as error:
            if not isinstance(error, DecisionsError):
                raise
            return Answered(step.key, named, str(error))
        return Answered(step.key, tuple(said), late=tuple(late))

    def _is_mine(self, decision: Decision) -> bool:
        return person(decision.reviewer) == person(self._reviewer)

    def _in_time(self, part: Part, key: str) -> tuple[Part, list[str]]:
        """Return a part without the listings of which something was said after it was made, and those."""
        for id in part.ids:
            if not self.queue.holds(id):
                raise DecisionsError("this run has no such listing", got=id, parameter="ids")
        if part.action == UNDO:
            ids, late = self._to_undo(part, key)
        elif part.undecided:
            ids, late = part.ids, []
        elif part.action == ONLY:
            # to delete the others would be wrong if this one was deleted since
            late = [id for id in part.ids for each in (id, *self.queue.reposts(id)) if self._is_late(each, key)]
            ids = () if late else part.ids
        else:
            said = self._followed.noted_at if part.action == NOTE else self._followed.decided_at
            late = [id for id in part.ids if is_after(said(id), key)]
            ids = tuple(id for id in part.ids if id not in late)
        return replace(part, ids=ids), list(dict.fromkeys(late))

    def _is_late(self, id: str, key: str) -> bool:
        return is_after(self._followed.decided_at(id), key)

    def _to_undo(self, part: Part, key: str) -> tuple[tuple[str, ...], list[str]]:
        if not part.takes_back:
            ids = part.ids or tuple(last_click(self._followed.stacks(), self._reviewer))
            late = [id for id in ids if self._is_late(id, key)]
        else:
            named = [
                stack
                for stack in self._followed.stacks()
                if any(each.time == part.takes_back and self._is_mine(each) for each in stack)
            ]
            ids = tuple(stack[0].id for stack in named)
            # a word that was said in sight of it, or after it by the same reviewer, took its place
            late = [
                stack[0].id
                for stack in named
                if not any(word.time == part.takes_back and self._is_mine(word) for word in words_of(stack))
            ]
        return tuple(id for id in ids if id not in late), late

    def _meant(self, part: Part, time: str) -> list[Decision]:
        if part.action == UNDO:
            return self._undone(part, time)
        if part.action == NOTE:
            return self._noted(part, time)
        if part.action == ONLY:
            return self._only(part, time)
        standing = {id: self._followed.standing(id) for id in part.ids}
        ids = tuple(id for id in part.ids if standing[id] is None) if part.undecided else part.ids
        words = Words(ids, part.action, part.label, part.price, part.new_class, part.note)
        meant = meaning_of(words, self._decidable, reviewer=self._reviewer, time=time, source=PAGE)
        known = [] if part.label is None or part.label in self._decidable.classes else self._added()
        stacks = {id: self._followed.stack(id) for id in ids}
        made = beside(meant, stacks, self._decidable, saw=lambda id: self._saw(part, id), known=known)
        if part.alone:
            alone = beside(meant, {}, self._decidable, known=known)
            made = [replace(each, saw=other.saw) for each, other in zip(alone, made, strict=True)]
        # a listing keeps its note
        made = [each if each.note else replace(each, note=self._followed.note(each.id) or None) for each in made]
        return [self._suggested(each, part) for each in made]

    def _saw(self, part: Part, id: str) -> bool:
        """Return whether what others have said of a listing by now was on the screen."""
        mark = self._followed.mark(id)
        return bool(mark) and part.saw.get(id) == mark

    def _suggested(self, decision: Decision, part: Part) -> Decision:
        """Return a decision that says what was suggested when it was made: what the card showed or hid."""
        label, price = part.shown or self.queue.suggested(decision.id)
        if label is not None and label not in self._decidable.classes:
            raise DecisionsError("this run has no such class to suggest", got=label, parameter="shown")
        return replace(decision, suggested_label=label, suggested_price=price)

    def added(self) -> list[str]:
        """Return the classes that decisions added, as far as the reviewer sees these."""
        return list(dict.fromkeys(self._added(lambda id: not self._followed.is_hidden(id))))

    def _added(self, shown: Callable[[str], bool] = lambda _: True) -> list[str]:
        held = self._followed.holding()
        return [each.new_label for each in held if each.new_class and each.new_label and shown(each.id)]

    def _undone(self, part: Part, time: str) -> list[Decision]:
        there = (id for id in part.ids if self._followed.stack(id) and not self._followed.is_hidden(id))
        undo = (Decision(id, UNDO, None, self._reviewer, time, PAGE) for id in there)
        return [take_back(each, self._followed.stack(each.id)) for each in undo]

    def _noted(self, part: Part, time: str) -> list[Decision]:
        check_note(part.note)
        made = []
        for id in part.ids:
            said = Decision(id, NOTE, None, self._reviewer, time, PAGE, part.note or None)
            made.append(said if self._followed.standing(id) is None else with_note(said, self._followed.stack(id)))
        return made

    def _only(self, part: Part, time: str) -> list[Decision]:
        made = []
        for id in part.ids:
            others = self.queue.reposts(id)
            if not others:
                raise DecisionsError("no other listing shows this photo", got=id, parameter="ids")
            standing = self._followed.standing(id)
            stays = standing is not None and standing.action != "delete"
            # without a label there is nothing to keep
            if not stays and self.queue.given(id) is not None:
                made += self._meant(Part((id,), "keep", saw=part.saw), time)
            made += self._meant(Part(tuple(others), "delete", saw=part.saw), time)
        return made
