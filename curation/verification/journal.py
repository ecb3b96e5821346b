"""The journal of a run: each line is sound and in its place, and its decisions are about listings of the run."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Collection, Iterator

from curation.errors import some
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions
from curation.run.journal_content import Fault, Journal
from curation.run.lost_journal import require_journal
from curation.verification.result import Flaw

__all__ = ["check_journal", "check_lost"]

_RESTORE = "Restore it from a copy"
#: What to do about faults that don't hang on what the line says.
_FIXES = {
    "duplicated": "Nothing is lost. To be rid of it, delete this line.",
    "swapped": "Nothing is lost. To be rid of it, move this line to its place.",
    "newer": "Open the run with that newer version of curate.",
    "missing": f"{_RESTORE}. Which listings they were about is not known: look through the decisions with `review()`.",
}
#: Of a torn line: only its writer could have told anybody of it, and did not get that far.
_NOT_SAID = (
    "If the machine or the command stopped while it was written, nothing is lost, as it was not acknowledged: delete "
    "this line to be rid of it."
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


def check_journal(run: RunFolder, notes: list[str]) -> Iterator[Flaw]:
    """Check each line of the journal, and that its decisions are about listings of the run.

    Parameters
    ----------
    run : RunFolder
        The run.
    notes : list of str
        Gets what could not be checked: a sentence each.
    """
    journal, name, known = run.read_journal(), run.journal.name, set(run.listings()["id"])
    lines = run.journal.read_bytes().removeprefix(BOM_UTF8).split(b"\n") if journal.faults else []
    for fault in journal.faults:
        text = lines[fault.line - 1] if fault.line <= len(lines) else b""
        yield Flaw(name, fault.message.removeprefix(f"{name} "), _fix(fault, text, journal, known))
    strange = [entry for entry in journal.entries if isinstance(entry.content, Decision)]
    strange = [entry for entry in strange if isinstance(entry.content, Decision) and entry.content.id not in known]
    if strange:
        numbers = some(f"line {entry.line}" for entry in strange)
        fix = f"{_RESTORE}: `apply_fixes()` refuses such decisions."
        yield Flaw(name, f"has decisions on listings that the run does not have: {numbers}", fix)


def _fix(fault: Fault, text: bytes, journal: Journal, known: Collection[str]) -> str:
    """Say what to do about a line, by what is lost with it: that hangs on which listing it was about."""
    if fault.kind in _FIXES:
        return _FIXES[fault.kind]
    fix = _fix_of_lost(fault, text, journal, known)
    return f"{_NOT_SAID} Otherwise: {fix}" if fault.kind == "torn" else fix


def _fix_of_lost(fault: Fault, text: bytes, journal: Journal, known: Collection[str]) -> str:
    if b'"step": "' in text:
        return f"{_RESTORE}. It was a step of a command: look at `status()`, and give `apply_fixes()` again."
    id = _listing_of(text)
    if id not in known:
        return f"{_RESTORE}. Which listing it was about is not known: look through the decisions with `review()`."
    # what was taken back later may have left this line's decision in force
    holding = current_decisions(journal.decisions()).get(id)
    later = [entry.line for entry in journal.entries if entry.line > fault.line and entry.content == holding]
    if later:
        return f"Nothing is lost: line {later[-1]} decides on {id} again, and holds. To be rid of it, restore a copy."
    return f"{_RESTORE}, or decide on {id} again with `review()`: this line then counts for nothing."


def _listing_of(text: bytes) -> str:
    """Return the id that a damaged line names; an empty text if it can't be read."""
    _, found, rest = text.decode(errors="replace").partition('"id": ')
    try:
        id, _ = json.JSONDecoder().raw_decode(rest) if found else ("", 0)
    except ValueError:
        return ""
    return id if isinstance(id, str) else ""
