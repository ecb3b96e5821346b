"""`curate import-decisions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

import curation
from curation.cli.advice import advised
from curation.cli.options import formats, json_option, run_option
from curation.cli.terminal import Terminal, echo, print_json
from curation.errors import some
from curation.rendering.words import agree, many

if TYPE_CHECKING:
    from curation.interchange.imported import Imported

__all__ = ["import_decisions"]


@click.command("import-decisions", epilog="Example: curate import-decisions label-studio project-1.json --dry-run")
@click.argument("format", metavar="FORMAT", shell_complete=formats(reads=True))
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@run_option
@click.option("--reviewer", help="Your name, for decisions without one. [default: CURATE_REVIEWER or your login]")
@click.option(
    "--new-class",
    "new_classes",
    metavar="NAME",
    multiple=True,
    help="A class that the dataset does not have yet and that decisions may name. Repeat it for several.",
)
@click.option(
    "--label-field",
    metavar="NAME",
    help="With fiftyone: the field with the labels. [default: ground_truth, or the only one with classes]",
)
@click.option("--allow-unknown", is_flag=True, help="Leave out decisions on listings that the run does not have.")
@click.option("--dry-run", is_flag=True, help="Show what would be recorded; record nothing.")
@json_option
def import_decisions(
    format: str,
    file: Path,
    run_folder: Path | None,
    reviewer: str | None,
    new_classes: tuple[str, ...],
    label_field: str | None,
    allow_unknown: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Record what people decided in another tool.

    FORMAT is label-studio, and FILE an export of the project: JSON, JSON-MIN, CSV or TSV. Or it is cvat, and FILE the
    annotations.xml of an export as CVAT for images 1.1. Or it is huggingface or coco, and FILE what was exported, with
    labels that were changed. Or it is fiftyone, and FILE the name of a dataset of your own. Each answer becomes a
    decision of whoever gave it. The dataset only changes when you type `curate apply-fixes`; `curate undo --imported`
    takes the decisions back.
    """
    run = curation.open_run(run_folder)
    imported = run.import_decisions(
        format,
        file,
        reviewer=reviewer,
        new_classes=new_classes,
        label_field=label_field,
        allow_unknown=allow_unknown,
        dry_run=dry_run,
    )
    if imported.unknown:
        count = len(imported.unknown)
        which = f"{many(count, 'listing')} that the run does not have {agree(count, 'is', 'are')} left out"
        Terminal().warn([f"{which}: {some(imported.unknown)}."])
    if as_json:
        print_json(imported.to_dict())
        return
    _print(imported)


def _print(imported: Imported) -> None:
    actions = ", ".join(f"{count:,} {action}" for action, count in imported.actions.items())
    rest = {
        "already there": imported.already_there,
        "older than what holds": imported.older,
        "skipped": imported.skipped,
        "without an answer": imported.unanswered,
    }
    others = "".join(f", {count:,} {what}" for what, count in rest.items() if count)
    new = f"{many(imported.new, 'new decision')}{f' ({actions})' if actions else ''}"
    echo(f"{'Would record' if imported.dry_run else 'Recorded'}: {new}{others}.")
    for note in imported.notes:
        echo(note)
    if imported.conflicts:
        those = f"Reviewers disagree on {many(len(imported.conflicts), 'listing')}: {some(imported.conflicts)}."
        echo(advised(f"{those} Settle that with `review(page=True, conflicts=True)`.", imported.run))
    if imported.dry_run:
        echo("Nothing was recorded: this was a dry run.")
    elif imported.new:
        echo(advised("Next: `apply_fixes()`   (or: `undo(imported=True)`)", imported.run))
