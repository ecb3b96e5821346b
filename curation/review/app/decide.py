"""Decisions on listings in the App."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from curation.errors import ReviewError
from curation.rendering.words import many
from curation.review.app.edits import put_back
from curation.review.app.mirror import Sample, look_at, mirror, run_of, write_down
from curation.review.app.written import check_as_written
from curation.review.journal_state import Standing, standing_of
from curation.run.conflicts import spoken, take_back, with_note
from curation.run.decidable import Decidable, new_classes_of
from curation.run.folder import RunFolder
from curation.run.journal import NOTE, UNDO, Decision, last_click
from curation.run.new_values import check_new_class, check_note, same_name
from training.utils.units import now

__all__ = [
    "ACCEPT",
    "KEEP_ONE",
    "Outcome",
    "class_named",
    "decidable_of",
    "decide",
    "keep_one",
    "known_classes",
    "latest",
]

ACCEPT = "accept"
KEEP_ONE = "keep_one"
_PAST = {
    "keep": "kept",
    ACCEPT: "relabelled as suggested",
    "relabel": "relabelled",
    "reprice": "repriced",
    "ambiguous": "left as it is, because several labels fit",
    "delete": "marked for deletion",
    UNDO: "undone",
    NOTE: "saved",
}
#: What an action counts, if not listings.
_COUNTED = {UNDO: "decision", NOTE: "note"}
_WHY_NOT = {
    "keep": "there is no label to keep. Relabel it, delete it, or say that several labels fit",
    ACCEPT: "nothing else is suggested",
    "reprice": "no price is suggested",
    UNDO: "there is no decision to undo",
}


@dataclass(frozen=True)
class Outcome:
    """The outcome of one click.

    Attributes
    ----------
    action : str
        ``keep``, ``accept``, ``relabel``, ``reprice``, ``ambiguous``, ``delete``, ``undo``, ``note``, or ``keep_one``
        (of reposts).
    changed, skipped : tuple of str
        The listings decided on, and those without a label to keep, a suggestion to accept or a decision to undo.
    """

    action: str
    changed: tuple[str, ...]
    skipped: tuple[str, ...]

    def __str__(self) -> str:
        """Return the message that the App shows."""
        if self.action == KEEP_ONE:
            others = f"{len(self.changed) - (not self.skipped):,} {_PAST['delete']}"
            return f"{others}; 1 listing unchanged: {_WHY_NOT['keep']}" if self.skipped else f"1 listing kept, {others}"
        counted = many(len(self.changed), _COUNTED.get(self.action, "listing"))
        parts = [f"{counted} {_PAST[self.action]}"] if self.changed else []
        if self.skipped:
            several = self.action == ACCEPT and len(self.changed) + len(self.skipped) > 1
            why = "nothing likelier is suggested" if several else _WHY_NOT[self.action]
            parts.append(f"{many(len(self.skipped), 'listing')} unchanged: {why}")
        return "; ".join(parts) or "nothing to decide on"


def decide(
    dataset: Any,
    samples: Sequence[str],
    action: str,
    *,
    reviewer: str,
    label: str | None = None,
    new_class: bool = False,
    price: float | str | None = None,
    note: str | None = None,
) -> Outcome:
    """Record a decision for each sample, then show it in the App.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        A dataset made by :func:`curation.review.app.dataset.open_dataset`.
    samples : sequence of str
        FiftyOne's ids of the samples; the journal keeps their order.
    action : str
        ``keep``, ``accept`` (the suggestion), ``relabel``, ``reprice``, ``ambiguous`` (several labels fit), ``delete``,
        ``undo``, or ``note`` (added to the valid decision, if there is one).
    reviewer : str
        Who decides.
    label : str, optional
        The class for ``relabel``. A listing that already has it is kept.
    new_class : bool
        Whether `label` may be a class that does not exist yet.
    price : float or str, optional
        The price for ``reprice``, a number or as sellers write it; by default what would fit each listing.
    note : str, optional
        The reviewer's own words. By default, a listing keeps its note.

    Raises
    ------
    ReviewError
        If the journal can't be written, `label` is no class, the dataset has no prices, or another program has changed
        the samples. Then nothing has been recorded.
    DecisionsError
        If `price` is no price, or `note` is too long. Then nothing has changed, either.
    """
    check_note(note)
    run = run_of(dataset)
    decidable = decidable_of(run)
    if action == "relabel" and not new_class and label not in known_classes(run):
        raise ReviewError(f"nothing was recorded: {label!r} is not a class of the run")
    if action == "reprice" and not decidable.priced:
        raise ReviewError("nothing was recorded: this dataset has no prices")
    if price is not None:
        price = decidable.price(price)
    check_as_written(dataset, run, samples)
    rows = look_at(dataset, samples)

    def meanings(holding: Mapping[str, Decision]) -> dict[Sample, _Meaning]:
        meant = {}
        for row in rows:
            # a card shows both chances; of many, nobody has read them
            if action == ACCEPT and len(rows) > 1 and row.id in decidable.unlikely:
                continue
            meaning = _meaning(row, action, label, holding.get(row.id))
            if meaning is not None and meaning.action == "reprice" and meaning.new_price is None:
                new_price = decidable.suggested_prices.get(row.id) if price is None else price
                meaning = replace(meaning, new_price=new_price) if new_price is not None else None
            if meaning is not None:
                meant[row] = meaning
        return meant

    decided = _record(dataset, run, meanings, reviewer, note, is_note=action == NOTE)
    return Outcome(action, tuple(row.id for row in decided), tuple(row.id for row in rows if row not in decided))


def known_classes(run: RunFolder) -> list[str]:
    """Return the classes of a run and, after them, those that decisions added."""
    return list(dict.fromkeys([*run.classes, *new_classes_of(standing_of(run).holding)]))


def class_named(run: RunFolder, typed: str) -> tuple[str, bool]:
    """Return the class that a person typed, and whether it is a new one.

    A name that differs from that of a class in nothing but case, blanks or the Unicode form of its letters is that
    class.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    typed : str
        What a person typed.

    Raises
    ------
    DecisionsError
        If no class may be called so.
    """
    classes = known_classes(run)
    twin = next((name for name in classes if same_name(name) == same_name(typed)), None)
    if twin is not None:
        return twin, False
    seen = "".join(sign for sign in unicodedata.normalize("NFC", typed) if unicodedata.category(sign) != "Cf")
    name = " ".join(seen.split())
    check_new_class(name, classes)
    return name, True


def decidable_of(run: RunFolder) -> Decidable:
    """Return what can be decided in a run; cached for as long as its issues stay the same."""
    return _decidable(run, run.issues_file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _decidable(run: RunFolder, _changed: int) -> Decidable:
    return Decidable.of(run)


def keep_one(dataset: Any, sample: str, *, reviewer: str) -> Outcome:
    """Keep one of several reposts and delete the others.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        A dataset made by :func:`curation.review.app.dataset.open_dataset`.
    sample : str
        FiftyOne's id of the one to keep. A decision on it, other than to delete it, stays valid.
    reviewer : str
        Who decides.

    Returns
    -------
    Outcome
        Its first listing is the one that is kept.

    Raises
    ------
    ReviewError
        If no other listing shows its photo, the journal can't be written, or another program has changed the samples.
        Then nothing has been recorded.
    """
    from fiftyone import ViewField

    run = run_of(dataset)
    group = dataset[sample]["near_duplicate_group"]
    same = dataset.match(ViewField("near_duplicate_group") == group).values("id") if group is not None else []
    others = [other for other in same if other != sample]
    if not others:
        raise ReviewError("nothing was recorded: no other listing shows this photo")
    check_as_written(dataset, run, [sample, *others])
    rows = look_at(dataset, [sample, *others])
    first, stays = rows[0], False

    def meanings(holding: Mapping[str, Decision]) -> dict[Sample, _Meaning]:
        nonlocal stays
        stays = first.id in holding and holding[first.id].action != "delete"
        kept = {} if stays or first.given is None else {first: _Meaning("keep")}
        return {**kept, **{row: _Meaning("delete") for row in rows[1:]}}

    _record(dataset, run, meanings, reviewer, None)
    if first.given is None and not stays:
        return Outcome(KEEP_ONE, tuple(row.id for row in rows[1:]), (first.id,))
    return Outcome(KEEP_ONE, tuple(row.id for row in rows), ())


def latest(dataset: Any, reviewer: str) -> list[str]:
    """Return FiftyOne's ids of the samples of a reviewer's latest valid decision.

    Parameters
    ----------
    dataset : fiftyone.Dataset
        The dataset of a run.
    reviewer : str
        Name of the reviewer.
    """
    from fiftyone import ViewField

    ids = last_click(standing_of(run_of(dataset)).stacks.values(), reviewer)
    return list(dataset.match(ViewField("listing_id").is_in(ids)).values("id")) if ids else []


@dataclass(frozen=True)
class _Meaning:
    """What a click means for one listing."""

    action: str
    new_label: str | None = None
    new_price: float | None = None


def _record(
    dataset: Any,
    run: RunFolder,
    meanings: Callable[[Mapping[str, Decision]], dict[Sample, _Meaning]],
    reviewer: str,
    note: str | None,
    *,
    is_note: bool = False,
) -> dict[Sample, _Meaning]:
    """Append what a click means, beside what holds, to the journal, show it, and return it."""
    time, decidable, decided = now(), decidable_of(run), dict[Sample, _Meaning]()

    def said() -> list[Decision]:
        nonlocal decided
        standing = standing_of(run)
        decided, records = meanings(standing.holding), []
        for row, meaning in decided.items():
            record = Decision(
                id=row.id,
                action=meaning.action,
                new_label=meaning.new_label,
                reviewer=reviewer,
                time=time,
                source="app",
                note=note or (None if meaning.action == UNDO else _note(standing.record(row.id))),
                new_price=meaning.new_price,
                new_class=meaning.new_label is not None and meaning.new_label not in run.classes,
            )
            record = decidable.with_suggestions(record)
            stack = standing.stacks.get(row.id, [])
            records.append(with_note(record, stack) if is_note else _beside(record, standing))
        return records

    write_down(run, said)
    put_back(dataset, run, decided)
    mirror(dataset, run, [row.sample for row in decided])
    return decided


def _beside(record: Decision, standing: Standing) -> Decision:
    """Return a decision as the journal gets it: one on a listing that is shown as in conflict settles that."""
    stack = standing.stacks.get(record.id, [])
    if record.action == UNDO:
        return take_back(record, stack)
    # whether another browser shows a colleague's decision yet is not known
    return spoken(record, stack, saw=record.id in standing.differ or None)


def _note(decision: Decision | None) -> str | None:
    return decision.note if decision else None


def _meaning(row: Sample, action: str, label: str | None, standing: Decision | None) -> _Meaning | None:
    """Return what to record, or None if there is nothing to record for this listing."""
    if action == UNDO:
        return _Meaning(UNDO) if standing else None
    if action == NOTE:
        return _Meaning(standing.action, standing.new_label, standing.new_price) if standing else _Meaning(NOTE)
    if action == ACCEPT:
        return _Meaning("relabel", row.suggested) if row.suggested and row.suggested != row.given else None
    if action == "relabel" and label != row.given:
        return _Meaning("relabel", label)
    if action in ("keep", "relabel"):
        return _Meaning("keep") if row.given is not None else None
    return _Meaning(action)
