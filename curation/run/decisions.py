"""Decisions before they are in the journal: one on several listings, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from curation.errors import DecisionsError
from curation.run.decidable import Decidable, check_decisions, new_classes_of, require_labels
from curation.run.folder import RunFolder
from curation.run.journal import Decision, check_reviewer, current_decisions, reviewer_name
from curation.run.new_values import check_note
from training.utils.units import now

__all__ = ["decide", "named_listings"]


def decide(
    run: RunFolder,
    ids: Sequence[str],
    action: str,
    *,
    label: str | None = None,
    price: float | str | None = None,
    new_class: bool = False,
    reviewer: str | None = None,
    note: str = "",
) -> list[str]:
    """Record one decision on several listings: all of them, or none.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    ids : sequence of str
        The listings.
    action, label, price, new_class, reviewer, note
        As for :meth:`curation.Run.decide`.

    Returns
    -------
    list of str
        A message for each torn line at the end of the journal, which these decisions close: nobody is told again.

    Raises
    ------
    DecisionsError
        If a listing, a class or the action is unknown, the price is none, or the note is too long.
    """
    if label is not None and action != "relabel":
        raise DecisionsError("a label has no effect unless listings are relabelled", got=action, parameter="label")
    if new_class and label is None:
        raise DecisionsError("a new class needs its name", got="no label", wanted="e.g. sofa", parameter="label")
    check_note(note)
    who, time, decidable = check_reviewer(reviewer or reviewer_name()), now(), Decidable.of(run)
    given = None if price is None else decidable.price(price)
    meant = []
    for id in ids:
        named = decidable.suggested_labels.get(id) if label is None else label
        suggested = decidable.suggested_prices.get(id) if action == "reprice" else None
        decision = Decision(
            id=id,
            action=action,
            new_label=named if action == "relabel" else None,
            reviewer=who,
            time=time,
            source="api",
            note=note or None,
            new_price=suggested if given is None else given,
            new_class=new_class,
        )
        meant.append(decidable.with_suggestions(decision))

    torn: list[str] = []

    def said() -> list[Decision]:
        journal = run.judged_journal()
        torn[:] = (fault.message for fault in journal.faults if fault.kind == "torn")
        holding = current_decisions(journal.decisions())
        decisions = check_decisions(meant, decidable, known=new_classes_of(holding))
        require_labels(decisions, decidable.labels)
        return [decision.joined(holding.get(decision.id)) for decision in decisions]

    run.decide(said)
    return torn


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
