"""`curate explore`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

import curation
from curation.cli.dataset import DatasetForm, dataset_argument, dataset_options, dataset_words, read_dataset
from curation.cli.options import json_option
from curation.cli.spelling import spelled
from curation.cli.terminal import Terminal, echo, print_json, print_table
from curation.rendering.words import agree, many

__all__ = ["explore"]

_CLASSES = 20
_COLUMNS = 20


@click.command(epilog="Example: curate explore listings.csv --column label=category")
@dataset_argument
@dataset_options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the page and the plots: new, empty, or from an earlier explore. [default: explore/NAME]",
)
@click.option(
    "--sample", default=5000, show_default=True, help="Read the headers of at most this many photos, chosen at random."
)
@json_option
def explore(dataset: str | Path, form: DatasetForm, output: Path | None, sample: int, as_json: bool) -> None:
    """Look at the data before anything is trained.

    Shows classes, photo sizes, prices, missing values, duplicates and damaged photos, and writes a page with plots.
    Only a few photos of each class are decoded. DATASET is never modified.
    """
    reporter = Terminal()
    listings = read_dataset(dataset, form, strict=False, reporter=reporter)
    folder = output or Path("explore") / listings.source.name
    exploration = curation.explore(listings, sample=sample, output=folder, reporter=reporter)
    if as_json:
        print_json(exploration.to_dict())
    else:
        _print(exploration.findings)
        echo(f"Page: {exploration.page}")
        _print_next(exploration.findings["faults"], dataset_words(dataset, form))


def _print_next(faults: list[dict[str, Any]], words: list[str]) -> None:
    """Print the next command, as it can be pasted."""
    if not faults:
        echo(f"Next: {shlex.join(['curate', 'find-issues', *words])}")
        return
    echo()
    echo("Everything but explore refuses this dataset:")
    for number, fault in enumerate(faults, start=1):
        echo(f"{number}. {spelled(fault['fault'])}")
    echo(f"Mend {agree(len(faults), 'it', 'them')}, then look again: {shlex.join(['curate', 'explore', *words])}")


def _print(findings: dict[str, Any]) -> None:
    labels, photos = findings["labels"], findings["photos"]
    classes = labels["per_class"]
    medians = {row["class"]: row["median"] for row in (findings["prices"] or {"per_class": []})["per_class"]}
    rows = [_class_row(row, medians) for row in classes]
    if len(rows) > _CLASSES:
        half = _CLASSES // 2
        rows = [*rows[:half], (f"… {len(rows) - 2 * half:,} more", "", "", "", ""), *rows[-half:]]
    counts = f"{many(findings['listings'], 'listing')} in {many(len(classes), 'class', 'classes')}"
    title = f"{findings['dataset']['name']}: {counts}"
    if classes:
        print_table(title, ["class", "listings", "share", "median price", "needs balancing"], rows, right=[1, 2, 3])
        echo(labels["rule"])
    else:
        echo(title)
    echo()
    if photos["width"]:
        _print_photos(photos)
    missing = [
        (row["column"], f"{row['missing']:,}", f"{row['share']:.1%}") for row in findings["missing"] if row["missing"]
    ]
    if len(missing) > _COLUMNS:
        missing = [*missing[:_COLUMNS], (f"… {len(missing) - _COLUMNS:,} more", "", "")]
    if missing:
        print_table("Missing values", ["column", "listings", "share"], missing, right=[1, 2])
        echo()
    for note in findings["notes"]:
        echo(f"- {spelled(note)}")
    echo()


def _class_row(row: dict[str, Any], medians: dict[str, float | None]) -> tuple[str, ...]:
    median = medians.get(row["class"])
    price = "" if median is None else f"{median:,.2f}"
    return row["class"], f"{row['listings']:,}", f"{row['share']:.1%}", price, row["hint"]


def _print_photos(photos: dict[str, Any]) -> None:
    rows = []
    for name in ("width", "height", "aspect"):
        digits = 2 if name == "aspect" else 0
        rows.append((name, *(f"{value:,.{digits}f}" for value in photos[name].values())))
    title = f"Photos ({photos['looked_at']:,} examined)"
    print_table(title, ["", "least", "5 %", "median", "95 %", "most"], rows, right=[1, 2, 3, 4, 5])
    echo(f"Suggested input size: {photos['suggested_size']}. {photos['rule']}")
    echo()
