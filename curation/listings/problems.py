"""Messages about a table of listings, and the facts about it that a run keeps."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from curation.errors import ListingsError
from curation.listings import Listings
from curation.listings.faults import refuse_faults
from curation.listings.limits import MAX_PHOTO_MB
from curation.rendering.problems import problem_lines
from curation.rendering.words import agree, many
from training.utils.csv_files import write_csv
from training.utils.progress import Reporter

__all__ = [
    "check_expected",
    "dataset_facts",
    "report_problems",
    "require_trainable",
    "say_problems",
    "why_no_prices",
]


def dataset_facts(listings: Listings, classes: tuple[str, ...] | list[str]) -> dict[str, Any]:
    """Return the facts about a dataset for ``run.json``: its name, path, size and hash.

    Parameters
    ----------
    listings : Listings
        The dataset.
    classes : sequence of str
        Names of its classes, in the order of their numbers.
    """
    source, largest = listings.source, listings.limits.max_photo_mb
    return {
        "name": source.name,
        "path": source.url or str(source.path.resolve()),
        "root": str(source.root.resolve()),
        "currency": source.currency,
        "classes": list(classes),
        "listings": len(listings.table),
        "columns": listings.columns,
        "label_separator": source.label_separator,
        "merged": [asdict(merged) for merged in listings.merged],
        "photos": str(source.boundary.resolve()),
        "sha256": listings.sha256,
        # older runs, which have no such entry, go on
        **({"max_photo_mb": largest} if largest != MAX_PHOTO_MB else {}),
        **({"encoding": source.encoding} if source.encoding else {}),
        **({"sheet": source.sheet} if source.sheet else {}),
        **({"decimal": source.decimal} if source.decimal not in (None, ".") else {}),
    }


def why_no_prices(prices: pd.Series) -> str:
    """Return what a column `prices` holds instead of a price above 0."""
    given = int(prices.notna().sum())
    return f"{many(given, 'price')}, none above 0" if given else "no column price, or an empty one"


def require_trainable(listings: Listings, *, photos: bool = True) -> None:
    """Refuse listings that models can't be trained on, before anything is written.

    Parameters
    ----------
    listings : Listings
        The listings, perhaps read without labels or photos; or any other object.
    photos : bool
        Whether at least one listing must have a photo.

    Raises
    ------
    ListingsError
    """
    if not isinstance(listings, Listings):
        raise ListingsError(
            "the listings have not been read",
            got=type(listings).__name__,
            wanted="Listings, as curation.read_listings returns them",
            parameter="listings",
        )
    refuse_faults(listings.faults)
    if len(listings.classes) < 2:
        raise ListingsError(
            f"{listings.source.name} can't be trained on",
            got=f"the label {listings.classes[0]!r} only" if listings.classes else "no labels",
            wanted="at least two different labels",
            parameter="listings",
        )
    if photos and listings.table["image"].isna().all():
        raise ListingsError(
            f"{listings.source.name} can't be trained on",
            got="no photos",
            wanted="an image for every listing, or `probabilities`",
            parameter="listings",
        )


def check_expected(listings: Listings, reporter: Reporter) -> None:
    """Warn if a dataset has other counts than its declaration expects."""
    counts = {"listings": len(listings.table), "classes": len(listings.classes)}
    if test := int((listings.table["split"] == "test").sum()):
        # if the dataset has no split, the declaration can't know the test set
        counts["test"] = test
    for name, expected in listings.source.expected.items():
        if name in counts and counts[name] != expected:
            what = "test listings" if name == "test" else name
            reporter.say(f"warning: the declaration expects {expected} {what}, but there are {counts[name]}")


def report_problems(folder: Path, listings: Listings, reporter: Reporter) -> None:
    """Write the bad values of a table to ``problems.csv``, and report the first ones.

    Parameters
    ----------
    folder : Path
        Gets the file.
    listings : Listings
        The table and its bad values.
    reporter : Reporter
        Gets the first bad values.
    """
    if listings.problems.empty:
        # what an earlier attempt of this run found may be mended
        (folder / "problems.csv").unlink(missing_ok=True)
        return
    write_csv(folder / "problems.csv", listings.problems)
    say_problems(listings, reporter, f" (all in {folder / 'problems.csv'})")


def say_problems(listings: Listings, reporter: Reporter, where: str = "") -> None:
    """Report the bad values of a table, kind by kind; `where` says where all of them are."""
    problems = listings.problems
    if problems.empty:
        return
    rows = problems["row"].nunique()
    reporter.say(f"{many(rows, 'row')} {agree(rows, 'has', 'have')} bad values, which count as missing{where}:")
    for line in problem_lines(problems):
        reporter.say(f"  {line}")
