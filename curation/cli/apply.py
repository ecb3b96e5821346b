"""`curate apply-fixes` and `curate undo`."""

from __future__ import annotations

from pathlib import Path

import click

from curation.api.runs import open_run
from curation.cli.options import json_option, run_option
from curation.cli.terminal import Terminal, print_json, print_table
from curation.errors import InputError
from curation.fixes import DEFAULT_CONFIDENCE
from curation.rendering.words import many

__all__ = ["apply_fixes", "undo"]

_SHOWN = 20


@click.command("apply-fixes", epilog="Example: curate apply-fixes --accept-suggestions --min-confidence 0.95 --dry-run")
@run_option
@click.option(
    "--decisions", "decisions_file", type=click.Path(path_type=Path), help="A CSV with id, decision, new_label."
)
@click.option(
    "--accept-suggestions", is_flag=True, help="Relabel flagged listings whose suggestion is confident enough."
)
@click.option("--min-confidence", type=float, help="Least confidence of an accepted suggestion, 0 to 1. [default: 0.5]")
@click.option("--reviewer", help="Your name, for decisions without one. [default: CURATE_REVIEWER or your login]")
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@json_option
def apply_fixes(
    run_folder: Path | None,
    decisions_file: Path | None,
    accept_suggestions: bool,
    min_confidence: float | None,
    reviewer: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the corrected dataset to the run's cleaned/.

    Applies the decisions of the review, of a CSV, or the confident suggestions. The input is never changed; `curate
    undo` takes the last apply-fixes back. Only people change labels of the test set.
    """
    if min_confidence is not None and not accept_suggestions:
        raise InputError(
            "--min-confidence has no effect without --accept-suggestions", fix="Add that, or leave it out."
        )
    run = open_run(run_folder)
    fixes = run.apply_fixes(
        decisions_file,
        accept_suggestions=accept_suggestions,
        min_confidence=DEFAULT_CONFIDENCE if min_confidence is None else min_confidence,
        reviewer=reviewer,
        dry_run=dry_run,
    )
    reporter = Terminal()
    for warning in fixes.warnings:
        reporter.say(f"warning: {warning}")
    folder = run.folder / "cleaned"
    counts = fixes.counts()
    if as_json:
        print_json(fixes.to_dict())
        return
    rows = [
        (row.id, row.action, row.old_label, row.new_label or "", row.source)
        for row in fixes.changes.fillna("").itertuples()
    ]
    print_table(
        f"{'Would change' if dry_run else 'Changed'}: {counts['relabelled']:,} relabelled, {counts['deleted']:,} "
        f"deleted (and {counts['kept']:,} kept by decision)",
        ["id", "action", "label", "new label", "source"],
        rows[:_SHOWN],
    )
    if len(rows) > _SHOWN:
        click.echo(f"+{len(rows) - _SHOWN} more")
    if dry_run:
        click.echo("Nothing was written: this was a dry run.")
    else:
        click.echo(f"Cleaned dataset: {folder} (all changes in {folder / 'changes.csv'})")
        click.echo("Next: curate retrain --compare   (or: curate undo)")


@click.command(epilog="Example: curate undo")
@run_option
@json_option
def undo(run_folder: Path | None, as_json: bool) -> None:
    """Take the last apply-fixes back.

    The suggestions and CSV decisions that it accepted are undone; decisions made in the review stay.
    """
    run = open_run(run_folder)
    outcome = run.undo()
    if as_json:
        print_json(outcome.to_dict())
        return
    state = "the previous version is restored" if outcome.restored else "there is no cleaned dataset now"
    click.echo(f"The last apply-fixes is undone: {many(outcome.undone, 'decision')} taken back, {state}.")
