"""The first things to know about a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.evidence.evidence import CLEANLAB, CURATE, Evidence
from curation.evidence.hierarchy import Hierarchy
from curation.issues import KINDS, IssueKind, expected_changes
from curation.issues.worth import AtStake, at_stake_of_first, price_errors
from curation.listings.labels import PARENT
from curation.rendering.results import Result
from curation.run.flags import is_flagged
from curation.run.folder import RunFolder
from training.utils.blocks import row_blocks
from training.utils.memory import release_unused

__all__ = [
    "Agreement",
    "Budget",
    "Overlap",
    "Summary",
    "agreement",
    "flags_of",
    "help_of",
    "overlap",
    "summarise",
    "worth_of",
]

_WORST = 10
#: A model that agrees with the given labels less than this many times as often as the largest class does, or less than
#: this at all, is weak.
_WEAK = 1.5
_WEAK_AT_ALL = 0.4
#: If a smaller share of the flagged labels is expected to be wrong, the evidence can't tell them from right ones.
_TOLD_APART = 0.6
#: What is flagged if cleanlab's flags hold.
_CLEANLAB = "The label is missing, or cleanlab flags it with its defaults; the suggestions are curate's."


@dataclass(frozen=True)
class Agreement:
    """How often the out-of-fold model agrees with the given labels.

    Attributes
    ----------
    with_given_labels : float or None
        Share of the scored listings whose most probable class is the given one, 0 to 1; None if no listing was scored.
    largest_class : float
        Share of the largest class: what a model would reach that only knows how common each class is.
    """

    with_given_labels: float | None
    largest_class: float

    @property
    def weak(self) -> bool:
        """Whether the model knows so little that its label flags mean little."""
        share = self.with_given_labels
        return share is not None and share < max(_WEAK * self.largest_class, _WEAK_AT_ALL)


@dataclass(frozen=True)
class Overlap:
    """How cleanlab's own flags compare to those of the labels.

    Attributes
    ----------
    flagged : int
        Labels that cleanlab flags with its defaults.
    both : int
        How many of them are flagged as wrong labels, too.
    """

    flagged: int
    both: int


@dataclass(frozen=True)
class Budget:
    """What can be expected of the first listings of the queue.

    Attributes
    ----------
    listings : int
        How many are reviewed: flagged ones, for a review shows no others.
    expected_changes : float
        How many of them are expected to need a change.
    expected_in_all : float
        How many of all listings are.
    """

    listings: int
    expected_changes: float
    expected_in_all: float


@dataclass(frozen=True)
class Summary(Result):
    """The first things to know about a finished run.

    Attributes
    ----------
    run : str
        Its folder.
    listings, flagged : int
        How many there are, and how many have at least one issue.
    issues : dict of str to int
        Flags by kind.
    worst : DataFrame
        The first ten of the queue: ``priority``, ``id``, ``image``, ``given_label``, ``suggested_label``,
        ``suggested_confidence`` (0 to 1), ``price``, ``reasons``.
    budget : Budget or None
        None unless a number of listings was given.
    agreement : Agreement
        How often the model agrees with the given labels.
    cleanlab : Overlap or None
        How cleanlab's own flags compare to ours; None if it flags nothing for lack of evidence.
    expected_wrong : float or None
        How many of the flagged labels are expected to be wrong, by their scores, missing ones included; None if none is
        flagged.
    expected_none : float or None
        How many listings are expected to belong to none of the classes; None where nothing says so.
    parents : dict of str to int or None
        Of the labels that look wrong, how many fit another class ``within`` the same parent, and how many one
        ``across``; None if the labels are no hierarchy.
    health : dict or None
        As in ``health.json``, see :func:`curation.issues.health.health`.
    seconds : dict of str to float
        Spent by stage.
    flags : str
        Whose flags of wrong labels these are: ``curate`` or ``cleanlab``.
    worth : AtStake or None
        How much worth the first of the queue hold: `budget` listings, or else 100. None unless the queue is ordered by
        worth.
    currency : str or None
        Of the prices.
    price_errors : DataFrame
        The flagged prices with the most money at stake, at most ten; see
        :func:`curation.issues.worth.price_errors`.
    """

    run: str
    listings: int
    flagged: int
    issues: dict[str, int]
    worst: pd.DataFrame
    budget: Budget | None
    agreement: Agreement
    cleanlab: Overlap | None
    expected_wrong: float | None
    expected_none: float | None
    parents: dict[str, int] | None
    health: dict[str, Any]
    seconds: dict[str, float]
    flags: str = CURATE
    worth: AtStake | None = None
    currency: str | None = None
    price_errors: pd.DataFrame = field(default_factory=pd.DataFrame)
    _photos: Path | None = None

    @property
    def undecided(self) -> bool:
        """Whether the evidence can't tell wrong labels from right ones: under 60 % of the flagged ones are wrong."""
        return self.expected_wrong is not None and self.expected_wrong < _TOLD_APART * self.issues["label"]

    @property
    def acceptable(self) -> bool:
        """Whether there are suggestions that may be accepted without a review."""
        return self.issues["label"] > 0 and not self.undecided

    def to_dict(self) -> dict[str, Any]:
        """Return the summary for JSON, without the paths of the photos of the worst listings."""
        content = super().to_dict()
        for row in content["worst"]:
            del row["image"]
        return content

    def _photo_root(self) -> Path | None:
        return self._photos


