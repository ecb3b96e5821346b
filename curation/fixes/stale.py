"""Decisions of a file that the journal has already, or has later words on: a file given again changes nothing.

A file says when each of its decisions was made, as ``decisions.csv`` of the review's page does. What was said of the
same listing later holds: by the same reviewer, or by somebody who settled it. What others said is no reason to leave a
decision out: where reviewers disagree, both count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from curation.errors import some
from curation.rendering.words import agree, many
from curation.run.journal import NOTE, PRICED, Decision, noted, person, stacks_of, words_of

__all__ = ["told_of_older", "without_stale"]

#: The source of what `undo` takes back with a version, and of accepted suggestions: nobody's word on a listing.
_NO_WORDS = ("undo", "suggestion")


def without_stale(
    added: Sequence[Decision], said: Sequence[Decision]
) -> tuple[list[Decision], list[tuple[Decision, Decision]]]:
    """Leave out the decisions of a file that hold already, and those that are older than what holds.

    Parameters
    ----------
    added : sequence of Decision
        What it says.
    said : sequence of Decision
        The journal, oldest first.

    Returns
    -------
    decisions : list of Decision
        The others, in their order.
    older : list of (Decision, Decision)
        Those that are older than what holds, each with that.
    """
    stacks, notes = stacks_of(said), noted(said)
    spoken = dict[str, list[Decision]]()
    for each in said:
        if each.action != NOTE and each.source not in _NO_WORDS:
            spoken.setdefault(each.id, []).append(each)
    left: list[Decision] = []
    older: list[tuple[Decision, Decision]] = []
    for decision in added:
        held = _held(decision, stacks.get(decision.id, ()))
        if _is_same(decision, notes.get(decision.id) if decision.action == NOTE else held):
            continue
        since = [each for each in spoken.get(decision.id, ()) if _counts(each, decision) and _is_before(decision, each)]
        if since and _reverts(decision, held):
            older.append((decision, held or since[-1]))
        else:
            left.append(decision)
    return left, older


def _counts(word: Decision, decision: Decision) -> bool:
    """Return whether a word goes before an earlier decision: of the same person, or one that settled the listing."""
    return bool(word.saw) or person(word.reviewer) == person(decision.reviewer)


def _held(decision: Decision, stack: Sequence[Decision]) -> Decision | None:
    """Return the word that counts of the same person, or else one that settled the listing."""
    words = [word for word in words_of(stack) if _counts(word, decision)]
    own = [word for word in words if person(word.reviewer) == person(decision.reviewer)]
    return next(iter([*own, *words]), None)


def _is_same(decision: Decision, held: Decision | None) -> bool:
    """Return whether it is that which holds, recorded from here or from another place."""
    if held is None or (decision.reviewer, _moment(decision)) != (held.reviewer, _moment(held)):
        return False
    return decision.joined(held).meaning == held.meaning and decision.note in (None, held.note)


def _is_before(decision: Decision, other: Decision) -> bool:
    first, second = _moment(decision), _moment(other)
    return first is not None and second is not None and first < second


def _moment(decision: Decision) -> datetime | None:
    """Return when it was made; None if a spreadsheet left no time that can be compared."""
    try:
        moment = datetime.fromisoformat(decision.time)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment


def _reverts(decision: Decision, held: Decision | None) -> bool:
    """Return whether it would change what holds, and not only add a label or a price to it."""
    if decision.action == NOTE:
        return False
    if held is None:
        return True
    joined = decision.joined(held)
    if held.action not in PRICED or joined.action not in PRICED:
        return joined.meaning != held.meaning
    label = held.action != "reprice" and (joined.action, joined.new_label) != (held.action, held.new_label)
    return label or held.new_price not in (None, joined.new_price)


def told_of_older(name: str, older: Sequence[tuple[Decision, Decision]], override: str) -> tuple[str, ...]:
    """Say which decisions are older than what holds; nothing if none is.

    Parameters
    ----------
    name : str
        Of the file.
    older : sequence of (Decision, Decision)
        Of :func:`without_stale`.
    override : str
        How to let them hold, without the full stop.
    """
    if not older:
        return ()
    count = len(older)
    each = some((f"{theirs.id}: {_shown(theirs)} before {_shown(held)}" for theirs, held in older), 3)
    return (
        f"{many(count, 'decision')} of {name} {agree(count, 'is', 'are')} older than what was said since, which "
        f"holds: {each}. To override {agree(count, 'it', 'them')}, {override}.",
    )


def _shown(decision: Decision) -> str:
    value = decision.new_label or ("" if decision.new_price is None else f"{decision.new_price:,.10g}")
    what = f"{decision.action} to {value}" if value else decision.action
    return f"{what} ({decision.reviewer}, {decision.time[:16].replace('T', ' ')})"
