"""Decisions of an earlier run of the same dataset, taken over where they still apply.

A person decides on a photo and its label. Where both are as they were, the decision still holds in a later run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from curation.errors import RunError, some
from curation.rendering.words import agree, many
from curation.run.decidable import misfit
from curation.run.folder import RUNS, RunFolder
from curation.run.journal import Decision
from curation.run.journal_file import Grown, append
from training.utils.progress import SILENT, Reporter

__all__ = ["EARLIER", "CarriedOver", "carry_from", "carry_over"]

#: The `source` of a decision that was taken over.
EARLIER = "earlier run"
#: Seconds that this waits for another command; another review needs less.
_PATIENCE = 60


@dataclass(frozen=True)
class CarriedOver:
    """What became of an earlier run's decisions.

    Attributes
    ----------
    earlier : Path
        The folder of that run.
    taken : tuple of Decision
        Those that still apply, now in the journal of the new run: source `EARLIER`; reviewer, time and note as
        they were.
    left : dict of str to str
        Why the others do not apply, by listing. They stay in the earlier run.
    damaged : tuple of str
        A message for each line of the earlier run's journal that can't be read; a decision may be lost in each.
    """

    earlier: Path
    taken: tuple[Decision, ...]
    left: dict[str, str]
    damaged: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as one line."""
        return " ".join((self._sentence(), *(f"In {self.earlier}: {line}." for line in self.damaged)))

    def _sentence(self) -> str:
        count, left = len(self.taken), len(self.left)
        apply, were = agree(count, "still applies", "still apply"), agree(count, "was", "were")
        taken = f"{many(count, 'decision')} of {self.earlier} {apply} and {were} taken over"
        if not left:
            return f"{taken}."
        reasons = Counter(self.left.values()).most_common()
        ids = {why: [id for id, its in self.left.items() if its == why] for why, _ in reasons}
        each = "; ".join(f"{why} ({some(ids[why])})" for why, _ in reasons)
        return f"{taken}; {left:,} {agree(left, 'does', 'do')} not: {each}."


def carry_over(run: RunFolder, *, reporter: Reporter = SILENT) -> CarriedOver | None:
    """Copy what was decided in the latest earlier run of the same dataset into a run that has no decision yet.

    A decision still applies if the listing has the same photo (SHA-256 of the file) and the same given label as in
    the earlier run, a relabel's class is still one of the run's or was to be a new one, and the price is as it was
    where it was corrected. What was undone there is not taken, nor is a suggestion that was accepted without a review.
    Only what holds is taken: an undo leaves the listing undecided.

    Parameters
    ----------
    run : RunFolder
        A finished one. With any line in its journal it is left alone, so nothing is taken over twice.
    reporter : Reporter, optional
        Is told if this waits for another command.

    Returns
    -------
    CarriedOver or None
        None if the run has a journal, or no earlier run has a decision.

    Raises
    ------
    RunInUseError
        If another command works on the run.

    Notes
    -----
    The same dataset is one with the same path or name in ``run.json``; earlier runs are looked for beside this one
    and below ``runs/``. ``run.json`` gets ``carried_over``: from where, and what was left.
    """
    if _begun(run):
        return None
    earlier = _latest_decided(run)
    if earlier is None:
        return None
    with run.holding("review", wait=_PATIENCE, reporter=reporter):
        # two reviewers may open the run at the same time
        if _begun(run):
            return None
        result = _compare(earlier, run)
        try:
            append(run.journal, result.taken, known=0)
        except Grown:
            # what somebody has just said in this run is the later word
            return None
        run.update(carried_over={"from": str(result.earlier), "taken": len(result.taken), "left": result.left})
        return result


def carry_from(earlier: RunFolder, run: RunFolder) -> CarriedOver | None:
    """Copy what was decided in an earlier run into a new one that this command holds; see :func:`carry_over`.

    Parameters
    ----------
    earlier, run : RunFolder
        With ``listings.parquet`` each. With any line in its journal, `run` is left alone.

    Returns
    -------
    CarriedOver or None
        None if the run has a journal, or nothing was decided in the earlier one.
    """
    if _begun(run) or not earlier.holding_decisions().decisions:
        return None
    result = _compare(earlier, run)
    append(run.journal, result.taken, known=0)
    run.update(carried_over={"from": str(result.earlier), "taken": len(result.taken), "left": result.left})
    return result


def _begun(run: RunFolder) -> bool:
    return run.journal.exists() and run.journal.stat().st_size > 0


def _latest_decided(run: RunFolder) -> RunFolder | None:
    """Return the latest run before this one that is of the same dataset and has a decision that holds."""
    record = run.record()
    places = {path.resolve() for root in (run.folder.parent, *RUNS.glob("*")) for path in root.glob("*/run.json")}
    earlier: list[tuple[str, str, RunFolder]] = []
    for place in places - {run.record_file.resolve()}:
        other = RunFolder(place.parent)
        try:
            facts = other.record()
        except RunError:  # its file is damaged: not this run's trouble
            continue
        started = str(facts.get("started", ""))
        if started < str(record.get("started", "")) and _same_dataset(facts, record):
            earlier.append((started, str(other.folder), other))
    for _, _, other in sorted(earlier, key=lambda item: item[:2], reverse=True):
        if other.holding_decisions().decisions:
            return other
    return None


def _same_dataset(one: dict[str, Any], other: dict[str, Any]) -> bool:
    first, second = one.get("dataset") or {}, other.get("dataset") or {}
    return any(first.get(key) is not None and first.get(key) == second.get(key) for key in ("path", "name"))


def _compare(earlier: RunFolder, run: RunFolder) -> CarriedOver:
    before, after = _facts(earlier), _facts(run)
    taken, left = [], {}
    holding = earlier.holding_decisions()
    for id, decision in holding.decisions.items():
        # what reviewers disagree on stays to be settled
        for word in holding.conflicts.get(id, [decision]):
            why = _why_not(word, before.get(id), after.get(id), run.classes)
            if why:
                left[id] = why
            else:
                # what was a new class there may be one of this run's classes
                new = word.new_class and word.new_label not in run.classes
                taken.append(replace(word, source=EARLIER, new_class=new))
    return CarriedOver(_short(earlier.folder), tuple(taken), left, holding.damaged)


def _why_not(
    decision: Decision, before: tuple[Any, ...] | None, after: tuple[Any, ...] | None, classes: list[str]
) -> str:
    """Return why a decision does not apply any more; nothing if it does."""
    if decision.source == "suggestion":
        return "accepted without a review"
    if after is None:
        return "the listing no longer exists"
    if before is None:
        return "the earlier run does not know the listing"
    if before[0] != after[0]:
        return "another photo"
    if before[1] != after[1]:
        return "another given label"
    if decision.new_price is not None and before[2] != after[2]:
        return "another price"
    return misfit(decision, classes, after[1])


def _facts(run: RunFolder) -> dict[str, tuple[Any, ...]]:
    """Return hash of the photo, given label and price of each listing; None for what it has not."""
    try:
        table = run.listings()
    except RunError:
        return {}
    columns = [table[name] if name in table else pd.Series(None, table.index, dtype=object) for name in _COMPARED]
    values = [column.astype(object).where(column.notna(), None) for column in columns]
    return dict(zip(table["id"].astype(str), zip(*values, strict=True), strict=True))


_COMPARED = ("sha256", "label", "price")


def _short(folder: Path) -> Path:
    """Return the folder as a person would type it here."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
