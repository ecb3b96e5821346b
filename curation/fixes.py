"""`curate apply-fixes` and `curate undo`: decisions in, a new version of the dataset out, and back.

The input is never touched. ``cleaned/`` is a dataset again; an earlier version is kept under ``versions/``.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from curation import __version__
from curation.errors import DecisionsError, RunError
from curation.listings.sources import COLUMNS, DECLARATION, RUN_COLUMNS, TABLE
from curation.rendering.results import Result
from curation.run.folder import RunFolder
from curation.run.journal import (
    UNDO,
    Decision,
    check_decisions,
    current_decisions,
    read_decisions_csv,
    reviewer_name,
    taken_back,
)
from training.utils.files import read_json, sha256_of_file, sync_folder, write_json, write_text
from training.utils.units import now

__all__ = ["DEFAULT_CONFIDENCE", "Fixes", "Undone", "apply_fixes", "plan_fixes", "undo_fixes"]

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
    warnings : list of str
        Lines of the journal that could not be read.
    """

    run: Path
    dry_run: bool
    decisions: dict[str, Decision]
    added: list[Decision]
    changes: pd.DataFrame
    warnings: list[str]

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


@dataclass(frozen=True)
class Undone(Result):
    """What taking apply-fixes back did.

    Attributes
    ----------
    run : str
        The run's folder.
    undone : int
        Decisions that were taken back.
    restored : bool
        Whether the version of ``cleaned/`` before it is back.
    damaged : tuple of str
        A message for each line of the journal that can't be read; a decision may be lost in each.
    """

    run: str
    undone: int
    restored: bool
    damaged: tuple[str, ...]


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
    accept_suggestions : bool
        Relabel every flagged listing without a decision whose suggestion is confident enough. Listings of the test set
        stay as they are: only people change test labels.
    min_confidence : float
        How sure, in [0, 1].
    reviewer : str, optional
        Name for decisions that carry none; by default ``CURATE_REVIEWER`` or the user's name.

    Returns
    -------
    Fixes

    Raises
    ------
    DecisionsError
        If there is no decision at all, or one fits no listing or class.
    """
    journal, warnings = run.decisions()
    issues = run.issues()
    who = reviewer or reviewer_name()
    added = read_decisions_csv(decisions_file, reviewer=who) if decisions_file else []
    if accept_suggestions:
        decided = set(current_decisions([*journal, *added]))
        added += _accepted(run, issues, decided, min_confidence)
    added = _with_suggestions(added, issues)
    everything = [*journal, *added]
    check_decisions(everything, set(issues["id"]), run.classes)
    decisions = current_decisions(everything)
    if not decisions:
        raise DecisionsError(*_nothing_decided(run, accept_suggestions, min_confidence))
    return Fixes(run.folder, True, decisions, added, _changes(issues, decisions), warnings)


def _with_suggestions(decisions: list[Decision], issues: pd.DataFrame) -> list[Decision]:
    """Return decisions that say what had been suggested, as those of the review do."""
    suggested = issues["suggested_label"].astype(object).where(issues["suggested_label"].notna(), None)
    known = dict(zip(issues["id"], suggested, strict=True))
    return [replace(decision, suggested_label=known.get(decision.id)) for decision in decisions]


def _nothing_decided(run: RunFolder, accepted: bool, confidence: float) -> tuple[str]:
    if accepted:
        return (
            f"there are no decisions in {run.folder}, and no suggestion has a confidence of {confidence} or more. "
            "Decide with `review()`, or lower `min_confidence`.",
        )
    return (
        f"there are no decisions in {run.folder}. Decide with `review()`, or accept the confident suggestions with "
        '`apply_fixes(accept_suggestions=True)`, or pass your own with `apply_fixes(decisions="FILE.csv")`',
    )


def _accepted(run: RunFolder, issues: pd.DataFrame, decided: set[str], confidence: float) -> list[Decision]:
    if not 0 <= confidence <= 1:
        raise DecisionsError(
            "`min_confidence` is out of range", got=str(confidence), wanted="0 to 1", parameter="min_confidence"
        )
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
    rows = []
    for id, given in zip(issues["id"], labels, strict=True):
        decision = decisions.get(id)
        if decision is None or decision.action == "keep":
            continue
        if decision.action == "relabel" and decision.new_label == given:
            continue
        rows.append(
            {
                "id": id,
                "action": decision.action,
                "old_label": given,
                "new_label": decision.new_label,
                "reviewer": decision.reviewer,
                "time": decision.time,
                "source": decision.source,
                "note": decision.note,
            }
        )
    return pd.DataFrame(rows, columns=list(_CHANGE_COLUMNS)).astype("string")


def apply_fixes(run: RunFolder, fixes: Fixes) -> Path:
    """Write ``cleaned/``: the dataset with all decisions applied, whole or not at all.

    Parameters
    ----------
    run : RunFolder
        The run.
    fixes : Fixes
        From :func:`plan_fixes`.

    Returns
    -------
    Path
        ``cleaned/`` with ``dataset.toml``, ``listings.csv``, ``changes.csv`` and ``manifest.json``.
    """
    listings = run.listings()
    table = _cleaned_table(run, listings, fixes.changes)
    # decisions first: what is in cleaned/ must never be unexplained by the journal
    run.decide(fixes.added)
    temporary = Path(tempfile.mkdtemp(dir=run.folder, prefix=".cleaned-"))
    try:
        temporary.chmod(0o755)
        write_text(temporary / DECLARATION, _declaration(run, table))
        table.to_csv(temporary / TABLE, index=False)
        fixes.changes.to_csv(temporary / "changes.csv", index=False)
        manifest = {
            "made": now(),
            "curate": __version__,
            "run": str(run.folder.resolve()),
            "input": run.record()["dataset"],
            "listings_before": len(listings),
            "listings_after": len(table),
            **fixes.counts(),
            "decisions_added": [asdict(decision) for decision in fixes.added],
            "sha256": {name: sha256_of_file(temporary / name) for name in (DECLARATION, TABLE, "changes.csv")},
        }
        write_json(temporary / "manifest.json", manifest)
        _put_aside(run)
        temporary.rename(run.cleaned)
        sync_folder(run.folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return run.cleaned


def _cleaned_table(run: RunFolder, listings: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """Return the listings under our column names with the changes made and image paths that still resolve."""
    deleted = set(changes.loc[changes["action"] == "delete", "id"])
    relabelled = changes[changes["action"] == "relabel"].set_index("id")["new_label"]
    table = listings[~listings["id"].isin(deleted)].copy()
    table["label"] = table["id"].map(relabelled).astype("string").fillna(table["label"])
    root = run.photo_root
    base = run.cleaned.resolve()
    table["image"] = table["image"].map(
        lambda image: Path(os.path.relpath(root / image, base)).as_posix(), na_action="ignore"
    )
    # a column of ours that the input did not have stays away
    empty = [name for name in COLUMNS if name not in ("id", "label") and table[name].isna().all()]
    return table.drop(columns=[*RUN_COLUMNS, *empty])


def _declaration(run: RunFolder, table: pd.DataFrame) -> str:
    dataset = run.record()["dataset"]
    # the photos stay where they are; only they may be outside of this folder
    photos = os.path.relpath(dataset["photos"], run.cleaned.resolve())
    entries = {
        "name": f"{dataset['name']}-cleaned",
        "table": TABLE,
        "photos": photos,
        "currency": dataset["currency"],
    }
    # text in JSON is text in TOML
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entries.items() if value]
    expected = ["[expected]", f"listings = {len(table)}", f"classes = {table['label'].nunique()}"]
    return "\n".join([*lines, "", *expected, ""])


def _versions(run: RunFolder) -> Path:
    return run.folder / "versions"


def _comparison_files(run: RunFolder) -> tuple[Path, Path]:
    return run.comparison_file, run.predictions_file


def _put_aside(run: RunFolder) -> None:
    """Keep the version there is, with the comparison that was made of it."""
    if run.cleaned.exists():
        versions = _versions(run)
        versions.mkdir(exist_ok=True)
        for file in _comparison_files(run):
            if file.exists():
                file.rename(run.cleaned / file.name)
        run.cleaned.rename(versions / f"{len(list(versions.iterdir())) + 1:04d}")


def undo_fixes(run: RunFolder) -> Undone:
    """Take the last apply-fixes back.

    Decisions that it added itself (accepted suggestions, a CSV) are undone in the journal; those made in the review
    stay, also those about the same listings. The version of ``cleaned/`` before it comes back, if there was one.

    Parameters
    ----------
    run : RunFolder
        The run.

    Raises
    ------
    RunError
        If there is nothing to take back.
    """
    if not run.cleaned.exists():
        raise RunError(
            f"there is nothing to undo in {run.folder}",
            got="no cleaned/",
            wanted="an earlier apply-fixes",
            fix="`status()` shows what was done.",
        )
    added = [Decision(**record) for record in read_json(run.cleaned / "manifest.json")["decisions_added"]]
    decisions, damaged = run.decisions()
    records = taken_back(decisions, added, reviewer=reviewer_name())
    run.decide(records)
    earlier = sorted(_versions(run).iterdir()) if _versions(run).exists() else []
    discarded = Path(tempfile.mkdtemp(dir=run.folder, prefix=".undone-"))
    run.cleaned.rename(discarded / "cleaned")
    for file in _comparison_files(run):
        file.unlink(missing_ok=True)
    if earlier:
        earlier[-1].rename(run.cleaned)
        for file in _comparison_files(run):
            if (run.cleaned / file.name).exists():
                (run.cleaned / file.name).rename(file)
    sync_folder(run.folder)
    shutil.rmtree(discarded)
    undone = sum(1 if record.action == UNDO else -1 for record in records)
    return Undone(str(run.folder), undone, bool(earlier), tuple(damaged))
