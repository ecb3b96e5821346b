"""Decisions before they are in the journal: one on several listings, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from curation.errors import DecisionsError, some
from curation.rendering.words import agree, many
from curation.run.conflicts import spoken, take_back
from curation.run.decidable import Decidable, check_decisions, new_classes_of, require_labels
from curation.run.folder import RunFolder
from curation.run.journal import UNDO, Decision, check_reviewer, holds, reviewer_name, stacks_of
from curation.run.new_values import check_note
from training.utils.units import now

__all__ = ["Words", "beside", "decide", "meaning_of", "named_listings"]


@dataclass(frozen=True)
class Words:
    """What a person says about some listings, by name.

    Attributes
    ----------
    ids : tuple of str
        The listings.
    action : str
        One of :data:`curation.run.journal.ACTIONS`, or ``undo``.
    label : str or None
        The class to relabel to; None for each listing's own suggestion.
    price : float, str or None
        The new price; None for what would fit each listing.
    new_class : bool
        Whether `label` may be a class that the dataset does not have.
    note : str or None
        Kept with the decision.
    """

    ids: tuple[str, ...]
    action: str
    label: str | None = None
    price: float | str | None = None
    new_class: bool = False
    note: str | None = None


def meaning_of(words: Words, decidable: Decidable, *, reviewer: str, time: str, source: str) -> list[Decision]:
    """Return what words mean for each of their listings.

    Parameters
    ----------
    words : Words
        What was said.
    decidable : Decidable
        What can be decided.
    reviewer, time, source : str
        Of the decisions.

    Raises
    ------
    DecisionsError
        If a label or a price means nothing there, none is suggested to relabel to, or the note is too long.
    """
    if words.label is not None and words.action != "relabel":
        raise DecisionsError(
            "a label has no effect unless listings are relabelled", got=words.action, parameter="label"
        )
    if words.new_class and words.label is None:
        raise DecisionsError("a new class needs its name", got="no label", wanted="e.g. sofa", parameter="label")
    check_note(words.note)
    if words.action == "relabel" and words.label is None:
        _require_suggestions(words.ids, decidable)
    given = None if words.price is None else decidable.price(words.price)
    meant = []
    for id in words.ids:
        named = decidable.suggested_labels.get(id) if words.label is None else words.label
        suggested = decidable.suggested_prices.get(id) if words.action == "reprice" else None
        decision = Decision(
            id=id,
            action=words.action,
            new_label=named if words.action == "relabel" else None,
            reviewer=reviewer,
            time=time,
            source=source,
            note=words.note,
            new_price=suggested if given is None else given,
            new_class=words.new_class,
        )
        meant.append(decidable.with_suggestions(decision))
    return meant


def _require_suggestions(ids: Sequence[str], decidable: Decidable) -> None:
    """Refuse to relabel as suggested what has no suggestion; of several, none that is likelier than the label."""
    known = [id for id in ids if id in decidable.labels]
    bare = [id for id in known if decidable.suggested_labels.get(id) is None]
    # of one, a person has read both chances
    unlikely = [id for id in known if id in decidable.unlikely and id not in bare] if len(ids) > 1 else []
    for those, why in (
        (bare, "no label is suggested"),
        (unlikely, "the suggestion is no likelier than the label"),
    ):
        if those:
            raise DecisionsError(
                f"{why} for {many(len(those), 'listing')}",
                got=some(those),
                wanted="a class to relabel to",
                fix=f"Name one, or leave {agree(len(those), 'it', 'them')} out.",
                parameter="label",
            )


def beside(
    meant: Sequence[Decision],
    stacks: Mapping[str, Sequence[Decision]],
    decidable: Decidable,
    *,
    saw: Callable[[str], bool | None] = lambda _: None,
    known: Iterable[str] = (),
) -> list[Decision]:
    """Return decisions as the journal gets them: checked, and joined with what was said of the same listings.

    Parameters
    ----------
    meant : sequence of Decision
        Of :func:`meaning_of`.
    stacks : mapping of str to sequence of Decision
        What was said before these, by listing; of :func:`curation.run.journal.stacks_of`.
    decidable : Decidable
        What can be decided.
    saw : callable
        Id → whether what others said of it was in sight; None if that is not known.
    known : iterable of str
        New classes of decisions on other listings, if `stacks` has not all.

    Raises
    ------
    DecisionsError
        If a listing, a class or the action is unknown, or a price is none.
    """
    holding = {id: holds(stack) for id, stack in stacks.items() if stack}
    decisions = check_decisions(meant, decidable, known=[*new_classes_of(holding), *known])
    require_labels(decisions, decidable.labels)
    return [
        take_back(decision, stacks.get(decision.id, ()))
        if decision.action == UNDO
        else spoken(decision, stacks.get(decision.id, ()), saw=saw(decision.id))
        for decision in decisions
    ]


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
    settle: bool = False,
) -> list[str]:
    """Record one decision on several listings: all of them, or none.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    ids : sequence of str
        The listings.
    action, label, price, new_class, reviewer, note, settle
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
    who, time, decidable = check_reviewer(reviewer or reviewer_name()), now(), Decidable.of(run)
    words = Words(tuple(ids), action, label, price, new_class, note or None)
    meant = meaning_of(words, decidable, reviewer=who, time=time, source="api")
    torn: list[str] = []

    def said() -> list[Decision]:
        journal = run.judged_journal()
        torn[:] = (fault.message for fault in journal.faults if fault.kind == "torn")
        return beside(meant, stacks_of(journal.decisions()), decidable, saw=lambda _: settle)

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
