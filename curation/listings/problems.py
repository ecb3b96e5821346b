"""What is wrong with a table of listings, as a person is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.errors import ListingsError
from curation.listings import Listings
from training.utils.files import whole_file
from training.utils.progress import Reporter

__all__ = ["check_expected", "dataset_facts", "report_problems", "require_trainable", "say_problems"]

#: Bad values that are said one by one.
_SAID = 10


def dataset_facts(listings: Listings, classes: tuple[str, ...] | list[str]) -> dict[str, Any]:
    """Return what ``run.json`` keeps of a dataset: its name, place, size and hash.

    Parameters
    ----------
    listings : Listings
        The dataset.
    classes : sequence of str
        Names of its classes, in the order of their numbers.
    """
    source = listings.source
    return {
        "name": source.name,
        "path": str(source.path.resolve()),
        "root": str(source.root.resolve()),
        "currency": source.currency,
        "classes": list(classes),
        "listings": len(listings.table),
        "columns": listings.columns,
        "photos": str(source.boundary.resolve()),
        "sha256": listings.sha256,
    }


def require_trainable(listings: Listings, *, photos: bool = True) -> None:
    """Refuse what models can't be trained on, before anything is made.

    Parameters
    ----------
    listings : Listings
        Perhaps read without labels or photos, or something else altogether.
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
    """Say where a dataset is not as its declaration expects it."""
    counts = {"listings": len(listings.table), "classes": len(listings.classes)}
    if test := int((listings.table["split"] == "test").sum()):
        # without a split of its own, a dataset gets another test set than its declaration knows
        counts["test"] = test
    for what, wanted in listings.source.expected.items():
        if what in counts and counts[what] != wanted:
            named = "test listings" if what == "test" else what
            reporter.say(f"warning: the declaration expects {wanted} {named}, there are {counts[what]}")


def report_problems(folder: Path, listings: Listings, reporter: Reporter) -> None:
    """Write the bad values of a table to ``problems.csv``, and say the first of them.

    Parameters
    ----------
    folder : Path
        Gets the file.
    listings : Listings
        The table and its bad values.
    reporter : Reporter
        Told the first of them.
    """
    problems = listings.problems
    if problems.empty:
        return
    with whole_file(folder / "problems.csv") as temporary:
        problems.to_csv(temporary, index=False)
    say_problems(listings, reporter, f" (all in {folder / 'problems.csv'})")


def say_problems(listings: Listings, reporter: Reporter, where: str = "") -> None:
    """Say the first bad values of a table; `where`: where all of them are."""
    problems = listings.problems
    if problems.empty:
        return
    reporter.say(f"{problems['row'].nunique()} rows have bad values, taken as missing{where}:")
    for bad in problems.head(_SAID).itertuples():
        reporter.say(f"  row {bad.row}, id {bad.id}: {bad.column} {bad.value!r} {bad.why}")
    if len(problems) > _SAID:
        reporter.say(f"  +{len(problems) - _SAID} more")
