"""What applying the decisions would change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from curation.errors import DecisionsError
from curation.fixes.decisions_file import read_decisions
from curation.rendering.results import Result
from curation.run.decisions import check_decisions, suggested_labels
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions, reviewer_name
from training.utils.units import now

__all__ = ["DEFAULT_CONFIDENCE", "Fixes", "plan_fixes"]

#: Above it, a suggestion is more likely right than not.
DEFAULT_CONFIDENCE = 0.5
_CHANGE_COLUMNS = ("id", "action", "old_label", "new_label", "reviewer", "time", "source", "note")


@dataclass(frozen=True)
class Fixes(Result):
    """What apply-fixes would do, or did.

    Attributes
    ----------
    run : Path
        The run's folder.
    dry_run : bool
        Whether nothing was written.
    decisions : dict of str to Decision
        What holds for each decided listing.
    added : list of Decision
        Those that this call adds to the journal (from a CSV, or accepted suggestions).
    changes : DataFrame
        One row per listing that changes: ``id``, ``action``, ``old_label``, ``new_label``, ``reviewer``, ``time``,
        ``source``, ``note``.
    damaged : tuple of str
        A message for each line of the journal that can't be read; a decision may be lost in each.
    """

    run: Path
    dry_run: bool
    decisions: dict[str, Decision]
    added: list[Decision]
    changes: pd.DataFrame
    damaged: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the folders and the counts, as ``curate apply-fixes --json`` prints them."""
        folders = {"run": str(self.run), "cleaned": str(self.run / "cleaned")}
        return {**folders, "dry_run": self.dry_run, **self.counts()}

    def _shown(self) -> Iterator[tuple[str, Any]]:
        yield from self.to_dict().items()
        yield "changes", self.changes

    def counts(self) -> dict[str, int]:
        """Return how many listings are relabelled, deleted, and kept as they are by a decision."""
        actions = [decision.action for decision in self.decisions.values()]
        changed = self.changes["action"].value_counts()
        return {
            "relabelled": int(changed.get("relabel", 0)),
            "deleted": int(changed.get("delete", 0)),
            "kept": actions.count("keep"),
        }


def plan_fixes(
    run: RunFolder,
    *,
    decisions_file: Path | None = None,
    accept_suggestions: bool = False,
    min_confidence: float = DEFAULT_CONFIDENCE,
    reviewer: str | None = None,
) -> Fixes:
    """Work out what would change. Nothing is written.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    decisions_file : Path, optional
        A CSV with ``id``, ``decision``, ``new_label``; its decisions override earlier ones.
    accept_suggestions, min_confidence, reviewer
        As for :meth:`curation.Run.apply_fixes`.

    Raises
    ------
    DecisionsError
        If there is no decision at all, or one fits no listing or class.
    """
    if not 0 <= min_confidence <= 1:
        raise DecisionsError(
            "`min_confidence` is out of range", got=str(min_confidence), wanted="0 to 1", parameter="min_confidence"
        )
    journal, damaged = run.decisions()
    issues = run.issues()
    added = _from_file(run, decisions_file, reviewer or reviewer_name()) if decisions_file else []
    if accept_suggestions:
        decided = set(current_decisions([*journal, *added]))
        added += _accepted(run, issues, decided, min_confidence)
    # they say what had been suggested, as those of the review do
    suggested = suggested_labels(issues)
    added = [replace(decision, suggested_label=suggested.get(decision.id)) for decision in added]
    everything = [*journal, *added]
    check_decisions(everything, suggested.keys(), run.classes)
    decisions = current_decisions(everything)
    if not decisions:
        raise _nothing_decided(run, accept_suggestions, min_confidence)
    return Fixes(run.folder, True, decisions, added, _changes(issues, decisions), tuple(damaged))


def _from_file(run: RunFolder, path: Path, reviewer: str) -> list[Decision]:
    columns = run.record()["dataset"].get("columns", {})
    return read_decisions(path, reviewer=reviewer, id_column=columns.get("id", "id"))


def _nothing_decided(run: RunFolder, accepted: bool, confidence: float) -> DecisionsError:
    if accepted:
        return DecisionsError(
            f"there are no decisions in {run.folder}, and no suggestion has a confidence of {confidence} or more. "
            "Decide with `review()`, or lower `min_confidence`."
        )
    return DecisionsError(
        f"there are no decisions in {run.folder}. Decide with `review()`, or accept the confident suggestions with "
        '`apply_fixes(accept_suggestions=True)`, or pass your own with `apply_fixes(decisions="FILE.csv")`'
    )


def _accepted(run: RunFolder, issues: pd.DataFrame, decided: set[str], confidence: float) -> list[Decision]:
    listings = run.listings().set_index("id")
    sure = issues["is_label_issue"].fillna(False) & (issues["suggested_confidence"] >= confidence)
    trains = (issues["id"].map(listings["split"]) != "test").fillna(True)
    chosen = issues[sure & trains & ~issues["id"].isin(decided)]
    time = now()
    return [
        Decision(id, "relabel", label, "curate", time, "suggestion", f"confidence {sure:.3f}")
        for id, label, sure in zip(
            chosen["id"].tolist(),
            chosen["suggested_label"].tolist(),
            chosen["suggested_confidence"].tolist(),
            strict=True,
        )
    ]


def _changes(issues: pd.DataFrame, decisions: dict[str, Decision]) -> pd.DataFrame:
    labels = issues["given_label"].astype(object).where(issues["given_label"].notna(), None)
    decided = [(label, decisions[id]) for id, label in zip(issues["id"], labels, strict=True) if id in decisions]
    rows = [
        (each.id, each.action, label, each.new_label, each.reviewer, each.time, each.source, each.note)
        for label, each in decided
        if each.action == "delete" or (each.action == "relabel" and each.new_label != label)
    ]
    return pd.DataFrame(rows, columns=list(_CHANGE_COLUMNS)).astype("string")
