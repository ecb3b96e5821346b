"""The journal as a live review follows it: only new lines are read, whoever wrote them.

What people decide adds plain lines. Anything else (a transaction, a line that can't be read, a copy that was put back)
makes this read all of it, as every command does. A journal is only ever appended to: one that has lost the last line
that was read is another one, or gone, and nothing is recorded until it is back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from curation.errors import ReviewError
from curation.run.conflicts import disputed
from curation.run.decidable import misfit
from curation.run.folder import RunFolder
from curation.run.journal import NOTE, REVIEWS, UNDO, Decision, holds, last_click, person, say, words_of
from curation.run.journal_content import Entry, Journal
from curation.run.journal_file import lines_after
from curation.run.journal_lines import Line, Unreadable, decoded
from curation.run.overlap import Overlap
from training.utils.files import NotReadableError

__all__ = ["PAGE", "Followed", "is_after"]

#: The `source` of what is decided on the page.
PAGE = "page"


class _Stand(NamedTuple):
    """How far the journal was read.

    Attributes
    ----------
    file : int or None
        The file's number on its disk; None if there was none.
    size : int
        Bytes.
    written : int
        When it was written last, in nanoseconds.
    number : int
        Of the last line.
    is_plain : bool
        Whether what is appended can be read by itself.
    """

    file: int | None
    size: int
    written: int
    number: int
    is_plain: bool


class Followed:
    """What holds of a journal that grows. One thread at a time may use it.

    Parameters
    ----------
    run : RunFolder
        The run.
    given : callable
        Id → the given label; KeyError for no listing of the run.
    reviewer : str
        Who looks at it.
    settling : bool
        Whether listings in conflict count as undecided.
    overlap : Overlap, optional
        Of which listings the reviewer does not see what the first one decided, before they have decided themselves; by
        default as the run has it.

    Attributes
    ----------
    messages : tuple of str
        What is wrong with the journal, in words.
    changed : list of str
        The listings of which something was said or undone since the review was opened, in that order: an event each.
    """

    def __init__(
        self,
        run: RunFolder,
        given: Callable[[str], str | None],
        reviewer: str = "",
        *,
        settling: bool = False,
        overlap: Overlap | None = None,
    ) -> None:
        self._run = run
        self._given = given
        self._reviewer = reviewer
        self._settling = settling
        self._overlap = Overlap(run) if overlap is None else overlap
        self._spoken: set[str] = set()
        self._several: dict[str, None] = {}
        self._past: dict[str, list[Decision]] = {}
        self._classes = frozenset(run.classes)
        self._stacks: dict[str, list[Decision]] = {}
        self._notes: dict[str, Decision] = {}
        self._first: dict[tuple[str, str], Decision | None] = {}
        self._begun: set[str] = set()
        self._clicked: str | None = None
        self._keys: set[tuple[str, str]] = set()
        self._stand = _Stand(None, 0, 0, 0, is_plain=False)
        self._last: tuple[int, str | None] | None = None
        self.messages: tuple[str, ...] = ()
        self.changed: list[str] = []
        self.catch_up()
        self.changed.clear()

    @property
    def last(self) -> int:
        """Number of the last line that was read."""
        return self._stand.number

    def catch_up(self) -> None:
        """Read what is new.

        Raises
        ------
        ReviewError
            If the journal can't be read.
        """
        try:
            now = self._look()
            if now == self._stand[:3]:
                return
            file, size, _ = now
            if not (file == self._stand.file and size > self._stand.size and self._add_new()):
                self._read_all()
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error
        except NotReadableError as error:
            raise self._unreadable(error.reason) from error

    def decide(self, decisions: Callable[[], Sequence[Decision]]) -> None:
        """Append what people say to the journal.

        Parameters
        ----------
        decisions : callable
            Returns what the reviewer decides, in view of what holds by then. It may be called again.

        Raises
        ------
        ReviewError, DecisionsError
            If the journal can't be read, or a decision can't be kept.
        OSError
            If the journal can't be written. Then nothing of it is in the journal.
        """

        def said() -> Sequence[Decision]:
            self.catch_up()
            return decisions()

        self._run.decide(said)
        self.catch_up()

    def has(self, reviewer: str, key: str) -> bool:
        """Return whether the page has recorded the step that a reviewer took at this time."""
        return (reviewer, key) in self._keys

    def stack(self, id: str) -> Sequence[Decision]:
        """Return the decisions on a listing that were not undone, oldest first."""
        return self._stacks.get(id, ())

    def standing(self, id: str) -> Decision | None:
        """Return the decision that holds of a listing as the reviewer sees it, if it fits the run."""
        stack = self._stacks.get(id)
        if not stack or (self._settling and disputed(stack)) or self.is_hidden(id):
            return None
        held = holds(stack)
        try:
            return None if misfit(held, self._classes, self._given(id)) else held
        except KeyError:  # no listing of this run
            return None

    def decided(self) -> set[str]:
        """Return the listings that the reviewer sees as decided."""
        return {id for id in self._stacks if self.standing(id) is not None}

    def words(self, id: str) -> list[Decision]:
        """Return each person's word on a listing, as far as the reviewer sees them, oldest first."""
        return [] if self.is_hidden(id) else words_of(self.stack(id))

    def is_hidden(self, id: str) -> bool:
        """Return whether somebody has decided on a listing that this reviewer is to decide on without knowing that."""
        return id not in self._spoken and self.waits(id)

    def waits(self, id: str) -> bool:
        """Return whether a listing that two are to decide on waits for the second."""
        return self._overlap.waits(id, self.stack(id))

    def mark(self, id: str) -> str:
        """Return what names the words of others on a listing that the reviewer sees; empty if there are none."""
        mine = person(self._reviewer)
        others = (word for word in self.words(id) if person(word.reviewer) != mine)
        return "\n".join(f"{word.time} {word.reviewer}" for word in others)

    def decided_at(self, id: str) -> str:
        """Return when the decision was made that holds of a listing as the reviewer sees it; empty if there is none."""
        standing = self.standing(id)
        return standing.time if standing else ""

    def noted_at(self, id: str) -> str:
        """Return when the latest words about a listing were said that the reviewer sees; empty if there are none."""
        record = self._with_note(id)
        return record.time if record and record.note else ""

    def note(self, id: str) -> str:
        """Return the latest words about a listing."""
        record = self._with_note(id)
        return record.note or "" if record else ""

    def _with_note(self, id: str) -> Decision | None:
        decision, note = self.standing(id), self._notes.get(id)
        if note is not None and self.is_hidden(id) and person(note.reviewer) != person(self._reviewer):
            return None
        return note if decision is None or (note is not None and note.time > decision.time) else decision

    def is_disputed(self, id: str) -> bool:
        """Return whether reviewers disagree on a listing, as far as this one sees their words."""
        return bool(disputed(self.stack(id)))

    def conflicts(self) -> list[str]:
        """Return the listings on which reviewers disagree."""
        return [id for id in self._several if disputed(self._stacks[id])]

    def stacks(self) -> Collection[Sequence[Decision]]:
        """Return the decisions on each listing that were not undone."""
        return self._stacks.values()

    def histories(self) -> list[Sequence[Decision]]:
        """Return all that was said, undone or not, of the listings that were decided on more than once: few."""
        return [self._past.get(id) or self._stacks[id] for id in self._several]

    def waiting(self) -> list[str]:
        """Return the listings that wait for a second reviewer."""
        return [id for id in self._stacks if self.waits(id)] if self._overlap.share else []

    def holding(self) -> Iterable[Decision]:
        """Yield what holds of all listings, whether it fits the run or not."""
        return (holds(stack) for stack in self._stacks.values() if stack)

    def first_of(self, reviewer: str) -> Iterable[Decision]:
        """Yield a reviewer's first word on each listing, if it was said on the page with no decision in sight.

        After a decision, its suggestion is in sight. A word counts also if it was undone since.
        """
        who = person(reviewer)
        return (each for (_, by), each in self._first.items() if by == who and each is not None and each.source == PAGE)

    def latest_click(self) -> str:
        """Return when the reviewer's latest click was made that an undo takes back; empty if there is none."""
        if self._clicked is None:
            ids = last_click(self.stacks(), self._reviewer)
            words = (word for id in ids for word in words_of(self.stack(id)))
            times = [word.time for word in words if person(word.reviewer) == person(self._reviewer)]
            self._clicked = max(times, default="")
        return self._clicked

    def _add_new(self) -> bool:
        """Add the lines after those that were read; return False if they need the ones before."""
        if not self._stand.is_plain:
            return False
        lines, found = lines_after(self._run.journal, self._stand.size)
        # a line without its end is torn, which only the whole journal tells
        if lines is None or found.st_ino != self._stand.file:
            return False
        said: list[Decision] = []
        number, last = self._stand.number, self._last
        for text in lines:
            line = _plain(text.strip())
            if line is None or line.number != number + 1 or not isinstance(line.content, Decision):
                return False
            number += 1
            said.append(line.content)
            last = number, line.recorded
        for decision in said:
            self._say(decision)
            self.changed.append(decision.id)
        self._stand = _Stand(found.st_ino, found.st_size, found.st_mtime_ns, number, is_plain=True)
        self._last = last
        return True

    def _read_all(self) -> None:
        before = self._picture()
        # before it is read: what is appended meanwhile is read again
        now = self._look()
        journal = self._run.judged_journal()
        if self._last is not None and self._last not in map(_name, journal.entries):
            what = "is gone" if now[0] is None else "is another one, or has lost lines that this review has read"
            raise ReviewError(
                f"nothing was recorded: {self._run.journal} {what}. Put it back, or stop the review and start it again "
                "to go on with what is there"
            )
        self._stacks, self._notes, self._keys, self._spoken, self._several = {}, {}, set(), set(), {}
        self._first, self._begun, self._clicked, self._past = {}, set(), None, {}
        for decision in journal.decisions():
            self._say(decision)
        self.messages = tuple(journal.messages)
        self._stand = _Stand(*now, journal.last, _is_plain(journal))
        self._last = _name(journal.entries[-1]) if journal.entries else None
        after = self._picture()
        self.changed += [id for id in {**before, **after} if before.get(id) != after.get(id)]

    def _look(self) -> tuple[int | None, int, int]:
        try:
            found = self._run.journal.stat()
        except FileNotFoundError:
            return None, 0, 0
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _clicked_after(self, decision: Decision) -> str | None:
        """Return the reviewer's latest click after this one; None if it must be looked for."""
        mine = person(decision.reviewer) == person(self._reviewer)
        if self._clicked is None or (mine and decision.source in REVIEWS and decision.action not in (UNDO, NOTE)):
            return None if self._clicked is None else max(self._clicked, decision.time)
        # it may take that click back, or its place; an undo also brings back what was settled by the word it takes
        return None if any(each.time >= self._clicked for each in self.stack(decision.id)) else self._clicked

    def _say(self, decision: Decision) -> None:
        self._clicked = self._clicked_after(decision)
        # until something is undone, the decisions that hold are all there were
        if decision.action == UNDO and decision.id not in self._past:
            self._past[decision.id] = list(self.stack(decision.id))
        if decision.id in self._past:
            self._past[decision.id].append(decision)
        say(self._stacks, decision)
        if len(self._stacks[decision.id]) > 1:
            self._several[decision.id] = None
        if decision.source == PAGE:
            self._keys.add((decision.reviewer, decision.time))
        if decision.action == NOTE:
            self._notes[decision.id] = decision
            return
        who = person(decision.reviewer)
        if decision.action != UNDO:
            # whoever decides in sight of another decision has seen what was suggested
            is_first = decision.id not in self._begun or decision.saw is False
            self._first.setdefault((decision.id, who), decision if is_first else None)
            self._begun.add(decision.id)
        if who == person(self._reviewer):
            self._spoken.add(decision.id)

    def _picture(self) -> dict[str, tuple[tuple[Decision, ...], Decision | None]]:
        return {id: (tuple(stack), self._notes.get(id)) for id, stack in self._stacks.items()}

    def _unreadable(self, why: str) -> ReviewError:
        return ReviewError(f"nothing was recorded: {self._run.journal} can't be read ({why})")


def is_after(time: str, key: str) -> bool:
    """Return whether something was said after a step was made.

    Parameters
    ----------
    time : str
        When it was said, ISO 8601; empty for nothing.
    key : str
        Of the step.

    Returns
    -------
    bool
        False for a time that is none, or is still to come: that clock is wrong.
    """
    try:
        said = datetime.fromisoformat(time)
        return datetime.fromisoformat(key) < said <= datetime.now(UTC)
    except (TypeError, ValueError):  # a time without a zone
        return False


def _plain(text: bytes) -> Line | None:
    """Return a line that a person's decision is, by itself; None for all others."""
    try:
        line = decoded(text)
    except Unreadable:
        return None
    return line if line.transaction is None else None


def _name(entry: Entry) -> tuple[int, str | None]:
    """Return what no line of another journal has."""
    return entry.number, entry.recorded


def _is_plain(journal: Journal) -> bool:
    """Return whether lines can be added to what was read: it ends with a whole line that has a number."""
    if not journal.entries or any(fault.kind == "torn" for fault in journal.faults):
        return False
    return journal.entries[-1].recorded is not None
