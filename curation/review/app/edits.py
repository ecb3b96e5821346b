"""Labels that are edited in FiftyOne's own Annotate tab, and labels that were changed by other means.

An edit is a decision if the reviewer's browser sent it: it is recorded when the server receives it. A label that was
changed in the database otherwise, for example by another program, is no decision of a reviewer, and is put back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from curation.review.app.mirror import Sample, look_at, write_down
from curation.review.app.written import check_as_written
from curation.review.journal_state import standing_of
from curation.run.decidable import new_classes_of
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from training.utils.units import now

__all__ = ["EDIT_NOTE", "edited_label", "put_back", "record_edit"]

EDIT_NOTE = "edited in FiftyOne's Annotate tab"


def edited_label(patch: bytes) -> str | None:
    """Return the label that a JSON patch of the Annotate tab sets last, or None if it sets none.

    Examples
    --------
    >>> edited_label(b'[{"op": "replace", "path": "/ground_truth/label", "value": "lamp"}]')
    'lamp'
    >>> edited_label(b'[{"op": "remove", "path": "/ground_truth"}]')
    """
    label = None
    for step in json.loads(patch):
        value = step.get("value") if step["op"] in ("add", "replace") else None
        if step["op"] == "test":
            continue
        if step["path"] == "/ground_truth":
            label = value.get("label") if isinstance(value, dict) else None
        elif step["path"] == "/ground_truth/label":
            label = value
    return label if isinstance(label, str) else None


def record_edit(dataset: Any, run: RunFolder, reviewer: str, sample: str, label: str) -> Decision | None:
    """Record that a reviewer chose another label in the Annotate tab.

    ``ground_truth`` stays as edited, because the tab refuses a further edit of a sample that has changed meanwhile.
    :func:`put_back` shows the given label again.

    Parameters
    ----------
    dataset : fiftyone.Dataset
    run : RunFolder
    reviewer : str
        Who edited the label.
    sample : str
        FiftyOne's id of the sample.
    label : str
        The label now.

    Returns
    -------
    Decision or None
        What was recorded. Nothing is if the label is no class of the run, or says what the journal says already. The
        given label, chosen after another one, is kept.

    Raises
    ------
    ReviewError
        If the journal can't be written, or the sample is not as the review wrote it.
    """
    check_as_written(dataset, run, [sample])
    (row,) = look_at(dataset, [sample])
    said: list[Decision] = []

    def follows() -> list[Decision]:
        decision = _edited(run, row, reviewer, label)
        said[:] = [] if decision is None else [decision]
        return said

    write_down(run, follows)
    return said[0] if said else None


def _edited(run: RunFolder, row: Sample, reviewer: str, label: str) -> Decision | None:
    """Return what an edit says beside what holds; None if it says nothing new."""
    holding = standing_of(run).holding
    standing = holding.get(row.id)
    edited = standing is not None and standing.note == EDIT_NOTE and standing.reviewer == reviewer
    decision = Decision(row.id, "relabel", label, reviewer, now(), "app", EDIT_NOTE, row.suggested)
    if label == row.given:
        if not edited:
            return None
        decision = Decision(row.id, "keep", None, reviewer, now(), "app", EDIT_NOTE)
    elif label not in {*run.classes, *new_classes_of(holding)} or (standing and standing.new_label == label):
        return None
    elif label not in run.classes:
        decision = Decision(row.id, "relabel", label, reviewer, now(), "app", EDIT_NOTE, row.suggested, new_class=True)
    return decision.joined(standing)


def put_back(dataset: Any, run: RunFolder, rows: Iterable[Sample] | None = None) -> list[str]:
    """Show the given labels again.

    Parameters
    ----------
    dataset : fiftyone.Dataset
    run : RunFolder
    rows : iterable of samples, optional
        The samples to examine; by default all.

    Returns
    -------
    list of str
        The listings whose label was changed without a decision: it was removed, is no class of the run, or was changed
        by other means than the Annotate tab of a review.
    """
    changed = [row for row in (look_at(dataset) if rows is None else rows) if row.label != row.given]
    if not changed:
        return []
    holding = standing_of(run).holding
    _restore(dataset, changed)
    return [row.id for row in changed if row.id not in holding or holding[row.id].new_label != row.label]


def _restore(dataset: Any, edited: list[Sample]) -> None:
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
