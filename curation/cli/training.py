"""What the commands for single models share: options, and the arguments of the API."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from curation.cli.dataset import dataset_options, dataset_words, read_dataset
from curation.cli.options import cache_option, json_option, model_recipe, refuse_without_effect, wait_option
from curation.cli.terminal import Terminal
from training.settings import Recipe

__all__ = ["output_options", "training_arguments"]


def output_options(what: str, folder: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what adds the options about files to a command: `what` is written to `folder` by default."""
    output = click.option(
        "--output",
        type=click.Path(file_okay=False, path_type=Path),
        help=f"Folder of the {what}. [default: {folder}/NAME/NUMBER]",
    )
    return lambda command: output(dataset_options(cache_option(wait_option(json_option(command)))))


def training_arguments(options: dict[str, Any], *, suggests: bool = False) -> dict[str, Any]:
    """Return the arguments that every function which trains has, from the options of its command.

    Parameters
    ----------
    options : dict
        DATASET, the options of :func:`output_options` and those of a recipe.
    suggests : bool
        Whether the result suggests a command about the same DATASET.
    """
    dataset, device, output, cache = (options.pop(name) for name in ("dataset", "device", "output", "cache_dir"))
    form, wait = options.pop("form"), options.pop("wait")
    reporter = Terminal()
    recipe = model_recipe(options)
    _refuse_without_effect(recipe)
    arguments = {
        "listings": read_dataset(dataset, form, cache=cache, reporter=reporter),
        "recipe": recipe,
        "device": device,
        "output": output,
        "cache": cache,
        "command": sys.argv,
        "wait": wait,
        "reporter": reporter,
    }
    return {**arguments, "dataset": dataset_words(dataset, form, device=device)} if suggests else arguments


def _refuse_without_effect(recipe: Recipe) -> None:
    if recipe.target == "label":
        refuse_without_effect({"loss"}, "on labels", "Add --target price, or leave it out.")
    else:
        refuse_without_effect({"balance", "use_price", "label_smoothing"}, "with --target price", "Leave it out.")