def summarise(run: RunFolder, budget: int | None = None) -> Summary:
    """Summarise a run.

    Parameters
    ----------
    run : RunFolder
        Finished.
    budget : int, optional
        How many listings a person is going to review.
    """
    # it reads all probabilities: not beside the issues, nor beside what the report was made from
    release_unused()
    agreed = agreement(run)
    release_unused()
    issues, record = run.issues(), run.record()
    flags = {kind.name: kind.flag for kind in KINDS}
    flagged = is_flagged(issues)
    columns = ["priority", "id", "image", "given_label", "suggested_label", "suggested_confidence", "price", "reasons"]
    return Summary(
        run=str(run.folder),
        listings=len(issues),
        flagged=int(flagged.sum()),
        issues={name: int(issues[flag].sum()) for name, flag in flags.items()},
        worst=issues[flagged].nsmallest(_WORST, "priority")[columns].reset_index(drop=True),
        budget=None if budget is None else _budget(issues, budget),
        agreement=agreed,
        cleanlab=overlap(issues),
        expected_wrong=_expected_wrong(issues),
        expected_none=_expected_none(issues),
        parents=_steps(issues, Hierarchy.of(run.listings(["label", PARENT]))),
        health=run.health(),
        seconds=record["seconds"],
        flags=flags_of(record),
        worth=worth_of(record, issues, budget),
        currency=record["dataset"].get("currency"),
        price_errors=price_errors(issues, _WORST),
        _photos=run.photo_root,
    )


def flags_of(record: Mapping[str, Any]) -> str:
    """Return whose flags of wrong labels a run has, ``curate`` or ``cleanlab``, by its ``run.json``."""
    return str(record["settings"].get("flags", CURATE))


def worth_of(record: Mapping[str, Any], issues: pd.DataFrame, first: int | None = None) -> AtStake | None:
    """Return how much worth the first of the queue hold; None if it is not ordered by worth.

    Parameters
    ----------
    record : mapping
        ``run.json``.
    issues : DataFrame
        Of the run.
    first : int, optional
        How many listings; by default 100.
    """
    return at_stake_of_first(issues, record["settings"]["worth"], first) if "worth" in issues else None


def help_of(kind: IssueKind, flags: str) -> str:
    """Return in one line what a kind flags, where the flags of wrong labels are cleanlab's, too.

    Parameters
    ----------
    kind : IssueKind
        The kind.
    flags : str
        Of :func:`flags_of`.
    """
    return _CLEANLAB if (kind.name, flags) == ("label", CLEANLAB) else kind.help


def _budget(issues: pd.DataFrame, budget: int) -> Budget:
    shown = issues[is_flagged(issues)].nsmallest(budget, "priority")["change_chance"]
    return Budget(len(shown), float(shown.sum()), expected_changes(issues, len(issues)))


def overlap(issues: pd.DataFrame) -> Overlap | None:
    """Compare cleanlab's own flags to those of the labels; None without any."""
    # a run of an earlier version has none
    if "is_cleanlab_issue" not in issues or issues["is_cleanlab_issue"].isna().all():
        return None
    theirs = issues["is_cleanlab_issue"].fillna(False)
    return Overlap(int(theirs.sum()), int((theirs & issues["is_label_issue"].fillna(False)).sum()))


def _expected_wrong(issues: pd.DataFrame) -> float | None:
    scores = issues.loc[issues["is_label_issue"].fillna(False), "label_score"]
    return float((1 - scores).sum()) if len(scores) else None


def _expected_none(issues: pd.DataFrame) -> float | None:
    # a run of an earlier version has no such chances
    if "none_of_these" not in issues or issues["none_of_these"].isna().all():
        return None
    return float(issues["none_of_these"].sum())


def agreement(run: RunFolder) -> Agreement:
    """Return how often the out-of-fold model agrees with the given labels."""
    kept = run.probabilities()
    evidence = Evidence(run.listings(["label"]), kept.classes, kept.probs).twins_as_one
    judged = np.flatnonzero(evidence.scored & evidence.labels.notna().to_numpy())
    same = np.empty(len(judged), dtype=bool)
    for block in row_blocks(len(judged)):
        same[block] = evidence.probs[judged[block]].argmax(axis=1) == evidence.given[judged[block]]
    largest = float(evidence.labels.value_counts(normalize=True).iloc[0])
    return Agreement(float(same.mean()) if len(same) else None, largest)


def _steps(issues: pd.DataFrame, hierarchy: Hierarchy) -> dict[str, int] | None:
    if not hierarchy.parents:
        return None
    wrong = issues[issues["is_label_issue"].fillna(False) & issues["given_label"].notna()]
    within = [hierarchy.within(*pair) for pair in zip(wrong["given_label"], wrong["suggested_label"], strict=True)]
    return {"within": within.count(True), "across": within.count(False)}
