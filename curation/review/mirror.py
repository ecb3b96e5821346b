"""The samples of the App, which mirror the journal.

The journal of the run is the truth. A decision is in it, on disk, before the App shows anything; the fields of the
samples can be made again from it at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.decisions import NOTE, Decision, disagreements
from curation.errors import ReviewError
from curation.runs import Run

__all__ = ["DECISION_FIELDS", "Sample", "fields_of", "look_at", "mark_disagreements", "mirror", "run_of", "write_down"]

DECISION_FIELDS = ("decision", "new_label", "reviewer", "reviewed_at", "review_note")


@dataclass(frozen=True)
class Sample:
    """A listing as it is in the App now.

    Attributes
    ----------
    sample : str
        FiftyOne's id.
    id : str
        Ours.
    given, suggested : str or None
        Labels.
    shown : str or None
        The label that the App shows; not the given one if somebody edited it in the Annotate tab.
    note : str or None
        What the App shows as the reviewer's note.
    """

    sample: str
    id: str
    given: str | None
    suggested: str | None
    shown: str | None
    note: str | None


def run_of(dataset: Any) -> Run:
    """Return the run that a FiftyOne dataset was made from.

    Raises
    ------
    ReviewError
        When it is not one of ours, or the run's folder is gone: a decision would have nowhere to go.
    """
    run = Run(Path((dataset.info.get("curate") or {}).get("run", "")))
    if not run.record_file.is_file():
        raise ReviewError(f"nothing was recorded: the run of dataset {dataset.name} is gone (no {run.record_file})")
    return run


def look_at(dataset: Any, samples: Sequence[str] | None = None) -> list[Sample]:
    """Return samples as they are now, in the order asked for; all of them if none are named."""
    view = dataset if samples is None else dataset.select(list(samples), ordered=True)
    fields = ["id", "listing_id", "original_label", "suggested.label", "ground_truth.label", "review_note"]
    return [Sample(*row) for row in zip(*view.values(fields), strict=True)]


def mirror(dataset: Any, holding: Mapping[str, Decision | None]) -> None:
    """Write what holds for each sample into its decision fields; None clears them."""
    if not holding:
        return
    values = {sample: fields_of(decision) for sample, decision in holding.items()}
    for position, field in enumerate(DECISION_FIELDS):
        dataset.set_values(field, {sample: row[position] for sample, row in values.items()}, key_field="id")


def fields_of(decision: Decision | None) -> tuple[Any, ...]:
    """Return the values of `DECISION_FIELDS` that show a decision."""
    if decision is None:
        return (None,) * len(DECISION_FIELDS)
    if decision.action == NOTE:
        return None, None, None, None, decision.note
    try:
        time = datetime.fromisoformat(decision.time).astimezone(UTC)
    except ValueError:  # the journal may hold times that somebody wrote in a CSV
        time = None
    return decision.action, decision.new_label, decision.reviewer, time, decision.note


def mark_disagreements(dataset: Any, decisions: Iterable[Decision]) -> None:
    """Set the field ``disagreement`` of every listing that the reviewers differ on, and of no other.

    Parameters
    ----------
    dataset : fiftyone.Dataset
    decisions : iterable of Decision
        The journal.
    """
    differ = disagreements(decisions)
    shown = dict(zip(*dataset.match({"disagreement": True}).values(["listing_id", "id"]), strict=True))
    new = dataset.match({"listing_id": {"$in": sorted(differ - shown.keys())}}).values("id") if differ else []
    changes: dict[str, bool | None] = {sample: None for listing, sample in shown.items() if listing not in differ}
    changes |= dict.fromkeys(new, True)
    if changes:
        dataset.set_values("disagreement", changes, key_field="id")


def write_down(run: Run, decisions: list[Decision]) -> None:
    """Append decisions to the journal.

    Raises
    ------
    ReviewError
        When it can't be written.
    """
    try:
        run.decide(decisions)
    except OSError as error:
        raise ReviewError(f"nothing was recorded: {run.journal} can't be written ({error.strerror})") from error
