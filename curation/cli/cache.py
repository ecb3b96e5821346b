"""`curate cache`."""

from __future__ import annotations

from pathlib import Path

import click

import curation
from curation.cli.options import cache_option, json_option
from curation.cli.terminal import echo, print_json, print_table
from training.utils.units import bytes_text, home_as_tilde

__all__ = ["cache"]


@click.command(epilog="Example: curate cache --limit 5GB")
@cache_option
@click.option("--limit", metavar="SIZE", help="Delete down to this size, e.g. 5GB, the least recently used first.")
@click.option("--clear", is_flag=True, help="Delete everything in it.")
@json_option
def cache(cache_dir: Path | None, limit: str | None, clear: bool, as_json: bool) -> None:
    """Show the photo cache, or make room in it.

    Runs share their decoded photos, the features that networks made of them and of titles, and the text that was
    read in photos. Deleting these loses nothing: a run that needs its photos decodes the originals again. New runs keep
    them below 20 GB, or below the environment variable CURATE_CACHE_LIMIT; --limit makes room once. Photos that were
    downloaded stay until --limit or --clear deletes them; then they are downloaded again.
    """
    state = curation.cache(cache_dir, limit=limit, clear=clear)
    if as_json:
        print_json(state.to_dict())
        return
    if state.freed is not None:
        echo(f"{bytes_text(state.freed)} freed")
    title = f"{home_as_tilde(state.folder)} holds {bytes_text(state.bytes)} of at most {bytes_text(state.limit)}"
    rows = [(f"{each.size} × {each.size}", f"{each.photos:,}", bytes_text(each.bytes)) for each in state.sizes]
    if state.small:
        rows.append(("for reposts", f"{state.small:,}", bytes_text(state.small_bytes)))
    if state.features:
        rows.append(("features", f"{state.features:,}", bytes_text(state.features_bytes)))
    if state.fetched:
        rows.append(("fetched", f"{state.fetched:,}", f"{bytes_text(state.fetched_bytes)}, kept beside the others"))
    if not rows:
        echo(title)
        return
    print_table(title, ["image size", "photos", "room"], rows, right=[0, 1, 2])
