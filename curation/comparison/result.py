"""The result of a comparison, typed: `comparison.json` is its `to_dict()`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pandas as pd

from curation.comparison import words
from curation.comparison.estimated import Estimated
from curation.comparison.scored import Scores, VersionScores
from curation.errors import RunError
from curation.rendering.results import Result, plain
from curation.run.folder import RunFolder
from training.utils.files import read_json

__all__ = [
    "Change",
    "Comparison",
    "Retrained",
    "ReviewedScores",
    "S",
    "TrainingCounts",
    "TrueScores",
    "read_comparison",
]

#: Of both versions, or of one.
S = TypeVar("S", Scores, VersionScores)
_ESTIMATED = "estimated_true_difference"


@dataclass(frozen=True)
class Change:
    """Training listings that were fixed alike.

    Attributes
    ----------
    action : str
        ``relabel`` or ``delete``.
    old_label, new_label : str or None
        None: no label.
    source : str
        ``person``, or ``suggestion`` if it was accepted without a review.
    listings : int
        How many there are.
    """

    action: str
    old_label: str | None
    new_label: str | None
    source: str
    listings: int


@dataclass(frozen=True)
class TrainingCounts:
    """How the training listings of a class changed.

    Attributes
    ----------
    before, after : int
        Training listings before and after the fixes.
    relabelled_to, relabelled_away : int
        Training listings that came from another class, and that went to another one.
    deleted : int
        Training listings that were deleted.
    """

    before: int
    after: int
    relabelled_to: int
    relabelled_away: int
    deleted: int


@dataclass(frozen=True)
class ReviewedScores(Generic[S]):
    """The scores against the test labels as reviewed, and the decisions behind those.

    Attributes
    ----------
    decided, relabelled, deleted : int
        Test listings.
    scores : Scores or VersionScores
    """

    decided: int
    relabelled: int
    deleted: int
    scores: S


@dataclass(frozen=True)
class TrueScores(Generic[S]):
    """Scores against true test labels.

    Attributes
    ----------
    listings : int
        Test listings whose true label is known.
    scores
        Scores against those labels.
    """

    listings: int
    scores: S


@dataclass(frozen=True)
class _Trained(Result):
    """How the models were trained, and what they were scored on.

    Attributes
    ----------
    made : str
        When (ISO 8601, UTC).
    command : tuple of str
        The command line; empty if there was none.
    model : str
        The kind of model in plain words.
    epochs : int or None
        Of every network; 0 = linear models.
    settings : dict
        How all models were trained.
    computed : dict
        What the last digits depend on besides: device, hardware, precision and threads; empty in earlier comparisons.
    test_listings, test_groups : int
        Size of the test set; groups in it that stay together.
    seeds : tuple of int
        One model of each version for each.
    left_out_like_test : int
        Listings that train no model: of a test listing's group, or with nearly the same photo.
    train_listings : dict of str to int
        Training listings of each version.
    relabelled, deleted : int
        Training listings that the fixes changed.
    weighted : int
        Training listings whose label does not count fully after the fixes, because of chances in ``cleaned/``.
    warnings : tuple of str
        What weakens the comparison, in sentences.
    """

    made: str
    command: tuple[str, ...]
    model: str
    epochs: int | None
    settings: dict[str, Any]
    computed: dict[str, Any]
    test_listings: int
    test_groups: int
    seeds: tuple[int, ...]
    left_out_like_test: int
    train_listings: dict[str, int]
    relabelled: int
    deleted: int
    weighted: int
    warnings: tuple[str, ...]

    def _trained(self) -> dict[str, Any]:
        return {name: plain(getattr(self, name)) for name in _Trained.__dataclass_fields__}


@dataclass(frozen=True)
class Retrained(_Trained):
    """Models trained on the cleaned dataset, and their scores on the test set; `_Trained` has the other fields.

    Attributes
    ----------
    given : VersionScores
        Against the test labels as given.
    reviewed : ReviewedScores or None
        Against the labels as reviewed; None if no test listing has a decision.
    true : TrueScores or None
        Against true labels, if they are known.
    """

    given: VersionScores
    reviewed: ReviewedScores[VersionScores] | None = None
    true: TrueScores[VersionScores] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON has it."""
        return {**self._trained(), "after": plain(self.given), **_others(self.reviewed, self.true)}

    def _facts(self) -> list[tuple[str, str]]:
        return words.facts_of_training(self)

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        rows = [{"class": name, **plain(scores)} for name, scores in self.given.per_class.items()]
        return [("classes", pd.DataFrame(rows))]


