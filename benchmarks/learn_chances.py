r"""Learns the chances of wrong labels, and judges them on datasets that they were not learned from.

    python benchmarks/learn_chances.py --dataset groceries listings.csv listings.csv " --no-text" \
        --dataset photos listings.csv listings.csv "--no-text --column label=label_aggre" \
        --titles demo demo/listings.csv demo/truth.csv "" --probabilities photos FOLDER --write

`--dataset`: a family, listings, a file with ``id`` and ``true_label``, and options of find-issues, after a blank.
Besides the labels as they are, fewer of the wrong ones (2, 5 and 10 %), and simulated ones: at random, to similar
classes, or where the photo is hard; from none to half of the labels, with fewer listings and classes, and with weaker
features; titles with and without, and alone; photos and titles that say nothing in up to 60 % of the listings.
`--probabilities`: a family, and a folder of .npz as for detection.py, also with fewer wrong labels. `--titles`: as
`--dataset`, but nothing of it is used except simulated cases of titles alone.

Prints one JSON object per family and case, by chances learned from the *other* families, and the same of all cases
together. `--write`: learn from all families, and write curation/issues/label/chances.json.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from detection import evidence_of, published, show
from sklearn.metrics import f1_score

import curation.issues.label.chances as learned
from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import margins, softmax, standing_of
from curation.evidence.out_of_fold import fold_plan, trained_classes
from curation.issues.label.chances import Coefficients, flags_from, set_facts
from curation.issues.label.noise import find_cut
from training.crossval.cross_validate import cross_validate
from training.crossval.jobs import Data
from training.crossval.plan import Plan
from training.utils.arrays import Bool, Float32, Float64, Int64
from training.utils.files import write_json

#: Shares of wrong labels that real noise is thinned to.
_THINNED = (0.02, 0.05, 0.1)
#: How much a simulated case counts beside a real one, by the number of features it has; 0: all.
_SIMULATED = {0: 0.04, 60: 0.012, 15: 0.002}
#: Pulls the coefficients towards those that were in use before: a slope of 1.5 around the cut.
_PENALTY = 1e-4
#: How much of what was learned counts; the rest is what was in use before. Less helps where a dataset is like no other.
_LEARNED = 0.75
_PER_CASE = 1500
_FIRST = (50, 100, 200)


@dataclass(frozen=True)
class Case:
    """A dataset with some wrong labels: margins and truth of the judged listings."""

    name: str
    family: str
    weight: float
    margin: Float64
    facts: Float64
    wrong: Bool


@dataclass(frozen=True)
class Base:
    """A dataset with the truth, whose models are trained again with other labels."""

    evidence: Evidence
    features: Float32
    plan: Plan
    true: Int64

    def with_labels(
        self, rows: Int64, labels: Int64, classes: list[int], features: Float32, *, titles: bool
    ) -> Evidence:
        """Return the evidence if these rows alone had these labels, numbers in `classes`."""
        names = [self.evidence.classes[k] for k in classes]
        table = self._labelled(rows, labels, names)
        if not titles and "title" in table:
            table["title"] = pd.Series(pd.NA, index=table.index, dtype="string")
        folds = fold_plan(table)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            np.save(folder / "features.npy", features)
            photos = np.zeros((len(rows), 1, 1, 3), np.uint8)
            data = Data(photos, folder / "features.npy", "", folds.groups, len(classes))
            scores = cross_validate(
                data, labels, folds, recipe=self.plan.recipe, arrangement=self.plan.arrangement, folder=folder
            )
        return Evidence(
            table,
            tuple(names),
            scores.probs.astype(np.float64),
            trained_classes(labels, folds, len(classes)),
            self.evidence.currency,
            scores.in_fold,
            scores.neighbours,
            features,
            refitted=scores.refitted,
        )

    def titles_alone(self, rows: Int64, labels: Int64, classes: list[int], silent: Bool) -> Evidence:
        """Return the evidence if these rows alone had these labels, and neither photo nor price."""
        names = [self.evidence.classes[k] for k in classes]
        table = self._labelled(rows, labels, names).drop(columns=["text", "fold"], errors="ignore")
        nothing = pd.Series(pd.NA, index=table.index, dtype="string")
        table = table.assign(price=np.nan, sha256=nothing, near_group=nothing)
        table["title"] = table["title"].mask(pd.Series(silent), "for sale")
        return Evidence(table, tuple(names), np.full((len(rows), len(classes)), np.nan))

    def _labelled(self, rows: Int64, labels: Int64, names: list[str]) -> pd.DataFrame:
        table = self.evidence.listings.iloc[rows].reset_index(drop=True)
        table["label"] = pd.Series([names[k] for k in labels], dtype="string")
        return table


def main() -> None:
    """Print how the chances do on each case, learned from the other families."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", nargs=4, action="append", default=[])
    parser.add_argument("--titles", nargs=4, action="append", default=[])
    parser.add_argument("--probabilities", nargs=2, action="append", default=[])
    parser.add_argument("--simulated", type=int, default=100, help="simulated cases of each dataset")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    cases = [case for family, folder in arguments.probabilities for case in brought(family, Path(folder))]
    for family, listings, truth, options in arguments.dataset:
        base = base_of(Path(listings), Path(truth), shlex.split(options))
        name = f"{Path(listings).parent.name} {options}"
        cases += trained(base, arguments.simulated, name, family)
        cases += titles_alone(base, arguments.simulated, name, family)
    for family, listings, truth, options in arguments.titles:
        base = base_of(Path(listings), Path(truth), shlex.split(options))
        cases += titles_alone(base, arguments.simulated, f"{Path(listings).parent.name} {options}", family)
    judged = []
    for family in sorted({case.family for case in cases}):
        others = [case for case in cases if case.family != family]
        coefficients = learn(others) if others else None
        for case in cases:
            if case.family == family and coefficients is not None:
                judged.append((case, judge(case, coefficients.chances(case.margin, case.facts))))
                show(case.name, judged[-1][1])
    for kind, real in (("real", True), ("simulated", False)):
        figures = [result for case, result in judged if (case.weight == 1) is real]
        if figures:
            show(f"all {kind}", summary(figures))
    if arguments.write:
        coefficients = learn(cases)
        results = [judge(case, coefficients.chances(case.margin, case.facts)) for case in cases if case.weight == 1]
        show("all real, as written, which had a part in it", summary(results))
        write_json(Path(learned.__file__).with_name("chances.json"), coefficients.to_dict())


