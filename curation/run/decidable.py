"""What can be decided in a run, and whether a decision is one of that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.errors import DecisionsError, closest, some
from curation.listings.currencies import has_thousandths
from curation.listings.price_cells import Decimal, known_decimal
from curation.listings.prices import MAX_PRICE
from curation.rendering.words import agree, many
from curation.run.columns import read_issues
from curation.run.folder import RunFolder
from curation.run.journal import ACTIONS, NOTE, PRICED, UNDO, Decision
from curation.run.new_values import check_new_class, check_price, same_name
from training.utils.arrays import Float64

__all__ = ["Decidable", "check_decisions", "misfit", "new_classes_of", "refused", "require_labels"]

_COLUMNS = ("given_label", "label_score", "suggested_label", "suggested_confidence", "suggested_price", "price")
#: Sources of what is decided here, and not in a file.
_HERE = ("app", "page", "api")
#: Share of the prices that are not whole whose third decimals say that the others have three, too.
_THREE = 0.1


class _Column(Mapping[str, Any]):
    """A column by listing, whose values are made when they are asked for: dicts of 1,000,000 take seconds."""

    def __init__(self, place: Mapping[str, int], values: Any) -> None:
        self._place, self._values = place, values

    def __getitem__(self, id: str) -> Any:
        value = self._values[self._place[id]].as_py()
        return None if value != value else value

    def __contains__(self, id: object) -> bool:
        return id in self._place

    def __iter__(self) -> Iterator[str]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)


@dataclass(frozen=True)
class Decidable:
    """What can be decided in a run.

    Attributes
    ----------
    classes : tuple of str
        Classes of the run.
    labels : mapping of str to (str or None)
        The given label of each listing.
    suggested_labels : mapping of str to (str or None)
    suggested_prices : mapping of str to (float or None)
        None where nothing is suggested.
    priced : bool
        Whether the dataset has prices.
    currency : str or None
        Of the prices.
    decimal : str
        What marks the decimals of the prices.
    three_decimals : bool
        Whether a tenth of the prices that are not whole have more than two decimals: then 1.299 is what it says.
    unlikely : frozenset of str
        The listings whose suggestion is no likelier than their label: none that is accepted for many at once.
    """

    classes: tuple[str, ...]
    labels: Mapping[str, str | None]
    suggested_labels: Mapping[str, str | None]
    suggested_prices: Mapping[str, float | None]
    priced: bool
    currency: str | None
    decimal: Decimal = "."
    three_decimals: bool = False
    unlikely: frozenset[str] = frozenset()

    @classmethod
    def of(cls, run: RunFolder) -> Decidable:
        """Return what can be decided in a finished run."""
        issues = read_issues(run, _COLUMNS, flags=False)
        return cls.of_issues(run, issues, {id: row for row, id in enumerate(issues["id"].to_pylist())})

    @classmethod
    def of_issues(cls, run: RunFolder, issues: Any, place: Mapping[str, int]) -> Decidable:
        """Return what can be decided in a finished run whose issues are read already.

        Parameters
        ----------
        run : RunFolder
        issues : pyarrow.Table
            Of :func:`curation.run.columns.read_issues`.
        place : mapping of str to int
            The row of each listing in it.
        """
        # runs of earlier versions suggest no price
        labels, suggested, fitting, prices = (
            issues[name] if name in issues.column_names else pa.nulls(issues.num_rows)
            for name in ("given_label", "suggested_label", "suggested_price", "price")
        )
        amounts = np.asarray(prices.cast(pa.float64()).to_numpy(zero_copy_only=False))
        less = pc.less_equal(issues["suggested_confidence"], issues["label_score"])
        return cls(
            classes=tuple(run.classes),
            labels=_Column(place, labels),
            suggested_labels=_Column(place, suggested),
            suggested_prices=_Column(place, fitting),
            priced=not np.isnan(amounts).all(),
            currency=run.record()["dataset"].get("currency"),
            decimal=known_decimal(run.record()["dataset"].get("decimal", ".")) or "",
            three_decimals=_have_three(amounts[~np.isnan(amounts)]),
            unlikely=frozenset(issues["id"].filter(less).to_pylist()),
        )

    def price(self, given: float | str) -> float:
        """Return a price that a person gave, see :func:`curation.run.new_values.check_price`."""
        return check_price(given, self.currency, self.decimal, three_decimals=self.three_decimals)

    @property
    def max_price(self) -> int:
        """The largest price that a decision may name."""
        return MAX_PRICE

    @property
    def thousandths(self) -> str:
        """What marks the decimals of prices such as 1.299, where those are usual; empty elsewhere."""
        usual = self.three_decimals or (self.currency is not None and has_thousandths(self.currency))
        return self.decimal if usual and self.decimal in (".", ",") else ""

    def with_suggestions(self, decision: Decision) -> Decision:
        """Return a decision that says what had been suggested."""
        return replace(
            decision,
            suggested_label=self.suggested_labels.get(decision.id),
            suggested_price=self.suggested_prices.get(decision.id),
        )


def _have_three(prices: Float64) -> bool:
    # of 1.250 and 2.125, the first does not show its third; and prices in cents never have one
    broken = prices[prices != np.floor(prices)]
    return bool(len(broken)) and int((np.round(broken, 2) != broken).sum()) >= _THREE * len(broken)


def new_classes_of(holding: Mapping[str, Decision]) -> list[str]:
    """Return the classes that people added with decisions that hold, in their order."""
    return list(dict.fromkeys(each.new_label for each in holding.values() if each.new_class and each.new_label))


def misfit(decision: Decision, classes: Collection[str], label: str | None) -> str:
    """Return why a decision that holds means nothing for a listing; nothing if it fits.

    Parameters
    ----------
    decision : Decision
        What was decided.
    classes : collection of str
        Classes of the run.
    label : str or None
        Given label of the listing.

    Examples
    --------
    >>> misfit(Decision("L1", "relabel", "sofa", "ana", "2026-01-01T10:00:00+00:00", "app"), ["chair", "desk"], "desk")
    "no class 'sofa'"
    """
    if decision.action not in ACTIONS:
        return f"unknown action {decision.action!r}"
    if decision.action == "relabel" and decision.new_label not in classes and not decision.new_class:
        return f"no class {decision.new_label!r}"
    if decision.action == "reprice" and decision.new_price is None:
        return "no price"
    if decision.action == "keep" and label is None:
        return "no label to keep"
    return ""


def require_labels(decisions: Iterable[Decision], labels: Mapping[str, str | None]) -> None:
    """Refuse to keep listings that have no label: nothing would be decided.

    Parameters
    ----------
    decisions : iterable of Decision
        What was decided.
    labels : mapping of str to (str or None)
        Given label of each listing.

    Raises
    ------
    DecisionsError
        Naming them.
    """
    bare = [each.id for each in decisions if each.action == "keep" and labels.get(each.id) is None]
    if bare:
        raise DecisionsError(
            f"{many(len(bare), 'listing')} without a label can't be kept",
            got=f"keep for {some(bare)}",
            wanted="relabel (which class?), delete, or ambiguous (several would fit)",
            fix=f"Or leave {agree(len(bare), 'it', 'them')} undecided.",
            parameter="action",
        )


def check_decisions(
    decisions: Sequence[Decision],
    decidable: Decidable,
    *,
    new_classes: Collection[str] = (),
    known: Iterable[str] = (),
) -> list[Decision]:
    """Return decisions as the journal gets them: those to a class that the run does not have are marked.

    Parameters
    ----------
    decisions : sequence of Decision
        What was decided.
    decidable : Decidable
        What the run has.
    new_classes : collection of str
        Classes that become new ones, beside those of decisions that say so themselves.
    known : iterable of str
        New classes of earlier decisions.

    Raises
    ------
    DecisionsError
        For unknown ids, unknown actions, a relabel without a class or to an unknown one, a bad name for a new class,
        and a price that is none.
    """
    unknown = [decision.id for decision in decisions if decision.id not in decidable.labels]
    if unknown:
        raise DecisionsError(
            f"this run has no listing for {many(len(unknown), 'decision')}",
            got=some(unknown),
            wanted="ids of the run's listings",
            fix="Check `run`, or whether the decisions belong to another dataset.",
            parameter="ids",
        )
    classes = list(dict.fromkeys([*decidable.classes, *known]))
    checked = []
    for decision in decisions:
        _check_action(decision)
        if decision.new_price is not None or decision.action == "reprice":
            _check_new_price(decision, decidable)
        if decision.action == "relabel":
            label = _relabelled(decision, classes, new_classes)
            if label not in classes:
                classes.append(label)
            new = label not in decidable.classes
            decision = decision if decision.new_class == new else replace(decision, new_class=new)
        checked.append(decision)
    return checked


def refused(decisions: Iterable[Decision], decidable: Decidable) -> Iterator[tuple[Decision, DecisionsError]]:
    """Yield the decisions that no dataset can be made with, and why, each for itself.

    Parameters
    ----------
    decisions : iterable of Decision
        That hold.
    decidable : Decidable
        What the run has.
    """
    known: list[str] = []
    for decision in decisions:
        try:
            (checked,) = check_decisions([decision], decidable, known=known)
        except DecisionsError as error:
            yield decision, error
        else:
            if checked.new_class and checked.new_label and checked.new_label not in known:
                known.append(checked.new_label)


def _check_action(decision: Decision) -> None:
    # only the review and `curate undo` take back; in a CSV it would be a typing error, as is a note without words
    mistyped = decision.source == "csv" and (decision.action == UNDO or not decision.note)
    if decision.action not in ACTIONS and (decision.action not in (UNDO, NOTE) or mistyped):
        raise DecisionsError(
            f"unknown action for listing {decision.id}",
            got=repr(decision.action),
            wanted=", ".join(ACTIONS),
            fix=closest(decision.action, ACTIONS),
            parameter="action",
        )


def _check_new_price(decision: Decision, decidable: Decidable) -> None:
    if decision.action not in PRICED:
        raise DecisionsError(
            f"listing {decision.id} gets no price",
            got=f"{decision.action} with the price {decision.new_price:g}",
            wanted=f"a price with {', '.join(PRICED)}",
            fix="Leave the price out, or say reprice.",
            parameter="price",
        )
    if not decidable.priced:
        raise DecisionsError(
            f"listing {decision.id} can't be repriced: this dataset has no prices",
            fix="Name its column with `columns={'price': 'NAME'}` when you find issues again.",
            parameter="action",
        )
    if decision.new_price is None:
        raise DecisionsError(
            f"listing {decision.id} can't be repriced",
            got="no price",
            wanted="new_price, e.g. 12.50",
            fix="" if decision.source == "csv" else "None is suggested for it, so name one.",
            parameter="price",
        )
    check_price(decision.new_price, decidable.currency)


def _relabelled(decision: Decision, classes: Sequence[str], new_classes: Collection[str]) -> str:
    """Return the class of a relabel, one that exists or a proper new one."""
    label = decision.new_label
    if label is not None and label in classes:
        return label
    if label is not None and (decision.new_class or label in new_classes):
        check_new_class(label, classes)
        return label
    hints = [closest(label or "", [*classes, *new_classes])]
    if label and same_name(label) not in map(same_name, classes):
        how = "`new_class=True`" if decision.source in _HERE else f"`new_classes={label!r}`"
        hints.append(f"If it is to be a new class, say so with {how}.")
    raise DecisionsError(
        f"listing {decision.id} can't be relabelled",
        got=f"new_label {label!r}",
        wanted=f"one of {some(classes, 12)}",
        fix=" ".join(filter(None, hints)),
        parameter="label",
    )
