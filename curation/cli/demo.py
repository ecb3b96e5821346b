"""`curate demo`."""

from __future__ import annotations

from pathlib import Path

import click

import curation
from curation.cli.options import json_option
from curation.cli.terminal import Terminal, echo, print_json

__all__ = ["demo"]


@click.command(epilog="Example: curate demo demo && curate find-issues demo")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--listings", default=600, show_default=True, help="Number of listings.")
@click.option("--seed", default=0, show_default=True, help="The same seed writes the same files.")
@json_option
def demo(folder: Path, listings: int, seed: int, as_json: bool) -> None:
    """Write a small marketplace with planted errors.

    All photos are drawn by a program. DIR/truth.csv says what was planted; no other command reads it.
    """
    written = curation.demo(folder, listings=listings, seed=seed, reporter=Terminal())
    if as_json:
        print_json(written.to_dict())
        return
    planted = ", ".join(f"{count} {kind}" for kind, count in written.planted.items())
    echo(f"{written.listings} listings in {folder}; planted: {planted} (all in {folder / 'truth.csv'})")
    echo(f"Next: curate find-issues {folder}")
