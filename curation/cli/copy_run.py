"""`curate copy-run`."""

from __future__ import annotations

from pathlib import Path

import click

import curation
from curation.cli.dataset import PATH_OR_URL
from curation.cli.options import json_option, wait_option
from curation.cli.terminal import Terminal, echo, print_json
from curation.rendering.words import many
from training.utils.units import bytes_text

__all__ = ["copy_run"]


@click.command("copy-run", epilog="Example: curate copy-run runs/shop/1 s3://bucket/runs/shop/1")
@click.argument("source", type=PATH_OR_URL)
@click.argument("target", type=PATH_OR_URL)
@wait_option
@json_option
def copy_run(source: str | Path, target: str | Path, wait: bool | float, as_json: bool) -> None:
    """Copy a finished run to a bucket, or from there, whole or not at all.

    One of SOURCE and TARGET is a URL, e.g. s3://bucket/runs/1; SOURCE may also be that of a web server. Given again,
    only files that are new or have changed are sent. A copy with decisions that the run lacks is never replaced.
    Photos are not copied.
    """
    copied = curation.copy_run(source, target, wait=wait, reporter=Terminal())
    if as_json:
        print_json(copied.to_dict())
        return
    if not copied.copied_files:
        echo(f"{copied.target} was up to date ({many(copied.files, 'file')}, {bytes_text(copied.bytes)})")
        return
    now = f"{many(copied.copied_files, 'file')}, {bytes_text(copied.copied_bytes)}"
    lines = many(copied.journal_lines, "line")
    echo(f"Copied {now}: {copied.target} has {many(copied.files, 'file')} and {lines} of the journal.")
