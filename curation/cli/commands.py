"""The `curate` command and its subcommands."""

from __future__ import annotations

import click

from curation import __version__
from curation.cli.apply import apply_fixes, undo
from curation.cli.audit import audit
from curation.cli.cache import cache
from curation.cli.check import check
from curation.cli.check_dataset import check_dataset
from curation.cli.compare_models import compare_models
from curation.cli.copy_run import copy_run
from curation.cli.demo import demo
from curation.cli.explore import explore
from curation.cli.export import export
from curation.cli.find import find_issues
from curation.cli.group import Group
from curation.cli.here import say_what_is_here
from curation.cli.import_decisions import import_decisions
from curation.cli.import_listings import import_listings
from curation.cli.predict import predict
from curation.cli.retrain import retrain
from curation.cli.review import review
from curation.cli.runs import runs
from curation.cli.status import status
from curation.cli.train import train
from curation.cli.tune import tune
from curation.cli.verify import verify

__all__ = ["main"]


@click.group(
    cls=Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="curate")
@click.pass_context
def main(context: click.Context) -> None:
    """Find and fix wrong labels and prices in listings.

    \b
    curate                        say what is in this folder, and what to type next
    curate demo demo              write a small marketplace with planted errors
    curate explore demo           look at the data first: classes, photos, prices
    curate find-issues demo       flag wrong labels, odd prices, reposts and bad photos
    curate review                 review the flagged listings: keep, relabel, reprice, delete
    curate audit --size 200       draw listings by chance: how many labels are wrong?
    curate check LISTING.json     check single listings by a finished run
    curate check-dataset new.csv  fail if a dataset is worse than it may be, in a pipeline
    curate apply-fixes            write the corrected dataset
    curate retrain --compare      train before and after, compare on one test set
    curate train demo             train one model of labels or prices
    curate compare-models demo    compare models and optimizers on the same folds
    curate tune demo              search for better training settings
    curate predict MODEL new.csv  predict the labels or prices of other listings
    curate export FORMAT          write a run for another tool, or a model as ONNX
    curate import-decisions FORMAT FILE   load what was decided there
    curate runs                   list all runs; curate runs diff 1 2 compares two
    curate verify                 check everything of a run
    curate copy-run RUN URL       copy a run to a bucket, or from there

    Results go to stdout, messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage.
    """  # noqa: D301 (click wants the control character)
    if context.invoked_subcommand is None:
        say_what_is_here(context, status)


for command in (
    demo,
    explore,
    find_issues,
    check,
    check_dataset,
    review,
    audit,
    apply_fixes,
    undo,
    retrain,
    runs,
    status,
    verify,
    copy_run,
    cache,
    train,
    compare_models,
    tune,
    predict,
    export,
    import_decisions,
    import_listings,
):
    main.add_command(command)
