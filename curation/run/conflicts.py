"""Listings on which reviewers disagree: nothing holds of them until somebody settles it.

A conflict is between persons: each one's latest word counts, and a price beside somebody else's label is none. Whoever
decides in sight of the others settles it, and so does who comes round to another's word. See docs/review.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from curation.run.journal import NOTE, PRICED, Decision, holds, person, stacks_of, standing_of, together, words_of

__all__ = ["Holding", "conflicts", "disputed", "leaves_open", "settled", "spoken", "take_back", "with_note"]

#: Decisions about all of a listing.
_WHOLE = ("keep", "delete")


@dataclass(frozen=True)
class Holding:
    """The decisions of a run that hold, and what is wrong with its journal.

    Attributes
    ----------
    decisions : dict of str to Decision
        By listing, in the order of the first decision on each: the latest one that was not undone.
    conflicts : dict of str to list of Decision
        The listings on which reviewers disagree, with each one's latest word.
    damaged : tuple of str
        A message for each fault of the journal. Show them: a decision may be lost in each.
    """

    decisions: dict[str, Decision]
    conflicts: dict[str, list[Decision]]
    damaged: tuple[str, ...]

    @property
    def settled(self) -> dict[str, Decision]:
        """The decisions on listings that are in no conflict."""
        return {id: decision for id, decision in self.decisions.items() if id not in self.conflicts}


def disputed(stack: Sequence[Decision]) -> bool:
    """Return whether the reviewers' words on a listing contradict each other.

    Parameters
    ----------
    stack : sequence of Decision
        Of :func:`curation.run.journal.stacks_of`.
    """
    words = words_of(stack) if len(stack) > 1 else []
    # to keep or to delete a listing is to say something of its price, too
    whole: set[object] = {(word.action, None) for word in words if word.action in _WHOLE}
    return len(whole | _labels(words)) > 1 or len(whole | _prices(words)) > 1


def _labels(words: Iterable[Decision]) -> set[object]:
    """Return what words say of the label of a listing that stays."""
    return {(word.action, word.new_label) for word in words if word.action not in ("delete", "reprice")}


def _prices(words: Iterable[Decision]) -> set[object]:
    return {word.new_price for word in words if word.new_price is not None}


def leaves_open(decision: Decision, words: Sequence[Decision]) -> bool:
    """Return whether words contradict each other on what a decision says nothing of: the label, or the price.

    Parameters
    ----------
    decision : Decision
        What somebody says.
    words : sequence of Decision
        Of :func:`curation.run.journal.words_of`.
    """
    if decision.action == "reprice":
        labels = _labels(words)
        is_deleted = any(word.action == "delete" for word in words)
        return len(labels) > 1 or (is_deleted and bool(labels - {("keep", None)}))
    return decision.action not in _WHOLE and decision.new_price is None and len(_prices(words)) > 1


def _is_apart(decision: Decision, others: Sequence[Decision]) -> bool:
    """Return whether a decision is on the label alone, or on the price alone, of which others have said nothing."""
    if decision.action == "reprice":
        return all(word.action in PRICED and word.new_price is None for word in others)
    return decision.action in PRICED and decision.new_price is None and all(w.action == "reprice" for w in others)


def conflicts(decisions: Iterable[Decision]) -> dict[str, list[Decision]]:
    """Return the listings on which reviewers disagree, with each one's latest word, oldest first.

    Parameters
    ----------
    decisions : iterable of Decision
        The journal, oldest first.

    Examples
    --------
    >>> ana = Decision("L1", "keep", None, "ana", "2026-01-01T10:00:00+00:00", "app")
    >>> ben = Decision("L1", "delete", None, "ben", "2026-01-01T11:00:00+00:00", "app", saw=False)
    >>> list(conflicts([ana, ben])), list(conflicts([ana, replace(ben, saw=True)]))
    (['L1'], [])
    """
    return {id: words_of(stack) for id, stack in stacks_of(decisions).items() if disputed(stack)}


def settled(decisions: Iterable[Decision], *, latest_wins: bool = False) -> dict[str, Decision]:
    """Return what holds of each listing that was decided and is in no conflict.

    Parameters
    ----------
    decisions : iterable of Decision
        The journal, oldest first.
    latest_wins : bool
        Whether the later word holds where reviewers disagree.
    """
    stacks = stacks_of(decisions)
    return {id: holds(stack) for id, stack in stacks.items() if stack and (latest_wins or not disputed(stack))}


def spoken(decision: Decision, stack: Sequence[Decision], *, saw: bool | None) -> Decision:
    """Return a decision as the journal gets it: joined with what its reviewer knew of the same listing.

    Parameters
    ----------
    decision : Decision
        What somebody says.
    stack : sequence of Decision
        What was said of the listing before; of :func:`curation.run.journal.stacks_of`.
    saw : bool or None
        Whether what others said was in sight; None if that is not known.
    """
    if not stack:
        return decision
    who = person(decision.reviewer)
    # one's own keep or delete goes with any other word
    rest = [e for e in standing_of(stack) if e.action not in _WHOLE or person(e.reviewer) != who]
    words, joined = words_of(rest), decision.joined(together(rest))
    others = [word for word in words_of(stack) if person(word.reviewer) != who]
    if not others:
        # a suggestion that was accepted without a review does not become the word of who adds a price
        own = decision.joined(words[0] if words else None)
        return joined if joined == own else replace(decision, saw=False)
    # what it says nothing of stays what others, or its reviewer, said of that: see holds()
    if saw is False or leaves_open(decision, words) or _is_apart(decision, others):
        return replace(decision, saw=False)
    # a decision that nobody may have meant to settle anything stands beside what contradicts the one that holds
    is_beside = saw is None and decision.action in PRICED and joined == decision
    return replace(joined, saw=False if is_beside and _has_rest(decision, words) else saw)


def _has_rest(decision: Decision, words: Sequence[Decision]) -> bool:
    """Return whether words say something of what a decision says nothing of."""
    if decision.action == "reprice":
        return any(word.action in PRICED and word.action != "reprice" for word in words)
    return decision.new_price is None and bool(_prices(words))


def take_back(undo: Decision, stack: Sequence[Decision]) -> Decision:
    """Return an undo as the journal gets it: one's own word is taken back first, and that of others if there is none.

    Parameters
    ----------
    undo : Decision
        Of an ``undo``.
    stack : sequence of Decision
        What was said of the listing before.
    """
    mine = person(undo.reviewer)
    is_beneath = bool(stack) and person(stack[-1].reviewer) != mine
    has_own = any(person(word.reviewer) == mine for word in words_of(stack))
    return replace(undo, saw=False) if is_beneath and has_own else undo


def with_note(said: Decision, stack: Sequence[Decision]) -> Decision:
    """Return a note as the journal gets it: its reviewer's own decision once more, with the note.

    A note is nobody's word on what somebody else decided, nor in a conflict: there it stands by itself.

    Parameters
    ----------
    said : Decision
        By whom, when, where, and the words.
    stack : sequence of Decision
        What was said of the listing before.
    """
    if not stack or disputed(stack) or person(stack[-1].reviewer) != person(said.reviewer):
        return replace(said, action=NOTE, new_label=None, new_price=None, new_class=False, saw=None)
    return replace(stack[-1], reviewer=said.reviewer, time=said.time, source=said.source, note=said.note)
