"""What a queue gains by learning from the decisions that were made so far.

    python benchmarks/learning.py listings.csv listings.csv -- --column group=photo_hash

The second file has ``id`` and ``true_label``. A reviewer who knows the truth decides the labels in the order of
``label_score``, in batches of a fortieth of the listings. In the fixed order, that of the run is kept. In the learning
one, decided labels take the place of the given ones after each batch, listings that belong to no class teach nothing,
all models are fitted again, and the rest is ordered again. Folds are assigned again as well, and a listing is scored by
models that were not trained on it.

Prints one JSON object: the wrong labels among the first 10, 20 and 40 % of the listings; how many of the suggestions
for the wrong labels that are left are right; and how many of the next batch were expected to be wrong, and are, by the
chances as they are, and by those anchored to the decisions. Arguments after -- are options of find-issues.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from detection import show
from learn_chances import Base, base_of
from scipy.optimize import minimize
from scipy.special import expit, logit

from curation.issues.label.judge import Judgement, judge
from training.utils.arrays import Bool, Float64, Int64

_SHARES = (0.1, 0.2, 0.4)
_BATCHES = 40
#: Offset and slope of the chances' log-odds are kept near 0 and 1, as if by normal distributions of this spread.
_SPREAD = 1.0, 0.3
#: So many of the last decisions anchor the chances: earlier ones were made on listings that were easier to tell.
_RECENT = 150


@dataclass
class Review:
    """The decisions so far, and what is counted.

    Attributes
    ----------
    base : Base
    rows : ndarray of int64, shape (n,)
        The listings that are reviewed.
    decided : ndarray of bool, shape (n,)
    found : list of int
        The wrong labels among the decided after each batch.
    expected : list of tuple
        Of each batch after the first: how many were expected to be wrong, the same anchored, and how many are.
    suggested : dict
        By share of the decided listings: how many suggestions for wrong labels that are left are right, of how many.
    """

    base: Base
    rows: Int64
    decided: Bool
    chances: list[float] = field(default_factory=list)
    outcomes: list[bool] = field(default_factory=list)
    found: list[int] = field(default_factory=list)
    expected: list[tuple[float, float, int]] = field(default_factory=list)
    suggested: dict[float, tuple[int, int]] = field(default_factory=dict)

    @property
    def true(self) -> Int64:
        """The true classes, shape (n,); -1 for none of them."""
        return self.base.true[self.rows]

    @property
    def wrong(self) -> Bool:
        """Whether each given label is wrong, shape (n,)."""
        return np.asarray(self.base.evidence.given[self.rows] != self.true)

    def judged(self) -> tuple[Judgement, Int64]:
        """Return what is believed after the decisions, and the places of the listings that it is about."""
        labels = np.where(self.decided, self.true, self.base.evidence.given[self.rows])
        places = np.flatnonzero(labels >= 0)
        rows, classes = self.rows[places], list(range(len(self.base.evidence.classes)))
        evidence = self.base.with_labels(rows, labels[places], classes, self.base.features[rows], titles=True)
        return judge(evidence), places

    def decide(self, order: Int64, chances: Float64, count: int) -> None:
        """Decide the first undecided listings of an order."""
        batch = order[~self.decided[order]][:count]
        wrong = self.wrong[batch]
        if self.chances:
            offset, slope = anchored(np.array(self.chances), np.array(self.outcomes))
            sure = expit(offset + slope * logit(np.clip(chances[batch], 1e-4, 1 - 1e-4)))
            self.expected.append((float(chances[batch].sum()), float(sure.sum()), int(wrong.sum())))
        self.chances += chances[batch].tolist()
        self.outcomes += wrong.tolist()
        self.decided[batch] = True
        self.found.append(int(self.wrong[self.decided].sum()))


def main() -> None:
    """Print what each order finds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listings", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("options", nargs="*", help="options of find-issues, after --")
    arguments = parser.parse_args()
    base = base_of(arguments.listings, arguments.truth, arguments.options)
    results = {name: reviewed(base, learns=name == "learning") for name in ("fixed", "learning")}
    show(f"{arguments.listings.parent.name} {' '.join(arguments.options)}", results)


def reviewed(base: Base, *, learns: bool) -> dict[str, Any]:
    """Review two fifths of the listings, and return what was found."""
    evidence = base.evidence
    belief = evidence.belief
    assert belief is not None
    rows = np.flatnonzero((base.true != -2) & belief.judged & evidence.listings["image"].notna().to_numpy())
    review = Review(base, rows, np.zeros(len(rows), dtype=bool))
    first = judge(evidence)
    score, suggested = first.score[rows], first.suggested[rows]
    batch = max(1, len(rows) // _BATCHES)
    for step in range(1, round(max(_SHARES) * _BATCHES) + 1):
        review.decide(np.argsort(score, kind="stable"), 1 - score, batch)
        if learns:
            judgement, places = review.judged()
            score, suggested = np.full(len(rows), np.inf), np.full(len(rows), -1)
            score[places] = np.nan_to_num(judgement.score, nan=1.0)
            suggested[places] = judgement.suggested
        if (share := step / _BATCHES) in _SHARES:
            left = ~review.decided & review.wrong
            review.suggested[share] = int((suggested == review.true)[left].sum()), int(left.sum())
    return {
        "listings": len(rows),
        "wrong": int(review.wrong.sum()),
        "found": {share: review.found[round(share * _BATCHES) - 1] for share in _SHARES},
        "suggestions_right_on_the_wrong_left": review.suggested,
        "expected_anchored_actual": [tuple(np.round(each, 1).tolist()) for each in review.expected],
    }


def anchored(chances: Float64, wrong: Bool) -> tuple[float, float]:
    """Return offset and slope of the log-odds of chances that agree with the last decisions (Platt 1999)."""
    odds, outcomes = logit(np.clip(chances[-_RECENT:], 1e-4, 1 - 1e-4)), wrong[-_RECENT:].astype(np.float64)

    def loss(at: Float64) -> float:
        total = at[0] + at[1] * odds
        near = (at[0] / _SPREAD[0]) ** 2 / 2 + ((at[1] - 1) / _SPREAD[1]) ** 2 / 2
        return float((np.logaddexp(0, total) - outcomes * total).sum() + near)

    offset, slope = minimize(loss, np.array([0.0, 1.0])).x
    return float(offset), float(slope)


if __name__ == "__main__":
    main()
