"""Decisions: what a person (or an accepted suggestion) says about a listing.

The journal ``decisions.jsonl`` is append-only. The latest record of a listing holds; ``undo`` takes the one
before it back. Nothing is ever rewritten, so every step stays attributable and reversible.
"""

from __future__ import annotations

import codecs
import csv
import getpass
import io
import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from curation.errors import DecisionsError, closest, some

__all__ = [
    "ACTIONS",
    "UNDO",
    "Decision",
    "append_decisions",
    "check_decisions",
    "current_decisions",
    "now",
    "read_decisions_csv",
    "read_journal",
    "reviewer_name",
    "taken_back",
]

ACTIONS = ("keep", "relabel", "delete")
UNDO = "undo"


@dataclass(frozen=True)
class Decision:
    """One line of the journal.

    Attributes
    ----------
    id : str
        The listing.
    action : str
        ``keep``, ``relabel``, ``delete``, or ``undo`` (takes the decision before it back).
    new_label : str or None
        The class a relabelled listing gets; None for the other actions.
    reviewer : str
        Who decided.
    time : str
        When: ISO 8601, UTC.
    source : str
        Where it was said: ``app`` (FiftyOne), ``csv``, ``suggestion`` (accepted without a person looking) or
        ``undo`` (`curate undo`).
    note : str or None
        The reviewer's own words.
    """

    id: str
    action: str
    new_label: str | None
    reviewer: str
    time: str
    source: str
    note: str | None = None


def now() -> str:
    """Return the time as the journal writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def reviewer_name() -> str:
    """Return who is reviewing: ``CURATE_REVIEWER``, or the name of the account."""
    try:
        return os.environ.get("CURATE_REVIEWER") or getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user that has no name
        return f"user {os.getuid()}"


def append_decisions(journal: Path, decisions: Iterable[Decision]) -> None:
    """Append records to the journal; they are on disk when this returns.

    A line cut short by a crash is closed first, so that the record after it stays readable.
    """
    lines = "".join(json.dumps(asdict(decision), ensure_ascii=False) + "\n" for decision in decisions)
    if not lines:
        return
    journal.parent.mkdir(parents=True, exist_ok=True)
    with journal.open("ab+") as stream:
        if stream.tell() > 0:
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                lines = "\n" + lines
        stream.write(lines.encode())
        stream.flush()
        os.fsync(stream.fileno())


def read_journal(journal: Path) -> tuple[list[Decision], list[str]]:
    """Read the journal.

    Returns
    -------
    decisions : list of Decision
        Every readable record, oldest first.
    damaged : list of str
        One message for each line that could not be read, with its number. The lines stay in the file.
    """
    if not journal.exists():
        return [], []
    decisions, damaged = [], []
    # not splitlines: a note may hold other characters that end a line, e.g. U+2028
    for number, line in enumerate(journal.read_text(encoding="utf-8", errors="replace").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            decision = Decision(**json.loads(line))
            if not (isinstance(decision.id, str) and isinstance(decision.action, str)):
                raise TypeError("id and action are text")
        except (ValueError, TypeError):
            damaged.append(f"{journal.name} line {number} can't be read and is left out: {line[:60]!r}")
            continue
        decisions.append(decision)
    return decisions, damaged


def current_decisions(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Return what holds now: the latest decision of each listing that was not undone."""
    return {id: stack[-1] for id, stack in _stacks(decisions).items() if stack}


def _stacks(decisions: Iterable[Decision]) -> dict[str, list[Decision]]:
    """Return each listing's decisions that were not undone, oldest first."""
    stacks: dict[str, list[Decision]] = {}
    for decision in decisions:
        stack = stacks.setdefault(decision.id, [])
        if decision.action != UNDO:
            stack.append(decision)
        elif stack:
            stack.pop()
    return stacks


def taken_back(decisions: Iterable[Decision], added: Iterable[Decision], *, reviewer: str) -> list[Decision]:
    """Return the records that take `added` back when they are appended; whatever was decided since stays.

    Parameters
    ----------
    decisions : iterable of Decision
        The journal, oldest first.
    added : iterable of Decision
        Some of its records; those that were undone already are passed over.
    reviewer : str
        Who takes them back.

    Returns
    -------
    list of Decision
        Undo records and, after them, the later decisions of the same listings once more: an undo takes the latest.
    """
    remaining = Counter(added)
    time = now()
    records: list[Decision] = []
    for id, stack in _stacks(decisions).items():
        places = []
        for place in reversed(range(len(stack))):
            if remaining[stack[place]]:
                remaining[stack[place]] -= 1
                places.append(place)
        if places:
            first = places[-1]
            records += [Decision(id, UNDO, None, reviewer, time, "undo")] * (len(stack) - first)
            records += [stack[place] for place in range(first, len(stack)) if place not in places]
    return records


