"""What applying the decisions would change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.errors import DecisionsError, closest, some
from curation.fixes.accepted import Acceptance, acceptance, accepted_now
from curation.fixes.label_weights import require_chances, weights_left_out
from curation.fixes.recorded import decisions_of_file
from curation.listings.labels import UNMERGED
from curation.rendering.results import Result
from curation.rendering.words import agree, many
from curation.run.conflicts import disputed, settled
from curation.run.decidable import Decidable, check_decisions, misfit, refused
from curation.run.folder import RunFolder
from curation.run.journal import Decision, current_decisions, holds, labelled, stacks_of
from curation.run.journal_content import Journal
from training.utils.units import now

__all__ = ["Fixes", "plan_fixes", "replayed"]

_CHANGE_COLUMNS = (
    "id", "action", "old_label", "new_label", "old_price", "new_price", "reviewer", "time", "source", "note",
)  # fmt: skip


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
        One row per listing that changes: ``id``, ``action``, ``old_label``, ``new_label``, ``old_price``,
        ``new_price``, ``reviewer``, ``time``, ``source``, ``note``. A new label or price is empty where it stays as it
        was; a relabelled listing may have both.
    damaged : tuple of str
        A message for each fault of the journal; a decision may be lost in each.
    undecided : tuple of str
        Listings that an earlier version of curate let people keep although they have no label: nothing is decided.
    notes : tuple of str
        What a person should know of how decisions were read and the dataset was written: a sentence each.
    last_line : int
        Number of the last line of the journal that counts.
    as_of : str or None
        The time whose decisions these are, ISO 8601, or ``line`` and a number; None for those that hold now.
    soft : bool
        Whether ``label_weights.csv`` is written beside the dataset.
    acceptance : Acceptance or None
        What became of the flagged labels, if suggestions were to be accepted.
    conflicts : tuple of str
        Listings on which reviewers disagree. They stay as they are, unless the later decision wins.
    latest_wins : bool
        Whether it does.
    """

    run: Path
    dry_run: bool
    decisions: dict[str, Decision]
    added: list[Decision]
    changes: pd.DataFrame
    damaged: tuple[str, ...]
    undecided: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    last_line: int = 0
    as_of: str | None = None
    soft: bool = False
    acceptance: Acceptance | None = None
    conflicts: tuple[str, ...] = ()
    latest_wins: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the folders and the counts, as ``curate apply-fixes --json`` prints them."""
        folders = {"run": str(self.run), "cleaned": str(self.run / "cleaned")}
        became = None if self.acceptance is None else asdict(self.acceptance)
        asked = {"dry_run": self.dry_run, "as_of": self.as_of, "soft": self.soft, "latest_wins": self.latest_wins}
        return {**folders, **asked, **self.counts(), "conflicts": list(self.conflicts), "acceptance": became}

    def _shown(self) -> Iterator[tuple[str, Any]]:
        yield from self.to_dict().items()
        yield "changes", self.changes

    def counts(self) -> dict[str, int]:
        """Return how many listings are relabelled, repriced, merged, deleted, and stay as they are by a decision.

        ``merged`` are those whose label became another spelling or name of its class, and was not changed otherwise.
        A listing with a new label and a new price counts twice; ``ambiguous`` are those that several labels fit, and
        ``in_conflict`` those on which reviewers disagree.
        """
        actions = [decision.action for decision in self.decisions.values()]
        # a new label or price that the listing has already
        changing = set(self.changes["id"])
        values = ("relabel", "reprice")
        same = [id for id, each in self.decisions.items() if each.action in values and id not in changing]
        changed = self.changes["action"].value_counts()
        return {
            "relabelled": int(changed.get("relabel", 0)),
            "repriced": int(self.changes["new_price"].notna().sum()),
            "merged": int(changed.get("merge", 0)),
            "deleted": int(changed.get("delete", 0)),
            "kept": actions.count("keep") + len(same),
            "ambiguous": actions.count("ambiguous"),
            "in_conflict": len(self.conflicts),
        }


def plan_fixes(
    run: RunFolder,
    *,
    decisions_file: Path | None = None,
    accept_suggestions: bool = False,
    min_confidence: float | None = None,
    reviewer: str | None = None,
    new_classes: Collection[str] = (),
    as_of: datetime | int | None = None,
    soft: bool = False,
    latest_wins: bool = False,
) -> Fixes:
    """Work out what would change. Nothing is written.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    decisions_file : Path, optional
        A CSV with ``id``, ``decision``, ``new_label``, ``new_price``; its decisions override earlier ones, and no later
        ones.
    accept_suggestions, min_confidence, reviewer, new_classes
        As for :meth:`curation.Run.apply_fixes`.
    as_of : datetime or int, optional
        The decisions that held then, or after the line of the journal with that number, and no others; by default those
        that hold now.
    soft : bool
        Whether the chances of the labels are written as well; then nothing needs to be decided.
    latest_wins : bool
        Whether the later decision is applied where reviewers disagree, and not none.

    Raises
    ------
    DecisionsError
        If there is no decision at all, one fits no listing or class, or a new class is used by none.
    """
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise DecisionsError(
            "`min_confidence` is out of range", got=str(min_confidence), wanted="0 to 1", parameter="min_confidence"
        )
    if soft:
        require_chances(run)
    whole = run.judged_journal()
    last_line = _last_line(run, whole, as_of)
    journal = whole.decisions(last_line)
    issues, decidable = run.issues(), Decidable.of(run)
    stacks = stacks_of(journal)
    standing = {id: holds(stack) for id, stack in stacks.items() if stack}
    added: list[Decision] = []
    notes: tuple[str, ...] = () if as_of is None else _past(run, whole, last_line, as_of)
    if decisions_file:
        added, notes = decisions_of_file(
            run, decisions_file, stacks, decidable, said=journal, reviewer=reviewer, new_classes=new_classes
        )
    _require_use(new_classes, [*journal, *added], decidable)
    accepted: list[Decision] = []
    if accept_suggestions:
        accepted = accepted_now(run, issues, set(current_decisions([*journal, *added])), min_confidence)
        added += accepted
    added = [decidable.with_suggestions(decision) for decision in added]
    after = stacks_of([*journal, *added])
    decisions = {id: holds(stack) for id, stack in after.items() if stack}
    disagreed = _disagreed(after)
    # what was taken back or replaced may be wrong: a new class was misspelt, and undone
    _require_sound(run, whole, [each for id, each in standing.items() if decisions.get(id) == each], decidable)
    # an earlier version let people keep a listing without a label, which decides nothing
    undecided = tuple(id for id, each in decisions.items() if misfit(each, decidable.classes, decidable.labels[id]))
    left = {*undecided, *(() if latest_wins else disagreed)}
    decisions = {id: decision for id, decision in decisions.items() if id not in left}
    changes = _changes(run, issues, decisions, after)
    became = None
    if accept_suggestions:
        became = acceptance(run, issues, decisions, whole, {each.id for each in accepted}, min_confidence)
    # labels that reading merged are a change, too
    if not decisions and changes.empty and not soft:
        if as_of is not None and not disagreed:
            raise _nothing_then(run, whole, as_of)
        raise _nothing_decided(run, whole, became, disagreed, as_of)
    return Fixes(
        run.folder,
        True,
        decisions,
        added,
        changes,
        tuple(whole.messages),
        undecided,
        (*notes, *([] if soft else weights_left_out(run))),
        last_line=last_line,
        as_of=_recorded(as_of),
        soft=soft,
        acceptance=became,
        conflicts=disagreed,
        latest_wins=latest_wins,
    )


def _require_sound(run: RunFolder, journal: Journal, standing: list[Decision], decidable: Decidable) -> None:
    """Refuse decisions of the journal that no dataset can be made with, and say how to get on."""
    try:
        check_decisions(standing, decidable)
    except DecisionsError:
        for decision, error in refused(standing, decidable):
            if decision.id in decidable.labels:
                raise DecisionsError(
                    f"{run.journal} line {journal.line_of(decision)} decides on {decision.id} what can't be applied: "
                    + str(error).rstrip("."),
                    fix=f"Decide on {decision.id} again, e.g. keep, with `review()` or "
                    "`apply_fixes(decisions='FILE.csv')`: the latest decision holds.",
                ) from error
        raise


def _last_line(run: RunFolder, journal: Journal, as_of: datetime | int | None) -> int:
    """Return the number of the last line that counts."""
    if as_of is None:
        return journal.last
    if isinstance(as_of, datetime):
        return journal.line_at(as_of)
    if as_of > journal.last:
        raise DecisionsError(
            f"{run.journal} has no such line", got=f"line {as_of}", wanted=f"up to {journal.last}", parameter="as_of"
        )
    return as_of


def _recorded(as_of: datetime | int | None) -> str | None:
    """Return what ``manifest.json`` says of which time a version is."""
    if isinstance(as_of, datetime):
        return as_of.astimezone(UTC).isoformat(timespec="milliseconds")
    return None if as_of is None else f"line {as_of}"


def _past(run: RunFolder, journal: Journal, last_line: int, as_of: datetime | int) -> tuple[str, ...]:
    later = len({entry.number for entry in journal.entries if entry.number > last_line})
    counted = f"{many(later, 'later line')} of {run.journal.name} {agree(later, 'does', 'do')} not count"
    turned = journal.turned_back() if isinstance(as_of, datetime) else []
    since = "no line comes after the last that counts" if turned else "nothing was said since"
    note = f"As the decisions stood {_when(as_of)}: {counted if later else since}."
    if not turned:
        return (note,)
    lines = some(f"line {number}" for number in turned)
    return (
        note,
        f"The clock was set back: {lines} of {run.journal.name} {agree(len(turned), 'has', 'have')} an earlier time "
        f"than lines before, and the order of the lines counts. Line {last_line} is the last that counts here; name "
        "another with `as_of='line NUMBER'`.",
    )


def _nothing_then(run: RunFolder, journal: Journal, as_of: datetime | int) -> DecisionsError:
    first = next(
        (entry.recorded or entry.content.time for entry in journal.entries if isinstance(entry.content, Decision)), None
    )
    return DecisionsError(
        f"no decision held in {run.folder} {_when(as_of)}",
        got=f"a first decision of {first}" if first else "no decision at all",
        wanted="a time at which a decision held",
        parameter="as_of",
    )


def _when(as_of: datetime | int) -> str:
    """Return a moment as the person's own clock shows it, or the line after which it is."""
    return f"after line {as_of}" if isinstance(as_of, int) else f"at {as_of.astimezone():%Y-%m-%d %H:%M:%S %z}"


