"""`curate` alone: what is here, and the one command to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click

import curation
from curation.cli.spelling import spelled
from curation.cli.terminal import Terminal, echo
from curation.errors import InputError, RunError
from curation.rendering.words import agree, many

__all__ = ["say_what_is_here"]

#: Files that may be tables of listings.
_TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".json", ".xlsx")
#: Names of tables that make a folder a dataset.
_NAMES = ("dataset.toml", "listings", "metadata")
#: What curate writes is none of the datasets of its user.
_OURS = ("runs", "explore", "models", "tune")
#: Columns that are counted, and what a value of them is.
_COLUMNS = {"image": "photo", "price": "price", "title": "title"}
#: Candidates that are read, and those that are shown beside the first that can be.
_READ, _SHOWN = 4, 3


def say_what_is_here(context: click.Context, status: click.Command) -> None:
    """Say what this folder has: a run and where it stands, or a dataset; and what to type next.

    Parameters
    ----------
    context : Context
        Of the group.
    status : Command
        `curate status`.
    """
    try:
        curation.status()
    except RunError:
        _say_datasets()
    else:
        context.invoke(status)
    echo()
    echo("All commands: curate --help")


def _say_datasets() -> None:
    candidates, refused, found = list(_candidates(Path())), list[str](), list[tuple[Path, curation.Listings]]()
    for path in candidates[:_READ]:
        try:
            listings = curation.read_listings(path, strict=False, reporter=Terminal())
        except InputError as error:
            refused.append(f"{_named(path)} is no dataset yet: {spelled(str(error))}")
        else:
            found.append((path, listings))
            if not listings.faults:
                break
    if found:
        # the first that find-issues takes as it is
        path, listings = min(found, key=lambda each: bool(each[1].faults))
        _say(path, listings)
        others = [shlex.quote(str(each)) for each in candidates if each not in (path, Path())]
        if others:
            more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
            echo(f"Also here: {', '.join(others[:_SHOWN])}{more}")
        return
    # slow to import
    from curation.listings.folders import is_photo

    for line in refused:
        echo(line)
    photos = sum(is_photo(path.name) for path in Path().iterdir())
    if photos:
        echo(f"{many(photos, 'photo')} and no labels: put those of each class into a folder, or write a table of them.")
    elif not refused:
        echo("There is no dataset here, and no run.")
        echo("Go to a folder with a table of listings, or one with a folder of photos for each class, and try again.")
    echo("What a dataset is: docs/data.md. To try it on a small marketplace with planted errors: curate demo demo")


def _candidates(folder: Path) -> Iterator[Path]:
    """Yield what may be a dataset, the surest first."""
    inside = sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=lambda path: path.name)
    tables = [path for path in inside if path.is_file() and path.suffix.lower() in _TABLES]
    folders = [path for path in inside if path.is_dir() and path.name not in _OURS]
    if any(path.is_file() and _marks(path) for path in inside) or (folders and not tables):
        yield folder
    yield from (path for path in tables if not _marks(path))
    for path in folders:
        if any(each.is_file() and _marks(each) for each in path.iterdir()):
            yield path


def _marks(file: Path) -> bool:
    return file.name in _NAMES or (file.stem in _NAMES and file.suffix.lower() in _TABLES)


def _say(path: Path, listings: curation.Listings) -> None:
    table, classes = listings.table, len(listings.classes)
    counts = {word: table[name].notna().sum() for name, word in _COLUMNS.items()}
    has = ", ".join(f"{count:,} with a {word}" for word, count in counts.items() if count)
    echo(f"{_named(path)}: {many(len(table), 'listing')} in {many(classes, 'class', 'classes')}, {has}")
    faults = [spelled(str(fault)) for fault in listings.faults]
    if faults:
        echo(f"find-issues refuses {agree(len(faults), 'one thing', f'{len(faults)} things')} in it: {faults[0]}")
    echo(f"Type: {shlex.join(['curate', 'explore' if faults else 'find-issues', str(path)])}")


def _named(path: Path) -> str:
    return "This folder" if path == Path() else shlex.quote(str(path))
