"""The valid decisions of a run, computed once for the whole review."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from curation.errors import ReviewError
from curation.run.decidable import misfit
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions, disagreements, noted

__all__ = ["Standing", "standing_of"]


@dataclass(frozen=True)
class Standing:
    """The valid decisions of a journal.

    Attributes
    ----------
    journal : tuple of Decision
        All readable records, oldest first.
    damaged : tuple of str
        A message for each line that can't be read.
    holding : dict of str to Decision
        The valid decision of each listing that has one.
    misfits : dict of str to str
        Listings whose decision does not fit this run, and why. Such decisions stay in the journal and are not shown.
    notes : dict of str to Decision
        The latest note of each listing that has one.
    differ : frozenset of str
        The listings on which reviewers disagree.
    """

    journal: tuple[Decision, ...]
    damaged: tuple[str, ...]
    holding: dict[str, Decision]
    misfits: dict[str, str]
    notes: dict[str, Decision]
    differ: frozenset[str]

    def record(self, id: str) -> Decision | None:
        """Return the valid decision of a listing, otherwise its note."""
        return self.holding.get(id) or self.notes.get(id)


def standing_of(run: RunFolder) -> Standing:
    """Return the valid decisions; cached for as long as the journal and the listings stay the same.

    Raises
    ------
    ReviewError
        If the journal can't be read.
    """
    journal = run.journal.stat() if run.journal.is_file() else None
    state = (journal.st_size, journal.st_mtime_ns) if journal else (0, 0)
    return _standing_of(run, state, run.issues_file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _standing_of(run: RunFolder, _journal: tuple[int, int], issues: int) -> Standing:
    try:
        decisions, damaged = run.decisions()
    except OSError as error:
        raise ReviewError(f"nothing was recorded: {run.journal} can't be read ({error.strerror})") from error
    labels, classes = _labels(run, issues), set(run.classes)
    holding = current_decisions(decisions)
    reasons = {
        id: misfit(decision, classes, labels[id]) if id in labels else "no such listing in this run"
        for id, decision in holding.items()
    }
    misfits = {id: why for id, why in reasons.items() if why}
    return Standing(
        journal=tuple(decisions),
        damaged=tuple(damaged),
        holding={id: decision for id, decision in holding.items() if id not in misfits},
        misfits=misfits,
        notes=noted(decisions),
        differ=frozenset(disagreements(decisions)),
    )


@lru_cache(maxsize=2)
def _labels(run: RunFolder, _changed: int) -> dict[str, str | None]:
    issues = run.issues()
    given = issues["given_label"].astype(object).where(issues["given_label"].notna(), None)
    return dict(zip(issues["id"].astype(str), given, strict=True))
