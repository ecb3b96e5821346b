"""`curate tune`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from curation.cli.dataset import dataset_argument, dataset_options, dataset_words, read_dataset
from curation.cli.options import cache_option, json_option, model_options, model_recipe
from curation.cli.terminal import Terminal, print_json, print_table
from curation.cli.train import check_effect
from training.images.cache import default_cache
from training.utils.units import duration, parse_duration

__all__ = ["tune"]

_SHOWN = 10
_COLUMNS = {"learning_rate": "learning rate", "schedule": "schedule", "augment": "augment", "weight_decay": "decay"}


@click.command(epilog="Example: curate tune listings.csv --trials 30 --time-limit 1h --model resnet18 --image-size 96")
@dataset_argument
@click.option("--trials", default=30, show_default=True, help="Settings to try, those of earlier calls included.")
@click.option("--time-limit", metavar="TIME", help="Begin no training after this, e.g. 90s, 10m, 1h30m.")
@click.option("--folds", default=3, show_default=True, help="Number of folds that score a trial.")
@model_options
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the study. [default: studies/NAME/NUMBER]",
)
@dataset_options
@cache_option
@json_option
def tune(
    dataset: Path,
    trials: int,
    time_limit: str | None,
    folds: int,
    output: Path | None,
    columns: tuple[str, ...],
    allow_outside: bool,
    cache_dir: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Search for better training settings.

    Optuna searches the learning rate, its schedule, the augmentation and the weight decay. The first trial, where the
    search starts, takes them from --lr, --lr-steps, --schedule, --augment and --weight-decay; everything else stays as
    given. Cross-validation within the training listings judges each trial; the test set takes no part. Give the same
    command again to continue a study, with more --trials or for another --time-limit.
    """
    device = options.pop("device")
    recipe = model_recipe(options)
    check_effect(recipe)
    limit = None if time_limit is None else parse_duration(time_limit)
    # slow to import; `curate --help` should not wait for it
    from curation.api.studies import tune as search

    reporter = Terminal()
    listings = read_dataset(dataset, columns=columns, allow_outside=allow_outside, reporter=reporter)
    result = search(
        listings,
        trials=trials,
        time_limit=limit,
        folds=folds,
        recipe=recipe,
        device=device,
        output=output,
        cache=default_cache(cache_dir),
        command=sys.argv,
        dataset=dataset_words(dataset, columns=columns, allow_outside=allow_outside, device=device),
        reporter=reporter,
    )
    if as_json:
        print_json(result.to_dict())
    else:
        _print(result.to_dict())


def _print(result: dict[str, Any]) -> None:
    from curation.models.tune_result import written

    trials = result["trials"]
    counts = ", ".join(f"{count} {state}" for state, count in result["counts"].items() if count)
    title = f"{len(trials)} {'trial' if len(trials) == 1 else 'trials'}" + (
        f", the best {_SHOWN}" if len(trials) > _SHOWN else ""
    )
    score = "MAE" if result["score"] == "mae" else "macro-F1"
    heads = ["trial", f"{score} ± sd", "folds", *_COLUMNS.values(), "state"]
    print_table(title, heads, [_row(trial, result["score"]) for trial in trials[:_SHOWN]], right=[0, 1, 2])
    click.echo(f"\n{counts or 'no trial yet'}; {duration(result['seconds'])} of training")
    for name, share in (result["importances"] or {}).items():
        click.echo(f"  {_COLUMNS.get(name, name)}: {share:.0%} of the differences")
    if result["best"] is None:
        click.echo("No trial is complete. The same command goes on from here.")
        return
    best = next(trial for trial in trials if trial["number"] == result["best"])
    line = f"Best: trial {best['number']}, {written(result['score'], best['mean'])}"
    if best["number"] == 1:
        line += ", the settings as given: nothing better was found"
    elif gain := result["gain"]:
        first = next(trial for trial in trials if trial["number"] == 1)
        line += (
            f"; the settings as given: {written(result['score'], first['mean'])}. "
            f"Gain {_number(gain['mean'], result['score'])} ± {_number(gain['sd'], result['score'])} "
            f"(sd over {result['folds']} folds)"
        )
    click.echo(f"{line}.")
    for caution in result["cautions"]:
        click.echo(f"Note: {caution}.")
    click.echo(f"Study: {result['folder']}")
    click.echo(f"Next: {result['next']}")
    click.echo(f"      tensorboard --logdir {result['folder']}/training")


def _row(trial: dict[str, Any], score: str) -> list[str]:
    parameters = dict(trial["parameters"])
    if (share := parameters.get("step_at")) is not None:
        parameters["schedule"] += f" at {share:.0%}"
    mean = "" if trial["mean"] is None else _number(trial["mean"], score)
    spread = "" if trial["sd"] is None else f" ± {_number(trial['sd'], score)}"
    cells = [parameters.get(name, 0.0) for name in _COLUMNS]
    shown = [f"{cell:g}" if isinstance(cell, float) else cell for cell in cells]
    return [str(trial["number"]), mean + spread, str(len(trial["folds"])), *shown, trial["state"]]


def _number(value: float, score: str) -> str:
    return f"{value:,.2f}" if score == "mae" else f"{value:.3f}"
