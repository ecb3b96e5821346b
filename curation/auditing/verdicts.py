"""What decisions say about labels: wrong, and what is right instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from curation.run.decidable import Decidable, misfit
from curation.run.journal import Decision

__all__ = ["NONE_OF_THEM", "Verdict", "verdicts"]

#: The true class of a listing that was deleted because it belongs to none.
NONE_OF_THEM = "(deleted)"
#: Kinds of issue that a listing is deleted for, whatever its label.
_OTHER_REASONS = ("near_duplicate", "indirect_image", "photo_quality", "unreadable")
#: The source of an accepted suggestion, which no person has seen.
_ACCEPTED = "suggestion"


@dataclass(frozen=True)
class Verdict:
    """What a person says about a label.

    Attributes
    ----------
    wrong : bool
        Whether it is wrong: relabelled to another class, or deleted without another reason than the label.
    true : str
        The class that is right, :data:`NONE_OF_THEM` if there is none.
    """

    wrong: bool
    true: str


def verdicts(
    issues: pd.DataFrame, holding: Mapping[str, Decision], decidable: Decidable
) -> tuple[dict[str, Verdict], int]:
    """Return what people say about the labels of a run, and how many decisions fit none of its listings.

    A label is right if it is kept, if only the price is corrected, and if several labels fit. A deleted listing has a
    wrong label unless the run flags it as a repost, a picture of text, a bad photo or an unreadable one: then it is
    deleted for that.

    Parameters
    ----------
    issues : DataFrame
        ``issues.parquet``.
    holding : mapping of str to Decision
        The decision that holds for each listing. Accepted suggestions say nothing: no person has seen
        them.
    decidable : Decidable
        What can be decided in the run.
    """
    kinds = [name for kind in _OTHER_REASONS if (name := f"is_{kind}_issue") in issues]
    excused = issues[kinds].fillna(False).astype(bool).any(axis=1) if kinds else pd.Series(False, issues.index)
    deletable = dict(zip(issues["id"].astype(str), excused.tolist(), strict=True))
    found, others, classes = {}, 0, set(decidable.classes)
    for id, decision in holding.items():
        if id not in decidable.labels or misfit(decision, classes, decidable.labels[id]):
            others += 1
        elif decision.source != _ACCEPTED and (given := decidable.labels[id]) is not None:
            found[id] = _verdict(decision, given, deletable[id])
    return found, others


def _verdict(decision: Decision, given: str, excused: bool) -> Verdict:
    if decision.action == "delete":
        return Verdict(not excused, given if excused else NONE_OF_THEM)
    true = decision.new_label if decision.action == "relabel" and decision.new_label else given
    return Verdict(true != given, true)
