"""How well listings are found that belong to none of the classes.

    python benchmarks/none_of_these.py listings.csv listings.csv -- --column group=photo_hash
    python benchmarks/none_of_these.py --removed 8 demo/listings.csv demo/truth.csv

The second file has ``id`` and ``true_label``; a listing whose true label is no class of the set belongs to none. The
table is scored as it is, with all labels right, and `--removed` times without one to four of its classes, of whose
listings some return under labels of others: at random, of similar classes, what the photo itself looks like, or all of
a class under one. Arguments after -- are options of find-issues.

AP is the average precision of a ranking; for a random ranking, it is the share of such listings.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from detection import show
from learn_chances import Base, base_of
from sklearn.metrics import average_precision_score

from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import softmax
from curation.issues.label.judge import judge
from curation.issues.label.none_of_these import none_of_these
from curation.issues.outlier import KIND as OUTLIER
from training.utils.arrays import Bool, Float64, Int64

_WAYS = ("random", "similar", "one", "seen")
_SHARES = (0.01, 0.02, 0.04)
_MOST = 2_500
_FEWEST = 8
_RESAMPLES = 300
_BINS = (0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1)


def main() -> None:
    """Print one JSON object per case, and one of all cases with such listings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listings", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--removed", type=int, default=0, help="cases without some of the classes")
    parser.add_argument("options", nargs="*", help="options of find-issues, after --")
    arguments = parser.parse_args()
    base = base_of(arguments.listings, arguments.truth, arguments.options)
    table, chances, truths = base.evidence.listings, [], []
    rows = np.flatnonzero((base.true != -2) & (base.evidence.given >= 0) & table["image"].notna().to_numpy())
    cases = [("as it is", rows, base.evidence.given[rows])]
    cases += [("all labels right", rows[base.true[rows] >= 0], base.true[rows[base.true[rows] >= 0]])]
    cases += [without_classes(base, rows, seed) for seed in range(arguments.removed)]
    for name, some, labels in cases:
        classes = np.unique(labels)
        evidence = base.with_labels(
            some, np.searchsorted(classes, labels), classes.tolist(), base.features[some], titles=True
        )
        none = ~np.isin(base.true[some], classes)
        chance, known, result = scores(evidence, none, base.true[some] != labels)
        show(f"{arguments.listings.parent.name}, {name}", result)
        if name not in ("as it is", "all labels right"):
            chances.append(chance)
            truths.append(none[known])
    if chances:
        show("classes removed", {"calibration": calibration(np.concatenate(chances), np.concatenate(truths))})


def without_classes(base: Base, rows: Int64, seed: int) -> tuple[str, Int64, Int64]:
    """Return a case without some classes: its name, its rows, and their labels."""
    chance, way = np.random.default_rng(100 + seed), _WAYS[seed % len(_WAYS)]
    true, given, belief = base.true[rows], base.evidence.given[rows], base.evidence.belief
    assert belief is not None
    probs, classes = softmax(belief.logs[:])[rows], len(base.evidence.classes)
    enough = np.flatnonzero(np.bincount(true[true >= 0], minlength=classes) >= _FEWEST)
    gone = chance.choice(enough, min(int(chance.integers(1, 5)), classes // 4), replace=False)
    share = float(chance.choice(_SHARES))
    rest = chance.permutation(np.flatnonzero((true >= 0) & ~np.isin(true, gone) & ~np.isin(given, gone)))[:_MOST]
    rest = rest[np.isin(given[rest], np.flatnonzero(np.bincount(given[rest], minlength=classes) >= 3))]
    kept = np.unique(given[rest])
    back = chance.permutation(np.flatnonzero(np.isin(true, gone)))[: max(3, round(share * len(rest)))]
    one = {k: int(chance.choice(kept)) for k in gone}
    labels = given.copy()
    for row in back:
        alike = {"similar": probs[true == true[row]].mean(axis=0) ** 2, "seen": np.sqrt(probs[row])}.get(way)
        weights = np.ones(len(kept)) if alike is None else alike[kept]
        labels[row] = one[true[row]] if way == "one" else chance.choice(kept, p=weights / weights.sum())
    some = np.sort(np.concatenate([rest, back]))
    return f"{len(gone)} classes removed, {way} {share:.0%}, seed {seed}", rows[some], labels[some]


def scores(evidence: Evidence, none: Bool, wrong: Bool) -> tuple[Float64, Bool, dict[str, Any]]:
    """Return the chances, which listings have one, and how they and other rankings do on these."""
    judgement, belief = judge(evidence), evidence.belief
    assert belief is not None
    chance = none_of_these(evidence, judgement.score, judgement.confidence)
    known = np.isfinite(chance)
    wrongness = 1 - judgement.score
    unsure = 1 - np.nan_to_num(judgement.confidence) / np.maximum(wrongness, 1e-9)
    rankings = {
        "none_of_these": chance,
        "label_score": wrongness,
        "no sure suggestion": wrongness * unsure,
        "doubt of all classes": 1 - softmax(belief.logs[:]).max(axis=1),
        "outlier_score": 1 - OUTLIER.find(evidence)["outlier_score"].fillna(1).to_numpy(),
    }
    result: dict[str, Any] = {"listings": int(known.sum()), "none": int(none[known].sum())}
    result |= {"wrong": int(wrong[known].sum()), "expected": float(chance[known].sum())}
    likely = known & (chance >= 0.5)
    result |= {"likely": int(likely.sum()), "likely_right": int(none[likely].sum())}
    if none[known].any():
        result["average_precision"] = {
            name: average_precision_score(none[known], ranking[known]) for name, ranking in rankings.items()
        }
        result["interval"] = _interval(none[known], chance[known])
        order = np.argsort(-np.where(known, chance, -1), kind="stable")
        result["in_first"] = {n: int(none[order[:n]].sum()) for n in (20, 50)}
        given_wrong = known & wrong
        share = chance[given_wrong] / np.maximum(wrongness[given_wrong], 1e-9)
        result["among_wrong"] = {
            "average_precision": average_precision_score(none[given_wrong], share),
            "interval": _interval(none[given_wrong], share),
            "share": float(none[given_wrong].mean()),
        }
    return chance[known], known, result


def _interval(none: Bool, ranking: Float64) -> list[float]:
    """Return the 95 % interval of the average precision over resamples of the listings."""
    chance, found = np.random.default_rng(0), []
    for _ in range(_RESAMPLES):
        rows = chance.integers(0, len(none), len(none))
        if none[rows].any():
            found.append(average_precision_score(none[rows], ranking[rows]))
    return [float(value) for value in np.quantile(found, [0.025, 0.975])]


def calibration(chance: Float64, none: Bool) -> list[dict[str, float]]:
    """Return the mean chance and the share of listings of no class, by chance."""
    bins = np.digitize(chance, _BINS[1:-1])
    return [
        {"from": _BINS[k], "listings": int((bins == k).sum()), "expected": float(chance[bins == k].mean()),
         "true": float(none[bins == k].mean())}
        for k in np.unique(bins)
    ]  # fmt: skip


if __name__ == "__main__":
    main()
