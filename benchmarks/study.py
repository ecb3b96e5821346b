"""The choices of the original study, measured out of fold against the truth.

    python benchmarks/study.py losses demo       Huber, squared error, and Huber on logarithms, of a price model
    python benchmarks/study.py balance demo      small classes: unchanged, repeated, repeated and augmented, weighted
    python benchmarks/study.py price demo        the photo alone, and with the price

Every variant is trained with the same seeds on the same folds of the training listings, with the given labels. The test
set takes no part. DATASET/truth.csv, as in the demo, is used only to score. Prints a JSON line per variant and seed,
and a table.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.listings import read_listings
from curation.listings.columns import class_numbers
from curation.listings.splits import TEST_SHARE
from curation.models.cross_validate import fold_jobs
from curation.models.dataset import Prepared, prepared_dataset
from training.crossval.workers import run_jobs
from training.evaluation.bootstrap import resample
from training.evaluation.metrics import classification_metrics, price_scores
from training.fit.sampling import epoch_size
from training.fit.throughput import Arrangement, measure
from training.settings import LOSSES, Recipe
from training.utils.arrays import Float64, Int64
from training.utils.devices import find_device

WAYS: dict[str, dict[str, dict[str, Any]]] = {
    "losses": {loss: {"target": "price", "loss": loss} for loss in LOSSES},
    # an epoch with repeated photos is longer; this variant trains as many steps without them
    "balance": {
        **{how: {"balance": how} for how in ("none", "oversample", "augment", "weights")},
        "none, as many steps as oversample": {"as_many_steps": True},
    },
    "price": {"photo": {}, "photo and price": {"use_price": True}},
}


def main() -> None:
    """Print the scores of every variant and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", choices=sorted(WAYS))
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--image-size", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", nargs="*", help="Only these variants.")
    parser.add_argument(
        "--minority", default="Chargers,Hard Disks & Thumbdrives,Webcams", help="Classes that are scored separately."
    )
    arguments = parser.parse_args()
    settings = Recipe(
        model=arguments.model,
        image_size=arguments.image_size,
        epochs=arguments.epochs,
        pretrained=False,
    )
    truth = pd.read_csv(arguments.dataset / "truth.csv", dtype={"id": str}).set_index("id")
    minority = [name.strip() for name in arguments.minority.split(",")]
    rows, predictions = [], {}
    ways = WAYS[arguments.question]
    for way in arguments.ways or ways:
        changes = dict(ways[way])
        if changes.pop("as_many_steps", False):
            changes = {"epochs": None, "iterations": _balanced_steps(arguments, settings)}
        of = replace(settings, **changes)
        for seed, (prepared, scored, answers) in enumerate(_answers(arguments, of)):
            scores = _scores(prepared, scored, answers, truth, of, minority)
            print(json.dumps({"way": way, "seed": seed, **scores}), flush=True)
            rows.append({"way": way, **scores})
            predictions.setdefault(way, []).append(answers.argmax(axis=1))
    _print_table(pd.DataFrame(rows))
    if arguments.question != "losses":
        _print_difference(prepared, scored, truth, {way: np.stack(each) for way, each in predictions.items()})


def _balanced_steps(arguments: argparse.Namespace, settings: Recipe) -> int:
    """Return the approximate number of steps of training on balanced classes."""
    listings = read_listings(arguments.dataset)
    share = (1 - TEST_SHARE) * (arguments.folds - 1) / arguments.folds
    labels = class_numbers(listings.table["label"], listings.classes)
    repeated = replace(settings, balance="oversample")
    return repeated.steps_for(round(share * epoch_size(labels, repeated)))


def _answers(arguments: argparse.Namespace, settings: Recipe) -> Iterator[tuple[Prepared, Int64, Float64]]:
    """Yield, seed by seed, the scored listings and the out-of-fold prediction of each."""
    arrangement: Arrangement | None = None
    listings = read_listings(arguments.dataset)
    for seed in range(arguments.seeds):
        with (
            tempfile.TemporaryDirectory() as folder,
            # all seeds of training have the same folds and test set
            prepared_dataset(
                listings,
                [settings],
                what="study",
                settings={},
                folds=arguments.folds,
                output=Path(folder) / "study",
            ) as prepared,
        ):
            seeded = replace(settings, seed=seed)
            jobs = fold_jobs(prepared, seeded, Path(folder) / "folds", name="", folds=arguments.folds)
            arrangement = arrangement or measure(
                settings, find_device("auto"), classes=len(prepared.classes), jobs=len(jobs)
            )
            done = run_jobs(jobs, prepared.data, seeded, arrangement)
            order = np.concatenate([job.scored for job in jobs])
            predictions = np.concatenate([each.predictions for each in done]).astype(np.float64)
            back = np.argsort(order, kind="stable")
            yield prepared, order[back], predictions[back]


def _scores(
    prepared: Prepared,
    rows: Int64,
    answers: Float64,
    truth: pd.DataFrame,
    settings: Recipe,
    minority: list[str],
) -> dict[str, float]:
    truth = truth.loc[prepared.table["id"].iloc[rows]]
    if settings.target == "price":
        asked, meant = prepared.labels[rows].astype(np.float64), truth["true_price"].to_numpy(dtype=np.float64)
        against = {"as asked": asked, "true": meant}
        return {
            f"{name} ({what})": value
            for what, prices in against.items()
            for name, value in price_scores(prices, answers[:, 0]).items()
        }
    scores: dict[str, float] = {}
    for what, labels in (("as given", prepared.class_numbers[rows]), ("true", _true(prepared, truth))):
        judged = labels >= 0
        metrics = classification_metrics(labels[judged], answers[judged].argmax(axis=1), prepared.classes)
        small = [metrics["per_class"][name]["f1"] for name in minority if name in metrics["per_class"]]
        scores |= {f"macro-F1 ({what})": metrics["macro_f1"], f"accuracy ({what})": metrics["accuracy"]}
        scores |= {f"F1 of small classes ({what})": float(np.mean(small))} if small else {}
    return scores


def _true(prepared: Prepared, truth: pd.DataFrame) -> Int64:
    return class_numbers(truth["true_label"], prepared.classes)


def _print_table(rows: pd.DataFrame) -> None:
    columns = [name for name in rows.columns if name != "way"]
    print("\n| way | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    for way, of in rows.groupby("way", sort=False):
        digits = 3 if of[columns].to_numpy().max() <= 1 else 1
        cells = [f"{of[name].mean():.{digits}f} ± {of[name].std(ddof=1):.{digits}f}" for name in columns]
        print(f"| {way} | " + " | ".join(cells) + " |")


def _print_difference(prepared: Prepared, rows: Int64, truth: pd.DataFrame, predictions: dict[str, Int64]) -> None:
    """Print how much better each variant is than the first, with 95 % intervals over listings, groups and seeds."""
    first = next(iter(predictions))
    truth = truth.loc[prepared.table["id"].iloc[rows]]
    for what, labels in (("as given", prepared.class_numbers[rows]), ("true", _true(prepared, truth))):
        judged = labels >= 0
        answers = {way: predicted[:, judged] for way, predicted in predictions.items()}
        groups = np.unique(prepared.data.groups[rows][judged], return_inverse=True)[1]
        resamples = resample(labels[judged], answers, groups, classes=len(prepared.classes), seed=0)
        for way in list(predictions)[1:]:
            gain = resamples.macro_f1(way, first)
            print(f"{way} against {first}, labels {what}: {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})")


if __name__ == "__main__":
    main()
