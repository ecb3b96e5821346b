"""The journal of a run: each line is sound and in its place, and its decisions are about listings of the run."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from curation.errors import some
from curation.rendering.words import many
from curation.run.carry_over import EARLIER
from curation.run.decidable import Decidable, refused
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions
from curation.run.journal_content import Fault, Journal
from curation.run.journal_file import lines_of
from curation.run.lost_journal import require_journal
from curation.run.transactions import unended
from curation.verification.result import Flaw

__all__ = ["check_journal", "check_lost", "check_unended"]

_RESTORE = "Restore it from a copy"
#: What to do about faults that don't depend on what the line says.
_FIXES = {
    "duplicated": "Nothing is lost. To be rid of it, delete this line.",
    "swapped": "Nothing is lost. To be rid of it, move this line to its place.",
    "newer": "Open the run with that newer version of curate.",
    "missing": f"{_RESTORE}. Which listings they were about is not known: look through the decisions with `review()`.",
}
#: Of a torn line: only its writer could have told anybody of it, and did not get that far.
_NOT_SAID = (
    "If the machine or the command stopped while it was written, nothing is lost, as it was not acknowledged: go on, "
    "the next decision or command closes it, or delete this line to be rid of it."
)
#: Of one that another was written after.
_CLOSED = (
    "{}. The machine or the command stopped while it was written: the lines after it don't count it, and nobody was "
    "told of it. {}Nothing is lost, unless a copy of the file had stopped there: then restore it. It can be deleted."
)

#: Of a transaction that counts as done because of a line that can't be read.
_COMPLETE = "The next command that changes the run completes it, e.g. `apply_fixes()`. Move and delete nothing before."
_END = (
    "It may be the end of the command that was killed: give the next one first, e.g. `apply_fixes()`, which writes it "
    "again. Then verify again."
)
#: Of the end of a command that later lines and the versions show.
_ENDED = (
    "Nothing is lost: it was the begin or the end of a command, and later lines and the versions show what became of "
    "that. To be rid of it, restore a copy; don't delete it."
)


def check_lost(run: RunFolder, notes: list[str]) -> Iterator[Flaw]:
    """Check that the journal has what the dataset was made of: to write that again without it would drop decisions.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.

    Raises
    ------
    RunError
        If it lacks it.
    """
    require_journal(run)
    yield from ()


def check_unended(run: RunFolder, notes: list[str]) -> Iterator[Flaw]:
    """Look for a transaction that a killed command did not end. What is advised about it comes before all else.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.
    """
    left = unended(run.folder, run.journal)
    if left is None:
        return
    what = f"has {left.step.kind or 'a transaction'} without its end: the command was killed"
    if left.counts:
        yield Flaw(run.journal.name, f"{what} as it ended, and all that it did is done", _COMPLETE)
        return
    yield Flaw(run.journal.name, what, "The next command that changes the run takes it back, e.g. `apply_fixes()`.")
    if left.done:
        notes.append("What that command had moved was not compared: verify again once it is taken back.")


def check_journal(run: RunFolder, notes: list[str]) -> Iterator[Flaw]:
    """Check each line of the journal, and that its decisions are about listings of the run.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.
    """
    journal, name, known = run.judged_journal(), run.journal.name, set(run.listings()["id"])
    lines = lines_of(run.journal) if journal.faults else []
    left = unended(run.folder, run.journal)
    for fault in journal.faults:
        text = lines[fault.line - 1] if fault.line <= len(lines) else b""
        # the line without which what is done would be taken back
        holds = left is not None and left.counts and fault.line > left.line and fault.kind not in _FIXES
        if fault.kind == "closed" and not holds:
            id = _listing_of(text)
            notes.append(_CLOSED.format(fault.message, f"It was about {id}. " if id in known else ""))
            continue
        fix = _END if holds else _ENDED if _is_told(fault, journal) else _fix(fault, text, journal, known)
        yield Flaw(name, fault.message.removeprefix(f"{name} "), fix)
    holding = [each for id, each in current_decisions(journal.decisions()).items() if id in known]
    for decision, error in refused(holding, Decidable.of(run)):
        fix = f"Decide on {decision.id} again, e.g. keep, with `review()`: the latest decision holds."
        what = str(error).rstrip(".")
        yield Flaw(
            name, f"line {journal.line_of(decision)} decides on {decision.id} what can't be applied: {what}", fix
        )
    strange = [entry for entry in journal.entries if isinstance(entry.content, Decision)]
    strange = [entry for entry in strange if isinstance(entry.content, Decision) and entry.content.id not in known]
    if strange:
        numbers = some(f"line {entry.line}" for entry in strange)
        fix = f"{_RESTORE}: `apply_fixes()` refuses such decisions."
        yield Flaw(name, f"has decisions on listings that the run does not have: {numbers}", fix)
    yield from _lost_of_earlier(run, journal)


def _lost_of_earlier(run: RunFolder, journal: Journal) -> Iterator[Flaw]:
    """Find that decisions of an earlier run were taken over and are not here, though no line is damaged."""
    over = run.record().get("carried_over")
    taken = over.get("taken") if isinstance(over, dict) else None
    there = sum(isinstance(each.content, Decision) and each.content.source == EARLIER for each in journal.entries)
    if isinstance(over, dict) and isinstance(taken, int) and there < taken and not journal.faults:
        what = f"has {there:,} of the {many(taken, 'decision')} that were taken over from {over.get('from')}"
        yield Flaw(run.journal.name, what, f"{_RESTORE}: the earlier run keeps its own, too.")


def _fix(fault: Fault, text: bytes, journal: Journal, known: Collection[str]) -> str:
    """Say what to do about a line, by what is lost with it: that depends on which listing it was about."""
    if fault.kind in _FIXES:
        return _FIXES[fault.kind]
    fix = _fix_of_lost(fault, text, journal, known)
    return f"{_NOT_SAID} Otherwise: {fix}" if fault.kind == "torn" else fix


def _fix_of_lost(fault: Fault, text: bytes, journal: Journal, known: Collection[str]) -> str:
    if b'"step": "' in text:
        return f"{_RESTORE}. It was a step of a command: `status()` shows what was done."
    id = _listing_of(text)
    if id not in known:
        return f"{_RESTORE}. Which listing it was about is not known: look through the decisions with `review()`."
    # what was taken back later may have left this line's decision in force
    holding = current_decisions(journal.decisions()).get(id)
    later = [entry.line for entry in journal.entries if entry.line > fault.line and entry.content == holding]
    if later:
        return f"Nothing is lost: line {later[-1]} decides on {id} again, and holds. To be rid of it, restore a copy."
    return f"{_RESTORE}, or decide on {id} again with `review()`: this line then counts for nothing."


def _is_told(fault: Fault, journal: Journal) -> bool:
    """Return whether a line that is lost was the begin or end of a transaction that is told: no other is lost there."""
    lines = {entry.number: entry.line for entry in journal.entries}
    for before, after in journal.told if fault.kind in ("damaged", "missing") else ():
        lost = [number for number in range(before + 1, after) if number not in lines]
        if len(lost) == 1 and lines.get(before, 0) < fault.line <= lines.get(after, fault.line):
            return True
    return False


def _listing_of(text: bytes) -> str:
    """Return the id that a damaged line names; an empty text if it can't be read."""
    _, found, rest = text.decode(errors="replace").partition('"id": ')
    try:
        id, _ = json.JSONDecoder().raw_decode(rest) if found else ("", 0)
    except ValueError:
        return ""
    return id if isinstance(id, str) else ""
