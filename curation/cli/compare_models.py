"""`curate compare-models`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from curation.cli.dataset import dataset_argument
from curation.cli.options import markdown_option, model_options_without
from curation.cli.sections import Column, Section, print_sections
from curation.cli.terminal import echo, echo_lines, print_json
from curation.cli.training import output_options, training_arguments
from curation.rendering.words import many
from training.settings import OPTIMIZERS

if TYPE_CHECKING:
    from curation.models.compare_result import ModelComparison

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
    "--image-size", type=int, help="Side of the photos in pixels. [default: 64, or the smallest that all models accept]"
)
@model_options_without("--model", "--optimizer", "--image-size")
@output_options("study", "studies")
@markdown_option
def compare_models(models: str, optimizers: str, folds: int, as_json: bool, as_markdown: bool, **options: Any) -> None:
    """Compare models and optimizers on the same folds.

    Every model is trained with every optimizer, once per fold, and scored on the held-out fold. The test set takes no
    part, so that it can still judge the one you choose. All candidates share the other options; without --lr and
    --weight-decay, each optimizer has its own defaults. Give the same command again to continue an interrupted
    comparison.
    """
    arguments = training_arguments(options, suggests=True)
    # slow to import; `curate --help` should not wait for it
    from curation.models.compare import compare_models as compare

    comparison = compare(models=_names(models), optimizers=_names(optimizers), folds=folds, **arguments)
    if as_json:
        print_json(comparison.to_dict())
    elif as_markdown:
        echo_lines(comparison.to_markdown())
    else:
        _print(comparison)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print(comparison: ModelComparison) -> None:
    columns = [
        Column(heading, cells, number=place > 1) for place, (heading, cells) in enumerate(comparison.cells().items())
    ]
    candidates = many(len(comparison.candidates), "candidate")
    title = f"{candidates}, {many(comparison.listings['train'], 'training listing')}, best first"
    print_sections([Section(title, columns, ["", *comparison.notes(), "", comparison.sentence])], markdown=False)
    echo(f"Comparison: {comparison.folder}/models.json")
    echo(f"Next: {comparison.next}")
    echo(f"      tensorboard --logdir {comparison.folder}/training")
