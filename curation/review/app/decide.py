"""Decisions on listings in the App."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.errors import ReviewError
from curation.rendering.words import many
from curation.review.app.edits import record_edits
from curation.review.app.mirror import Sample, look_at, mirror, run_of, write_down
from curation.review.journal_state import standing_of
from curation.run.folder import RunFolder
from curation.run.journal import NOTE, UNDO, Decision, last_click
from training.utils.units import now

__all__ = ["ACCEPT", "KEEP_ONE", "Outcome", "decide", "keep_one", "latest"]

ACCEPT = "accept"
KEEP_ONE = "keep_one"
_PAST = {
    "keep": "kept",
    ACCEPT: "relabelled as suggested",
    "relabel": "relabelled",
    "delete": "marked for deletion",
    UNDO: "undone",
    NOTE: "saved",
}
#: What an action counts, if not listings.
_COUNTED = {UNDO: "decision", NOTE: "note"}
_WHY_NOT = {
    ACCEPT: "nothing else is suggested",
    UNDO: "there is no decision to undo",
}


@dataclass(frozen=True)
class Outcome:
    """The outcome of one click.

    Attributes
    ----------
    action : str
        ``keep``, ``accept``, ``relabel``, ``delete``, ``undo``, ``note``, or ``keep_one`` (of reposts).
    changed, skipped : tuple of str
        The listings decided on, and those without a suggestion to accept or a decision to undo.
    """

    action: str
    changed: tuple[str, ...]
    skipped: tuple[str, ...]

    def __str__(self) -> str:
        """Return the message that the App shows."""
        if self.action == KEEP_ONE:
            return f"1 listing kept, {len(self.changed) - 1:,} {_PAST['delete']}"
        counted = many(len(self.changed), _COUNTED.get(self.action, "listing"))
        parts = [f"{counted} {_PAST[self.action]}"] if self.changed else []
        if self.skipped:
            parts.append(f"{many(len(self.skipped), 'listing')} unchanged: {_WHY_NOT[self.action]}")
        return "; ".join(parts) or "nothing to decide on"


def decide(
    dataset: Any,
    samples: Sequence[str],
    action: str,
    *,
    reviewer: str,
    label: str | None = None,
    note: str | None = None,
) -> Outcome:
    """Record a decision for each sample, then show it in the App.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        A dataset made by :func:`curation.review.app.dataset.open_dataset`.
    samples : sequence of str
        FiftyOne's ids of the samples; the journal keeps their order.
    action : str
        ``keep``, ``accept`` (the suggestion), ``relabel``, ``delete``, ``undo``, or ``note`` (added to the valid
        decision, if there is one).
    reviewer : str
        Who decides.
    label : str, optional
        The class for ``relabel``. A listing that already has it is kept.
    note : str, optional
        The reviewer's own words. By default, a listing keeps its note.

    Raises
    ------
    ReviewError
        If the journal can't be written, or `label` is not a class of the run. Then nothing has changed.
    """
    run = run_of(dataset)
    if action == "relabel" and label not in run.classes:
        raise ReviewError(f"nothing was recorded: {label!r} is not a class of the run")
    rows = look_at(dataset, samples)
    # labels were edited before this click, so they come before it in the journal
    record_edits(dataset, run, reviewer, rows)
    holding = standing_of(run).holding
    decided, skipped = {}, []
    for row in rows:
        record = _meaning(row, action, label, holding.get(row.id))
        if record is None:
            skipped.append(row.id)
        else:
            decided[row] = record
    _record(dataset, run, decided, reviewer, note)
    return Outcome(action, tuple(row.id for row in decided), tuple(skipped))


def keep_one(dataset: Any, sample: str, *, reviewer: str) -> Outcome:
    """Keep one of several reposts and delete the others.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        A dataset made by :func:`curation.review.app.dataset.open_dataset`.
    sample : str
        FiftyOne's id of the one to keep. A decision on it, other than to delete it, stays valid.
    reviewer : str
        Who decides.

    Returns
    -------
    Outcome
        Its first listing is the one that is kept.

    Raises
    ------
    ReviewError
        If no other listing shows its photo, or the journal can't be written. Then nothing has changed.
    """
    from fiftyone import ViewField

    run = run_of(dataset)
    group = dataset[sample]["near_duplicate_group"]
    same = dataset.match(ViewField("near_duplicate_group") == group).values("id") if group is not None else []
    others = [other for other in same if other != sample]
    if not others:
        raise ReviewError("nothing was recorded: no other listing shows this photo")
    rows = look_at(dataset, [sample, *others])
    record_edits(dataset, run, reviewer, rows)
    standing = standing_of(run).holding.get(rows[0].id)
    stays = standing is not None and standing.action != "delete"
    decided = {row: ("delete", None) for row in rows[1:]}
    _record(dataset, run, decided if stays else {rows[0]: ("keep", None), **decided}, reviewer, None)
    return Outcome(KEEP_ONE, tuple(row.id for row in rows), ())


def latest(dataset: Any, reviewer: str) -> list[str]:
    """Return FiftyOne's ids of the samples of a reviewer's latest valid decision.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        The dataset of a run.
    reviewer : str
        Name of the reviewer.
    """
    from fiftyone import ViewField

    ids = last_click(standing_of(run_of(dataset)).journal, reviewer)
    return list(dataset.match(ViewField("listing_id").is_in(ids)).values("id")) if ids else []


def _record(
    dataset: Any, run: RunFolder, decided: Mapping[Sample, tuple[str, str | None]], reviewer: str, note: str | None
) -> None:
    """Append the decisions to the journal, then show them."""
    time = now()
    records = [
        Decision(
            id=row.id,
            action=action,
            new_label=label,
            reviewer=reviewer,
            time=time,
            source="app",
            note=note or (None if action == UNDO else row.note),
            suggested_label=row.suggested,
        )
        for row, (action, label) in decided.items()
    ]
    write_down(run, records)
    mirror(dataset, run, [row.sample for row in decided])


def _meaning(row: Sample, action: str, label: str | None, standing: Decision | None) -> tuple[str, str | None] | None:
    """Return the action and class to record, or None if there is nothing to record for this listing."""
    if action == UNDO:
        return (UNDO, None) if standing else None
    if action == NOTE:
        return (standing.action, standing.new_label) if standing else (NOTE, None)
    if action == ACCEPT:
        return ("relabel", row.suggested) if row.suggested and row.suggested != row.given else None
    if action == "relabel" and label != row.given:
        return "relabel", label
    return ("keep" if action == "relabel" else action), None
