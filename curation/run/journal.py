"""Decisions: what a person (or an accepted suggestion) says about a listing, and what holds of all that was said.

The journal is append-only. The latest record of a listing holds; ``undo`` takes the one before it back. Nothing is ever
rewritten, so every step stays attributable and reversible. Its file: :mod:`curation.run.journal_file`.
"""

from __future__ import annotations

import getpass
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from curation.errors import DecisionsError
from curation.run.new_values import same_name
from training.utils.units import now

__all__ = [
    "ACTIONS",
    "NOTE",
    "NO_EFFECT",
    "PRICED",
    "REVIEWS",
    "UNDO",
    "Decision",
    "check_reviewer",
    "current_decisions",
    "holds",
    "in_order",
    "labelled",
    "last_click",
    "noted",
    "person",
    "reviewer_name",
    "say",
    "stacks_of",
    "standing_of",
    "taken_back",
    "together",
    "words_of",
]

ACTIONS = ("keep", "relabel", "reprice", "delete", "ambiguous")
#: Those that a new price may come with.
PRICED = ("relabel", "reprice", "ambiguous")
#: Sources of what a person said in a review.
REVIEWS = ("app", "page")
UNDO = "undo"
NOTE = "note"
#: Of a decision that leaves its listing as it is.
NO_EFFECT = "keep", None, None


@dataclass(frozen=True)
class Decision:
    """What a line of the journal says about a listing.

    Attributes
    ----------
    id : str
        The listing.
    action : str
        ``keep``, ``relabel``, ``reprice``, ``delete``, ``ambiguous`` (several labels fit; the listing stays as it is),
        ``undo`` (takes the decision before it back), or ``note`` (decides nothing).
    new_label : str or None
        The class a relabelled listing gets; None for the other actions.
    reviewer : str
        Who decided.
    time : str
        When: ISO 8601, UTC.
    source : str
        Where it was said: ``app`` (FiftyOne), ``page`` (``review --page``), ``csv``, ``api``, the name of
        a format (`curate import-decisions`), ``suggestion`` (accepted without a review), ``earlier run`` (taken over,
        see :func:`curation.run.carry_over.carry_over`) or ``undo`` (`curate undo`).
    note : str or None
        The reviewer's own words.
    suggested_label : str or None
        What curate suggested when this was said; None if nothing.
    new_price : float or None
        The price that a repriced listing gets; one that is relabelled or ambiguous may get a price, too.
    new_class : bool
        Whether `new_label` is a class that the run does not have, and a person said that it should be one.
    suggested_price : float or None
        The price that curate suggested; None if none.
    saw : bool or None
        Where somebody else's decision on the listing held: whether this one was made in sight of it, which settles the
        listing. False also for a label or a price alone that stands beside theirs: such a line has nothing of what they
        said. An undo without it takes back its reviewer's own decision. None where there was no other, or where that is
        not known: lines of earlier versions don't say it.
    """

    id: str
    action: str
    new_label: str | None
    reviewer: str
    time: str
    source: str
    note: str | None = None
    suggested_label: str | None = None
    new_price: float | None = None
    new_class: bool = False
    suggested_price: float | None = None
    saw: bool | None = None

    @property
    def meaning(self) -> tuple[str, str | None, float | None]:
        """Return what was decided, without who, when and why."""
        return self.action, self.new_label, self.new_price

    @property
    def effect(self) -> tuple[str, str | None, float | None]:
        """Return what it changes in the dataset; :data:`NO_EFFECT` if nothing."""
        if self.action == "delete":
            return "delete", None, None
        return "keep", self.new_label if self.action == "relabel" else None, self.new_price

    def joined(self, standing: Decision | None) -> Decision:
        """Return this decision with what stands beside it: a label and a price can both be corrected, in any order.

        Parameters
        ----------
        standing : Decision or None
            The decision on the same listing that holds until this one.

        Examples
        --------
        >>> relabelled = Decision("L1", "relabel", "desk", "ana", "2026-01-01T10:00:00+00:00", "app")
        >>> repriced = Decision("L1", "reprice", None, "ana", "2026-01-01T10:01:00+00:00", "app", new_price=10.0)
        >>> repriced.joined(relabelled).meaning, relabelled.joined(repriced).meaning
        (('relabel', 'desk', 10.0), ('relabel', 'desk', 10.0))
        """
        if standing is None or self.action not in PRICED or standing.action not in PRICED:
            return self
        if self.action == "reprice":
            label, new_class = standing.new_label, standing.new_class
            return replace(self, action=standing.action, new_label=label, new_class=new_class)
        return self if self.new_price is not None else replace(self, new_price=standing.new_price)


