"""Decisions before they are in the journal, checked against the run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import pandas as pd

from curation.errors import DecisionsError, closest, some
from curation.rendering.words import many
from curation.run.folder import RunFolder
from curation.run.journal import ACTIONS, NOTE, UNDO, Decision, check_reviewer, reviewer_name
from training.utils.units import now

__all__ = ["check_decisions", "decide", "misfit", "named_listings", "suggested_labels"]


def decide(
    run: RunFolder, ids: Sequence[str], action: str, *, label: str | None, reviewer: str | None, note: str
) -> None:
    """Record one decision on several listings: all of them, or none.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    ids : sequence of str
        The listings.
    action, label, reviewer, note
        As for :meth:`curation.Run.decide`.

    Raises
    ------
    DecisionsError
        If a listing, a class or the action is unknown.
    """
    if label is not None and action != "relabel":
        raise DecisionsError("a label has no effect unless listings are relabelled", got=action, parameter="label")
    who, time = check_reviewer(reviewer or reviewer_name()), now()
    suggested = suggested_labels(run.issues())
    decisions = [
        Decision(
            id,
            action,
            (label or suggested.get(id)) if action == "relabel" else None,
            who,
            time,
            "api",
            note or None,
            suggested.get(id),
        )
        for id in ids
    ]
    check_decisions(decisions, suggested.keys(), run.classes)
    run.decide(decisions)


def named_listings(ids: object) -> list[str]:
    """Return the ids of listings, given as one text or several.

    Parameters
    ----------
    ids : str or iterable of str
        A table is refused: its column of ids is meant.

    Raises
    ------
    DecisionsError
        If it is something else, or names no listing.

    Examples
    --------
    >>> named_listings("L1"), named_listings(pd.Series(["L1", "L2"]))
    (['L1'], ['L1', 'L2'])
    """
    chosen = [ids] if isinstance(ids, str) else ids
    if not isinstance(chosen, Iterable) or isinstance(chosen, bytes | Mapping | pd.DataFrame):
        raise DecisionsError(
            "the ids of listings were wanted", got=type(ids).__name__, wanted="one id, or several", parameter="ids"
        )
    if not (several := [str(id) for id in chosen]):
        raise DecisionsError("no listing is named", got="no ids", wanted="one id, or several", parameter="ids")
    return several


def suggested_labels(issues: pd.DataFrame) -> dict[str, str | None]:
    """Return the suggested label of each listing; None where there is none."""
    labels = issues["suggested_label"].astype(object).where(issues["suggested_label"].notna(), None)
    return dict(zip(issues["id"], labels, strict=True))


def misfit(decision: Decision, classes: Collection[str]) -> str:
    """Return why a decision that holds means nothing for these classes; nothing if it fits.

    Parameters
    ----------
    decision : Decision
        What was decided.
    classes : collection of str
        Names of the classes.

    Examples
    --------
    >>> misfit(Decision("L1", "relabel", "sofa", "ana", "2026-01-01T10:00:00+00:00", "app"), ["chair", "desk"])
    "no class 'sofa'"
    """
    if decision.action not in ACTIONS:
        return f"unknown action {decision.action!r}"
    if decision.action == "relabel" and decision.new_label not in classes:
        return f"no class {decision.new_label!r}"
    return ""


def check_decisions(decisions: Sequence[Decision], ids: Collection[str], classes: Sequence[str]) -> None:
    """Refuse decisions that no listing or class fits, all at once.

    Parameters
    ----------
    decisions : sequence of Decision
        What was decided.
    ids : collection of str
        Ids of the run's listings.
    classes : sequence of str
        Names of the classes.

    Raises
    ------
    DecisionsError
        For unknown ids, unknown actions, and a relabel without a class or to an unknown one.
    """
    listings = set(ids)
    unknown = [decision.id for decision in decisions if decision.id not in listings]
    if unknown:
        raise DecisionsError(
            f"this run has no listing for {many(len(unknown), 'decision')}",
            got=some(unknown),
            wanted="ids from the run's issues.csv",
            fix="Check `run`, or whether the decisions belong to another dataset.",
            parameter="ids",
        )
    for decision in decisions:
        # only the review and `curate undo` take back or only note; in a CSV it would be a typing error
        if decision.action not in ACTIONS and (decision.action not in (UNDO, NOTE) or decision.source == "csv"):
            raise DecisionsError(
                f"unknown action for listing {decision.id}",
                got=repr(decision.action),
                wanted=", ".join(ACTIONS),
                fix=closest(decision.action, ACTIONS),
                parameter="action",
            )
        if decision.action == "relabel" and decision.new_label not in classes:
            raise DecisionsError(
                f"listing {decision.id} can't be relabelled",
                got=f"new_label {decision.new_label!r}",
                wanted=f"one of {some(classes, 12)}",
                fix=closest(decision.new_label or "", classes),
                parameter="label",
            )
