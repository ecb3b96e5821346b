"""`curate find-issues`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.cli.dataset import dataset_argument, dataset_options, read_dataset
from curation.cli.options import cache_option, json_option, refuse_without_effect, train_options, train_settings
from curation.cli.terminal import Terminal, print_json, print_table
from curation.run.run import Run
from training.images.cache import default_cache
from training.settings import TrainSettings

if TYPE_CHECKING:
    from curation.find import FindSettings

__all__ = ["find_issues"]

# a model that agrees less than this many times the largest class, or less than this at all, says little
_WEAK = 1.5
_WEAK_AT_ALL = 0.4
_CLASSES = 5
_PAIRS = 3


@click.command("find-issues", epilog="Example: curate find-issues listings.csv --column label=category --folds 5")
@dataset_argument
@click.option(
    "--run",
    "run_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the run. [default: runs/NAME/NUMBER]",
)
@dataset_options
@click.option(
    "--probabilities",
    type=click.Path(path_type=Path),
    help="Your own out-of-fold probabilities (.npz, .npy, .csv): nothing is trained.",
)
@click.option("--folds", default=5, show_default=True, help="Number of folds.")
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    help="How many listings you are going to look at: says how many of them are expected to need a change.",
)
@click.option(
    "--text/--no-text", default=True, show_default=True, help="Look for photos that show text instead of the item."
)
@train_options
@cache_option
@json_option
def find_issues(
    dataset: Path,
    run_folder: Path | None,
    columns: tuple[str, ...],
    allow_outside: bool,
    probabilities: Path | None,
    folds: int,
    budget: int | None,
    text: bool,
    cache_dir: Path | None,
    as_json: bool,
    **train: Any,
) -> None:
    """Find wrong labels, odd prices, photos of text, reposts and unreadable photos in DATASET.

    DATASET is a folder with dataset.toml or listings.csv, a .csv / .parquet / .jsonl table, a folder of class folders,
    or a folder with metadata.csv. It is never modified; everything goes to the run's folder. An interrupted run goes
    on where it stopped when the same command is given again.
    """
    # these imports take seconds; `curate --help` should not
    from curation.find import FindSettings, find
    from curation.issues.summary import summarise

    reporter = Terminal()
    settings = FindSettings(folds=folds, train=train_settings(train), probabilities=probabilities, text=text)
    _check_options(settings)
    listings = read_dataset(
        dataset, columns=columns, allow_outside=allow_outside, needs_image=probabilities is None, reporter=reporter
    )
    run = find(
        listings, settings, run_folder=run_folder, cache=default_cache(cache_dir), command=sys.argv, reporter=reporter
    )
    summary = summarise(run, budget)
    if as_json:
        print_json(summary)
    else:
        _print(summary, run)


# the seed chooses the test set, and the photos are kept at this size for `retrain`
_KEPT_WITH_PROBABILITIES = {"preset", "seed", "image_size"}
_OF_THE_NETWORK = {"batch_size", "optimizer", "learning_rate", "weight_decay", "label_smoothing"}


def _check_options(settings: FindSettings) -> None:
    """Refuse options that were given and would do nothing."""
    if settings.probabilities is not None:
        without_effect = {"folds", *TrainSettings.__dataclass_fields__} - _KEPT_WITH_PROBABILITIES
        refuse_without_effect(without_effect, "with --probabilities: nothing is trained", "Leave it out.")
    elif settings.train.epochs_for(0) == 0:
        # a pretrained network gives the features even if none is trained
        idle = _OF_THE_NETWORK | (set() if settings.train.pretrained else {"model"})
        refuse_without_effect(idle, "without a network", "Add --preset thorough or --epochs, or leave it out.")


def _print(summary: dict[str, Any], run: Run) -> None:
    from curation.issues import KINDS

    total, flagged = summary["listings"], summary["flagged"]
    rows = [(kind.title, summary["issues"][kind.name], kind.help) for kind in KINDS if kind.name in summary["issues"]]
    print_table(
        f"{flagged} of {total} listings are flagged ({flagged / total:.1%})",
        ["issue", "listings", "what"],
        rows,
        right=[1],
    )
    click.echo()
    agrees, largest = summary["agreement"]["with_given_labels"], summary["agreement"]["largest_class"]
    if agrees is not None:
        click.echo(
            f"The out-of-fold model agrees with {agrees:.0%} of the labels; the largest class has {largest:.0%}."
        )
        if agrees < max(_WEAK * largest, _WEAK_AT_ALL):
            click.echo("That is a weak model: take its label flags with care. --preset thorough may help.")
        click.echo()
    if summary["health"] and summary["health"]["classes"]:
        _print_health(summary["health"], wrong=summary["issues"]["label"], total=total)
    if summary["worst"]:
        worst = [(row["priority"], row["id"], row["reasons"]) for row in summary["worst"]]
        print_table(f"The worst {len(worst)}", ["", "id", "why"], worst, right=[0])
        click.echo()
    if summary["budget"]:
        wrong, of = (f"{summary['budget'][name]:.0f}" for name in ("expected_changes", "expected_in_all"))
        click.echo(
            f"The first {summary['budget']['listings']} are expected to hold {wrong} that need a change, of {of}."
        )
        click.echo()
    click.echo(f"All of them: {run.issues_file.with_suffix('.csv')}")
    click.echo(f"Report: {run.report_file}")
    click.echo("Next: curate review                            look at them, decide")
    click.echo("      curate apply-fixes --accept-suggestions  or accept the sure suggestions unseen")


def _print_health(health: dict[str, Any], *, wrong: int, total: int) -> None:
    from curation.issues.health import FEW, doubtful, often_confused

    if wrong < FEW * total:
        click.echo(f"Few labels look wrong: {wrong} of {total} ({100 * wrong / total:.1f} %).")
        click.echo()
    rows = [
        (row["class"], row["listings"], row["flagged"], f"{row['flagged'] / row['listings']:.0%}")
        for row in doubtful(health, _CLASSES)
    ]
    if rows:
        print_table(
            "Classes whose labels are doubtful", ["class", "listings", "flagged", "share"], rows, right=[1, 2, 3]
        )
        click.echo()
    pairs = often_confused(health, _PAIRS)
    if pairs:
        named = [f"{pair['first']} with {pair['second']} ({pair['flagged']} listings)" for pair in pairs]
        click.echo(f"Most confused: {', '.join(named)}.")
        click.echo()
