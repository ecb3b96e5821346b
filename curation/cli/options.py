"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from curation.cli.terminal import Terminal
from curation.runs import damaged_runs
from training.durations import parse_duration
from training.settings import OPTIMIZERS, PRESETS, TrainSettings

__all__ = ["cache_option", "json_option", "run_option", "train_options", "train_settings"]

Command = Callable[..., Any]
_DEFAULT = TrainSettings()


def _say_skipped(_context: click.Context, _parameter: click.Parameter, folder: Path | None) -> Path | None:
    """Say which runs can't be the latest one because nobody can tell when they began."""
    for run in [] if folder else damaged_runs():
        Terminal().say(f"warning: {run.record_file} is damaged; that run is passed over. Move its folder away.")
    return folder


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
run_option = click.option(
    "--run",
    "run_folder",
    type=click.Path(file_okay=False, path_type=Path),
    callback=_say_skipped,
    help="The run's folder. [default: the latest below runs/]",
)

_TRAIN = (
    click.option(
        "--preset",
        default=_DEFAULT.preset,
        show_default=True,
        metavar="|".join(PRESETS),
        help="How much time to spend: " + "; ".join(f"{name}: {preset.help}" for name, preset in PRESETS.items()) + ".",
    ),
    click.option("--time-limit", metavar="TIME", help="Train no longer than this, e.g. 90s, 10m, 1h30m."),
    click.option("--model", default=_DEFAULT.model, show_default=True, help="Any torchvision classifier."),
    click.option(
        "--image-size",
        type=int,
        help="Side of the photos in pixels; larger = slower. [default: "
        + ", ".join(f"{preset.image_size} in {name}" for name, preset in PRESETS.items())
        + "]",
    ),
    click.option(
        "--epochs",
        type=int,
        help="Passes of each network over the photos; 0 trains none. [default: by preset and number]",
    ),
    click.option("--batch-size", default=_DEFAULT.batch_size, show_default=True, help="Photos per step."),
    click.option(
        "--optimizer", default=_DEFAULT.optimizer, show_default=True, metavar="|".join(OPTIMIZERS), help="Optimiser."
    ),
    click.option(
        "--lr", "learning_rate", default=_DEFAULT.learning_rate, show_default=True, help="Peak learning rate."
    ),
    click.option("--weight-decay", default=_DEFAULT.weight_decay, show_default=True, help="Weight decay."),
    click.option(
        "--label-smoothing",
        default=_DEFAULT.label_smoothing,
        show_default=True,
        help="Share of each label's weight spread out.",
    ),
    click.option(
        "--pretrained/--no-pretrained", default=True, show_default=True, help="Start from torchvision's weights."
    ),
    click.option("--device", default=_DEFAULT.device, show_default=True, help="auto, cpu, cuda, cuda:1 or mps."),
    click.option("--seed", default=_DEFAULT.seed, show_default=True, help="Seed of everything random."),
)


cache_option = click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    help="Where decoded photos are kept for later runs. [default: $CURATE_CACHE_DIR, else ~/.cache/curate]",
)


def train_options(command: Command) -> Command:
    """Add the options of :class:`TrainSettings` to a command."""
    for option in reversed(_TRAIN):
        command = option(command)
    return command


def train_settings(options: dict[str, Any]) -> TrainSettings:
    """Make settings of the options that :func:`train_options` added."""
    limit = options.pop("time_limit")
    return TrainSettings(**options, time_limit=None if limit is None else parse_duration(limit))
