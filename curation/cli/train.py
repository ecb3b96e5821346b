"""`curate train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from curation.cli.dataset import dataset_argument
from curation.cli.options import model_options
from curation.cli.terminal import echo, print_json, print_table
from curation.cli.training import output_options, training_arguments
from curation.rendering.words import many

if TYPE_CHECKING:
    from curation.models.scores import Metrics

__all__ = ["train"]

_PAIRS = 3


@click.command(
    epilog="Example: curate train listings.csv --model resnet18 --image-size 320 --optimizer adam --lr 5e-5 "
    "--lr-steps 20000:1e-6 --iterations 40000"
)
@dataset_argument
@model_options
@output_options("model", "models")
def train(as_json: bool, **options: Any) -> None:
    """Train one model of labels or prices.

    The model learns from four fifths of the listings, stratified by class, and is scored on both parts. If DATASET has
    rows whose `split` is `test`, they are the test set. Reposts and groups stay on one side. Give the same command
    again to continue an interrupted training.
    """
    arguments = training_arguments(options)
    # slow to import; `curate --help` should not wait for it
    from curation.models.train import train as train_model

    model = train_model(**arguments)
    if as_json:
        print_json(model.to_dict())
    elif model.metrics is not None:
        _print(model.metrics)


def _print(metrics: Metrics) -> None:
    title = f"{many(metrics.listings['test'], 'test listing')}, {metrics.listings['train']:,} trained on"
    if metrics.target == "price":
        _print_prices(metrics, title)
    else:
        _print_labels(metrics, title)
    steps = f"{many(metrics.epochs, 'epoch')}, {many(metrics.iterations, 'iteration')}"
    if metrics.best_epoch is not None:
        steps += f"; the weights are those of epoch {metrics.best_epoch + 1}"
    echo(f"{metrics.settings['model']}, {steps}; initial weights {metrics.initial_weights}")
    echo(f"Model: {metrics.model}")
    echo(f"Next: curate predict {metrics.folder} DATASET")
    echo(f"      tensorboard --logdir {metrics.folder}/training")


def _print_labels(metrics: Metrics, title: str) -> None:
    test, keys = metrics.test, ("precision", "recall", "f1")
    rows = [(name, *(f"{row[key]:.2f}" for key in keys), row["support"]) for name, row in test["per_class"].items()]
    total = metrics.listings["test"]
    rows += [(f"{mean} average", *(f"{test[mean][key]:.2f}" for key in keys), total) for mean in ("macro", "weighted")]
    print_table(title, ["class", "precision", "recall", "F1", "test listings"], rows, right=[1, 2, 3, 4])
    echo()
    if pairs := metrics.confused(_PAIRS):
        echo(f"Most confused: {', '.join(f'{given} as {named} ({count})' for given, named, count in pairs)}.")
    echo(
        f"macro-F1 {test['macro_f1']:.3f}, accuracy {test['accuracy']:.3f} on the test set "
        f"(training part {metrics.train['macro_f1']:.3f} and {metrics.train['accuracy']:.3f})"
    )


def _print_prices(metrics: Metrics, title: str) -> None:
    test, train, currency = metrics.test, metrics.train, metrics.currency or "the currency"
    rows = [
        (name, f"{row['mae']:,.2f}", f"{row['median_ae']:,.2f}", row["support"])
        for name, row in test["per_class"].items()
        if row["support"]
    ]
    print_table(title, ["class", "MAE", "median error", "test listings"], rows, right=[1, 2, 3])
    echo()
    echo(
        f"MAE {test['mae']:,.2f} {currency}, median absolute error {test['median_ae']:,.2f} on the test set "
        f"(training part {train['mae']:,.2f} and {train['median_ae']:,.2f})"
    )