def brought(family: str, folder: Path) -> Iterator[Case]:
    """Yield the cases of published probabilities."""
    for file in sorted(folder.glob("*.npz")):
        evidence, true = published(file)
        number = pd.Categorical(true, categories=evidence.classes).codes.astype(np.int64)
        rows = np.random.default_rng(1).permutation(len(number))[:12_000]
        wrong = evidence.given[rows] != number[rows]
        for share in (None, *_THINNED):
            some = rows
            if share is not None:
                count = int(share / (1 - share) * (~wrong).sum())
                if count >= wrong.sum():
                    continue
                some = np.concatenate([rows[~wrong], rows[wrong][:count]])
            part = np.sort(some)
            there = replace(
                evidence, listings=evidence.listings.iloc[part].reset_index(drop=True), probs=evidence.probs[part]
            )
            name = file.stem if share is None else f"{file.stem}, {share:.0%} wrong"
            yield from of(name, family, 1.0, there, number[part])


def trained(base: Base, simulated: int, name: str, family: str) -> Iterator[Case]:
    """Yield the cases of a dataset: as it is, with fewer wrong labels, and simulated ones."""
    yield from of(name, family, 1.0, base.evidence, base.true)
    for share in _THINNED:
        yield from thinned(base, share, f"{name}, {share:.0%} wrong", family)
    for seed in range(simulated):
        yield from simulate(base, seed, name, family)


def titles_alone(base: Base, simulated: int, name: str, family: str) -> Iterator[Case]:
    """Yield simulated cases in which nothing but the title tells; none if there are no titles."""
    if base.evidence.listings["title"].notna().any():
        for seed in range(simulated):
            yield from simulate(base, 1000 + seed, name, family, photos=False)


