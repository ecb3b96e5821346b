"""How often the interval of `estimated_true_difference` contains the true difference, and how long it is.

    python benchmarks/ppi.py RUN TRUTH --after half --sizes 100,200,400

RUN is a finished run of `curate find-issues`; TRUTH, a column of its dataset or a table of true labels. Linear models
are fitted to features of the run: before on the labels as given, after on them with half of the wrong ones corrected
(`--after half`), with all of them (`all`), or each on another half of the listings, so that nothing is gained (`none`).
They train on a part of the listings; the others are the population, whose true difference is known. Each draw takes a
test set from it with replacement, chooses which listings are reviewed as `review --test --budget` does, and estimates
with their labels alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from curation.comparison.belief import belief_of
from curation.comparison.sample import DESIGN
from curation.comparison.truth import NO_CLASS, read_truth
from curation.listings.columns import class_numbers, groups_of
from curation.run.folder import RunFolder
from training.evaluation.bootstrap import Difference, Resampled, resample
from training.evaluation.prediction_powered import GONE, UNKNOWN, Known, effects, estimate, powers
from training.evaluation.sampling import allocate, stratify
from training.utils.arrays import Bool, Int64

BEFORE, AFTER = "before", "after"


class Population:
    """Listings with true labels, a belief, and the predictions of both versions."""

    def __init__(self, run: RunFolder, truth: str, after: str, share: float, seed: int) -> None:
        table = run.training_table()
        given, true = class_numbers(table["label"], run.classes), read_truth(run, truth)
        groups, rng = groups_of(table), np.random.default_rng(seed)
        usable = (given >= 0) & ((true >= 0) | (true == NO_CLASS)) & table["unreadable"].isna().to_numpy(dtype=bool)
        names, group = np.unique(groups, return_inverse=True)
        trains = (rng.random(len(names)) < share)[group] & usable
        rows = np.flatnonzero(usable & ~trains)
        features = np.asarray(run.features(), dtype=np.float64)
        features = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-9)
        parts = [np.flatnonzero(trains)] * 2
        labels = given.copy()
        if after == "none":
            mixed = rng.permutation(parts[0])
            parts = [mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]]
        else:
            corrected = trains & (true != given) & (rng.random(len(true)) < (0.5 if after == "half" else 1.0))
            labels[corrected] = true[corrected]
        models = []
        for part, taught in zip(parts, (given, labels), strict=True):
            part = part[taught[part] >= 0]
            models.append(
                LogisticRegression(C=0.01, max_iter=200).fit(features[part], taught[part]).predict(features[rows])
            )
        self.classes = len(run.classes)
        self.given, self.true, self.groups = given[rows], np.maximum(true[rows], GONE), group[rows]
        self.versions = {
            name: np.asarray(said, dtype=np.int64)[None] for name, said in zip((BEFORE, AFTER), models, strict=True)
        }
        self.belief = belief_of(run, table["id"].iloc[rows].tolist(), run.classes)
        self.trained = int(trains.sum())

    def difference(self) -> tuple[float, float]:
        """Return the true difference in macro-F1 and in accuracy."""
        stay = self.true >= 0
        measured = resample(
            self.true[stay],
            {name: runs[:, stay] for name, runs in self.versions.items()},
            self.groups[stay],
            classes=self.classes,
            seed=0,
            resamples=2,
        )
        return measured.macro_f1(AFTER, BEFORE).mean, measured.mean_accuracy(AFTER, BEFORE).mean

    def test_set(self, rng: np.random.Generator, listings: int) -> TestSet:
        """Draw whole groups with replacement until there are so many listings."""
        order = np.argsort(self.groups, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(self.groups[order]) > 0])
        members = np.split(order, starts[1:])
        chosen, of = [], []
        while sum(map(len, chosen)) < listings:
            chosen.append(members[rng.integers(len(members))])
            of.append(np.full(len(chosen[-1]), len(of)))
        return TestSet(self, np.concatenate(chosen), np.concatenate(of))


class TestSet:
    """A test set that was drawn from the population."""

    def __init__(self, population: Population, rows: Int64, groups: Int64) -> None:
        self.true, self.given, self.belief = population.true[rows], population.given[rows], population.belief[rows]
        self.groups, self.classes = groups, population.classes
        self.versions = {name: runs[:, rows] for name, runs in population.versions.items()}
        self.present = np.bincount(population.true[population.true >= 0], minlength=self.classes) > 0

    def known(self, stratum: Int64, reviewed: Bool) -> Known:
        """Return what is known once some listings are reviewed."""
        return Known(np.where(reviewed, self.true, UNKNOWN), stratum, self.belief, self.groups)

    def drawn(self, budget: int, seed: int, *, disagreement: bool, decided: Bool) -> Known:
        """Draw which listings are reviewed, as `review --test --budget` does, beside those that are decided already."""
        spread = np.sqrt(np.maximum(0, 1 - (self.belief**2).sum(axis=1)))
        nothing = self.known(np.zeros(len(self.true), dtype=np.int64), np.zeros(len(self.true), dtype=bool))
        if disagreement:
            effect = effects(nothing, self.versions[BEFORE], self.versions[AFTER], self.present)[:, :-1]
            mean = (self.belief * effect).sum(axis=1)
            spread = np.sqrt(np.maximum(0, (self.belief * effect**2).sum(axis=1) - mean**2))
        rest = np.flatnonzero(~decided)
        strata = stratify(spread[rest], budget, DESIGN, seed=seed)
        number = allocate(strata.sizes, strata.spread, budget, least=DESIGN.least)
        stratum, reviewed = np.zeros(len(self.true), dtype=np.int64), decided.copy()
        stratum[rest] = strata.stratum + int(decided.any())
        reviewed[rest] = strata.rank < number[strata.stratum]
        return self.known(stratum, reviewed)

    def powered(self, known: Known, seed: int, resamples: int) -> tuple[Resampled, float]:
        """Return the estimate with the belief, and the mean lambda."""
        power = powers(known, self.versions[BEFORE], self.versions[AFTER], self.present, seed=seed)
        made = estimate(known, self.versions, power, present=self.present, seed=seed, resamples=resamples)
        return made, float(power[known.reviewed].mean())

    def methods(self, budget: int, seed: int, resamples: int) -> Iterator[tuple[str, Resampled, float]]:
        """Yield the estimate of each method, and the mean lambda."""
        n, none = len(self.true), np.zeros(len(self.true), dtype=bool)
        simple = none.copy()
        simple[np.random.default_rng([seed, 1]).choice(n, budget, replace=False)] = True
        yield "reviewed alone", self.scored(self.true, simple, seed, resamples), 0.0
        known = self.known(np.zeros(n, dtype=np.int64), simple)
        yield "simple sample, with belief", *self.powered(known, seed, resamples)
        known = self.drawn(budget, seed, disagreement=False, decided=none)
        yield "drawn by doubt, with belief", *self.powered(known, seed, resamples)
        known = self.drawn(budget, seed, disagreement=True, decided=none)
        yield "drawn by doubt and disagreement, with belief", *self.powered(known, seed, resamples)
        alone = estimate(known, self.versions, None, present=self.present, seed=seed, resamples=resamples)
        yield "the same draw, without belief", alone, 0.0
        # half of the budget was spent on what is doubted most, as in the order of the queue
        doubt = 1 - self.belief[np.arange(n), self.given]
        decided = none.copy()
        decided[np.argsort(-doubt, kind="stable")[: budget // 2]] = True
        known = self.drawn(budget - budget // 2, seed, disagreement=True, decided=decided)
        yield "half by the queue, half drawn, with belief", *self.powered(known, seed, resamples)

    def references(self, seed: int, resamples: int) -> Iterator[tuple[str, Resampled, float]]:
        """Yield what all labels give, true ones and those as given."""
        everyone = np.ones(len(self.true), dtype=bool)
        yield "all true labels", self.scored(self.true, everyone, seed, resamples), 0.0
        yield "all labels as given", self.scored(self.given, everyone, seed, resamples), 0.0

    def scored(self, labels: Int64, rows: Bool, seed: int, resamples: int) -> Resampled:
        """Return the scores against labels of some listings, as `retrain --compare` makes them."""
        rows = rows & (labels >= 0)
        versions = {name: runs[:, rows] for name, runs in self.versions.items()}
        return resample(labels[rows], versions, self.groups[rows], classes=self.classes, seed=seed, resamples=resamples)


def main() -> None:
    """Print one JSON object per size and method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("truth")
    parser.add_argument("--after", choices=["half", "all", "none"], default="half")
    parser.add_argument("--train", type=float, default=0.4, help="share of the listings that the models train on")
    parser.add_argument("--listings", type=int, help="of each test set; by default a fifth of the dataset")
    parser.add_argument("--sizes", default="100,200,400", help="numbers of reviewed listings")
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    run = RunFolder(arguments.run)
    population = Population(run, arguments.truth, arguments.after, arguments.train, arguments.seed)
    listings = arguments.listings or len(run.listings()) // 5
    true = dict(zip(("macro_f1", "accuracy"), population.difference(), strict=True))
    facts = {"population": len(population.true), "trained": population.trained, "test": listings, "true": true}
    print(json.dumps({"after": arguments.after, **facts}), flush=True)
    sizes = [int(size) for size in arguments.sizes.split(",")]
    for size in sizes:
        start, found = time.monotonic(), {}
        for draw in range(arguments.draws):
            test = population.test_set(np.random.default_rng([arguments.seed, draw]), listings)
            made = [*test.methods(size, draw, arguments.resamples)]
            made += test.references(draw, arguments.resamples) if size == sizes[0] else []
            for name, resampled, power in made:
                gained = {
                    "macro_f1": resampled.macro_f1(AFTER, BEFORE),
                    "accuracy": resampled.mean_accuracy(AFTER, BEFORE),
                }
                found.setdefault(name, []).append((gained, power))
        for name, each in found.items():
            line = {"reviewed": size, "method": name, **_summary([gained for gained, _ in each], true)}
            print(json.dumps({**line, "lambda": round(float(np.mean([power for _, power in each])), 3)}), flush=True)
        print(json.dumps({"reviewed": size, "seconds": round(time.monotonic() - start)}), flush=True)


def _summary(made: list[dict[str, Difference]], true: dict[str, float]) -> dict[str, float]:
    result = {}
    for score, wanted in true.items():
        each = [differences[score] for differences in made]
        result[f"{score}_coverage"] = float(np.mean([one.low <= wanted <= one.high for one in each]))
        result[f"{score}_width"] = round(float(np.mean([one.high - one.low for one in each])), 4)
        result[f"{score}_bias"] = round(float(np.mean([one.mean for one in each])) - wanted, 4)
        result[f"{score}_sd"] = round(float(np.std([one.mean for one in each])), 4)
    return result


if __name__ == "__main__":
    main()
