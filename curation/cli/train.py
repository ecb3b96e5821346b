"""`curate train`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from curation.cli.dataset import dataset_argument, dataset_options, read_dataset
from curation.cli.options import cache_option, json_option, model_options, model_recipe, refuse_without_effect
from curation.cli.terminal import Terminal, print_json, print_table
from curation.rendering.words import many
from training.images.cache import default_cache
from training.settings import Recipe

__all__ = ["train"]

_PAIRS = 3


@click.command(
    epilog="Example: curate train listings.csv --model resnet18 --image-size 320 --optimizer adam --lr 5e-5 "
    "--lr-steps 20000:1e-6 --iterations 40000"
)
@dataset_argument
@model_options
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the model. [default: models/NAME/NUMBER]",
)
@dataset_options
@cache_option
@json_option
def train(
    dataset: Path,
    output: Path | None,
    columns: tuple[str, ...],
    allow_outside: bool,
    cache_dir: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train one model of labels or prices.

    The model learns from four fifths of the listings, stratified by class, and is scored on both parts. If DATASET has
    rows whose `split` is `test`, they are the test set. Reposts and groups stay on one side. Give the same command
    again to continue an interrupted training.
    """
    device = options.pop("device")
    recipe = model_recipe(options)
    check_effect(recipe)
    # slow to import; `curate --help` should not wait for it
    from curation.api.models import train as train_model

    reporter = Terminal()
    listings = read_dataset(dataset, columns=columns, allow_outside=allow_outside, reporter=reporter)
    model = train_model(
        listings,
        recipe,
        device=device,
        output=output,
        cache=default_cache(cache_dir),
        command=sys.argv,
        reporter=reporter,
    )
    if as_json:
        print_json(model.to_dict())
    else:
        _print(model.to_dict())


def check_effect(recipe: Recipe) -> None:
    """Refuse options that were given and would do nothing."""
    if recipe.target == "label":
        refuse_without_effect({"loss"}, "on labels", "Add --target price, or leave it out.")
    else:
        refuse_without_effect({"balance", "use_price", "label_smoothing"}, "with --target price", "Leave it out.")


def _print(result: dict[str, Any]) -> None:
    counts = result["listings"]
    title = f"{many(counts['test'], 'test listing')}, {counts['train']:,} trained on"
    if result["target"] == "price":
        _print_prices(result, title)
    else:
        _print_labels(result, title)
    steps = f"{result['epochs']} epochs, {result['iterations']:,} iterations"
    if result["best_epoch"] is not None:
        steps += f"; the weights are those of epoch {result['best_epoch'] + 1}"
    click.echo(f"{result['settings']['model']}, {steps}; initial weights {result['initial_weights']}")
    click.echo(f"Model: {result['model']}")
    click.echo(f"Next: curate predict {result['folder']} DATASET")
    click.echo(f"      tensorboard --logdir {result['folder']}/training")


def _print_labels(result: dict[str, Any], title: str) -> None:
    from curation.models.scores import confused

    test, keys = result["test"], ("precision", "recall", "f1")
    rows = [(name, *(f"{of[key]:.2f}" for key in keys), of["support"]) for name, of in [*test["per_class"].items()]]
    total = result["listings"]["test"]
    rows += [(f"{mean} average", *(f"{test[mean][key]:.2f}" for key in keys), total) for mean in ("macro", "weighted")]
    print_table(title, ["class", "precision", "recall", "F1", "test listings"], rows, right=[1, 2, 3, 4])
    click.echo()
    if pairs := confused(result, _PAIRS):
        click.echo(f"Most confused: {', '.join(f'{given} as {told} ({count})' for given, told, count in pairs)}.")
    click.echo(
        f"macro-F1 {test['macro_f1']:.3f}, accuracy {test['accuracy']:.3f} on the test set "
        f"(training part {result['train']['macro_f1']:.3f} and {result['train']['accuracy']:.3f})"
    )


def _print_prices(result: dict[str, Any], title: str) -> None:
    test, train, currency = result["test"], result["train"], result["currency"] or "the currency"
    rows = [
        (name, f"{of['mae']:,.2f}", f"{of['median_ae']:,.2f}", of["support"])
        for name, of in test["per_class"].items()
        if of["support"]
    ]
    print_table(title, ["class", "MAE", "median error", "test listings"], rows, right=[1, 2, 3])
    click.echo(
        f"\nMAE {test['mae']:,.2f} {currency}, median absolute error {test['median_ae']:,.2f} on the test set "
        f"(training part {train['mae']:,.2f} and {train['median_ae']:,.2f})"
    )
