"""The samples of the App, which mirror the journal.

A decision is written to the run's journal before the App shows it, so the fields of the samples can be rebuilt from the
journal at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.errors import ReviewError
from curation.review.chosen import loaded_of
from curation.review.journal_state import Standing, standing_of
from curation.run.folder import RunFolder
from curation.run.journal import NOTE, Decision

__all__ = ["DECISION_FIELDS", "PREFIX", "Sample", "listings_of", "look_at", "mirror", "run_of", "write_down"]

#: The names of our datasets begin with this.
PREFIX = "curate-"
DECISION_FIELDS = ("decision", "new_label", "new_price", "reviewer", "reviewed_at", "review_note", "disagreement")


@dataclass(frozen=True)
class Sample:
    """A listing in the App.

    Attributes
    ----------
    sample : str
        FiftyOne's id.
    id : str
        Id of the listing.
    given, suggested : str or None
        Labels.
    label : str or None
        The label that the App shows; differs from the given one if somebody edited it in the Annotate tab.
    """

    sample: str
    id: str
    given: str | None
    suggested: str | None
    label: str | None


def run_of(dataset: Any) -> RunFolder:
    """Return the run that a FiftyOne dataset was made from.

    Raises
    ------
    ReviewError
        If it is not one of ours, or the run does not exist any more, so that no decision could be recorded.
    """
    run = RunFolder(Path((dataset.info.get("curate") or {}).get("run", "")))
    if not run.record_file.is_file():
        raise ReviewError(f"nothing was recorded: the run of {dataset.name} does not exist (no {run.record_file})")
    return run


def listings_of(dataset: Any, run: RunFolder) -> frozenset[str] | None:
    """Return the listings that a dataset was made of; None for all.

    Parameters
    ----------
    dataset : fiftyone.Dataset
    run : RunFolder
    """
    made = dataset.info.get("curate") or {}
    return loaded_of(run, made.get("top"), made.get("line", 0))


def look_at(dataset: Any, samples: Sequence[str] | None = None) -> list[Sample]:
    """Return the current state of samples, in the order of `samples`; by default all of them."""
    view = dataset if samples is None else dataset.select(list(samples), ordered=True)
    fields = ["id", "listing_id", "original_label", "suggested.label", "ground_truth.label"]
    return [Sample(*row) for row in zip(*view.values(fields), strict=True)]


def mirror(dataset: Any, run: RunFolder, samples: Collection[str] | None = None) -> None:
    """Update the decision fields from the journal; only those that differ are written.

    Parameters
    ----------
    dataset : fiftyone.Dataset
    run : RunFolder
    samples : collection of str, optional
        FiftyOne's ids of the samples to update; by default all.
    """
    standing = standing_of(run)
    view = dataset if samples is None else dataset.select(list(samples))
    changes: dict[str, dict[str, Any]] = {field: {} for field in DECISION_FIELDS}
    for sample, listing, *current in zip(*view.values(["id", "listing_id", *DECISION_FIELDS]), strict=True):
        for field, present, value in zip(DECISION_FIELDS, current, _fields(standing, listing), strict=True):
            # MongoDB returns times without their zone
            if (present.replace(tzinfo=UTC) if isinstance(present, datetime) else present) != value:
                changes[field][sample] = value
    for field, values in changes.items():
        if values:
            dataset.set_values(field, values, key_field="id")


def _fields(standing: Standing, listing: str) -> tuple[Any, ...]:
    """Return the values of `DECISION_FIELDS` for a listing."""
    differ = True if listing in standing.differ else None
    decision = standing.record(listing)
    if decision is None:
        return None, None, None, None, None, None, differ
    if decision.action == NOTE:
        return None, None, None, None, None, decision.note, differ
    try:
        time = datetime.fromisoformat(decision.time).astimezone(UTC)
    except ValueError:  # the journal may hold times that somebody wrote in a CSV
        time = None
    note = standing.note(listing)
    return decision.action, decision.new_label, decision.new_price, decision.reviewer, time, note, differ


def write_down(run: RunFolder, said: Callable[[], Sequence[Decision]]) -> None:
    """Append decisions to the journal.

    Parameters
    ----------
    run : RunFolder
        The run with the journal.
    said : callable
        Returns the decisions, in order, as they follow from what holds; see :meth:`RunFolder.decide`.

    Raises
    ------
    ReviewError
        If it can't be written.
    """
    try:
        run.decide(said)
    except OSError as error:
        raise ReviewError(f"nothing was recorded: {run.journal} can't be written ({error.strerror})") from error
