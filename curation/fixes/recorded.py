"""Decisions of a file, as they are in a run: its listings, its classes, joined with what holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.fixes.decisions_file import read_decisions
from curation.fixes.known_names import with_known_names
from curation.fixes.stale import told_of_older, without_stale
from curation.run.conflicts import spoken
from curation.run.decidable import Decidable, check_decisions, new_classes_of, require_labels
from curation.run.folder import RunFolder
from curation.run.journal import NOTE, Decision, holds, person, reviewer_name, stacks_of, words_of

__all__ = ["Recorded", "decisions_of_file", "is_said", "record_decisions"]


@dataclass(frozen=True)
class Recorded:
    """What became of the decisions of a file.

    Attributes
    ----------
    ids : tuple of str
        The listings of those that were recorded.
    notes : tuple of str
        How names were read, and which decisions are older than what holds: a sentence each.
    """

    ids: tuple[str, ...]
    notes: tuple[str, ...]


def decisions_of_file(
    run: RunFolder,
    path: Path,
    stacks: Mapping[str, Sequence[Decision]],
    decidable: Decidable,
    *,
    said: Sequence[Decision] = (),
    reviewer: str | None = None,
    new_classes: Collection[str] = (),
) -> tuple[list[Decision], tuple[str, ...]]:
    """Read decisions about the listings of a run.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    path : Path
        The file; see :func:`curation.fixes.decisions_file.read_decisions`.
    stacks : mapping of str to sequence of Decision
        What was said before these, by listing; of :func:`curation.run.journal.stacks_of`.
    decidable : Decidable
        What can be decided in the run.
    said : sequence of Decision
        The journal, oldest first: what it has already, or a later word on, is left out.
    reviewer : str, optional
        Who decided, where the file does not say so; by default the name of the account.
    new_classes : collection of str
        Classes that the run does not have and that ``new_label`` may name.

    Returns
    -------
    decisions : list of Decision
    notes : tuple of str
        Which names were taken for others, and which decisions are older than what holds.

    Raises
    ------
    DecisionsError
        If the file can't be read, or a decision fits no listing or class.
    """
    added = read_decisions(
        path,
        reviewer=reviewer or reviewer_name(),
        id_column=_own_ids(run),
        currency=decidable.currency,
        decimal=decidable.decimal,
        three_decimals=decidable.three_decimals,
    )
    known = new_classes_of({id: holds(stack) for id, stack in stacks.items() if stack})
    added, notes = with_known_names(path, added, decidable.labels, [*decidable.classes, *known, *new_classes])
    added = check_decisions(added, decidable, new_classes=new_classes, known=known)
    require_labels(added, decidable.labels)
    added, older = without_stale(added, said)
    rows = "that row" if len(older) == 1 else "these rows"
    stale = told_of_older(path.name, older, f"empty the time of {rows}")
    # who filled the file in did not see what others said in the run
    return [_said(decision, stacks.get(decision.id, ())) for decision in added], (*notes, *stale)


def _said(decision: Decision, stack: Sequence[Decision]) -> Decision:
    return decision if decision.action == NOTE else spoken(decision, stack, saw=False)


def record_decisions(run: RunFolder, path: Path, *, reviewer: str | None = None) -> Recorded:
    """Add the decisions of a file to the journal of a run; nothing else is changed.

    Decisions that hold already are not added again.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    path : Path
        The file.
    reviewer : str, optional
        As for :func:`decisions_of_file`.

    Returns
    -------
    Recorded

    Raises
    ------
    DecisionsError
        As :func:`decisions_of_file`; nothing is recorded then.
    """
    decidable = Decidable.of(run)
    recorded = Recorded((), ())

    def new() -> list[Decision]:
        nonlocal recorded
        said = run.decisions()[0]
        stacks = stacks_of(said)
        every, notes = decisions_of_file(run, path, stacks, decidable, said=said, reviewer=reviewer)
        added = [decidable.with_suggestions(each) for each in every if not is_said(each, stacks.get(each.id, ()))]
        recorded = Recorded(tuple(each.id for each in added), notes)
        return added

    run.decide(new)
    return recorded


def is_said(decision: Decision, stack: Sequence[Decision]) -> bool:
    """Return whether this reviewer has said that already, and it counts.

    Parameters
    ----------
    decision : Decision
        What somebody says.
    stack : sequence of Decision
        What was said of the listing before; of :func:`curation.run.journal.stacks_of`.
    """
    own = [word for word in words_of(stack) if person(word.reviewer) == person(decision.reviewer)]
    return bool(own) and decision.meaning == own[0].meaning and decision.note in (None, own[0].note)


def _own_ids(run: RunFolder) -> str:
    """Return what the dataset calls its ids; metadata of photos, whose names are the ids, calls them file_name."""
    columns = run.record()["dataset"].get("columns", {})
    listings = run.listings()
    named = "id" not in columns and bool((listings["id"] == listings["image"]).fillna(False).all())
    return "file_name" if named else str(columns.get("id", "id"))
