"""`curate apply-fixes` and `curate undo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import curation
from curation.cli.advice import advised
from curation.cli.options import json_option, photos_option, refuse_without_effect, run_option, wait_option
from curation.cli.terminal import Terminal, echo, print_json, print_table
from curation.errors import some
from curation.rendering.words import agree, many

if TYPE_CHECKING:
    from curation.fixes import Fixes

__all__ = ["apply_fixes", "undo"]

_ROWS = 20


@click.command("apply-fixes", epilog="Example: curate apply-fixes --accept-suggestions --min-confidence 0.95 --dry-run")
@run_option
@photos_option
@click.option("--decisions", type=click.Path(path_type=Path), help="A table with id, decision, new_label, new_price.")
@click.option(
    "--accept-suggestions", is_flag=True, help="Relabel flagged listings whose suggestion is likelier than the label."
)
@click.option(
    "--min-confidence",
    type=float,
    help="Least confidence of an accepted suggestion, 0 to 1. [default: more likely right than the given label]",
)
@click.option(
    "--new-class",
    "new_classes",
    metavar="NAME",
    multiple=True,
    help="A class that the dataset does not have yet and that new_label may name. Repeat it for several.",
)
@click.option("--reviewer", help="Your name, for decisions without one. [default: CURATE_REVIEWER or your login]")
@click.option(
    "--format",
    "form",
    metavar="FORMAT",
    help="Write csv, tsv, xlsx, parquet, json, jsonl, class-folders or imagefolder. [default: as the input is]",
)
@click.option(
    "--soft",
    is_flag=True,
    help="Also write the chance that each label is right, and the best other one, from which retrain learns.",
)
@click.option(
    "--latest-wins", is_flag=True, help="Where reviewers disagree, apply the later decision, and not none of them."
)
@click.option(
    "--as-of",
    metavar="TIME",
    help="Rebuild the dataset as the decisions stood at a time, e.g. 2026-11-29 or '2026-11-29 14:05', or after a "
    "line, e.g. 'line 12'. Adds none.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@wait_option
@json_option
def apply_fixes(
    run_folder: Path | None,
    photos: Path | None,
    decisions: Path | None,
    accept_suggestions: bool,
    min_confidence: float | None,
    new_classes: tuple[str, ...],
    reviewer: str | None,
    form: str | None,
    soft: bool,
    latest_wins: bool,
    as_of: str | None,
    dry_run: bool,
    wait: bool | float,
    as_json: bool,
) -> None:
    """Write the corrected dataset to the run's cleaned/, in the shape that it came in.

    Applies the decisions of the review, of a CSV, or the suggestions that are likelier than the label: new labels, new
    prices, deletions. The input is never changed; `curate undo` takes the last apply-fixes back. Only people change
    labels of the test set.
    """
    if not accept_suggestions:
        refuse_without_effect({"min_confidence"}, "without --accept-suggestions", "Add that, or leave it out.")
    if dry_run:
        refuse_without_effect({"wait"}, "with --dry-run: what changes nothing waits for nobody", "Leave it out.")
        refuse_without_effect({"photos"}, "with --dry-run, which needs no photos", "Leave it out.")
    terminal = Terminal()
    fixes = curation.open_run(run_folder, photos=photos, wait=None if dry_run else wait, reporter=terminal).apply_fixes(
        decisions,
        accept_suggestions=accept_suggestions,
        min_confidence=min_confidence,
        new_classes=new_classes,
        reviewer=reviewer,
        format=form,
        soft=soft,
        latest_wins=latest_wins,
        as_of=as_of,
        dry_run=dry_run,
        wait=wait,
        reporter=terminal,
    )
    terminal.warn([*fixes.damaged, *_undecided(fixes), *_conflicts(fixes)])
    for note in fixes.notes:
        terminal.say(note)
    if as_json:
        print_json(fixes.to_dict())
    else:
        _print(fixes)


def _undecided(fixes: Fixes) -> list[str]:
    count = len(fixes.undecided)
    kept = f"{many(count, 'listing')} without a label {agree(count, 'was', 'were')} kept, which decides nothing"
    return [f"{kept}: {some(fixes.undecided)}. Relabel or delete {agree(count, 'it', 'them')}."] if count else []


def _conflicts(fixes: Fixes) -> list[str]:
    if not fixes.conflicts:
        return []
    count, those = len(fixes.conflicts), agree(len(fixes.conflicts), "that listing", "those listings")
    disagreed = f"reviewers disagree on {many(count, 'listing')}: {some(fixes.conflicts)}"
    if fixes.latest_wins:
        return [f"{disagreed}. The later decision on {those} is applied."]
    advice = "Settle that with `review(page=True, conflicts=True)`, or take the later with"
    advice = advised(f"{advice} `apply_fixes(latest_wins=True)`.", fixes.run)
    return [f"{disagreed}. No decision on {those} is applied. {advice}"]


def _print(fixes: Fixes) -> None:
    counts = fixes.counts()
    priced = bool(counts["repriced"])
    columns = ["id", "action", "old_label", "new_label", *(["old_price", "new_price"] if priced else []), "source"]
    rows = fixes.changes[columns].fillna("").to_numpy().tolist()
    names = ["id", "action", "label", "new label", *(["price", "new price"] if priced else []), "source"]
    repriced = f"{counts['repriced']:,} repriced, " if priced else ""
    merged = f"{counts['merged']:,} merged, " if counts["merged"] else ""
    ambiguous = f", {counts['ambiguous']:,} left because several labels fit" if counts["ambiguous"] else ""
    title = (
        f"{'Would change' if fixes.dry_run else 'Changed'}: {counts['relabelled']:,} relabelled, {repriced}{merged}"
        f"{counts['deleted']:,} deleted (and {counts['kept']:,} kept by decision{ambiguous})"
    )
    if rows:
        print_table(title, names, rows[:_ROWS])
    else:
        echo(title)
    if len(rows) > _ROWS:
        echo(f"+{len(rows) - _ROWS} more")
    if fixes.acceptance is not None:
        for sentence in fixes.acceptance.sentences(written=not fixes.dry_run):
            echo(advised(sentence, fixes.run))
    if fixes.dry_run:
        echo("Nothing was written: this was a dry run.")
    else:
        cleaned = fixes.run / "cleaned"
        echo(f"Cleaned dataset: {cleaned} (all changes in {cleaned / 'changes.csv'})")
        if fixes.soft:
            echo(f"Chances of its labels: {cleaned / 'label_weights.csv'}")
        echo(advised("Next: `retrain(compare=True)`   (or: `undo()`)", fixes.run))


@click.command(epilog="Example: curate undo")
@run_option
@click.option("--imported", is_flag=True, help="Take back the decisions of the last import-decisions instead.")
@wait_option
@json_option
def undo(run_folder: Path | None, imported: bool, wait: bool | float, as_json: bool) -> None:
    """Take the last apply-fixes back.

    The suggestions and CSV decisions that it accepted are undone; decisions made in the review stay.
    """
    terminal = Terminal()
    run = curation.open_run(run_folder, wait=wait, reporter=terminal)
    undone = run.undo(imported=imported, wait=wait, reporter=terminal)
    terminal.warn(undone.damaged)
    if as_json:
        print_json(undone.to_dict())
        return
    if imported:
        echo(f"The last import of {undone.run} is undone: {many(undone.undone, 'decision')} taken back.")
        return
    state = "the previous version is restored" if undone.restored else "there is no cleaned dataset now"
    echo(f"The last apply-fixes of {undone.run} is undone: {many(undone.undone, 'decision')} taken back, {state}.")
