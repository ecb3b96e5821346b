"""How far a review is, and whether it pays to continue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from curation.rendering.words import many
from curation.review.commands import APPLY_FIXES
from curation.run.journal import ACTIONS, Decision

__all__ = ["AHEAD", "Progress", "progress_of"]

#: How many listings of the queue the hint to stop looks ahead.
AHEAD = 20


@dataclass(frozen=True)
class Progress:
    """How far a review is.

    Attributes
    ----------
    flagged, done : int
        Flagged listings, and those of them that have a decision.
    others : int
        Decided listings that were not flagged.
    actions : dict of str to int
        Standing decisions by action: ``keep``, ``relabel``, ``delete``.
    reviewers : dict of str to int
        Standing decisions by who made them, the most first.
    kinds : dict of str to (int, int)
        For each kind of issue: how many are decided, and how many there are.
    expected_left : float
        Expected number of undecided flagged listings that need a change: the sum of their ``change_chance``.
    expected_ahead : float
        The same of the next `AHEAD` of the queue.
    expected_done : float
        How many of the decided flagged listings were expected to change, to compare with `changed_done`.
    changed_done : int
        How many of them were relabelled or deleted.
    """

    flagged: int
    done: int
    others: int
    actions: dict[str, int]
    reviewers: dict[str, int]
    kinds: dict[str, tuple[int, int]]
    expected_left: float
    expected_ahead: float
    expected_done: float
    changed_done: int

    @property
    def left(self) -> int:
        """Flagged listings without a decision."""
        return self.flagged - self.done

    @property
    def hint(self) -> str:
        """What to do next, in a sentence; empty while it pays to continue."""
        if not self.flagged:
            return "Nothing is flagged, so there is nothing to review."
        if not self.left:
            return f"Every flagged listing is decided. Stop the review with Ctrl-C, then type: {APPLY_FIXES}"
        if self.expected_ahead < 1:
            ahead = min(AHEAD, self.left)
            return (
                f"You can stop here: of the next {many(ahead, 'listing')}, less than one is expected to need a change. "
                f"Then type: {APPLY_FIXES}"
            )
        return ""


def progress_of(table: pd.DataFrame, holding: Mapping[str, Decision]) -> Progress:
    """Count what is done.

    Parameters
    ----------
    table : DataFrame
        Of :func:`curation.review.table.review_table`.
    holding : mapping of str to Decision
        The decision that holds for each listing that has one.
    """
    decided = table["id"].isin(list(holding))
    flagged = table["issues"].str.len() > 0
    chance = table["change_chance"]
    left = flagged & ~decided
    changed = table["id"].map(lambda id: id in holding and holding[id].action != "keep").astype(bool)
    actions = Counter(decision.action for decision in holding.values())
    reviewers = Counter(decision.reviewer for decision in holding.values())
    kinds = table["issues"][flagged].explode()
    there = kinds.value_counts()
    done = kinds[decided[kinds.index]].value_counts()
    return Progress(
        flagged=int(flagged.sum()),
        done=int((flagged & decided).sum()),
        others=len(holding) - int((flagged & decided).sum()),
        actions={action: actions[action] for action in ACTIONS},
        reviewers=dict(reviewers.most_common()),
        kinds={str(kind): (int(done.get(kind, 0)), int(count)) for kind, count in there.items()},
        expected_left=float(chance[left].sum()),
        # the table is in the order of the queue
        expected_ahead=float(chance[left].head(AHEAD).sum()),
        expected_done=float(chance[flagged & decided].sum()),
        changed_done=int((flagged & changed).sum()),
    )
