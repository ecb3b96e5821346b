"""`curate import-listings`."""

from __future__ import annotations

from pathlib import Path

import click

import curation
from curation.cli.options import formats, json_option
from curation.cli.terminal import echo, print_json
from curation.rendering.words import many

__all__ = ["import_listings"]


@click.command(
    "import-listings",
    epilog="Example: curate import-listings sql postgresql://me@db/shop --query 'SELECT id, image, label FROM ads'",
)
@click.argument("format", metavar="FORMAT", shell_complete=formats(reads=False))
@click.argument("source", metavar="SOURCE")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default="listings.parquet",
    show_default=True,
    metavar="FILE",
    help="The table. That of an earlier import is replaced.",
)
@click.option("--query", metavar="SQL", help="With sql: a SELECT of the listings. Nothing that it changes is kept.")
@click.option(
    "--label-field",
    metavar="NAME",
    help="With fiftyone: the field with the labels. [default: ground_truth, or the only one with classes]",
)
@json_option
def import_listings(
    format: str, source: str, output: Path, query: str | None, label_field: str | None, as_json: bool
) -> None:
    """Take listings from another tool into a table for the other commands.

    FORMAT is sql, and SOURCE the URL of a database for SQLAlchemy; a password is better kept out of it, e.g. in
    PGPASSWORD or ~/.pgpass. That needs pip install 'curate-listings[sql]'. Or FORMAT is fiftyone, and SOURCE the name
    of a dataset of your own.
    """
    imported = curation.import_listings(format, source, output=output, query=query, label_field=label_field)
    if as_json:
        print_json(imported.to_dict())
        return
    echo(f"{imported.file}: {many(imported.listings, 'listing')} with {', '.join(imported.columns)}")
    for note in imported.notes:
        echo(note)
    echo(f"Next: curate find-issues {click.format_filename(imported.file)}")
