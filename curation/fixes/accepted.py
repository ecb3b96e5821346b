"""Suggestions that are accepted without a review: which they are, and which are left, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from curation.rendering.words import agree, many
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.journal_content import Journal
from training.utils.arrays import Bool
from training.utils.units import now

__all__ = ["Acceptance", "acceptance", "accepted_now"]

#: The source of a decision that accepted a suggestion.
_SOURCE = "suggestion"


@dataclass(frozen=True)
class Acceptance:
    """What became of the flagged labels of a run whose suggestions are accepted.

    Attributes
    ----------
    min_confidence : float or None
        The least confidence that was asked for, 0 to 1; None: likelier than the given label.
    flagged : int
        Labels that are flagged; the sum of the next four.
    accepted : int
        Those whose suggestion is accepted, by this apply-fixes or an earlier one.
    decided : int
        Those that people decided on.
    tests : int
        Others in the test set, where only people change labels.
    unlikely : int
        Others whose suggestion is not likely enough.
    earlier : int
        Suggestions that an earlier apply-fixes accepted and this one would not.
    undos : int
        How many times ``undo()`` takes these back, before this apply-fixes is written; 0 if it does not.
    """

    min_confidence: float | None
    flagged: int
    accepted: int
    decided: int
    tests: int
    unlikely: int
    earlier: int
    undos: int

    @property
    def left(self) -> str:
        """Why flagged labels are not accepted, in words; empty if all are."""
        if self.min_confidence is None:
            why = agree(self.unlikely, "suggestion is", "suggestions are") + " not likelier than the label"
        else:
            has = agree(self.unlikely, "suggestion has", "suggestions have")
            why = f"{has} a confidence below {self.min_confidence}"
        parts = (
            (self.tests, f"{agree(self.tests, 'is', 'are')} in the test set"),
            (self.unlikely, why),
            (self.decided, f"{agree(self.decided, 'was', 'were')} decided by people"),
        )
        return ", ".join(f"{count:,} {words}" for count, words in parts if count)

    def sentences(self, *, written: bool) -> Iterator[str]:
        """Yield what was accepted and what was not, and what stays accepted though it would not be now.

        Parameters
        ----------
        written : bool
            Whether this apply-fixes is done, which is then the first to be undone.
        """
        left = f"; {self.left}" if self.left else ""
        yield f"{self.accepted:,} of {many(self.flagged, 'flagged label')} accepted{left}."
        if self.earlier:
            times = self.undos + written
            often = {1: "", 2: " twice"}.get(times, f" {times} times")
            back = f"use `undo()`{often}, then apply again" if self.undos else "decide with `review()`"
            yield (
                f"{many(self.earlier, 'suggestion')} that an earlier apply-fixes accepted "
                f"{agree(self.earlier, 'stays', 'stay')} accepted, though this one would not accept "
                f"{agree(self.earlier, 'it', 'them')}. To take {agree(self.earlier, 'it', 'them')} back, {back}."
            )


def accepted_now(run: RunFolder, issues: pd.DataFrame, decided: set[str], least: float | None) -> list[Decision]:
    """Accept the suggestions for flagged labels of the training set without a decision.

    Parameters
    ----------
    run : RunFolder
        The run.
    issues : DataFrame
        Its issues.
    decided : set of str
        Listings with a decision that holds.
    least : float or None
        The least confidence, 0 to 1; None: likelier than the given label, so that more labels are expected to be right.
    """
    sure = _flagged(issues) & _likely(issues, least) & ~_tests(run, issues)
    chosen = issues[sure & ~issues["id"].isin(decided).to_numpy()]
    time = now()
    return [
        Decision(id, "relabel", label, "curate", time, _SOURCE, f"confidence {sure:.3f}")
        for id, label, sure in zip(
            chosen["id"].tolist(),
            chosen["suggested_label"].tolist(),
            chosen["suggested_confidence"].tolist(),
            strict=True,
        )
    ]


def acceptance(
    run: RunFolder,
    issues: pd.DataFrame,
    decisions: Mapping[str, Decision],
    journal: Journal,
    added: set[str],
    least: float | None,
) -> Acceptance:
    """Count what became of the flagged labels.

    Parameters
    ----------
    run : RunFolder
        The run.
    issues : DataFrame
        Its issues.
    decisions : mapping of str to Decision
        What holds, with what is accepted now.
    journal : Journal
        Of before.
    added : set of str
        The listings whose suggestions are accepted now.
    least : float or None
        As for :func:`accepted_now`.
    """
    source = issues["id"].map({id: decision.source for id, decision in decisions.items()})
    accepted = (source == _SOURCE).fillna(False).to_numpy(dtype=bool)
    decided = source.notna().to_numpy(dtype=bool)
    flagged, tests, likely = _flagged(issues), _tests(run, issues), _likely(issues, least)
    earlier = set(issues.loc[accepted & ~likely, "id"]) - added
    return Acceptance(
        min_confidence=least,
        flagged=int(flagged.sum()),
        accepted=int((flagged & accepted).sum()),
        decided=int((flagged & decided & ~accepted).sum()),
        tests=int((flagged & tests & ~decided).sum()),
        unlikely=int((flagged & ~tests & ~decided).sum()),
        earlier=len(earlier),
        undos=_undos(journal, earlier),
    )


def _undos(journal: Journal, ids: set[str]) -> int:
    """Return how many versions are there from the first on that accepted one of these."""
    standing = journal.standing_versions()
    for place, step in enumerate(standing):
        if any(each.id in ids and each.source == _SOURCE for each in journal.of(step.transaction)):
            return len(standing) - place
    return 0


def _flagged(issues: pd.DataFrame) -> Bool:
    return issues["is_label_issue"].fillna(False).to_numpy(dtype=bool)


def _tests(run: RunFolder, issues: pd.DataFrame) -> Bool:
    split = run.listings().set_index("id")["split"]
    return (issues["id"].map(split) == "test").fillna(False).to_numpy(dtype=bool)


def _likely(issues: pd.DataFrame, least: float | None) -> Bool:
    confidence = issues["suggested_confidence"]
    enough = confidence > issues["label_score"] if least is None else confidence >= least
    return enough.fillna(False).to_numpy(dtype=bool)
