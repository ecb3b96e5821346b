"""Whether the samples of the App are still as the review wrote them.

What a reviewer decides rests on what the App shows, and the App shows its database. Another program may have changed
that: then a click on one listing could decide on another one, or accept a label that nobody suggested. So every sample
is compared with the run before a decision on it is recorded.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from curation.errors import ReviewError, some
from curation.rendering.words import agree, many
from curation.review.app.mirror import listings_of
from curation.review.app.samples import values_of_samples
from curation.review.app.thumbnails import copies_of
from curation.review.table import review_table
from curation.run.folder import RunFolder

__all__ = ["changed_outside", "check_as_written"]

# what identifies a listing, and what the App offers to decide by a single click
_FIELDS = (
    "listing_id",
    "filepath",
    "original_label",
    "suggested.label",
    "suggested_price",
    "price",
    "title",
    "reasons",
    "near_duplicate_group",
)


def check_as_written(dataset: Any, run: RunFolder, samples: Collection[str]) -> None:
    """Check that samples are as the review wrote them.

    Parameters
    ----------
    dataset : fiftyone.Dataset
    run : RunFolder
    samples : collection of str
        FiftyOne's ids of the samples.

    Raises
    ------
    ReviewError
        If not.
    """
    if changed := changed_outside(dataset, run, samples):
        was = agree(len(changed), "was", "were")
        raise ReviewError(
            f"nothing was recorded: {many(len(changed), 'listing')} {was} changed in FiftyOne's database by another "
            f"program: {some(changed)}. Stop the review and open it again; it then shows what the run has"
        )


def changed_outside(dataset: Any, run: RunFolder, samples: Collection[str] | None = None) -> list[str]:
    """Return the listings whose samples are not as the review wrote them.

    Parameters
    ----------
    dataset, run
        As for :func:`check_as_written`.
    samples : collection of str, optional
        FiftyOne's ids of the samples; by default all.
    """
    written = _written(run, run.issues_file.stat().st_mtime_ns, listings_of(dataset, run))
    view = dataset if samples is None else dataset.select(list(samples))
    return [
        str(listing)
        for listing, file, *others in zip(*view.values(list(_FIELDS)), strict=True)
        if written.get(listing) != (listing, _path(file), *others)
    ]


@lru_cache(maxsize=2)
def _written(run: RunFolder, _changed: int, only: frozenset[str] | None) -> dict[str, tuple[Any, ...]]:
    rows = {}
    for values in values_of_samples(review_table(run, only), [], copies_of(run)):
        values["suggested.label"] = values.get("suggested", {}).get("label")
        listing, file, *others = (values.get(field) for field in _FIELDS)
        rows[str(listing)] = (listing, _path(file), *others)
    return rows


def _path(file: Any) -> str:
    # FiftyOne writes the path of the first sample in its own way
    return os.path.normpath(str(file))
