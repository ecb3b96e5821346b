"""The scores of two versions against one set of test labels, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from curation.comparison import words
from curation.rendering.results import plain
from training.evaluation.bootstrap import Difference, Discordant
from training.utils.arrays import Float64

__all__ = [
    "CORRECT",
    "FALSE_CLAIMS",
    "ClassChange",
    "ClassScores",
    "Confused",
    "Control",
    "Difference",
    "Discordant",
    "Flip",
    "Flips",
    "Scores",
    "SeedScores",
    "VersionScores",
]

#: The control that the gain is compared with.
CORRECT = "correct_labels"
#: The share of the classes called helped or hurt that is expected to be so by chance.
FALSE_CLAIMS = 0.05


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class, means over the seeds.

    Attributes
    ----------
    precision, recall, f1 : float
        In [0, 1], low = bad.
    support : float
        Number of test listings.
    """

    precision: float
    recall: float
    f1: float
    support: float


@dataclass(frozen=True)
class SeedScores:
    """Scores of one version's models.

    Attributes
    ----------
    macro_f1, accuracy : float
        Means over the seeds, in [0, 1].
    macro_f1_by_seed, accuracy_by_seed : tuple of float
        Those of each seed.
    """

    macro_f1: float
    accuracy: float
    macro_f1_by_seed: tuple[float, ...]
    accuracy_by_seed: tuple[float, ...]


@dataclass(frozen=True)
class VersionScores(SeedScores):
    """Scores of one version's models, and of each class.

    Attributes
    ----------
    per_class : dict of str to ClassScores
    """

    per_class: dict[str, ClassScores]


@dataclass(frozen=True)
class Control(SeedScores):
    """Scores of models trained on another version of the training listings.

    Attributes
    ----------
    difference : Difference
        Of macro-F1: this version minus before.
    """

    difference: Difference


@dataclass(frozen=True)
class ClassChange:
    """Scores of one class before and after the fixes.

    Attributes
    ----------
    before, after : ClassScores
        Scores of the class.
    difference : Difference or None
        That of F1; None for a class without test listings. The interval is not corrected for the number of classes.
    p, p_adjusted : float or None
        P-value of the difference, and the same adjusted for the number of classes, in [0, 1], low = a difference; None
        without test listings, and in comparisons of earlier versions.
    """

    before: ClassScores
    after: ClassScores
    difference: Difference | None
    p: float | None = None
    p_adjusted: float | None = None

    @property
    def verdict(self) -> str | None:
        """``helped`` or ``hurt`` where that is a claim; of all such claims, 5 % are expected to be false."""
        if self.difference is None:
            return None
        claimed = self.p_adjusted is not None and self.p_adjusted <= FALSE_CLAIMS
        return self.difference.verdict if claimed else "no difference"


@dataclass(frozen=True)
class Confused:
    """How often one class was predicted for listings of another.

    Attributes
    ----------
    label, predicted : str
        Given and predicted class.
    before, after : float
        Number of test listings, means over the seeds.
    """

    label: str
    predicted: str
    before: float
    after: float


@dataclass(frozen=True)
class Flip:
    """A test listing that most seeds got right on one side only.

    Attributes
    ----------
    id, label : str
        The listing and its test label.
    before, after : str
        The class that most seeds predicted.
    before_right, after_right : float
        Share of the seeds that were right, in [0, 1].
    """

    id: str
    label: str
    before: str
    after: str
    before_right: float
    after_right: float


@dataclass(frozen=True)
class Flips:
    """Test listings whose prediction changed.

    Attributes
    ----------
    to_right, to_wrong : tuple of Flip
        Listings that most seeds got right only after, and only before the fixes; the clearest first.
    """

    to_right: tuple[Flip, ...]
    to_wrong: tuple[Flip, ...]


@dataclass(frozen=True)
class Scores:
    """Before and after against one set of test labels.

    Attributes
    ----------
    before, after : VersionScores
    difference, accuracy_difference : Difference
        Of macro-F1 and of accuracy: after minus before.
    mcnemar : Discordant
        Predictions that became right or wrong.
    per_class : dict of str to ClassChange
    confusion : tuple of Confused
        Every pair of label and prediction that occurs, most listings first.
    flips : Flips
    controls : dict of str to Control
        Other versions, by name; empty unless they were trained.
    share_of_possible : Difference or None
        (after - before) / (correct labels - before) in macro-F1. None without the control `CORRECT`, or where correct
        labels show no gain.
    """

    before: VersionScores
    after: VersionScores
    difference: Difference
    accuracy_difference: Difference
    mcnemar: Discordant
    per_class: dict[str, ClassChange]
    confusion: tuple[Confused, ...]
    flips: Flips
    controls: dict[str, Control] = field(default_factory=dict)
    share_of_possible: Difference | None = None

    @property
    def verdict(self) -> str:
        """``helped``, ``hurt`` or ``no difference``, by macro-F1."""
        return self.difference.verdict

    @property
    def listings(self) -> int:
        """Test listings that have a label of this set."""
        return round(sum(scores.support for scores in self.before.per_class.values()))

    def matrix(self, version: str) -> Float64:
        """Return the confusion matrix of ``before`` or ``after``, shape (K, K): labels by predictions."""
        place = {name: number for number, name in enumerate(self.per_class)}
        counts = np.zeros((len(place), len(place)))
        for pair in self.confusion:
            counts[place[pair.label], place[pair.predicted]] = getattr(pair, version)
        return counts

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as ``comparison.json`` has them."""
        content: dict[str, Any] = {
            "before": plain(self.before),
            "after": plain(self.after),
            "difference": self.difference.to_dict(),
            "accuracy_difference": self.accuracy_difference.to_dict(),
            "could_show": self.difference.could_show,
            "verdict": self.verdict,
            "sentence": words.sentence(self),
            "mcnemar": self.mcnemar.to_dict(),
            "per_class": {name: {**plain(row), "verdict": row.verdict} for name, row in self.per_class.items()},
            "confusion": plain(self.confusion),
            "flips": plain(self.flips),
        }
        if self.controls:
            content["controls"] = {
                name: {**plain(each), "verdict": each.difference.verdict, "sentence": words.sentence(self, name)}
                for name, each in self.controls.items()
            }
        if CORRECT in self.controls:
            content["share_of_possible"] = plain(self.share_of_possible)
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Scores:
        """Return the scores that a file holds."""
        scores: Scores = _read(cls, content)
        return scores


def _read(kind: Any, content: Any) -> Any:
    """Return what :func:`curation.rendering.results.plain` made into JSON; keys that are no field are left out."""
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        kinds = get_type_hints(kind)
        required = (each.name for each in fields(kind) if each.default is each.default_factory is MISSING)
        names = {*required, *(kinds.keys() & content.keys())}
        return kind(**{name: _read(kinds[name], content[name]) for name in names})
    if origin is UnionType:
        return None if content is None else _read(arguments[0], content)
    if origin is tuple:
        return tuple(_read(arguments[0], item) for item in content)
    if origin is dict:
        return {key: _read(arguments[1], item) for key, item in content.items()}
    return content
