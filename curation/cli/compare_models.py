"""`curate compare-models`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from curation.cli.dataset import dataset_argument, dataset_options, dataset_words, read_dataset
from curation.cli.options import cache_option, json_option, model_options_without, model_recipe
from curation.cli.sections import Column, Section, print_sections
from curation.cli.terminal import Terminal, print_json
from curation.cli.train import check_effect
from curation.errors import InputError
from training.images.cache import default_cache
from training.settings import OPTIMIZERS

__all__ = ["compare_models"]

_MODELS = "resnet18,inception_v3,lenet"


@click.command(
    "compare-models",
    epilog="Example: curate compare-models listings.csv --models resnet18,inception_v3,lenet --optimizers adam,sgd "
    "--image-size 96 --epochs 30",
)
@dataset_argument
@click.option(
    "--models",
    default=_MODELS,
    show_default=True,
    metavar="NAME,…",
    help="Torchvision classifiers, or lenet, separated by commas.",
)
@click.option(
    "--optimizers",
    default=OPTIMIZERS[0],
    show_default=True,
    metavar="NAME,…",
    help=f"Of {', '.join(OPTIMIZERS)}; every model is trained with each.",
)
@click.option("--folds", default=5, show_default=True, help="Folds that the training listings are divided into.")
@click.option(
    "--image-size", type=int, help="Side of the photos in pixels. [default: 64, or the least that all models take]"
)
@model_options_without("--model", "--optimizer", "--image-size")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the study. [default: studies/NAME/NUMBER]",
)
@dataset_options
@cache_option
@json_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the comparison as Markdown, for a pull request.")
def compare_models(
    dataset: Path,
    models: str,
    optimizers: str,
    folds: int,
    output: Path | None,
    columns: tuple[str, ...],
    allow_outside: bool,
    cache_dir: Path | None,
    as_json: bool,
    as_markdown: bool,
    **options: Any,
) -> None:
    """Compare models and optimizers on the same folds.

    Every model is trained with every optimizer, once per fold, and scored on the held-out fold. The test set takes no
    part, so that it can still judge the one you choose. All candidates share the other options; without --lr and
    --weight-decay, each optimizer has its own defaults. Give the same command again to continue an interrupted
    comparison.
    """
    if as_json and as_markdown:
        raise InputError("--json and --markdown can't both be printed", fix="Leave one of them out.")
    device = options.pop("device")
    recipe = model_recipe(options)
    check_effect(recipe)
    # slow to import; `curate --help` should not wait for it
    from curation.api.studies import compare_models as compare

    reporter = Terminal()
    listings = read_dataset(dataset, columns=columns, allow_outside=allow_outside, reporter=reporter)
    result = compare(
        listings,
        models=_names(models),
        optimizers=_names(optimizers),
        recipe=recipe,
        dataset=dataset_words(dataset, columns=columns, allow_outside=allow_outside, device=device),
        folds=folds,
        device=device,
        output=output,
        cache=default_cache(cache_dir),
        command=sys.argv,
        reporter=reporter,
    )
    if as_json:
        print_json(result.to_dict())
    elif as_markdown:
        click.echo(result.to_markdown())
    else:
        _print(result.to_dict())


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print(result: dict[str, Any]) -> None:
    from curation.models import compare_words as words

    table = [
        Column(heading, cells, number=place > 1) for place, (heading, cells) in enumerate(words.columns(result).items())
    ]
    counts = result["listings"]
    title = f"{len(result['candidates'])} candidates, {counts['train']} training listings, best first"
    print_sections([Section(title, table, ["", *words.notes(result), "", result["sentence"]])], markdown=False)
    click.echo(f"Comparison: {result['folder']}/models.json")
    click.echo(f"Next: {result['next']}")
    click.echo(f"      tensorboard --logdir {result['folder']}/training")
