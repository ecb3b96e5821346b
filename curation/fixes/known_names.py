"""Decisions of a file, with the ids and the classes that are meant where a spreadsheet changed them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from curation.errors import DecisionsError, some
from curation.fixes.decisions_file import require_one_meaning
from curation.listings.meant import changed_by_a_spreadsheet, find_meant
from curation.rendering.words import many
from curation.run.journal import Decision

__all__ = ["with_known_names"]


def with_known_names(
    path: Path, decisions: Sequence[Decision], ids: Collection[str], classes: Collection[str]
) -> tuple[list[Decision], tuple[str, ...]]:
    """Return decisions with the listings and classes that are surely meant, and a sentence for each kind of change.

    Parameters
    ----------
    path : Path
        The file, for messages.
    decisions : sequence of Decision
        As they are written in the file.
    ids : collection of str
        The run's listings.
    classes : collection of str
        All classes that may be given, the new ones too.

    Raises
    ------
    DecisionsError
        If an id fits several listings; or if nothing fits, and it shows what a spreadsheet did.
    """
    nameless = sum(not decision.id for decision in decisions)
    if nameless:
        raise DecisionsError(
            f"{path.name} has {many(nameless, 'decision')} without an id",
            got="an empty cell",
            wanted="the id of a listing beside each decision",
        )
    listings = find_meant((decision.id for decision in decisions), ids)
    if listings.doubtful:
        raise DecisionsError(
            f"{path.name} has {many(len(listings.doubtful), 'id')} that may be several listings",
            got=listings.first_doubt(),
            wanted="ids as the run has them",
            fix=listings.advice(
                "A spreadsheet took them for numbers or dates: import that column as text, and decide again."
            ),
        )
    named = [
        _as_meant(decision, listings.names.get(decision.id, decision.id), decision.new_label) for decision in decisions
    ]
    _require_known(path, "listings", [decision.id for decision in named], ids)
    written = [decision.new_label for decision in named if decision.new_label and not decision.new_class]
    # a class may be new in one row, and then be used in others
    classes = [*classes, *(decision.new_label for decision in named if decision.new_label and decision.new_class)]
    labels = find_meant(written, classes, what="class")
    _require_known(path, "classes", [labels.names.get(label, label) for label in written], classes)
    called = [
        decision
        if decision.new_label is None or decision.new_class
        else _as_meant(decision, decision.id, labels.names.get(decision.new_label, decision.new_label))
        for decision in named
    ]
    require_one_meaning(path, called)
    return called, tuple(f"{path.name}: {note}" for note in (*listings.notes, *labels.notes))


def _as_meant(decision: Decision, id: str, label: str | None) -> Decision:
    """Return a decision with the names that are meant; most have them already, and a copy of each takes long."""
    same = (decision.id, decision.new_label) == (id, label)
    return decision if same else replace(decision, id=id, new_label=label)


def _require_known(path: Path, what: str, names: Sequence[str], known: Collection[str]) -> None:
    """Refuse unknown names that a spreadsheet seems to have changed; others are refused later, with what is near."""
    there = set(known)
    unknown = [name for name in dict.fromkeys(names) if name not in there]
    if reason := changed_by_a_spreadsheet(unknown):
        raise DecisionsError(
            f"{path.name} names {what} that the run does not have",
            got=some(unknown),
            wanted="ids of the run's listings" if what == "listings" else f"one of {some(known, 12)}",
            fix=reason,
        )