def check_decisions(decisions: Sequence[Decision], ids: Collection[str], classes: Sequence[str]) -> None:
    """Refuse decisions that no listing or class fits, all at once.

    Raises
    ------
    DecisionsError
        For unknown ids, unknown actions, and a relabel without a class or to an unknown one.
    """
    known = set(ids)
    unknown = [decision.id for decision in decisions if decision.id not in known]
    if unknown:
        raise DecisionsError(
            f"{len(unknown)} decisions are for listings that this run does not have",
            got=some(unknown),
            wanted="ids from the run's issues.csv",
            fix="Check --run, or whether the decisions belong to another dataset.",
        )
    for decision in decisions:
        # only the review and `curate undo` take back; in a CSV it would be a typing error
        if decision.action not in ACTIONS and (decision.action != UNDO or decision.source == "csv"):
            raise DecisionsError(
                f"unknown action for listing {decision.id}",
                got=repr(decision.action),
                wanted=", ".join(ACTIONS),
                fix=closest(decision.action, ACTIONS),
            )
        if decision.action == "relabel" and decision.new_label not in classes:
            raise DecisionsError(
                f"listing {decision.id} can't be relabelled",
                got=f"new_label {decision.new_label!r}",
                wanted=f"one of {some(classes, 12)}",
                fix=closest(decision.new_label or "", classes),
            )


def read_decisions_csv(path: Path, *, reviewer: str) -> list[Decision]:
    """Read decisions from a CSV with ``id``, ``decision`` and, for relabels, ``new_label``.

    ``reviewer``, ``time`` and ``note`` are taken when the file has them. A row with an empty decision is a
    listing that nobody has decided on yet; it is passed over. What spreadsheets write is read too: semicolons or tabs
    between the columns, UTF-16 with its mark.

    Raises
    ------
    DecisionsError
        If the file can't be read, lacks a column, decides nothing, or says two things about one listing.
    """
    if not path.is_file():
        raise DecisionsError("no decisions file", got=str(path), wanted="a CSV with id, decision, new_label")
    try:
        rows = _csv_rows(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DecisionsError(f"{path.name} can't be read", got=str(error), wanted="a CSV in UTF-8") from error
    decisions = [
        Decision(
            id=row["id"],
            action=row["action"],
            new_label=(row.get("new_label") or None) if row["action"] == "relabel" else None,
            reviewer=row.get("reviewer") or reviewer,
            time=row.get("time") or now(),
            source="csv",
            note=row.get("note") or None,
        )
        for row in rows
        if row["action"]
    ]
    _require_one_meaning(path, decisions)
    return decisions


def _require_one_meaning(path: Path, decisions: Sequence[Decision]) -> None:
    """Refuse a file that decides nothing, or two different things about one listing."""
    if not decisions:
        raise DecisionsError(
            f"{path.name} has no decision", got="only rows without one", wanted=f"one of {', '.join(ACTIONS)} in a row"
        )
    said: dict[str, set[tuple[str, str | None]]] = {}
    for decision in decisions:
        said.setdefault(decision.id, set()).add((decision.action, decision.new_label))
    twofold = [id for id, meanings in said.items() if len(meanings) > 1]
    if twofold:
        raise DecisionsError(
            f"{path.name} decides {len(twofold)} listings in two ways",
            got=some(twofold),
            wanted="one row for a listing, or equal ones",
            fix="Leave the right one of each.",
        )


def _csv_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a decisions CSV, the decision of each as ``action``."""
    content = path.read_bytes()
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if wide else "utf-8-sig")
    with io.StringIO(text, newline="") as stream:
        reader = csv.DictReader(stream, delimiter=_delimiter(text))
        columns = [name.strip() for name in reader.fieldnames or []]
        reader.fieldnames = columns
        action_column = "decision" if "decision" in columns else "action"
        missing = [name for name in ("id", action_column) if name not in columns]
        if missing:
            wanted = "decision" if missing[0] == "action" else missing[0]
            raise DecisionsError(
                f"{path.name} has no column '{wanted}'",
                got=some(columns, 12) or "an empty file",
                wanted="id, decision, new_label",
                fix=closest(wanted, columns),
            )
        rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
    return [{**row, "action": row[action_column].lower()} for row in rows]


def _delimiter(text: str) -> str:
    """Return what stands between the columns: the character that leaves a column ``id`` in the first line."""
    header = text.partition("\n")[0]
    found = [mark for mark in ",;\t" if "id" in (name.strip(' "\r') for name in header.split(mark))]
    return found[0] if found else ","
