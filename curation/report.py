"""`report.html`: one self-contained page for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from curation import __version__
from curation.decisions import current_decisions
from curation.health import often_confused
from curation.issues import KINDS, IssueKind
from curation.issues.price import amount
from curation.pages import fill_page, thumbnail
from curation.runs import Run
from training.files import read_json, write_text

__all__ = ["write_report"]

_SHOWN = 24
_CLASSES = 20
_THUMBNAIL = 160


def write_report(run: Run) -> Path:
    """Write the page; it shows what is there by now: issues, decisions, the comparison.

    Only the worst listings of each kind are shown, as small thumbnails inside the page, so it stays small at
    any number of listings and needs neither network nor the photos.

    Parameters
    ----------
    run : Run
        A run whose issues are written.

    Returns
    -------
    Path
        ``report.html`` in the run's folder.
    """
    record, issues = run.record(), run.issues()
    decisions = current_decisions(run.decisions()[0])
    # a run of an earlier version was not searched for kinds that are newer
    kinds = [kind for kind in KINDS if kind.flag in issues]
    flags = issues[[kind.flag for kind in kinds]].fillna(False).any(axis=1)
    page = fill_page(
        "report.html.jinja",
        version=__version__,
        record=record,
        command=" ".join(["curate", *record.get("command", [])[1:]]),
        listings=len(issues),
        flagged=int(flags.sum()),
        sections=[_section(kind, issues, run.photo_root, decisions, record["dataset"]["currency"]) for kind in kinds],
        health=_health(run),
        decided=len(decisions),
        actions=pd.Series([decision.action for decision in decisions.values()], dtype="string")
        .value_counts()
        .to_dict(),
        comparison=read_json(run.comparison_file) if run.comparison_file.exists() else None,
    )
    write_text(run.report_file, page)
    return run.report_file


def _health(run: Run) -> dict[str, Any] | None:
    """Return what is shown of the health of the labels; None where there is nothing to show."""
    found = run.health()
    if found is None or not found["classes"]:
        return None
    classes = [row for row in found["classes"] if row["flagged"]]
    return {
        **found,
        "classes": classes[:_CLASSES],
        "more": len(classes) > _CLASSES,
        "confused": often_confused(found, _CLASSES),
    }


def _section(
    kind: IssueKind, issues: pd.DataFrame, root: Path, decisions: dict[str, Any], currency: str | None
) -> dict[str, Any]:
    flagged = issues[issues[kind.flag].fillna(False).astype(bool)]
    worst = flagged.nsmallest(_SHOWN, "priority")
    cards = [_card(row, root, decisions, currency) for row in worst.to_dict("records")]
    return {"title": kind.title, "name": kind.name, "help": kind.help, "count": len(flagged), "cards": cards}


def _card(row: dict[Any, Any], root: Path, decisions: dict[str, Any], currency: str | None) -> dict[str, Any]:
    decision = decisions.get(row["id"])
    price = None if pd.isna(row["price"]) else " ".join(filter(None, [amount(row["price"]), currency]))
    return {
        "id": row["id"],
        "photo": None if pd.isna(row["image"]) else thumbnail(root / row["image"], _THUMBNAIL),
        "label": "no label" if pd.isna(row["given_label"]) else row["given_label"],
        "price": price,
        "reasons": row["reasons"],
        "decision": None if decision is None else " → ".join(filter(None, [decision.action, decision.new_label])),
    }