def _require_use(new_classes: Collection[str], decisions: Collection[Decision], decidable: Decidable) -> None:
    """Refuse new classes that no decision uses: a name may be misspelt."""
    used = {each.new_label for each in decisions if each.action == "relabel" and each.new_label is not None}
    idle = [name for name in new_classes if name not in used]
    if idle:
        known = sorted(used - set(decidable.classes)) or sorted(used)
        raise DecisionsError(
            f"no decision is for the new class {idle[0]!r}",
            got=f"new_label {some(known)}" if known else "no relabel",
            wanted="a name that a decision has as its new_label",
            fix=closest(idle[0], known),
            parameter="new_classes",
        )


def _nothing_decided(
    run: RunFolder,
    journal: Journal,
    became: Acceptance | None,
    disagreed: Collection[str],
    as_of: datetime | int | None,
) -> DecisionsError:
    if disagreed:
        then = "is decided" if as_of is None else f"was decided {_when(as_of)}"
        return DecisionsError(
            f"reviewers disagree on all that {then} in {run.folder}",
            got=f"{many(len(disagreed), 'listing')} in conflict: {some(disagreed)}",
            wanted="a decision that settles each",
            fix="Settle them with `review(page=True, conflicts=True)`, or apply the later decision of each with "
            "`apply_fixes(latest_wins=True)`.",
        )
    if journal.is_lossy:
        return DecisionsError(
            f"there is no decision in {run.folder} that can be read",
            got=some(journal.messages, 3),
            wanted=f"{run.journal.name} as it was written",
            fix="Restore it from a copy, or decide again with `review()`; `verify()` names every line.",
        )
    if became is not None:
        lower = "" if became.min_confidence is None else ", or lower `min_confidence`"
        return DecisionsError(
            f"there are no decisions in {run.folder}, and no suggestion is accepted",
            got=f"{many(became.flagged, 'flagged label')}" + (f": {became.left}" if became.left else ""),
            fix=f"Decide with `review()`{lower}.",
        )
    return DecisionsError(
        f"there are no decisions in {run.folder}. Decide with `review()`, or accept suggestions that are likelier than "
        "the label with `apply_fixes(accept_suggestions=True)`, or pass your own with "
        '`apply_fixes(decisions="FILE.csv")`'
    )


