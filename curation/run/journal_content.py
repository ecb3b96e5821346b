"""What a journal says as a whole: its lines in their order, the decisions in force, its transactions and its faults."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from curation.errors import some
from curation.run.conflicts import settled
from curation.run.journal import NO_EFFECT, Decision
from curation.run.journal_lines import BEGIN, COMMIT, Step

__all__ = ["LOSSES", "VERSION", "Entry", "Fault", "Journal"]

#: Sources of decisions whose time is that of the clock.
_TIMED = ("app", "page", "api", "suggestion", "undo")
#: Where a version is.
VERSION = re.compile(r"cleaned|versions/\d+")
#: Faults that cost decisions: what is torn was never acknowledged.
LOSSES = ("damaged", "newer", "missing")


@dataclass(frozen=True)
class Fault:
    """Something wrong with the journal.

    Attributes
    ----------
    line : int
        Line of the file, from 1 on.
    kind : str
        ``torn`` (cut short by a crash before it counted), ``closed`` (the same, and later lines show that it did not
        count), ``damaged``, ``newer`` (of a newer version): left out.
        ``duplicated``: counts once. ``swapped``: read in its right place. ``clash``: the number of another line, both
        are read. ``uncounted``: its number leaves no place for the lines of format 1 before it; all are read.
        ``missing``: lines are gone before this one.
    message : str
        For a person, with the name of the file and the line.
    """

    line: int
    kind: str
    message: str


class Entry(NamedTuple):
    """A line that can be read, in its place.

    Attributes
    ----------
    line : int
        Line of the file, from 1 on.
    number : int
        What orders the entries: as written, or, in format 1, one more than that of the line before.
    recorded : str or None
        When it was written, ISO 8601; None in format 1.
    transaction : str or None
        The one that a decision is part of.
    content : Decision or Step
        What is recorded.
    """

    line: int
    number: int
    recorded: str | None
    transaction: str | None
    content: Decision | Step


@dataclass(frozen=True)
class Journal:
    """All that a journal says.

    Attributes
    ----------
    entries : tuple of Entry
        The lines that can be read, in the order of their numbers.
    faults : tuple of Fault
        What is wrong, in the order of the lines.
    undecided : tuple of str
        Transactions of which can't be told whether they are in force, as lines of them can't be read. They count as
        far as they have a commit.
    told : tuple of (int, int)
        Between which numbers the begin or end of a transaction is lost of which all is known from the others.
    """

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    undecided: tuple[str, ...] = ()
    told: tuple[tuple[int, int], ...] = ()

    @property
    def is_lossy(self) -> bool:
        """Whether a line is lost that counted: a dataset that is written from the rest may lack decisions."""
        return bool(self.undecided) or any(fault.kind in LOSSES for fault in self.faults)

    @property
    def last(self) -> int:
        """The number of the last line; 0 if there is none."""
        return self.entries[-1].number if self.entries else 0

    @property
    def messages(self) -> list[str]:
        """What is wrong, in words; a line that is known to have counted never is nothing to act on."""
        said = [fault.message for fault in self.faults if fault.kind != "closed"]
        return [*said, *(self.doubt(name) for name in self.undecided)]

    def doubt(self, transaction: str) -> str:
        """Return what can't be told of a transaction, in words.

        Parameters
        ----------
        transaction : str
            One of ``undecided``.
        """
        own = [entry for entry in self.entries if transaction in (entry.transaction, _name(entry.content))]
        kinds = [entry.content.kind for entry in own if isinstance(entry.content, Step) and entry.content.kind]
        ids = [content.id for content in self.of(transaction)]
        what = f"its decisions on {some(ids)} are" if ids else "what it did is"
        command = kinds[0] if kinds else "a command"
        return (
            f"decisions.jsonl line {own[0].line} is of {command} that has lines which can't be read: whether {what} in "
            "force can't be told"
        )

    def decisions(self, until: int | None = None) -> list[Decision]:
        """Return the decisions in force, oldest first: those of a transaction without its commit are none.

        Where the line with which a committed one began can't be read, its decisions count where they are written.

        Parameters
        ----------
        until : int, optional
            Number of the last line that counts.
        """
        entries = [entry for entry in self.entries if until is None or entry.number <= until]
        steps = [entry.content for entry in entries if isinstance(entry.content, Step)]
        committed = {step.transaction for step in steps if step.step == COMMIT}
        after = {step.transaction: step.after for step in steps if step.step == BEGIN and step.transaction in committed}
        said = [
            entry
            for entry in entries
            if isinstance(entry.content, Decision) and (entry.transaction is None or entry.transaction in committed)
        ]
        for entry in said:
            if entry.transaction is not None:
                after.setdefault(entry.transaction, entry.number - 1)
        if after:
            # a transaction knew nothing of what was decided while it ran, so that counts as said later
            said.sort(
                key=lambda entry: (
                    (entry.number, False) if entry.transaction is None else (after[entry.transaction], True)
                )
            )
        return [entry.content for entry in said if isinstance(entry.content, Decision)]

    def line_at(self, moment: datetime) -> int:
        """Return the number of the last line that was recorded until a moment; 0 if there was none.

        Lines of format 1 don't say when they were recorded. They take the time of the decision, but that of a CSV or of
        an earlier run is somebody's word: such lines count only if they directly follow one that counts.

        Parameters
        ----------
        moment : datetime
            With its time zone.
        """
        last = 0
        follows = True
        for entry in self.entries:
            content = entry.content
            time = entry.recorded or (content.time if isinstance(content, Decision) else "")
            trusted = entry.recorded is not None or (isinstance(content, Decision) and content.source in _TIMED)
            counts = _is_until(time, moment) and (trusted or follows)
            follows = counts
            last = entry.number if counts else last
        return last

    def turned_back(self) -> list[int]:
        """Return the numbers of the lines that were recorded at an earlier time than one before them.

        Then somebody has set the clock back, and no moment may tell these lines from those before them.
        """
        turned, latest = list[int](), None
        for entry in self.entries:
            try:
                moment = datetime.fromisoformat(entry.recorded or "")
                if latest is not None and moment < latest:
                    turned.append(entry.number)
                latest = moment if latest is None else max(latest, moment)
            except (ValueError, TypeError):  # no time, or one without a zone
                continue
        return turned

    def of(self, transaction: str) -> list[Decision]:
        """Return the decisions that a transaction added itself.

        Parameters
        ----------
        transaction : str
            Its name.
        """
        own = (entry.content for entry in self.entries if entry.transaction == transaction)
        return [content for content in own if isinstance(content, Decision)]

    def line_of(self, decision: Decision) -> int:
        """Return the line of the file that a decision of this journal is in, from 1 on.

        Parameters
        ----------
        decision : Decision
            One of :meth:`decisions`, or what several of them make hold.
        """
        own = [
            entry for entry in self.entries if isinstance(entry.content, Decision) and entry.content.id == decision.id
        ]
        lines = [entry.line for entry in own if entry.content is decision]
        return max(lines or [entry.line for entry in own], default=0)

    def applied(self, transaction: str) -> list[Decision]:
        """Return all decisions that the version of a transaction was made of, oldest first.

        Parameters
        ----------
        transaction : str
            Its name, as in ``manifest.json``.
        """
        after = [step.after for step in self.steps() if (step.transaction, step.step) == (transaction, BEGIN)]
        return [*self.decisions(after[0]), *self.of(transaction)] if after else []

    def unapplied(self, *, latest_wins: bool = False) -> int:
        """Return how many listings would change in ``cleaned/`` if the decisions in force now were applied.

        0 where nothing was applied, or by an earlier version of curate, and for a past version, which lacks by intent
        what was said later.

        Parameters
        ----------
        latest_wins : bool
            Whether the later decision is applied where reviewers disagree.
        """
        standing = self.standing_versions()
        if not standing or standing[-1].as_of is not None:
            return 0
        then, now = (
            {id: each.effect for id, each in settled(said, latest_wins=latest_wins).items()}
            for said in (self.applied(standing[-1].transaction), self.decisions())
        )
        return sum(then.get(id, NO_EFFECT) != now.get(id, NO_EFFECT) for id in {*then, *now})

    def committed(self, transaction: str) -> Journal:
        """Return the same journal with the commit of a transaction, which a line that can't be read may have been.

        Parameters
        ----------
        transaction : str
            Its name.
        """
        commit = Entry(0, self.last + 1, None, None, Step(transaction, COMMIT))
        return replace(self, entries=(*self.entries, commit))

    def knows(self, transaction: str) -> bool:
        """Return whether any line is part of a transaction, or a step of it.

        Parameters
        ----------
        transaction : str
            Its name, as in ``manifest.json``.
        """
        steps = (step.transaction for step in self.steps())
        return transaction in {*steps, *(entry.transaction for entry in self.entries)}

    def places(self) -> dict[str, str | None] | None:
        """Return where the versions are that committed transactions wrote and moved.

        Returns
        -------
        dict of str to str or None
            The transaction that wrote the version in each folder, e.g. ``{"cleaned": "1f", "versions/0001": "0a"}``;
            None for a version of before there were transactions. None for all if a fault makes it uncertain.
        """
        if any(fault.kind not in ("duplicated", "swapped", "closed") for fault in self.faults):
            return None
        begun, places = dict[str, Step](), dict[str, str | None]()
        for step in self.steps():
            if step.step == BEGIN:
                begun[step.transaction] = step
            elif step.step == COMMIT and step.transaction in begun:
                _move(places, begun[step.transaction])
        return {place: places[place] for place in sorted(places) if VERSION.fullmatch(place)}

    def standing_version(self) -> str | None:
        """Return the transaction whose version is in ``cleaned/``; None if none of this journal's is."""
        stack = self.standing_versions()
        return stack[-1].transaction if stack else None

    def standing_versions(self) -> list[Step]:
        """Return the begins of the transactions whose versions are there, oldest first; the last is in ``cleaned/``."""
        begun, stack = dict[str, Step](), list[Step]()
        for step in self.steps():
            if step.step == BEGIN:
                begun[step.transaction] = step
            elif step.step == COMMIT and (begin := begun.get(step.transaction)) is not None:
                if begin.kind == "apply_fixes":
                    stack.append(begin)
                elif begin.kind == "undo":
                    del stack[-1:]
        return stack

    def steps(self) -> list[Step]:
        """Return the steps of all transactions, oldest first."""
        return [entry.content for entry in self.entries if isinstance(entry.content, Step)]


def _name(content: Decision | Step) -> str | None:
    return content.transaction if isinstance(content, Step) else None


def _move(places: dict[str, str | None], step: Step) -> None:
    """Move versions as a transaction did; what it moves and no other one wrote, it wrote itself, or is an old one."""
    for source, target in step.moves:
        if source in places:
            places[target] = places.pop(source)
        elif VERSION.fullmatch(source):
            places[target] = None
        elif target == "cleaned" and step.kind == "apply_fixes":
            places[target] = step.transaction


def _is_until(time: str, moment: datetime) -> bool:
    try:
        return datetime.fromisoformat(time) <= moment
    except (ValueError, TypeError):  # no time, or one without a zone
        return False
