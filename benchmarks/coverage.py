"""How often the 95 % interval of a comparison contains the true difference, on simulated pairs of models.

    python benchmarks/coverage.py --pairs 500
    python benchmarks/coverage.py --pairs 500 --claims

Each pair has its own test set and its own seeds. The probability of a right prediction depends on the difficulty of the
listing, its class, the version and the seed. Listings of a group are equally difficult and get mostly the same
predictions. The true difference is the mean over a large population and many seeds.

`--claims` counts, where no class differs, the pairs in which at least one class is called helped or hurt: by its own
interval, and by p-values that are adjusted for the number of classes.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from training.evaluation.bootstrap import adjusted, mcnemar, resample
from training.utils.arrays import Float64, Int64


@dataclass(frozen=True)
class World:
    """The distributions that a simulation draws listings and models from."""

    classes: int
    listings: int
    seeds: int
    gain: float
    seed_spread: float
    grouped: float = 0.3

    def test_set(self, rng: np.random.Generator, n: int) -> tuple[Int64, Int64, Float64]:
        """Draw test labels, groups, and the difficulty of each listing for both versions (2, n)."""
        sizes = 1 / np.arange(1, self.classes + 1) ** 0.5
        alone = rng.random(n) > self.grouped
        # a group continues while its listings are not alone
        group = np.cumsum(np.r_[True, alone[1:] | alone[:-1]])
        number = group - group[0]
        of_group = rng.choice(self.classes, number.max() + 1, p=sizes / sizes.sum())
        hard = rng.normal(0, 1.5, number.max() + 1)
        changed = rng.normal(0, 0.7, number.max() + 1)
        return of_group[number], number, np.stack([hard, hard + changed])[:, number]

    def answers(
        self, rng: np.random.Generator, truth: Int64, group: Int64, hard: Float64, seeds: int
    ) -> tuple[Int64, Int64]:
        """Draw the predictions of the models before and after, each (S, n)."""
        skill = np.array([0.6, 0.6 + self.gain])
        shared = rng.normal(0, self.seed_spread, (seeds, 1, self.classes))
        own = rng.normal(0, self.seed_spread, (seeds, 2, self.classes)) + rng.normal(0, self.seed_spread, (seeds, 2, 1))
        # the random effect of a seed on a listing is similar before and after, and within a group
        luck = rng.normal(0, 0.7, (seeds, group.max() + 1))[:, group]
        by_class = np.linspace(0.8, -0.8, self.classes)
        chance = expit(skill[:, None] + by_class[truth] + hard + (shared + own)[:, :, truth] + luck[:, None, :])
        draw, other = rng.random((seeds, len(truth))), rng.integers(1, self.classes, (seeds, len(truth)))
        wrong = (truth + other) % self.classes
        answers = np.where(draw[:, None, :] < chance, truth, wrong[:, None, :])
        return answers[:, 0], answers[:, 1]


def f1(truth: Int64, predicted: Int64, classes: int) -> float:
    """Return macro-F1."""
    hit = np.bincount(truth[truth == predicted], minlength=classes)
    both = np.bincount(truth, minlength=classes) + np.bincount(predicted, minlength=classes)
    return float((2 * hit / both).mean())


def true_difference(world: World, rng: np.random.Generator) -> float:
    """Return the mean difference over 60 seeds, each on 40,000 new listings."""
    differences = []
    for _ in range(60):
        truth, group, hard = world.test_set(rng, 40_000)
        before, after = world.answers(rng, truth, group, hard, 1)
        differences.append(f1(truth, after[0], world.classes) - f1(truth, before[0], world.classes))
    return float(np.mean(differences))


def print_claims(pairs: int, resamples: int) -> None:
    """Print one JSON object per world without any difference: the share of pairs with a claim about a class."""
    sizes, training = ((12, 144), (12, 1000), (43, 550)), ((1, 0.0), (3, 0.1), (5, 0.1))
    for place, ((classes, listings), (seeds, spread)) in enumerate(itertools.product(sizes, training)):
        world, rng, alone, together = World(classes, listings, seeds, 0.0, spread), np.random.default_rng(place), 0, 0
        for pair in range(pairs):
            truth, group, hard = world.test_set(rng, world.listings)
            # what changes may as well have been there before
            hard = np.where(rng.random(group.max() + 1)[group] < 0.5, hard, hard[::-1])
            before, after = world.answers(rng, truth, group, hard, world.seeds)
            made = resample(
                truth, {"before": before, "after": after}, group, classes=classes, seed=pair, resamples=resamples
            )
            differences, p = made.class_f1("after", "before"), adjusted(made.class_p("after", "before"))
            shown = [each is not None and each.verdict != "no difference" for each in differences]
            alone += any(shown)
            together += any(one and small is not None and small <= 0.05 for one, small in zip(shown, p, strict=True))
        shares = {"by_interval": alone / pairs, "adjusted": together / pairs}
        print(json.dumps({**world.__dict__, **shares}), flush=True)


def main() -> None:
    """Print one JSON object per world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--claims", action="store_true", help="claims about single classes, where nothing changed")
    arguments = parser.parse_args()
    if arguments.claims:
        print_claims(arguments.pairs, arguments.resamples)
        return
    worlds = [
        World(classes, listings, seeds, gain, spread)
        for classes, listings in ((12, 120), (10, 400))
        for seeds in (1, 3, 5)
        for gain, spread in ((0.0, 0.0), (0.3, 0.0), (0.3, 0.1))
        if seeds > 1 or spread == 0
    ]
    for place, world in enumerate(worlds):
        rng = np.random.default_rng(place)
        true, covered, wide, spoke = true_difference(world, rng), 0, [], 0
        for pair in range(arguments.pairs):
            truth, group, hard = world.test_set(rng, world.listings)
            before, after = world.answers(rng, truth, group, hard, world.seeds)
            difference = resample(
                truth,
                {"before": before, "after": after},
                group,
                classes=world.classes,
                seed=pair,
                resamples=arguments.resamples,
            ).macro_f1("after", "before")
            covered += difference.low <= true <= difference.high
            wide.append(difference.could_show)
            spoke += mcnemar(truth, before, after, group).p < 0.05
        result = {
            **world.__dict__,
            "true": round(true, 4),
            "coverage": covered / arguments.pairs,
            "half_width": round(float(np.mean(wide)), 4),
            "mcnemar_below_5_percent": spoke / arguments.pairs,
        }
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