def base_of(listings: Path, truth: Path, options: list[str]) -> Base:
    """Run find-issues, and return what is needed to train again with other labels."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        evidence, true, _ = evidence_of(listings, truth, folder, options)
        features = np.load(next((folder / "run" / "training").glob("features-*.npy")))
        plan = Plan.load(folder / "run" / "training" / "plan.json")
    known = (true != "").to_numpy()
    number = np.where(known, pd.Categorical(true, categories=evidence.classes).codes, -2).astype(np.int64)
    return Base(evidence, features, plan, number)


def thinned(base: Base, share: float, name: str, family: str) -> Iterator[Case]:
    """Yield the case with so few of the wrong labels; listings that belong to no class are left out with theirs."""
    given, chance = base.evidence.given, np.random.default_rng(round(100 * share))
    wrong = np.flatnonzero((base.true != -2) & (given >= 0) & (given != base.true))
    count = round(share * int((base.true != -2).sum()))
    if count >= len(wrong):
        return
    kept = np.isin(np.arange(len(given)), chance.choice(wrong, count, replace=False))
    labels = np.where((base.true >= 0) & ~kept, base.true, given)
    left_out = ((base.true == -1) & ~kept) | (labels < 0)
    rows = np.flatnonzero(~left_out & base.evidence.listings["image"].notna().to_numpy())
    evidence = base.with_labels(
        rows, labels[rows], list(range(len(base.evidence.classes))), base.features[rows], titles=True
    )
    yield from of(name, family, 1.0, evidence, base.true[rows])


def simulate(base: Base, seed: int, name: str, family: str, *, photos: bool = True) -> Iterator[Case]:
    """Yield one simulated case: some listings and classes, one kind of noise, good or weak features or titles alone."""
    chance = np.random.default_rng(seed)
    kind = chance.choice(["random", "similar", "hard", "hardest"])
    rate = float(chance.choice([0, 0.01, 0.02, 0.05, 0.08, 0.12, 0.2, 0.3, 0.4, 0.5]))
    enough = np.flatnonzero(np.bincount(base.true[base.true >= 0], minlength=len(base.evidence.classes)) >= 5)
    classes = np.sort(chance.choice(enough, max(3, round(len(enough) * chance.choice([0.3, 0.6, 1]))), replace=False))
    may = np.flatnonzero(np.isin(base.true, classes) & base.evidence.listings["image"].notna().to_numpy())
    rows = np.sort(chance.choice(may, min(len(may), int(chance.choice([400, 1200, 3000]))), replace=False))
    true, each = np.searchsorted(classes, base.true[rows]), np.arange(len(rows))
    belief = base.evidence.belief
    if belief is None:
        return
    # flattened, because these beliefs are surer than people
    probs = np.sqrt(np.maximum(softmax(belief.logs[:])[np.ix_(rows, classes)], 1e-6))
    probs /= probs.sum(axis=1, keepdims=True)
    similar = np.array(
        [(probs[true == k].mean(axis=0) if (true == k).any() else probs.mean(axis=0)) ** 2 for k in range(len(classes))]
    )
    to, hard = {
        "random": (np.ones_like(probs), np.ones(len(rows))),
        "similar": (similar[true], np.ones(len(rows))),
        "hard": (probs**2, 1.02 - probs[each, true]),
        "hardest": (probs**4, (1.01 - probs[each, true]) ** 3),
    }[str(kind)]
    to = to.copy()
    to[each, true] = 0
    to /= to.sum(axis=1, keepdims=True)
    labels = true.copy()
    for row in chance.choice(len(rows), round(rate * len(rows)), replace=False, p=hard / hard.sum()):
        labels[row] = chance.choice(len(classes), p=to[row])
    silent = chance.random(len(rows)) < chance.choice([0, 0, 0.3, 0.6])
    described = f"{name}: {kind} {rate:.0%}, {len(rows)} of {len(classes)} classes, {silent.mean():.0%} silent"
    if not photos:
        evidence = base.titles_alone(rows, labels, classes.tolist(), silent)
        yield from of(f"{described}, titles alone", family, _SIMULATED[0], evidence, true)
        return
    width, titles = int(chance.choice([0, 0, 0, 60, 15])), bool(chance.random() < 0.7)
    features = _weakened(base.features[rows], width, chance)
    features[silent] = features.mean(axis=0)
    evidence = base.with_labels(rows, labels, classes.tolist(), features, titles=titles)
    described += f", features {width or 'all'}, titles {titles}"
    yield from of(described, family, _SIMULATED[width], evidence, true)


def _weakened(features: Float32, width: int, chance: np.random.Generator) -> Float32:
    """Return a random projection to so many dimensions, of the same size; with 0, the features."""
    if not width:
        return np.ascontiguousarray(features)
    projected = features @ chance.normal(size=(features.shape[1], width)).astype(np.float32)
    size = np.linalg.norm(features, axis=1).mean() / np.linalg.norm(projected, axis=1).mean()
    return np.ascontiguousarray(size * projected, dtype=np.float32)


def of(name: str, family: str, weight: float, evidence: Evidence, true: Int64) -> Iterator[Case]:
    """Yield the case of some evidence; -2 is an unknown truth, -1 none of the classes."""
    belief, given = evidence.belief, evidence.given
    if belief is None:
        return
    known = standing_of(belief.logs, np.maximum(given, 0))[belief.learnable]
    facts = set_facts(known, find_cut(known))
    rows = np.flatnonzero(belief.judged & (given >= 0) & (true != -2))
    yield Case(name, family, weight, margins(belief.logs[rows], given[rows]), facts, given[rows] != true[rows])


def learn(cases: list[Case]) -> Coefficients:
    """Return the coefficients with the highest penalised likelihood; families count alike."""
    families, chance = Counter(case.family for case in cases), np.random.default_rng(0)
    parts = [chance.permutation(len(case.margin))[:_PER_CASE] for case in cases]
    facts = np.concatenate([np.tile(case.facts, (len(rows), 1)) for case, rows in zip(cases, parts, strict=True)])
    mean, scale = facts.mean(axis=0), facts.std(axis=0) + 1e-9
    low, high = np.quantile(facts, [0.01, 0.99], axis=0)
    weights = np.concatenate(
        [
            np.full(len(rows), case.weight / len(rows) / families[case.family])
            for case, rows in zip(cases, parts, strict=True)
        ]
    )
    tensor = torch.from_numpy
    design = tensor(np.column_stack([np.ones(len(facts)), (facts - mean) / scale]))
    margin = tensor(np.concatenate([case.margin[rows] for case, rows in zip(cases, parts, strict=True)])).clamp(
        -learned.WIDEST, learned.WIDEST
    )
    wrong = tensor(
        np.concatenate([case.wrong[rows] for case, rows in zip(cases, parts, strict=True)]).astype(np.float64)
    )
    before = _before(mean, scale)
    found = before.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([found], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        offset, below, above = (design @ row for row in found)
        odds = (
            offset
            - below.clamp(min=learned.FLATTEST) * margin.clamp(max=0)
            - above.clamp(min=learned.FLATTEST) * margin.clamp(min=0)
        )
        losses = torch.nn.functional.binary_cross_entropy_with_logits(odds, wrong, reduction="none")
        total = (tensor(weights / weights.sum()) * losses).sum() + _PENALTY * ((found - before) ** 2).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    offset, below, above = (_LEARNED * found.detach() + (1 - _LEARNED) * before).numpy()
    return Coefficients(mean, scale, low, high, offset, below, above)


def _before(mean: Float64, scale: Float64) -> torch.Tensor:
    """Return the coefficients of 1 / (1 + exp(1.5 (cut - margin))), where the cut follows from two facts."""
    before = torch.zeros(3, 1 + len(mean), dtype=torch.float64)
    before[1:, 0] = 1.5
    share, candidates = learned.FACTS.index("doubted"), learned.FACTS.index("candidates")
    slope = 1.5 * 0.65
    before[0, 0] = 1.5 * 1.1 + slope * (mean[share] - mean[candidates])
    before[0, 1 + share], before[0, 1 + candidates] = slope * scale[share], -slope * scale[candidates]
    return before


def judge(case: Case, chances: Float64) -> dict[str, Any]:
    """Return how the chances compare with the truth."""
    flagged, order = chances >= flags_from(chances), np.argsort(-chances, kind="stable")
    caught = np.cumsum(case.wrong[order])
    oracle = float((2 * caught / (np.arange(1, len(caught) + 1) + case.wrong.sum())).max())
    f1 = f1_score(case.wrong, flagged, zero_division=0.0)
    return {
        "listings": len(chances),
        "wrong": float(case.wrong.mean()),
        "expected": float(chances.mean()),
        "calibration_error": _calibration_error(chances, case.wrong),
        "first": [(n, float(chances[order[:n]].sum()), int(case.wrong[order[:n]].sum())) for n in _FIRST],
        "flagged": int(flagged.sum()),
        "precision": float(case.wrong[flagged].mean()) if flagged.any() else None,
        "share_of_oracle": f1 / oracle if oracle else None,
    }


def _calibration_error(chances: Float64, wrong: Bool) -> float:
    """Return the mean distance of chance and truth over ten bins of equal width."""
    bins = np.minimum((10 * chances).astype(int), 9)
    return float(sum(abs((chances - wrong)[bins == k].sum()) for k in range(10)) / len(wrong))


def summary(results: list[dict[str, Any]]) -> dict[str, float]:
    """Return means, and the worst case."""
    error = np.array([result["calibration_error"] for result in results])
    health = np.array([abs(result["wrong"] - result["expected"]) for result in results])
    firsts = [(expected, actual) for result in results for _, expected, actual in result["first"]]
    shares = [result["share_of_oracle"] for result in results if result["share_of_oracle"] is not None]
    precisions = [result["precision"] for result in results if result["precision"] is not None]
    return {
        "cases": len(results),
        "calibration_error": float(error.mean()),
        "worst_calibration_error": float(error.max()),
        "health_error": float(health.mean()),
        "worst_health_error": float(health.max()),
        "counts": len(firsts),
        "counts_off_by_a_fifth": sum(abs(expected - actual) > 0.2 * actual for expected, actual in firsts),
        "share_of_oracle": float(np.mean(shares)),
        "least_share_of_oracle": float(np.min(shares)),
        "least_precision": float(np.min(precisions)),
    }


if __name__ == "__main__":
    main()
