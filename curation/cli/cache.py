"""`curate cache`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from curation.cli.options import cache_option, json_option
from curation.cli.terminal import print_json, print_table
from curation.errors import InputError
from training.images.cache import PhotoCache, default_cache
from training.utils.units import bytes_text, home_as_tilde, parse_bytes

__all__ = ["cache"]


@click.command(epilog="Example: curate cache --limit 5GB")
@cache_option
@click.option("--limit", metavar="SIZE", help="Delete down to this size, e.g. 5GB, the least recently used first.")
@click.option("--clear", is_flag=True, help="Delete everything in it.")
@json_option
def cache(cache_dir: Path | None, limit: str | None, clear: bool, as_json: bool) -> None:
    """Show the photo cache, or make room in it.

    Runs share their decoded photos and the text that was read in them. Deleting them loses nothing: a run that needs
    its photos decodes the originals again. New runs keep the cache below 20 GB, or below the environment variable
    CURATE_CACHE_LIMIT; --limit makes room once.
    """
    found = default_cache(cache_dir)
    if found.folder.exists() and not found.folder.is_dir():
        raise InputError(f"{found.folder} is not a folder", fix="Name another with --cache-dir.")
    if clear and limit is not None:
        raise InputError("--limit has no effect with --clear: everything is deleted", fix="Leave one of them out.")
    freed = None
    if clear:
        freed = found.clear()
    elif limit is not None:
        freed = PhotoCache(found.folder, parse_bytes(limit, "--limit")).trim()
    state = _state(found)
    if as_json:
        print_json(state if freed is None else {**state, "freed": freed})
        return
    if freed is not None:
        click.echo(f"{bytes_text(freed)} freed")
    _print(state)


def _state(cache: PhotoCache) -> dict[str, Any]:
    return {
        "folder": str(cache.folder),
        "bytes": cache.used(),
        "limit": cache.limit,
        "sizes": [
            {
                "size": size,
                "photos": sum(shard.photos() for shard in shards),
                "bytes": sum(shard.bytes() for shard in shards),
            }
            for size, shards in cache.sizes().items()
            if shards
        ],
    }


def _print(state: dict[str, Any]) -> None:
    held, limit = bytes_text(state["bytes"]), bytes_text(state["limit"])
    title = f"{home_as_tilde(Path(state['folder']))} holds {held} of at most {limit}"
    if not state["sizes"]:
        click.echo(title)
        return
    rows = [
        (f"{row['size']} × {row['size']}", f"{row['photos']:,}", bytes_text(row["bytes"])) for row in state["sizes"]
    ]
    print_table(title, ["image size", "photos", "room"], rows, right=[0, 1, 2])
