"""Decisions before they are in the journal: checked against the run, and read from a CSV."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from curation.errors import DecisionsError, closest, some
from curation.rendering.words import many
from curation.run.folder import RunFolder
from curation.run.journal import ACTIONS, NOTE, UNDO, Decision, check_reviewer, reviewer_name
from training.utils.units import now

__all__ = ["check_decisions", "decide", "misfit", "named_listings", "read_decisions_csv", "suggested_labels"]


def decide(
    run: RunFolder, ids: Sequence[str], action: str, *, label: str | None, reviewer: str | None, note: str
) -> None:
    """Record one decision on several listings: all of them, or none.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    ids : sequence of str
        The listings.
    action, label, reviewer, note
        As for :meth:`curation.Run.decide`.

    Raises
    ------
    DecisionsError
        If a listing, a class or the action is unknown.
    """
    if label is not None and action != "relabel":
        raise DecisionsError("a label has no effect unless listings are relabelled", got=action, parameter="label")
    who, time = check_reviewer(reviewer or reviewer_name()), now()
    suggested = suggested_labels(run.issues())
    decisions = [
        Decision(
            id,
            action,
            (label or suggested.get(id)) if action == "relabel" else None,
            who,
            time,
            "api",
            note or None,
            suggested.get(id),
        )
        for id in ids
    ]
    check_decisions(decisions, suggested.keys(), run.classes)
    run.decide(decisions)


def named_listings(ids: object) -> list[str]:
    """Return the ids of listings, given as one text or several.

    Parameters
    ----------
    ids : str or iterable of str
        A table is refused: its column of ids is meant.

    Raises
    ------
    DecisionsError
        If it is something else, or names no listing.

    Examples
    --------
    >>> named_listings("L1"), named_listings(pd.Series(["L1", "L2"]))
    (['L1'], ['L1', 'L2'])
    """
    chosen = [ids] if isinstance(ids, str) else ids
    if not isinstance(chosen, Iterable) or isinstance(chosen, bytes | Mapping | pd.DataFrame):
        raise DecisionsError(
            "the ids of listings were wanted", got=type(ids).__name__, wanted="one id, or several", parameter="ids"
        )
    if not (several := [str(id) for id in chosen]):
        raise DecisionsError("no listing is named", got="no ids", wanted="one id, or several", parameter="ids")
    return several


def suggested_labels(issues: pd.DataFrame) -> dict[str, str | None]:
    """Return the suggested label of each listing; None where there is none."""
    labels = issues["suggested_label"].astype(object).where(issues["suggested_label"].notna(), None)
    return dict(zip(issues["id"], labels, strict=True))


def misfit(decision: Decision, classes: Collection[str]) -> str:
    """Return why a decision that holds means nothing for these classes; nothing if it fits.

    Parameters
    ----------
    decision : Decision
        What was decided.
    classes : collection of str
        Names of the classes.

    Examples
    --------
    >>> misfit(Decision("L1", "relabel", "sofa", "ana", "2026-01-01T10:00:00+00:00", "app"), ["chair", "desk"])
    "no class 'sofa'"
    """
    if decision.action not in ACTIONS:
        return f"unknown action {decision.action!r}"
    if decision.action == "relabel" and decision.new_label not in classes:
        return f"no class {decision.new_label!r}"
    return ""


def check_decisions(decisions: Sequence[Decision], ids: Collection[str], classes: Sequence[str]) -> None:
    """Refuse decisions that no listing or class fits, all at once.

    Parameters
    ----------
    decisions : sequence of Decision
        What was decided.
    ids : collection of str
        Ids of the run's listings.
    classes : sequence of str
        Names of the classes.

    Raises
    ------
    DecisionsError
        For unknown ids, unknown actions, and a relabel without a class or to an unknown one.
    """
    listings = set(ids)
    unknown = [decision.id for decision in decisions if decision.id not in listings]
    if unknown:
        raise DecisionsError(
            f"this run has no listing for {many(len(unknown), 'decision')}",
            got=some(unknown),
            wanted="ids from the run's issues.csv",
            fix="Check `run`, or whether the decisions belong to another dataset.",
            parameter="ids",
        )
    for decision in decisions:
        # only the review and `curate undo` take back or only note; in a CSV it would be a typing error
        if decision.action not in ACTIONS and (decision.action not in (UNDO, NOTE) or decision.source == "csv"):
            raise DecisionsError(
                f"unknown action for listing {decision.id}",
                got=repr(decision.action),
                wanted=", ".join(ACTIONS),
                fix=closest(decision.action, ACTIONS),
                parameter="action",
            )
        if decision.action == "relabel" and decision.new_label not in classes:
            raise DecisionsError(
                f"listing {decision.id} can't be relabelled",
                got=f"new_label {decision.new_label!r}",
                wanted=f"one of {some(classes, 12)}",
                fix=closest(decision.new_label or "", classes),
                parameter="label",
            )


def read_decisions_csv(path: Path, *, reviewer: str) -> list[Decision]:
    """Read decisions from a CSV with ``id``, ``decision`` and, for relabels, ``new_label``.

    ``reviewer``, ``time`` and ``note`` are optional. Rows without a decision are skipped. Files that spreadsheets
    write are accepted too: semicolons or tabs between the columns, UTF-16 with its mark.

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
    meanings: dict[str, set[tuple[str, str | None]]] = {}
    for decision in decisions:
        meanings.setdefault(decision.id, set()).add((decision.action, decision.new_label))
    twofold = [id for id, different in meanings.items() if len(different) > 1]
    if twofold:
        raise DecisionsError(
            f"{path.name} decides on {many(len(twofold), 'listing')} in two ways",
            got=some(twofold),
            wanted="one row for a listing, or equal ones",
            fix="Keep the right one of each.",
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
        rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
        if not missing and "new_label" not in columns and any(row[action_column].lower() == "relabel" for row in rows):
            missing = ["new_label"]
        if missing:
            wanted = "decision" if missing[0] == "action" else missing[0]
            raise DecisionsError(
                f"{path.name} has no column '{wanted}'",
                got=some(columns, 12) or "an empty file",
                wanted="id, decision, new_label",
                fix=closest(wanted, columns),
            )
    return [{**row, "action": row[action_column].lower()} for row in rows]


def _delimiter(text: str) -> str:
    """Return what stands between the columns: the character that leaves a column ``id`` in the first line."""
    header = text.partition("\n")[0]
    marks = (mark for mark in ",;\t" if "id" in (name.strip(' "\r') for name in header.split(mark)))
    return next(marks, ",")
