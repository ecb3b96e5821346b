"""What a review came to: the decisions of a session, and how many listings are left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from curation.rendering.results import Result
from curation.review.journal_state import standing_of
from curation.run.agreement import Agreement, agreement_of
from curation.run.folder import RunFolder
from curation.run.journal import Decision, person

__all__ = ["ReviewOutcome", "outcome_of"]


@dataclass(frozen=True)
class ReviewOutcome(Result):
    """The outcome of a review.

    Attributes
    ----------
    decisions : dict of str to int
        Number of decisions recorded in this session, by action, including ``undo``; empty if there are none.
    flagged, undecided : int
        Number of flagged listings, and of those without a decision; in a review of conflicts, of those in conflict when
        it began or since, and of those that nobody has settled.
    agreement : Agreement
        How far the reviewers of the run agree.
    """

    decisions: dict[str, int]
    flagged: int
    undecided: int
    agreement: Agreement


def outcome_of(
    run: RunFolder, flagged: Collection[str], *, reviewer: str, earlier: int, source: str, conflicts: bool = False
) -> ReviewOutcome:
    """Count what one reviewer decided after the line of the journal that has the number `earlier`.

    Parameters
    ----------
    run : RunFolder
        The run.
    flagged : collection of str
        The listings to decide on.
    reviewer : str
        Whose decisions count: another one may have worked on the same run.
    earlier : int
        Number of the last line before the review.
    source : str
        Where it was: ``app`` or ``page``.
    conflicts : bool
        Whether it was one of conflicts: what is still in conflict is left.
    """
    # by number: decisions that apply-fixes adds meanwhile come before those of the review
    said = [entry.content for entry in run.read_journal().entries if entry.number > earlier]
    mine = [each for each in said if isinstance(each, Decision) and person(each.reviewer) == person(reviewer)]
    holding = run.holding_decisions().settled if conflicts else standing_of(run).holding
    return ReviewOutcome(
        decisions=dict(Counter(decision.action for decision in mine if decision.source == source)),
        flagged=len(flagged),
        undecided=sum(id not in holding for id in flagged),
        agreement=agreement_of(run),
    )
