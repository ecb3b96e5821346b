"""Deciding on listings that are open in the App."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.errors import ReviewError
from curation.review.app.edits import record_edits
from curation.review.app.mirror import Sample, look_at, mirror, run_of, write_down
from curation.review.journal_state import standing_of
from curation.run.journal import NOTE, UNDO, Decision, last_click
from curation.run.run import Run
from training.utils.units import now

__all__ = ["ACCEPT", "KEEP_ONE", "Outcome", "decide", "keep_one", "latest"]

ACCEPT = "accept"
KEEP_ONE = "keep_one"
_PAST = {
    "keep": "kept",
    ACCEPT: "relabelled as suggested",
    "relabel": "relabelled",
    "delete": "marked for deletion",
    UNDO: "taken back",
    NOTE: "noted on",
}
_WHY_NOT = {
    ACCEPT: "no suggestion that differs",
    UNDO: "no decision to take back",
}


@dataclass(frozen=True)
class Outcome:
    """What one click decided.

    Attributes
    ----------
    action : str
        ``keep``, ``accept``, ``relabel``, ``delete``, ``undo``, ``note``, or ``keep_one`` (of reposts).
    changed, skipped : tuple of str
        The listings decided on, and those the action has no meaning for: nothing suggested, nothing to take back.
    """

    action: str
    changed: tuple[str, ...]
    skipped: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as the App says it."""
        if self.action == KEEP_ONE:
            return f"1 listing kept, {len(self.changed) - 1:,} {_PAST['delete']}"
        said = [f"{_listings(len(self.changed))} {_PAST[self.action]}"] if self.changed else []
        if self.skipped:
            said.append(f"{_listings(len(self.skipped))} left as before: {_WHY_NOT[self.action]}")
        return "; ".join(said) or "nothing to decide on"


def decide(
    dataset: Any,
    samples: Sequence[str],
    action: str,
    *,
    reviewer: str,
    label: str | None = None,
    note: str | None = None,
) -> Outcome:
    """Record one decision for each sample, then show it in the App.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        A dataset made by :func:`curation.review.app.dataset.open_dataset`.
    samples : sequence of str
        FiftyOne's ids of the samples, in the order of the journal to be.
    action : str
        ``keep``, ``accept`` (the suggestion), ``relabel``, ``delete``, ``undo``, or ``note`` (decides nothing, or is
        added to the decision that holds).
    reviewer : str
        Who decides.
    label : str, optional
        The class, for ``relabel``. A listing that has it already is kept.
    note : str, optional
        The reviewer's own words. A listing that has a note keeps it when a decision brings none.

    Raises
    ------
    ReviewError
        When the journal can't be written, or `label` is no class of the run. Nothing has changed then.
    """
    run = run_of(dataset)
    if action == "relabel" and label not in run.classes:
        raise ReviewError(f"nothing was recorded: got class {label!r}, wanted one of the run's classes")
    rows = look_at(dataset, samples)
    # what was edited by hand came before this click, and must come before it in the journal
    record_edits(dataset, run, reviewer, rows)
    holding = standing_of(run).holding
    decided, skipped = {}, []
    for row in rows:
        said = _meaning(row, action, label, holding.get(row.id))
        if said is None:
            skipped.append(row.id)
        else:
            decided[row] = said
    _record(dataset, run, decided, reviewer, note)
    return Outcome(action, tuple(row.id for row in decided), tuple(skipped))


def keep_one(dataset: Any, sample: str, *, reviewer: str) -> Outcome:
    """Keep one of several reposts and delete the others.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        A dataset made by :func:`curation.review.app.dataset.open_dataset`.
    sample : str
        FiftyOne's id of the one that stays. If it has a decision other than to delete it, that holds on.
    reviewer : str
        Who decides.

    Returns
    -------
    Outcome
        The one that stays is its first listing.

    Raises
    ------
    ReviewError
        When no other listing shows its photo, or the journal can't be written. Nothing has changed then.
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
    """Return FiftyOne's ids of the samples that a reviewer's latest standing decision was for."""
    from fiftyone import ViewField

    ids = last_click(standing_of(run_of(dataset)).journal, reviewer)
    return list(dataset.match(ViewField("listing_id").is_in(ids)).values("id")) if ids else []


def _record(
    dataset: Any, run: Run, decided: Mapping[Sample, tuple[str, str | None]], reviewer: str, note: str | None
) -> None:
    """Write what was decided into the journal, and then show what holds."""
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


def _listings(number: int) -> str:
    return f"{number:,} listing" if number == 1 else f"{number:,} listings"
