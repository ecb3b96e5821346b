"""`curate tune`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from curation.cli.dataset import dataset_argument
from curation.cli.options import model_options
from curation.cli.terminal import echo, print_json, print_table
from curation.cli.training import output_options, training_arguments
from curation.rendering.words import many
from training.utils.units import duration, parse_duration

if TYPE_CHECKING:
    from curation.models.tune_result import TrialResult, TuneResult

__all__ = ["tune"]

_SHOWN = 10
_COLUMNS = {"learning_rate": "learning rate", "schedule": "schedule", "augment": "augment", "weight_decay": "decay"}


@click.command(epilog="Example: curate tune listings.csv --trials 30 --time-limit 1h --model resnet18 --image-size 96")
@dataset_argument
@click.option("--trials", default=30, show_default=True, help="Settings to try, those of earlier calls included.")
@click.option("--time-limit", metavar="TIME", help="Begin no training after this, e.g. 90s, 10m, 1h30m.")
@click.option("--folds", default=3, show_default=True, help="Number of folds that score a trial.")
@model_options
@output_options("study", "studies")
def tune(trials: int, time_limit: str | None, folds: int, as_json: bool, **options: Any) -> None:
    """Search for better training settings.

    Optuna searches the learning rate, its schedule, the augmentation and the weight decay. The first trial, where the
    search starts, takes them from --lr, --lr-steps, --schedule, --augment and --weight-decay; everything else stays as
    given. Cross-validation within the training listings judges each trial; the test set takes no part. Give the same
    command again to continue a study, with more --trials or for another --time-limit.
    """
    arguments = training_arguments(options, suggests=True)
    limit = None if time_limit is None else parse_duration(time_limit)
    # slow to import; `curate --help` should not wait for it
    from curation.models.tune import tune as search

    result = search(trials=trials, time_limit=limit, folds=folds, **arguments)
    if as_json:
        print_json(result.to_dict())
    else:
        _print(result)


def _print(result: TuneResult) -> None:
    from curation.models.scores import SCORE_NAMES, score_text

    title = many(len(result.started), "trial") + (f", the best {_SHOWN}" if len(result.started) > _SHOWN else "")
    headings = ["trial", f"{SCORE_NAMES[result.score]} ± sd", "folds", *_COLUMNS.values(), "state"]
    print_table(title, headings, [_row(trial) for trial in result.ranked[:_SHOWN]], right=[0, 1, 2])
    counts = ", ".join(f"{count} {state}" for state, count in result.counts.items() if count)
    echo()
    echo(f"{counts or 'no trial yet'}; {duration(result.seconds)} of training")
    for name, share in (result.importances or {}).items():
        echo(f"  {_COLUMNS.get(name, name)}: {share:.0%} of the differences")
    if (best := result.best_trial) is None:
        echo("No trial is complete. Give the same command again to continue.")
        return
    line = f"Best: trial {best.number}, {score_text(best.score, best.mean or 0.0, named=True)}"
    if best.number == 1:
        line += ", the settings as given: nothing better was found"
    elif gain := result.gain:
        mean, sd = (score_text(result.score, gain[key]) for key in ("mean", "sd"))
        first = score_text(result.score, result.started[0].mean or 0.0, named=True)
        line += f"; the settings as given: {first}. Gain {mean} ± {sd} (sd over {result.folds} folds)"
    echo(f"{line}.")
    for caution in result.cautions:
        echo(f"Note: {caution}.")
    echo(f"Study: {result.folder}")
    echo(f"Next: {result.next}")
    echo(f"      tensorboard --logdir {result.folder}/training")


def _row(trial: TrialResult) -> list[str]:
    from curation.models.scores import score_text

    parameters = dict(trial.parameters)
    if (share := parameters.get("step_at")) is not None:
        parameters["schedule"] += f" at {share:.0%}"
    mean = "" if trial.mean is None else score_text(trial.score, trial.mean)
    spread = "" if trial.sd is None else f" ± {score_text(trial.score, trial.sd)}"
    cells = [parameters.get(name, 0.0) for name in _COLUMNS]
    texts = [f"{cell:g}" if isinstance(cell, float) else cell for cell in cells]
    return [str(trial.number), mean + spread, str(len(trial.folds)), *texts, trial.state]
