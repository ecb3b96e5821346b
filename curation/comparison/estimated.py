"""The difference on true test labels, of which only some are known, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curation.comparison import words
from curation.comparison.scored import Difference
from curation.rendering.results import plain

__all__ = ["Estimated"]

#: Of :class:`Estimated`, those that keep their names in ``comparison.json``.
_FIELDS = (
    "accuracy_difference",
    "reviewed_alone",
    "reviewed",
    "decided_before",
    "of",
    "undecided",
)


@dataclass(frozen=True)
class Estimated:
    """The difference on true test labels, of which only some are known.

    Attributes
    ----------
    difference, accuracy_difference : Difference
        After minus before, in macro-F1 and in accuracy. There is no macro-F1 of each version: the draw is from where
        they differ, and says little about what both predict alike.
    reviewed_alone : Difference
        That of macro-F1 from the reviewed listings alone, weighted, without the belief.
    reviewed, decided_before : int
        Test listings that were drawn and reviewed, and that had been decided on before the draw.
    of : int
        All listings of the test set.
    undecided : int
        Drawn listings without a decision.
    power : float
        Lambda, how far the belief counts: 0 not at all, 1 fully; the mean over the reviewed listings.
    """

    difference: Difference
    accuracy_difference: Difference
    reviewed_alone: Difference
    reviewed: int
    decided_before: int
    of: int
    undecided: int
    power: float

    @property
    def verdict(self) -> str:
        """``helped``, ``hurt`` or ``no difference``."""
        return self.difference.verdict

    def to_dict(self) -> dict[str, Any]:
        """Return the value of ``estimated_true_difference`` in ``comparison.json``."""
        return {
            **self.difference.to_dict(),
            "verdict": self.verdict,
            "sentence": words.estimate(self),
            **{name: plain(getattr(self, name)) for name in _FIELDS},
            "lambda": self.power,
            "width": 2 * self.difference.could_show,
            "width_reviewed_alone": 2 * self.reviewed_alone.could_show,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Estimated:
        """Return the estimate that :meth:`to_dict` gave."""
        own = {name: content[name] for name in _FIELDS}
        for name in ("accuracy_difference", "reviewed_alone"):
            own[name] = Difference(**own[name])
        overall = Difference(*(content[name] for name in ("mean", "low", "high")))
        return cls(difference=overall, power=content["lambda"], **own)
