"""`curate retrain`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import curation
from curation.cli.advice import advised
from curation.cli.options import (
    cache_option,
    json_option,
    markdown_option,
    network_options,
    photos_option,
    refuse_without_effect,
    run_option,
    wait_option,
)
from curation.cli.terminal import Terminal, echo, echo_lines, print_json, print_table
from curation.comparison import SEEDS, words
from curation.rendering.words import many, signed

if TYPE_CHECKING:
    from curation.comparison.result import Comparison, Retrained
    from curation.comparison.scored import Difference

__all__ = ["retrain"]


@click.command(epilog="Example: curate retrain --compare --seeds 5 --controls")
@run_option
@photos_option
@click.option("--compare", is_flag=True, help="Train on the dataset before the fixes, too, and compare.")
@click.option(
    "--seeds",
    default=SEEDS,
    show_default=True,
    help="Models per version; a single model does not show the noise of training.",
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
    help="True labels, for benchmarks: a column of the dataset, or a table with id and true_label. All versions are "
    "also scored against them.",
)
@network_options
@cache_option
@wait_option
@json_option
@markdown_option
def retrain(
    run_folder: Path | None,
    photos: Path | None,
    compare: bool,
    seeds: int,
    controls: bool,
    truth: str | None,
    cache_dir: Path | None,
    wait: bool | float,
    as_json: bool,
    as_markdown: bool,
    **changes: Any,
) -> None:
    """Train after the fixes, and compare with before.

    With --compare, both versions are trained alike and scored on the same test listings, which were chosen before
    anything was flagged and whose labels only people change. Models are trained as in the run unless an option says
    otherwise: --epochs 12 compares networks where the run only trained linear models.
    """
    if not compare:
        refuse_without_effect({"controls", "as_markdown"}, "without --compare", "Add --compare, or leave it out.")
    run = curation.open_run(run_folder, photos=photos, wait=wait, reporter=Terminal())
    result = run.retrain(
        compare=compare,
        seeds=seeds,
        controls=controls,
        truth=truth,
        changes={name: value for name, value in changes.items() if value is not None},
        # as it can be typed again later, whatever was started since
        command=sys.argv if run_folder is not None else [*sys.argv, "--run", str(run.folder)],
        cache=cache_dir,
        wait=wait,
        reporter=Terminal(),
    )
    if as_json:
        print_json(result.to_dict())
    elif isinstance(result, curation.Retrained):
        _print_after(result, run)
    elif as_markdown:
        echo_lines(result.to_markdown())
    else:
        _print_comparison(result, run)


def _print_after(result: Retrained, run: curation.Run) -> None:
    rows = [
        (name, f"{scores.precision:.3f}", f"{scores.recall:.3f}", f"{scores.f1:.3f}", f"{scores.support:.0f}")
        for name, scores in result.given.per_class.items()
    ]
    print_table("After the fixes", ["class", "precision", "recall", "F1", "test listings"], rows, right=[1, 2, 3, 4])
    echo()
    echo(f"macro-F1 {result.given.macro_f1:.3f} on {many(result.test_listings, 'test listing')}")
    if result.true is not None:
        echo(f"With true labels: {result.true.scores.macro_f1:.3f} on {result.true.listings:,}")
    echo(f"Models: {run.folder / 'training/retrain'}")
    echo(advised("Next: `retrain(compare=True)`   to see whether cleaning helped", run.folder))


def _print_comparison(comparison: Comparison, run: curation.Run) -> None:
    rows = []
    for name, scores in comparison.given.per_class.items():
        before, after = vars(scores.before), vars(scores.after)
        cells = [f"{before[key]:.2f} → {after[key]:.2f}" for key in ("precision", "recall", "f1")]
        rows.append((name, *cells, f"{before['support']:.0f}", scores.verdict or "not in the test set"))
    columns = ["class", "precision", "recall", "F1", "test listings", "F1 verdict"]
    print_table("Before → after, per class", columns, rows, right=[1, 2, 3, 4])
    echo(words.claims(comparison.given))
    echo()
    echo(f"{comparison.model}. Changed for training: {words.changed(comparison)}.")
    blocks = words.scores_by_labels(comparison)
    for labels, block in blocks.items():
        echo()
        print_table(
            f"Against {labels}",
            ["version", "macro-F1", "difference", "95 % interval", "verdict"],
            [
                ("before", f"{block.before.macro_f1:.3f}", "", "", ""),
                _row("after", block.after.macro_f1, block.difference),
                *(_row(words.CONTROLS[name], each.macro_f1, each.difference) for name, each in block.controls.items()),
            ],
            right=[1, 2, 3],
        )
        echo(words.flipped(block.mcnemar))
        if block.share_of_possible is not None:
            echo(words.share_of_possible(block.share_of_possible))
    echo()
    for labels, block in blocks.items():
        line = words.sentence(block)
        echo(line if block is comparison.given else f"Against {labels}: {line}")
    if comparison.estimated is not None:
        echo(words.estimate(comparison.estimated))
    echo(f"Comparison: {run.folder / 'comparison.json'}   Report: {run.report}")


def _row(name: str, macro_f1: float, difference: Difference) -> tuple[str, ...]:
    return name, f"{macro_f1:.3f}", signed(difference.mean), words.interval(difference), difference.verdict
