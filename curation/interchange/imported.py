"""Decisions of another tool, recorded in the journal of a run, and taken back."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import DecisionsError, RunError, closest, some
from curation.fixes.recorded import is_said
from curation.fixes.stale import told_of_older, without_stale
from curation.fixes.versions import Undone
from curation.interchange.contract import FORMATS, Answers, Asked, format_of, only
from curation.rendering.results import Result
from curation.rendering.words import many
from curation.run.conflicts import disputed, spoken
from curation.run.decidable import Decidable, check_decisions, new_classes_of, require_labels
from curation.run.folder import RunFolder
from curation.run.journal import Decision, holds, reviewer_name, say, stacks_of, taken_back

__all__ = ["Imported", "import_decisions", "undo_import"]


@dataclass(frozen=True)
class Imported(Result):
    """What became of the decisions of another tool.

    Attributes
    ----------
    run : Path
        The run's folder.
    format : str
        Where they were made.
    dry_run : bool
        Whether nothing was recorded.
    decisions : int
        How many the file has.
    new : int
        Those that were recorded.
    actions : dict of str to int
        The new ones, by what they do.
    already_there : int
        Those that the journal has.
    older : int
        Those that are older than what their reviewer said since, which holds.
    conflicts : tuple of str
        Listings of new decisions on which reviewers disagree now: all their words are kept.
    unknown : tuple of str
        Listings that the run does not have, whose decisions were left out.
    skipped, unanswered : int
        Answers that people cancelled, and listings without an answer.
    notes : tuple of str
        What a person should know of it: a sentence each.
    """

    run: Path
    format: str
    dry_run: bool
    decisions: int
    new: int
    actions: dict[str, int]
    already_there: int
    older: int
    conflicts: tuple[str, ...]
    unknown: tuple[str, ...]
    skipped: int
    unanswered: int
    notes: tuple[str, ...]


def import_decisions(
    run: RunFolder,
    format: str,
    file: Any,
    *,
    reviewer: str | None = None,
    new_classes: Collection[str] = (),
    allow_unknown: bool = False,
    dry_run: bool = False,
    **options: Any,
) -> Imported:
    """Record the decisions that people made in another tool: all of them, or none.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    format, file, reviewer, new_classes, allow_unknown, dry_run
        As for :meth:`curation.Run.import_decisions`.
    options
        Arguments that only some formats take, e.g. ``label_field``.

    Returns
    -------
    Imported

    Raises
    ------
    DecisionsError
        If the file can't be read, or a decision fits no listing or class; nothing is recorded then.
    """
    chosen = format_of(format, reads=True)
    given = only(chosen, options, lambda each: each.finds if each.reads else ())
    module = importlib.import_module(chosen.module)
    name = file.name if isinstance(file, Path) else "the dataset"
    decidable = Decidable.of(run)
    listings = run.listings(["id", "image"])
    photos = dict(
        zip(listings["id"], listings["image"].astype(object).where(listings["image"].notna(), None), strict=True)
    )
    added: list[Decision] = []
    result: list[Imported] = []

    def new() -> list[Decision]:
        said = run.decisions()[0]
        known = new_classes_of({id: holds(stack) for id, stack in stacks_of(said).items() if stack})
        classes = [*decidable.classes, *known, *new_classes]
        answers = module.read(file, Asked(decidable.labels, classes, photos, run.photo_root, reviewer), **given)
        fitting, unknown = _fitting(name, answers, decidable, classes, allow_unknown=allow_unknown)
        checked = check_decisions(fitting, decidable, new_classes=new_classes, known=known)
        require_labels(checked, decidable.labels)
        left, older = without_stale(checked, said)
        stacks = stacks_of(said)
        added[:] = []
        for each in left:
            stack = stacks.get(each.id, ())
            if not is_said(each, stack):
                # whoever decided elsewhere did not see what others said in the run
                added.append(decidable.with_suggestions(spoken(each, stack, saw=False)))
                say(stacks, added[-1])
        disagreed = tuple(id for id in dict.fromkeys(each.id for each in added) if disputed(stacks[id]))
        result[:] = [
            Imported(
                run.folder,
                format,
                dry_run,
                decisions=len(answers.decisions),
                new=len(added),
                actions=dict(Counter(each.action for each in added)),
                already_there=len(checked) - len(added) - len(older),
                older=len(older),
                conflicts=disagreed,
                unknown=unknown,
                skipped=answers.skipped,
                unanswered=answers.unanswered,
                notes=told_of_older(name, older, "decide again in the review"),
            )
        ]
        return added

    if dry_run:
        new()
    else:
        run.decide(new)
    return result[0]


def _fitting(
    source: str, answers: Answers, decidable: Decidable, classes: Collection[str], *, allow_unknown: bool
) -> tuple[list[Decision], tuple[str, ...]]:
    """Return the decisions on listings of the run, and the ids of the others."""
    unknown = tuple(dict.fromkeys(each.id for each in answers.decisions if each.id not in decidable.labels))
    fitting = [each for each in answers.decisions if each.id in decidable.labels]
    if unknown and (not allow_unknown or not fitting):
        raise DecisionsError(
            f"{source} decides on {many(len(unknown), 'listing')} that the run does not have",
            got=some(unknown),
            wanted="ids of the run's listings",
            fix="Check `run`, or leave them out with `allow_unknown=True`." if fitting else "Check `run`.",
            parameter="file",
        )
    alien = {each.new_label: each.id for each in reversed(fitting) if each.new_label not in (None, *classes)}
    if alien:
        name = str(next(iter(alien)))
        add = f"If it is to be a new class, say so with `new_classes={name!r}`."
        raise DecisionsError(
            f"{source} has {many(len(alien), 'label')} that {'are' if len(alien) > 1 else 'is'} no class of the run",
            got=some(f"{label!r} (listing {id})" for label, id in alien.items()),
            wanted=f"one of {some(classes, 12)}",
            fix=f"{closest(name, list(classes))} {add}".strip(),
            parameter="file",
        )
    return fitting, unknown


def undo_import(run: RunFolder) -> Undone:
    """Take back the decisions that the last import recorded; what was decided since stays.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Raises
    ------
    RunError
        If no decision of an import holds.
    """
    undone = 0
    damaged: tuple[str, ...] = ()

    def back() -> list[Decision]:
        nonlocal undone, damaged
        journal = run.judged_journal()
        said = journal.decisions()
        standing = {id(each) for stack in stacks_of(said).values() for each in stack}
        # those of one import were written at once
        lines = [
            (entry.recorded or "", entry.content)
            for entry in journal.entries
            if isinstance(entry.content, Decision) and entry.content.source in FORMATS and id(entry.content) in standing
        ]
        if not lines:
            raise RunError(
                f"there is nothing to undo in {run.folder}",
                got="no decision that was imported",
                wanted="an earlier import-decisions",
                fix="`status()` shows what was done.",
            )
        last = max(time for time, _ in lines)
        added = [decision for time, decision in lines if time == last]
        undone, damaged = len(added), tuple(journal.messages)
        return taken_back(said, added, reviewer=reviewer_name())

    run.decide(back)
    return Undone(str(run.folder), undone, restored=False, damaged=damaged)