def replayed(run: RunFolder, decisions: Iterable[Decision], *, latest_wins: bool) -> Fixes:
    """Return what decisions change, as it was planned when a version was made of them.

    Parameters
    ----------
    run : RunFolder
        The run.
    decisions : iterable of Decision
        All that were in force, oldest first, of :meth:`curation.run.journal_content.Journal.applied`.
    latest_wins : bool
        Whether the later decision was applied where reviewers disagreed.
    """
    issues, decidable, said = run.issues(), Decidable.of(run), list(decisions)
    standing = settled(said, latest_wins=latest_wins)
    known = {id: each for id, each in standing.items() if id in decidable.labels}
    sound = {id: each for id, each in known.items() if not misfit(each, decidable.classes, decidable.labels[id])}
    stacks = stacks_of(said)
    changes = _changes(run, issues, sound, stacks)
    return Fixes(run.folder, True, sound, [], changes, (), conflicts=_disagreed(stacks), latest_wins=latest_wins)


def _disagreed(stacks: Mapping[str, Sequence[Decision]]) -> tuple[str, ...]:
    """Return the listings on which reviewers disagree."""
    return tuple(id for id, stack in stacks.items() if disputed(stack))


def _changes(
    run: RunFolder, issues: pd.DataFrame, decisions: dict[str, Decision], stacks: Mapping[str, Sequence[Decision]]
) -> pd.DataFrame:
    given = issues[["given_label", "price"]].astype(object).where(issues[["given_label", "price"]].notna(), None)
    unmerged, time = _unmerged(run), now()
    rows = []
    for id, label, price in zip(issues["id"], given["given_label"], given["price"], strict=True):
        if id in decisions:
            rows.append(_change(decisions[id], labelled(stacks[id]), label, price, unmerged.get(id)))
        elif id in unmerged:
            rows.append((id, "merge", unmerged[id], label, None, None, "curate", time, "dataset", ""))
    return pd.DataFrame([row for row in rows if row], columns=list(_CHANGE_COLUMNS)).astype("string")


