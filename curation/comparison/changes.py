"""How the fixes changed the training listings."""

from __future__ import annotations

from collections import Counter

import numpy as np

from curation.comparison.result import Change, TrainingCounts
from curation.comparison.versions import Versions

__all__ = ["changes_of", "training_of"]


def changes_of(versions: Versions) -> tuple[Change, ...]:
    """Return how training listings differ, by kind of fix, labels, and who decided; most listings first."""
    counts: Counter[tuple[str, int, int, str]] = Counter()
    relabelled = versions.relabelled
    for row in np.flatnonzero(relabelled | versions.deleted).tolist():
        action = "relabel" if relabelled[row] else "delete"
        counts[action, int(versions.before[row]), int(versions.after[row]), versions.source(row)] += 1

    def name(number: int) -> str | None:
        return versions.classes[number] if number >= 0 else None

    rows = [
        Change(action, name(old), name(new), source, number) for (action, old, new, source), number in counts.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.listings, row.action, str(row.old_label), str(row.new_label))))


def training_of(versions: Versions) -> dict[str, TrainingCounts]:
    """Return by class how many training listings there are, and how many came, went, and were deleted."""
    counts = [
        versions.before,
        versions.after,
        versions.after[versions.relabelled],
        versions.before[versions.relabelled],
        versions.before[versions.deleted],
    ]
    number = len(versions.classes)
    by_class = np.array([np.bincount(labels[labels >= 0], minlength=number) for labels in counts])
    return {name: TrainingCounts(*by_class[:, place].tolist()) for place, name in enumerate(versions.classes)}
