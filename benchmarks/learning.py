"""What a queue gains by learning from the decisions that were made so far.

    python benchmarks/learning.py listings.csv listings.csv -- --column group=photo_hash

The second file has ``id`` and ``true_label``. A reviewer who knows the truth decides labels from the lowest
``label_score`` up, in batches of a fortieth of the listings. In the fixed order, the scores of the run are kept. In the
learning one, the run learns from all decisions after each batch, as `curate review` does, and the rest is ordered
again. ``--wrong 0.05``: so many decisions are wrong. Decisions on the test set teach nothing.

Prints one JSON object for each order: the wrong labels among the first 10, 20 and 40 % of the listings; how many of the
suggestions for the wrong labels that are left are right; and how many labels were expected to be wrong, and are, among
the next batch and among all that are left, after each batch. Arguments after -- are options of find-issues.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from detection import show

from curation.issues.label.judge import judge
from curation.learning.learn import learned_evidence
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from training.utils.arrays import Bool, Float64, Int64

_SHARES = (0.1, 0.2, 0.4)
_BATCHES = 40
_WHEN = "2026-01-01T00:00:00+00:00"


@dataclass
class Review:
    """The decisions so far, and what is counted.

    Attributes
    ----------
    run : RunFolder
    true : Series of str, length N
        The true label of each listing, in the order of the training table; empty for none of the classes.
    rows : ndarray of int64, shape (n,)
        The listings that are reviewed.
    wrong_keys : float
        Share of the decisions that are wrong.
    found : list of int
        The wrong labels among the decided after each batch.
    expected : list of tuple
        After each batch: how many of the next one, and of all that are left, are expected to be wrong, and are.
    suggested : dict
        By share of the decided listings: how many suggestions for wrong labels that are left are right, of how many.
    """

    run: RunFolder
    true: pd.Series
    rows: Int64
    wrong_keys: float
    decisions: dict[str, Decision] = field(default_factory=dict)
    found: list[int] = field(default_factory=list)
    expected: list[tuple[float, int, float, int]] = field(default_factory=list)
    suggested: dict[float, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the listings once."""
        table = self.run.training_table()
        self.ids = table["id"].astype(str).to_numpy()
        self.given = table["label"].astype("string")
        self.wrong: Bool = (self.given != self.true).to_numpy(dtype=bool)
        self.decided = np.zeros(len(table), dtype=bool)
        self.chance = np.random.default_rng(0)

    def decide(self, batch: Int64) -> None:
        """Decide listings as a person who knows the truth, but for wrong keys."""
        for row in batch:
            id, slip = self.ids[row], self.chance.random() < self.wrong_keys
            keeps = self.wrong[row] if slip else not self.wrong[row]
            label = self.true[row] if not slip else self.chance.choice(self.run.classes)
            action = "keep" if keeps else "relabel" if label else "delete"
            named = label if action == "relabel" else None
            self.decisions[id] = Decision(id, action, named, "ana", _WHEN, "app")
        self.decided[batch] = True
        self.found.append(int((self.wrong & self.decided).sum()))


def main() -> None:
    """Print what each order finds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listings", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("options", nargs="*", help="options of find-issues, after --")
    parser.add_argument("--wrong", type=float, default=0.0, help="share of the decisions that are wrong")
    parser.add_argument("--share", type=float, default=max(_SHARES), help="how much of the listings is reviewed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run = RunFolder(Path(name) / "run")
        command = ["find-issues", str(arguments.listings.resolve()), "--run", str(run.folder), *arguments.options]
        curate = Path(__file__).parent.parent / "cli.py"
        subprocess.run([sys.executable, str(curate), *command], check=True, capture_output=True)
        truths = pd.read_csv(arguments.truth, dtype=str, keep_default_na=False).set_index("id")["true_label"]
        results = {
            order: reviewed(run, truths, arguments.wrong, arguments.share, learns=order == "learning")
            for order in ("fixed", "learning")
        }
    show(f"{arguments.listings.parent.name} {' '.join(arguments.options)}", results)


def reviewed(run: RunFolder, truths: pd.Series, wrong_keys: float, share: float, *, learns: bool) -> dict[str, Any]:
    """Review a share of the listings, and return what was found."""
    issues = run.issues().set_index("id")
    ids = run.training_table()["id"].astype(str)
    named = truths.reindex(ids).fillna("").reset_index(drop=True)
    true = named.where(named.isin(run.classes), "")
    scores: Float64 = issues.loc[ids, "label_score"].to_numpy(dtype=np.float64, na_value=np.nan)
    suggested = issues.loc[ids, "suggested_label"].reset_index(drop=True)
    # of a listing without a true label, nobody knows whether its label is right
    rows = np.flatnonzero(np.isfinite(scores) & (named != "").to_numpy() & run.training_table()["label"].notna())
    review, classes = Review(run, true, rows, wrong_keys), np.array([*run.classes, None], dtype=object)
    size = max(1, len(rows) // _BATCHES)
    for step in range(1, round(share * _BATCHES) + 1):
        left = rows[~review.decided[rows]]
        review.decide(left[np.argsort(scores[left], kind="stable")][:size])
        if learns:
            judgement = judge(learned_evidence(run, review.decisions))
            scores = np.where(np.isnan(judgement.score), 1.0, judgement.score)
            suggested = pd.Series(classes[judgement.suggested])
        left = rows[~review.decided[rows]]
        ahead = left[np.argsort(scores[left], kind="stable")][:size]
        counts = [(float((1 - scores[some]).sum()), int(review.wrong[some].sum())) for some in (ahead, left)]
        review.expected.append((*counts[0], *counts[1]))
        if (done := step / _BATCHES) in _SHARES:
            errors = left[review.wrong[left]]
            review.suggested[done] = int((suggested[errors] == true[errors]).sum()), len(errors)
    return {
        "listings": len(rows),
        "wrong": int(review.wrong[rows].sum()),
        "found": {each: review.found[round(each * _BATCHES) - 1] for each in _SHARES if each <= share},
        "suggestions_right_on_the_wrong_left": review.suggested,
        "next_expected_actual_left_expected_actual": [tuple(np.round(each, 1).tolist()) for each in review.expected],
    }


if __name__ == "__main__":
    main()