def reviewer_name() -> str:
    """Return who is reviewing: ``CURATE_REVIEWER``, or the name of the account."""
    try:
        return os.environ.get("CURATE_REVIEWER", "").strip() or getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user that has no name
        return f"user {os.getuid()}"


def check_reviewer(name: str) -> str:
    """Return a reviewer's name without blanks around it.

    Raises
    ------
    DecisionsError
        When nothing is left, or it holds a line break or another character that can't be shown.
    """
    name = name.strip()
    if not name or not name.isprintable():
        raise DecisionsError(
            "a reviewer needs a name that can be shown in one line",
            got=repr(name),
            wanted="e.g. ana",
            fix="Name yourself with `reviewer`, or set CURATE_REVIEWER.",
            parameter="reviewer",
        )
    return name


@lru_cache(maxsize=1024)
def person(name: str) -> str:
    """Return what the names of one reviewer have in common: case and blanks make no other person.

    Examples
    --------
    >>> person("Ana  Lee") == person("ana lee ")
    True
    """
    return same_name(name)


def current_decisions(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Return what the latest word on each listing makes hold; undone ones don't count."""
    return {id: holds(stack) for id, stack in stacks_of(decisions).items() if stack}


def words_of(stack: Sequence[Decision]) -> list[Decision]:
    """Return the reviewers' words on a listing that count: the latest of each person, oldest first.

    One that was said in sight of the others settles what was said before it. A suggestion that was accepted without a
    review is nobody's word.

    Parameters
    ----------
    stack : sequence of Decision
        Of :func:`stacks_of`.
    """
    latest: dict[str, Decision] = {}
    for decision in standing_of(stack):
        if decision.source != "suggestion":
            own = latest.pop(person(decision.reviewer), None)
            latest[person(decision.reviewer)] = decision if own is None else decision.joined(own)
    return list(latest.values())


def standing_of(stack: Sequence[Decision]) -> list[Decision]:
    """Return the records of which the words on a listing are made, oldest first.

    What was said beside others' words, of the label or of the price alone, leaves the rest that its reviewer said.

    Parameters
    ----------
    stack : sequence of Decision
        Of :func:`stacks_of`.
    """
    if len(stack) == 1:
        return list(stack)
    standing: list[Decision] = []
    for decision in stack:
        if decision.saw:
            standing.clear()
        mine = person(decision.reviewer)
        standing = [each for each in standing if person(each.reviewer) != mine or _beside(decision, each)]
        standing.append(decision)
    return standing


def _beside(decision: Decision, before: Decision) -> bool:
    """Return whether a decision leaves something of what its reviewer said before."""
    if decision.saw is not False or decision.action not in PRICED or before.action not in PRICED:
        return False
    if decision.action == "reprice":
        return before.action != "reprice"
    return decision.new_price is None and before.new_price is not None


def holds(stack: Sequence[Decision]) -> Decision:
    """Return what holds of a listing: the latest word on its label, and the latest one on its price.

    Parameters
    ----------
    stack : sequence of Decision
        Of :func:`stacks_of`; not empty.
    """
    held = stack[-1]
    if held.saw is not False:
        # it was joined with what held when it was said
        return held
    return together(standing_of(stack)) or held


def together(standing: Iterable[Decision]) -> Decision | None:
    """Return what records make hold: the latest label and the latest price; None if there are none.

    Parameters
    ----------
    standing : iterable of Decision
        Of :func:`standing_of`, or some of these.
    """
    held: Decision | None = None
    for word in standing:
        held = word.joined(held) if word.saw is False else word
    return held


def labelled(stack: Sequence[Decision]) -> Decision:
    """Return the record that gave the label that holds; the one of the price where nobody gave any.

    Parameters
    ----------
    stack : sequence of Decision
        Of :func:`stacks_of`; not empty.
    """
    if stack[-1].saw is not False:
        return stack[-1]
    held, standing = holds(stack), standing_of(stack)
    if held.action == "reprice":
        return stack[-1]
    return next((each for each in reversed(standing) if each.action != "reprice"), stack[-1])


def stacks_of(decisions: Iterable[Decision]) -> dict[str, list[Decision]]:
    """Return each listing's decisions that were not undone, oldest first."""
    stacks: dict[str, list[Decision]] = {}
    for decision in decisions:
        say(stacks, decision)
    return stacks


def in_order(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Return what holds now, in the order in which it was decided: by the latest decision of each listing.

    Parameters
    ----------
    decisions : iterable of Decision
        The journal, oldest first.
    """
    said = list(decisions)
    place = {id(decision): number for number, decision in enumerate(said)}
    stacks = [stack for stack in stacks_of(said).values() if stack]
    return {stack[-1].id: holds(stack) for stack in sorted(stacks, key=lambda stack: place[id(stack[-1])])}


def say(stacks: dict[str, list[Decision]], decision: Decision) -> None:
    """Add a record to each listing's decisions that were not undone, oldest first.

    Parameters
    ----------
    stacks : dict of str to list of Decision
        Those before it, by listing; changed.
    decision : Decision
        The next line of the journal.
    """
    stack = stacks.setdefault(decision.id, [])
    if decision.action == UNDO:
        mine = [place for place, each in enumerate(stack) if person(each.reviewer) == person(decision.reviewer)]
        places = mine if decision.saw is False else range(len(stack))
        if places:
            del stack[places[-1]]
    elif decision.action != NOTE:
        stack.append(decision)


def noted(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Return the latest note of each listing that has one; a note decides nothing."""
    return {decision.id: decision for decision in decisions if decision.action == NOTE}


def last_click(stacks: Iterable[Sequence[Decision]], reviewer: str) -> list[str]:
    """Return the listings of a reviewer's latest decision in a review that still counts; one click may be for many.

    Parameters
    ----------
    stacks : iterable of sequence of Decision
        Of :func:`stacks_of`.
    reviewer : str
        Whose.
    """
    own = person(reviewer)
    words = (word for stack in stacks for word in words_of(stack))
    mine = [each for each in words if person(each.reviewer) == own and each.source in REVIEWS]
    latest = max((decision.time for decision in mine), default="")
    return [decision.id for decision in mine if decision.time == latest]


def taken_back(decisions: Iterable[Decision], added: Iterable[Decision], *, reviewer: str) -> list[Decision]:
    """Return the records that take `added` back when they are appended; whatever was decided since stays.

    Parameters
    ----------
    decisions : iterable of Decision
        The journal, oldest first.
    added : iterable of Decision
        Some of its records, or equal ones; those that were undone already are skipped.
    reviewer : str
        Who takes them back.

    Returns
    -------
    list of Decision
        Undo records and, after them, the later decisions of the same listings once more: an undo takes the latest.
    """
    decisions, added = list(decisions), list(added)
    # a table that was imported twice gives two records that are equal: only those of its own are meant
    known = set(map(id, decisions))
    own = Counter(id(each) for each in added if id(each) in known)
    equal = Counter(each for each in added if id(each) not in known)
    time = now()
    records: list[Decision] = []
    for listing, stack in stacks_of(decisions).items():
        places = []
        for place in reversed(range(len(stack))):
            if own[id(stack[place])]:
                own[id(stack[place])] -= 1
                places.append(place)
            elif equal[stack[place]]:
                equal[stack[place]] -= 1
                places.append(place)
        if places:
            first = places[-1]
            records += [Decision(listing, UNDO, None, reviewer, time, "undo")] * (len(stack) - first)
            records += [stack[place] for place in range(first, len(stack)) if place not in places]
    return records