@dataclass(frozen=True)
class Comparison(_Trained):
    """Whether cleaning helped: models before and after the fixes on one fixed test set.

    Attributes
    ----------
    given : Scores
        Against the test labels as given; they decide the verdict.
    changes : tuple of Change
        How the training listings differ, most listings first.
    training : dict of str to TrainingCounts
        The training listings of each class.
    reviewed : ReviewedScores or None
        Scores against the labels as reviewed; None if no test listing has a decision.
    true : TrueScores or None
        Scores against true labels, if they are known.
    estimated : Estimated or None
        The difference on true labels, from test listings that were drawn at random and reviewed; None without them.
    """

    given: Scores
    changes: tuple[Change, ...]
    training: dict[str, TrainingCounts]
    reviewed: ReviewedScores[Scores] | None = None
    true: TrueScores[Scores] | None = None
    estimated: Estimated | None = None

    @property
    def verdict(self) -> str:
        """``helped``, ``hurt``, or ``no difference`` if the test set can't show one."""
        return self.given.verdict

    @property
    def sentence(self) -> str:
        """The outcome in one line."""
        return words.sentence(self.given)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``comparison.json``."""
        return {
            **self._trained(),
            **self.given.to_dict(),
            "changes": plain(self.changes),
            "training": plain(self.training),
            **({} if self.estimated is None else {_ESTIMATED: self.estimated.to_dict()}),
            **_others(self.reviewed, self.true),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Comparison:
        """Return the comparison that :meth:`to_dict` gave.

        Raises
        ------
        KeyError, TypeError
            If a part is missing, or of another kind.
        """
        content = {"computed": {}, "weighted": 0, **content}
        reviewed, true = content.get("reviewed_test_labels"), content.get("true_test_labels")
        decided = {name: reviewed[name] for name in ("decided", "relabelled", "deleted")} if reviewed else {}
        trained = {name: content[name] for name in _Trained.__dataclass_fields__}
        trained |= {name: tuple(trained[name]) for name in ("command", "seeds", "warnings")}
        return cls(
            **trained,
            given=Scores.from_dict(content),
            changes=tuple(Change(**change) for change in content["changes"]),
            training={name: TrainingCounts(**counted) for name, counted in content["training"].items()},
            reviewed=reviewed and ReviewedScores(**decided, scores=Scores.from_dict(reviewed)),
            true=true and TrueScores(true["listings"], Scores.from_dict(true)),
            estimated=Estimated.from_dict(content[_ESTIMATED]) if _ESTIMATED in content else None,
        )

    def to_markdown(self) -> str:
        """Return the comparison as Markdown for a pull request."""
        return words.markdown(self)

    def _facts(self) -> list[tuple[str, str]]:
        facts = [("outcome", self.sentence), ("classes", words.claims(self.given))]
        facts += [("true labels", words.estimate(self.estimated))] if self.estimated else []
        return [*facts, *words.facts_of_training(self)]

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("test labels", words.labels_table(self)), ("classes", words.classes_table(self))]


def read_comparison(run: RunFolder) -> Comparison | None:
    """Return the comparison of a run; None if it has none.

    Raises
    ------
    RunError
        If ``comparison.json`` can't be read.
    """
    file = run.standing(run.comparison_file)
    if not file.exists():
        return None
    try:
        return Comparison.from_dict(read_json(file))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{file} is damaged",
            got=f"{type(error).__name__}: {error}",
            fix="Delete it, and compare again with `retrain(compare=True)`.",
        ) from error


def _others(reviewed: ReviewedScores[Any] | None, true: TrueScores[Any] | None) -> dict[str, Any]:
    others = {}
    for key, scored in (("reviewed_test_labels", reviewed), ("true_test_labels", true)):
        if scored is not None:
            scores = scored.scores
            counts = {name: plain(value) for name, value in vars(scored).items() if name != "scores"}
            others[key] = counts | (scores.to_dict() if isinstance(scores, Scores) else {"after": plain(scores)})
    return others
