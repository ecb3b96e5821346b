"""`curate retrain`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from curation.cli.options import cache_option, json_option, network_options, run_option
from curation.cli.terminal import Terminal, print_json, print_table
from curation.comparison import SEEDS
from curation.comparison.words import CONTROLS, blocks, markdown
from curation.errors import InputError
from curation.rendering.words import signed
from curation.run.run import Run, open_run
from training.images.cache import default_cache

__all__ = ["retrain"]


@click.command(epilog="Example: curate retrain --compare --seeds 5 --controls")
@run_option
@click.option("--compare", is_flag=True, help="Train on the dataset before the fixes, too, and compare.")
@click.option(
    "--seeds",
    default=SEEDS,
    show_default=True,
    help="Models per version, paired; one does not show the noise of training.",
)
@click.option(
    "--controls",
    is_flag=True,
    help="Compare with other versions, too: as many listings deleted at random, every suggestion accepted blindly, "
    "each kind of fix alone; with --truth, all labels correct.",
)
@click.option(
    "--truth",
    metavar="COLUMN|FILE",
    help="True labels, for benchmarks: a column of the dataset, or a CSV with id and true_label; scored against, too.",
)
@network_options
@cache_option
@json_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the comparison as Markdown, for a pull request.")
def retrain(
    run_folder: Path | None,
    compare: bool,
    seeds: int,
    controls: bool,
    truth: str | None,
    cache_dir: Path | None,
    as_json: bool,
    as_markdown: bool,
    **changes: Any,
) -> None:
    """Train on the cleaned dataset; with --compare, tell whether cleaning helped.

    Both versions are trained alike and scored on the same test listings, which were fixed before anything was detected
    and whose labels only people change. Models are those of the run, unless an option says otherwise: --epochs 12
    compares networks where the run made do with linear models.
    """
    from curation.comparison.compare import retrain as train
    from curation.report import write_report

    _check(compare, controls=controls, as_markdown=as_markdown, as_json=as_json)
    run = open_run(run_folder)
    result = train(
        run,
        compare=compare,
        seeds=seeds,
        controls=controls,
        truth=truth,
        changes={name: value for name, value in changes.items() if value is not None},
        command=sys.argv,
        cache=default_cache(cache_dir),
        reporter=Terminal(),
    )
    if compare:
        write_report(run)
    if as_json:
        print_json(result)
    elif as_markdown:
        click.echo(markdown(result))
    elif compare:
        _print_comparison(result, run)
    else:
        _print_after(result, run)


def _check(compare: bool, *, controls: bool, as_markdown: bool, as_json: bool) -> None:
    for name, given in (("--controls", controls), ("--markdown", as_markdown)):
        if given and not compare:
            raise InputError(f"{name} has no effect without --compare", fix="Add that, or leave it out.")
    if as_json and as_markdown:
        raise InputError("--json and --markdown can't both be printed", fix="Leave one of them out.")


def _print_after(result: dict[str, Any], run: Run) -> None:
    rows = [
        (name, *(f"{scores[key]:.3f}" for key in ("precision", "recall", "f1")), f"{scores['support']:.0f}")
        for name, scores in result["after"]["per_class"].items()
    ]
    print_table("After the fixes", ["class", "precision", "recall", "F1", "test listings"], rows, right=[1, 2, 3, 4])
    click.echo(f"\nmacro-F1 {result['after']['macro_f1']:.3f} on {result['test_listings']} test listings")
    if "true_test_labels" in result:
        true = result["true_test_labels"]
        click.echo(f"With true labels: {true['after']['macro_f1']:.3f} on {true['listings']}")
    click.echo(f"Models: {run.training_folder / 'retrain'}")
    click.echo("Next: curate retrain --compare   to see whether cleaning helped")


def _print_comparison(result: dict[str, Any], run: Run) -> None:
    rows = []
    for name, scores in result["per_class"].items():
        before, after = scores["before"], scores["after"]
        cells = [f"{before[key]:.2f} → {after[key]:.2f}" for key in ("precision", "recall", "f1")]
        rows.append((name, *cells, f"{before['support']:.0f}", scores["verdict"] or "not in the test set"))
    columns = ["class", "precision", "recall", "F1", "test listings", "F1 verdict"]
    print_table("Before → after, per class", columns, rows, right=[1, 2, 3, 4])
    changed = f"{result['relabelled']:,} relabelled, {result['deleted']:,} deleted"
    click.echo(f"\n{result['model']}. Changed for training: {changed}.")
    for what, block in blocks(result).items():
        answers = block["mcnemar"]
        print_table(
            f"\nAgainst {what}",
            ["version", "macro-F1", "difference", "95 % interval", "verdict"],
            [
                ("before", f"{block['before']['macro_f1']:.3f}", "", "", ""),
                _row("after", block["after"], block),
                *(_row(CONTROLS[name], scores, scores) for name, scores in block.get("controls", {}).items()),
            ],
            right=[1, 2, 3],
        )
        click.echo(
            f"{answers['to_right']} answers became right, {answers['to_wrong']} wrong (McNemar p {answers['p']:.2g})."
        )
        if block.get("share_of_possible"):
            share = block["share_of_possible"]
            click.echo(
                f"Of the gain that correct labels give, {share['mean']:.0%} is reached "
                f"({share['low']:.0%} to {share['high']:.0%})."
            )
    click.echo()
    for what, block in blocks(result).items():
        click.echo(block["sentence"] if block is result else f"Against {what}: {block['sentence']}")
    click.echo(f"Comparison: {run.comparison_file}   Report: {run.report_file}")


def _row(name: str, scores: Mapping[str, Any], block: Mapping[str, Any]) -> tuple[str, ...]:
    difference = block["difference"]
    interval = f"{signed(difference['low'])} to {signed(difference['high'])}"
    return name, f"{scores['macro_f1']:.3f}", signed(difference["mean"]), interval, block["verdict"]
