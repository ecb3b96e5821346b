"""Labels that were edited in FiftyOne's own Annotate tab."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from curation.review.app.mirror import Sample, look_at, mirror, write_down
from curation.review.journal_state import standing_of
from curation.run.decidable import new_classes_of
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from training.utils.units import now

__all__ = ["EDIT_NOTE", "record_edits"]

EDIT_NOTE = "edited in FiftyOne's Annotate tab"


def record_edits(
    dataset: Any, run: RunFolder, reviewer: str, rows: Iterable[Sample] | None = None
) -> tuple[list[Decision], list[str]]:
    """Turn labels that were edited in FiftyOne's Annotate tab into decisions.

    ``ground_truth`` is then reset to the given label, so that an edit counts once: the journal has the decision, and
    ``decision`` and ``new_label`` show it.

    Parameters
    ----------
    dataset : fiftyone.Dataset
    run : RunFolder
    reviewer : str
        Who edited the labels.
    rows : iterable of samples, optional
        The samples to examine; by default all.

    Returns
    -------
    decisions : list of Decision
        The relabels recorded.
    unusable : list of str
        Listings whose label was removed or is not a class of the run; they get no decision.
    """
    edited = [row for row in (look_at(dataset) if rows is None else rows) if row.label != row.given]
    if not edited:
        return [], []
    holding = standing_of(run).holding
    classes = {*run.classes, *new_classes_of(holding)}
    time = now()
    decisions = {
        row.sample: Decision(
            row.id,
            "relabel",
            row.label,
            reviewer,
            time,
            "app",
            EDIT_NOTE,
            row.suggested,
            new_class=row.label not in run.classes,
        ).joined(holding.get(row.id))
        for row in edited
        if row.label in classes
    }
    write_down(run, list(decisions.values()))
    mirror(dataset, run, decisions)
    _restore(dataset, edited)
    return list(decisions.values()), [row.id for row in edited if row.label not in classes]


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
