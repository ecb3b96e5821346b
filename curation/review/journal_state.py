"""The valid decisions of a run, computed once for the whole review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from curation.errors import ReviewError
from curation.run.conflicts import disputed
from curation.run.decidable import Decidable, misfit
from curation.run.folder import RunFolder
from curation.run.journal import Decision, holds, noted, stacks_of, words_of

__all__ = ["Standing", "standing_of"]


@dataclass(frozen=True)
class Standing:
    """The valid decisions of a journal.

    Attributes
    ----------
    journal : tuple of Decision
        All readable records, oldest first.
    stacks : dict of str to list of Decision
        Of :func:`curation.run.journal.stacks_of`.
    damaged : tuple of str
        A message for each line that can't be read.
    holding : dict of str to Decision
        The valid decision of each listing that has one.
    misfits : dict of str to str
        Listings whose decision does not fit this run, and why. Such decisions stay in the journal and are not shown.
    notes : dict of str to Decision
        The latest note of each listing that has one.
    differ : frozenset of str
        The listings on which reviewers disagree.
    """

    journal: tuple[Decision, ...]
    stacks: dict[str, list[Decision]]
    damaged: tuple[str, ...]
    holding: dict[str, Decision]
    misfits: dict[str, str]
    notes: dict[str, Decision]
    differ: frozenset[str]

    def record(self, id: str) -> Decision | None:
        """Return the valid decision of a listing, otherwise its note."""
        return self.holding.get(id) or self.notes.get(id)

    def note(self, id: str) -> str | None:
        """Return the latest words about a listing; where reviewers disagree, what each of them said."""
        if id in self.differ:
            return "; ".join(map(_in_words, words_of(self.stacks[id])))
        decision, note = self.holding.get(id), self.notes.get(id)
        record = note if decision is None or (note is not None and note.time > decision.time) else decision
        return None if record is None else record.note


def _in_words(word: Decision) -> str:
    """Return a reviewer's word on a listing in one line.

    Examples
    --------
    >>> _in_words(Decision("L1", "relabel", "desk", "ana", "2026-01-01", "app", "a table", new_price=9.5))
    'ana: relabel desk 9.5 (a table)'
    """
    price = None if word.new_price is None else f"{word.new_price:g}"
    what = " ".join(filter(None, (word.action, word.new_label, price)))
    return f"{word.reviewer}: {what}" + (f" ({word.note})" if word.note else "")


def standing_of(run: RunFolder) -> Standing:
    """Return the valid decisions; cached for as long as the journal and the listings stay the same.

    Raises
    ------
    ReviewError
        If the journal can't be read.
    """
    journal = run.journal.stat() if run.journal.is_file() else None
    state = (journal.st_size, journal.st_mtime_ns) if journal else (0, 0)
    return _standing_of(run, state, run.issues_file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _standing_of(run: RunFolder, _journal: tuple[int, int], issues: int) -> Standing:
    try:
        decisions, damaged = run.decisions()
    except OSError as error:
        raise ReviewError(f"nothing was recorded: {run.journal} can't be read ({error.strerror})") from error
    labels, classes = _labels(run, issues), set(run.classes)
    stacks = stacks_of(decisions)
    holding = {id: holds(stack) for id, stack in stacks.items() if stack}
    reasons = {
        id: misfit(decision, classes, labels[id]) if id in labels else "no such listing in this run"
        for id, decision in holding.items()
    }
    misfits = {id: why for id, why in reasons.items() if why}
    return Standing(
        journal=tuple(decisions),
        stacks=stacks,
        damaged=tuple(damaged),
        holding={id: decision for id, decision in holding.items() if id not in misfits},
        misfits=misfits,
        notes=noted(decisions),
        differ=frozenset(id for id, stack in stacks.items() if disputed(stack)),
    )


@lru_cache(maxsize=2)
def _labels(run: RunFolder, _changed: int) -> Mapping[str, str | None]:
    return Decidable.of(run).labels
