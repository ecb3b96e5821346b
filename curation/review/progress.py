"""The progress of a review, and whether it is worth continuing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from curation.rendering.words import many
from curation.review.card import Cards
from curation.run.journal import ACTIONS, Decision

__all__ = ["AHEAD", "Progress", "progress_of"]

#: Actions that leave a listing as it is.
_STAY = ("keep", "ambiguous")
#: Number of listings that the hint to stop considers.
AHEAD = 20
#: The command names the run, which may no longer be the latest.
_THEN = "Stop the review with Ctrl-C, and type the command that it prints."


@dataclass(frozen=True)
class Progress:
    """The progress of a review.

    Attributes
    ----------
    flagged, done : int
        Number of flagged listings, and of those that have a decision.
    others : int
        Number of decided listings that are not flagged.
    actions : dict of str to int
        Valid decisions by action, of all :data:`curation.run.journal.ACTIONS`.
    reviewers : dict of str to int
        Valid decisions by reviewer, the most first.
    kinds : dict of str to (int, int)
        For each kind of issue: decided listings, and all listings.
    expected_left : float
        Expected number of undecided flagged listings that need a change: the sum of their ``change_chance``.
    expected_ahead : float
        The same for the next `AHEAD` of the queue.
    expected_done : float
        Number of decided flagged listings that were expected to change, to compare with `changed_done`.
    changed_done : int
        Number of them that were relabelled, repriced or deleted.
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
        """Number of flagged listings without a decision."""
        return self.flagged - self.done

    @property
    def hint(self) -> str:
        """A sentence on what to do next; empty while the review is worth continuing."""
        if not self.flagged:
            return "Nothing is flagged, so there is nothing to review."
        if not self.left:
            return f"Every flagged listing is decided. {_THEN}"
        if self.expected_ahead < 1:
            ahead = min(AHEAD, self.left)
            return (
                f"You can stop here: of the next {many(ahead, 'listing')}, less than one is expected to need a change. "
                f"{_THEN}"
            )
        return ""


def progress_of(cards: Cards, holding: Mapping[str, Decision]) -> Progress:
    """Return the progress of a review.

    Parameters
    ----------
    cards : Cards
        Of the run.
    holding : mapping of str to Decision
        The valid decision of each listing that has one.
    """
    chance, flagged = np.nan_to_num(cards.column("change_chance")), cards.flagged
    known = [row for row in map(cards.row, holding) if row is not None]
    decided, changed = np.zeros(len(flagged), np.bool_), np.zeros(len(flagged), np.bool_)
    decided[known] = True
    changes = (cards.row(id) for id, decision in holding.items() if decision.action not in _STAY)
    changed[[row for row in changes if row is not None]] = True
    left = flagged & ~decided
    actions = Counter(decision.action for decision in holding.values())
    reviewers = Counter(decision.reviewer for decision in holding.values())
    kinds = {kind: (int((flags & decided).sum()), int(flags.sum())) for kind, flags in cards.flags.items()}
    return Progress(
        flagged=int(flagged.sum()),
        done=int((flagged & decided).sum()),
        others=len(holding) - int((flagged & decided).sum()),
        actions={action: actions[action] for action in ACTIONS},
        reviewers=dict(reviewers.most_common()),
        kinds=dict(
            sorted(((kind, counts) for kind, counts in kinds.items() if counts[1]), key=lambda each: -each[1][1])
        ),
        expected_left=float(chance[left].sum()),
        # cards are in the order of the queue
        expected_ahead=float(chance[left][:AHEAD].sum()),
        expected_done=float(chance[flagged & decided].sum()),
        changed_done=int((flagged & changed).sum()),
    )
