"""The `curate` command and its subcommands."""

from __future__ import annotations

import click

from curation import __version__
from curation.cli.apply import apply_fixes, undo
from curation.cli.cache import cache
from curation.cli.compare_models import compare_models
from curation.cli.demo import demo
from curation.cli.explore import explore
from curation.cli.export import export
from curation.cli.find import find_issues
from curation.cli.group import Group
from curation.cli.predict import predict
from curation.cli.retrain import retrain
from curation.cli.review import review
from curation.cli.runs import runs
from curation.cli.status import status
from curation.cli.train import train
from curation.cli.tune import tune

__all__ = ["main"]


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="curate")
def main() -> None:
    """Find and fix wrong labels in image listings.

    \b
    curate demo demo              write a small marketplace with planted issues
    curate explore demo           a first look: classes, photos, prices
    curate find-issues demo       find wrong labels, odd prices, photos of text, reposts
    curate review                 look at them in the FiftyOne App: keep, relabel, delete
    curate apply-fixes            write the cleaned dataset
    curate retrain --compare      train before and after, compare on one fixed test set
    curate train demo             one model for labels or prices
    curate compare-models demo    several models and optimizers on the same folds, side by side
    curate tune demo              search for better settings of curate train
    curate predict MODEL new.csv  what a trained model tells of other listings
    curate export MODEL           a trained model as ONNX, for programs without torch
    curate runs                   all runs side by side; curate runs diff 1 2 compares two

    Results go to stdout, messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage.
    """  # noqa: D301 (click wants the control character)


for command in (
    demo,
    explore,
    find_issues,
    review,
    apply_fixes,
    undo,
    retrain,
    runs,
    status,
    cache,
    train,
    compare_models,
    tune,
    predict,
    export,
):
    main.add_command(command)
