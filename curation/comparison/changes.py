"""What the fixes changed among the training listings."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from curation.comparison.versions import AFTER, BEFORE, Versions

__all__ = ["changes_of", "training_of"]


def changes_of(versions: Versions) -> list[dict[str, Any]]:
    """Return how training listings differ, by kind of fix, labels, and who said so; most listings first."""
    counts: Counter[tuple[str, int, int, str]] = Counter()
    relabelled = versions.relabelled
    for row in np.flatnonzero(relabelled | versions.deleted).tolist():
        action = "relabel" if relabelled[row] else "delete"
        counts[action, int(versions.before[row]), int(versions.after[row]), versions.source(row)] += 1

    def name(number: int) -> str | None:
        return versions.classes[number] if number >= 0 else None

    rows = [
        {"action": action, "old_label": name(old), "new_label": name(new), "source": source, "listings": number}
        for (action, old, new, source), number in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row["listings"], row["action"], str(row["old_label"]), str(row["new_label"])))


def training_of(versions: Versions) -> dict[str, dict[str, int]]:
    """Return by class how many training listings there are, and how many came, went, and were deleted."""
    counts = {
        BEFORE: versions.before,
        AFTER: versions.after,
        "relabelled_to": versions.after[versions.relabelled],
        "relabelled_away": versions.before[versions.relabelled],
        "deleted": versions.before[versions.deleted],
    }
    number = len(versions.classes)
    by_class = {what: np.bincount(labels[labels >= 0], minlength=number) for what, labels in counts.items()}
    return {
        name: {what: int(count[place]) for what, count in by_class.items()}
        for place, name in enumerate(versions.classes)
    }
