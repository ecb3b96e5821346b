"""`curate retrain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from curation.cli.options import cache_option, json_option, run_option
from curation.cli.terminal import Terminal, print_json, print_table
from curation.runs import Run, open_run
from training.photos.cache import default_cache

__all__ = ["retrain"]


@click.command(epilog="Example: curate retrain --compare --seeds 5")
@run_option
@click.option("--compare", is_flag=True, help="Train on the dataset before the fixes, too, and compare.")
@click.option(
    "--seeds", default=1, show_default=True, help="Models per version; more seeds show the noise of training."
)
@click.option("--device", help="auto, cpu, cuda, cuda:1 or mps. [default: as in the run]")
@cache_option
@json_option
def retrain(
    run_folder: Path | None, compare: bool, seeds: int, device: str | None, cache_dir: Path | None, as_json: bool
) -> None:
    """Train on the cleaned dataset; with --compare, tell whether cleaning helped.

    Both versions are trained with the run's settings and scored on the same test listings, which were fixed before
    anything was detected and whose labels only people change.
    """
    from curation.report import write_report
    from curation.retrain import retrain as train

    run = open_run(run_folder)
    result = train(run, compare=compare, seeds=seeds, device=device, cache=default_cache(cache_dir), talk=Terminal())
    if compare:
        write_report(run)
    if as_json:
        print_json(result)
    elif compare:
        _print_comparison(result, run)
    else:
        _print_after(result, run)


def _print_after(result: dict[str, Any], run: Run) -> None:
    rows = [
        (name, *(f"{scores[key]:.3f}" for key in ("precision", "recall", "f1")), f"{scores['support']:.0f}")
        for name, scores in result["after"]["per_class"].items()
    ]
    print_table("After the fixes", ["class", "precision", "recall", "F1", "test listings"], rows, right=[1, 2, 3, 4])
    click.echo(f"\nmacro-F1 {result['after']['macro_f1']:.3f} on {result['test_listings']} test listings")
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
    click.echo()
    click.echo(verdict_line(result))
    if "reviewed_test_labels" in result:
        reviewed = result["reviewed_test_labels"]
        click.echo(
            f"With the {reviewed['changed']} test labels that people changed: {verdict_line({**result, **reviewed})}"
        )
    if len(result["seeds"]) == 1:
        click.echo(
            "One seed: the interval holds the chance of the test set, not that of training. --seeds 5 shows both."
        )
    click.echo(f"Comparison: {run.comparison_file}   Report: {run.report_file}")


def verdict_line(result: dict[str, Any]) -> str:
    """Say the outcome in one line."""
    before, after, difference = result["before"]["macro_f1"], result["after"]["macro_f1"], result["difference"]
    seeds = len(result["seeds"])
    outcome = {"helped": "cleaning helped", "hurt": "cleaning hurt"}.get(result["verdict"])
    if outcome is None:
        half = (difference["high"] - difference["low"]) / 2
        outcome = f"no difference that this test set can show (it could show ±{half:.3f})"
    models = f"{seeds} seed{'s' * (seeds > 1)}"
    return (
        f"macro-F1 {before:.3f} → {after:.3f} ({difference['mean']:+.3f}, 95 % interval {difference['low']:+.3f} to "
        f"{difference['high']:+.3f}, {result['test_listings']} test listings, {models}): {outcome}"
    )