def _unmerged(run: RunFolder) -> dict[str, str]:
    """Return the label that each listing had before it was merged with another one."""
    listings = run.listings()
    if UNMERGED not in listings:
        return {}
    merged = listings[(listings[UNMERGED] != listings["label"]).fillna(False)]
    return dict(zip(merged["id"].tolist(), merged[UNMERGED].tolist(), strict=True))


def _change(
    decision: Decision, labelled: Decision, label: str | None, price: float | None, unmerged: str | None
) -> tuple[str | None, ...] | None:
    """Return what changes of a decided listing; None if nothing does. `unmerged` is its label if that was merged.

    A new label is of who gave it, `labelled`, also where somebody else gave a price beside it.
    """
    new_label = decision.new_label if decision.action == "relabel" and decision.new_label != label else None
    new_price = decision.new_price if decision.action != "delete" and decision.new_price != price else None
    old_label = label if unmerged is None else unmerged
    if decision.action == "delete":
        action = "delete"
    elif new_label is not None:
        action = "relabel"
    elif unmerged is not None:
        action, new_label = "merge", label
    elif new_price is not None:
        action = "reprice"
    else:
        return None
    values = (old_label, new_label, _price(price), _price(new_price))
    said = labelled if action == "relabel" else decision
    return decision.id, action, *values, said.reviewer, said.time, said.source, said.note or decision.note


def _price(price: float | None) -> str | None:
    """Return a price with the digits that it needs.

    Examples
    --------
    >>> _price(10.0), _price(9.99), _price(1250000.0), _price(None)
    ('10', '9.99', '1250000', None)
    """
    return None if price is None else np.format_float_positional(price, trim="-")
