"""Deciding on listings that are open in the App.

The journal of the run is the truth. A decision is in it, on disk, before the App shows anything; the fields of the
samples only mirror it and can be made again from it at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.decisions import UNDO, Decision, current_decisions, now, reviewer_name
from curation.errors import ReviewError
from curation.runs import Run

__all__ = [
    "ACCEPT",
    "DECISION_FIELDS",
    "Outcome",
    "decide",
    "fields_of",
    "mirror",
    "record_edits",
    "run_of",
]

ACCEPT = "accept"
DECISION_FIELDS = ("decision", "new_label", "reviewer", "reviewed_at", "review_note")
EDIT_NOTE = "edited in FiftyOne's Annotate tab"
_PAST = {
    "keep": "kept",
    ACCEPT: "relabelled as suggested",
    "relabel": "relabelled",
    "delete": "marked for deletion",
    UNDO: "taken back",
}


@dataclass(frozen=True)
class Outcome:
    """What one click decided.

    Attributes
    ----------
    action : str
        ``keep``, ``accept``, ``relabel``, ``delete`` or ``undo``.
    changed, skipped : tuple of str
        The listings decided on, and those the action has no meaning for: nothing suggested, nothing to take back.
    """

    action: str
    changed: tuple[str, ...]
    skipped: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as the App says it."""
        said = [f"{_listings(len(self.changed))} {_PAST[self.action]}"] if self.changed else []
        if self.skipped:
            why = "no decision to take back" if self.action == UNDO else "no suggestion that differs"
            said.append(f"{_listings(len(self.skipped))} left as before: {why}")
        return "; ".join(said) or "nothing to decide on"


@dataclass(frozen=True)
class _Sample:
    """A listing as it is in the App now."""

    sample: str
    id: str
    given: str | None
    suggested: str | None
    shown: str | None


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


def decide(
    dataset: Any, samples: Sequence[str], action: str, *, label: str | None = None, note: str | None = None
) -> Outcome:
    """Record one decision for each sample, then show it in the App.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        A dataset made by :func:`curation.review.dataset.open_dataset`.
    samples : sequence of str
        FiftyOne's ids of the samples, in the order of the journal to be.
    action : str
        ``keep``, ``accept`` (the suggestion), ``relabel``, ``delete`` or ``undo``.
    label : str, optional
        The class, for ``relabel``. A listing that has it already is kept.
    note : str, optional
        The reviewer's own words.

    Raises
    ------
    ReviewError
        When the journal can't be written, or `label` is no class of the run. Nothing has changed then.
    """
    run = run_of(dataset)
    if action == "relabel" and label not in run.classes:
        raise ReviewError(f"nothing was recorded: got class {label!r}, wanted one of the run's classes")
    rows = _look_at(dataset, samples)
    # what was edited by hand came before this click, and must come before it in the journal
    record_edits(dataset, run, rows)
    standing = current_decisions(run.decisions()[0]) if action == UNDO else {}
    reviewer, time = reviewer_name(), now()
    decisions: list[tuple[_Sample, Decision]] = []
    skipped: list[str] = []
    for row in rows:
        said = _meaning(row, action, label, row.id in standing)
        if said is None:
            skipped.append(row.id)
        else:
            decisions.append((row, Decision(row.id, said[0], said[1], reviewer, time, "app", note or None)))
    _write(run, [decision for _, decision in decisions])
    holding: Mapping[str, Decision] = {decision.id: decision for _, decision in decisions}
    if action == UNDO:
        holding = current_decisions(run.decisions()[0])
    mirror(dataset, {row.sample: holding.get(row.id) for row, _ in decisions})
    return Outcome(action, tuple(row.id for row, _ in decisions), tuple(skipped))


def record_edits(dataset: Any, run: Run, rows: Iterable[_Sample] | None = None) -> tuple[list[Decision], list[str]]:
    """Turn labels that were edited in FiftyOne's Annotate tab into decisions.

    ``ground_truth`` is then set back to the given label, so that an edit is found once: what holds is in the
    journal, and shown in ``decision`` and ``new_label``.

    Parameters
    ----------
    dataset : fiftyone.Dataset
    run : Run
    rows : iterable of samples, optional
        Where to look; everywhere if left out.

    Returns
    -------
    decisions : list of Decision
        The relabels recorded.
    unusable : list of str
        Listings whose label was removed or is no class of the run: no decision.
    """
    edited = [row for row in (_look_at(dataset) if rows is None else rows) if row.shown != row.given]
    if not edited:
        return [], []
    classes = set(run.classes)
    reviewer, time = reviewer_name(), now()
    decisions = {
        row.sample: Decision(row.id, "relabel", row.shown, reviewer, time, "app", EDIT_NOTE)
        for row in edited
        if row.shown in classes
    }
    _write(run, list(decisions.values()))
    mirror(dataset, decisions)
    _restore(dataset, edited)
    return list(decisions.values()), [row.id for row in edited if row.shown not in classes]


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
    try:
        time = datetime.fromisoformat(decision.time).astimezone(UTC)
    except ValueError:  # the journal may hold times that somebody wrote in a CSV
        time = None
    return decision.action, decision.new_label, decision.reviewer, time, decision.note


def _look_at(dataset: Any, samples: Sequence[str] | None = None) -> list[_Sample]:
    view = dataset if samples is None else dataset.select(list(samples), ordered=True)
    columns = view.values(["id", "listing_id", "original_label", "suggested.label", "ground_truth.label"])
    return [_Sample(*row) for row in zip(*columns, strict=True)]


def _meaning(row: _Sample, action: str, label: str | None, decided: bool) -> tuple[str, str | None] | None:
    """Return the action and class to record, or None if there is nothing to record for this listing."""
    if action == UNDO:
        return (UNDO, None) if decided else None
    if action == ACCEPT:
        return ("relabel", row.suggested) if row.suggested and row.suggested != row.given else None
    if action == "relabel" and label != row.given:
        return "relabel", label
    return ("keep" if action == "relabel" else action), None


def _write(run: Run, decisions: list[Decision]) -> None:
    try:
        run.decide(decisions)
    except OSError as error:
        raise ReviewError(f"nothing was recorded: {run.journal} can't be written ({error.strerror})") from error


def _restore(dataset: Any, edited: list[_Sample]) -> None:
    """Show the given label again; the label object itself stays, unless it was removed."""
    from fiftyone import Classification

    labels = dict(zip(*dataset.select([row.sample for row in edited]).values(["id", "ground_truth"]), strict=True))
    for row in edited:
        current = labels[row.sample]
        if row.given is None:
            labels[row.sample] = None
        elif current is None:
            labels[row.sample] = Classification(label=row.given)
        else:
            current.label = row.given
    dataset.set_values("ground_truth", labels, key_field="id")


def _listings(number: int) -> str:
    return f"{number:,} listing" if number == 1 else f"{number:,} listings"
