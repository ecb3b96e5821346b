"""`curate verify`."""

from __future__ import annotations

from pathlib import Path

import click

import curation
from curation.cli.advice import advised
from curation.cli.options import json_option, run_option
from curation.cli.terminal import Terminal, echo, print_json
from curation.rendering.words import many

__all__ = ["verify"]


@click.command(epilog="Example: curate verify runs/demo/1")
@run_option
@json_option
@click.pass_context
def verify(context: click.Context, run_folder: Path | None, as_json: bool) -> None:
    """Check everything of a run: say ok, or what is wrong and what to do.

    Compares each file with the hash that find-issues recorded; checks tables, probabilities and folds, and each line of
    the journal; writes each version of the cleaned dataset once more, from input and journal, and compares it; looks
    for what killed commands left. Nothing is changed.
    """
    found = curation.Run(run_folder or curation.open_run().folder).verify()
    if as_json:
        content = found.to_dict()
        faults = [{name: advised(text, found.run) for name, text in flaw.items()} for flaw in content["faults"]]
        print_json({**content, "faults": faults})
    else:
        _print(found)
    if not found.ok:
        context.exit(1)


def _print(found: curation.Verified) -> None:
    for note in found.notes:
        Terminal().say(note)
    for flaw in found.faults:
        echo(advised(str(flaw), found.run))
    if found.ok:
        files, listings = many(found.checked["files"], "file"), many(found.checked["listings"], "listing")
        lines, versions = many(found.checked["journal_lines"], "line"), many(found.checked["versions"], "version")
        echo(f"ok: {found.run} ({files}, {listings}, {lines} of the journal, {versions} of the cleaned dataset)")
    else:
        echo(f"{many(len(found.faults), 'fault')} in {found.run}")
