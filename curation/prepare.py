"""From the checked table to listings that can be trained on: photos decoded, test set and folds fixed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.errors import ListingsError, some
from curation.listings import Listings
from curation.listings.checks import MAX_BAD_SHARE
from curation.runs import Run
from curation.talk import Talk
from training.folds import assign_folds, choose_test, connect
from training.photos import store_photos

__all__ = ["class_numbers", "groups_of", "photos_file", "prepare"]

Integers = npt.NDArray[np.int64]

TEST_SHARE = 0.2


def photos_file(run: Run) -> Path:
    """Return the run's decoded photos: uint8, shape (N, S, S, 3), in the order of ``listings.parquet``."""
    return run.training_folder / "photos.npy"


def prepare(
    run: Run, listings: Listings, *, image_size: int, seed: int, folds: int | Integers, talk: Talk
) -> pd.DataFrame:
    """Decode the photos, fix the test set and the folds, and write ``listings.parquet``; or read what is there.

    Parameters
    ----------
    run : Run
        Gets ``listings.parquet`` and the decoded photos.
    listings : Listings
        The checked table.
    image_size : int
        Side of the decoded photos in pixels.
    seed : int
        Seed of the test set and the folds.
    folds : int or ndarray of int64, shape (N,)
        How many folds to make, or the folds there are already.
    talk : Talk
        Who is told how far it is.

    Returns
    -------
    DataFrame
        The table with ``split``, ``fold``, and what is known of each photo: ``sha256``, ``width``, ``height``,
        ``unreadable`` (why).
    """
    if run.listings_file.exists():
        return run.listings()
    table = _with_photo_facts(run, listings, image_size, talk)
    groups = groups_of(table)
    strata = class_numbers(table["label"], listings.classes)
    if not (table["split"] == "test").any():
        enough = len(np.unique(groups)) >= round(1 / TEST_SHARE)
        test = choose_test(strata, groups, share=TEST_SHARE, seed=seed) if enough else np.zeros(len(table), dtype=bool)
        table["split"] = pd.array(np.where(test, "test", "train"), dtype="string")
    else:
        table["split"] = table["split"].fillna("train")
    table["fold"] = assign_folds(strata, groups, folds=folds, seed=seed) if isinstance(folds, int) else folds
    hashes = "\n".join(table["sha256"].fillna(""))
    run.update(
        sha256={"table": listings.sha256, "images": hashlib.sha256(hashes.encode()).hexdigest()},
    )
    run.write_table(run.listings_file, table)
    return table


def _with_photo_facts(run: Run, listings: Listings, size: int, talk: Talk) -> pd.DataFrame:
    """Add ``sha256``, ``width``, ``height`` and ``unreadable`` (why); all NA where no photo is named."""
    table = listings.table.copy()
    if table["image"].isna().all():
        missing = pd.Series(pd.NA, index=table.index)
        return table.assign(
            sha256=missing.astype("string"),
            width=missing.astype("Int64"),
            height=missing.astype("Int64"),
            unreadable=missing.astype("string"),
        )
    root = listings.source.root
    paths = [None if pd.isna(image) else root / image for image in table["image"]]
    with talk.bar("reading photos") as progress:
        facts = store_photos(paths, photos_file(run), size=size, progress=progress)
    unreadable = [fact.error for fact in facts if fact.error]
    if len(unreadable) > MAX_BAD_SHARE * len(facts):
        raise ListingsError(
            f"{len(unreadable)} of {len(facts)} photos can't be read",
            got=some(sorted(set(unreadable)), 3),
            wanted=f"at most {MAX_BAD_SHARE:.0%}",
            fix="Check that the image column names the photos of this table.",
        )
    return table.assign(
        sha256=pd.array([fact.sha256 for fact in facts], dtype="string"),
        width=pd.array([fact.width for fact in facts], dtype="Int64"),
        height=pd.array([fact.height for fact in facts], dtype="Int64"),
        unreadable=pd.array([fact.error for fact in facts], dtype="string"),
    )


def groups_of(table: pd.DataFrame) -> Integers:
    """Group what must stay on one side: the same group, or the same photo."""
    return connect(table["group"], table["sha256"])


def class_numbers(labels: pd.Series, classes: Sequence[str]) -> Integers:
    """Return the class numbers 0 to K-1 of labels; -1 for a missing one."""
    return pd.Categorical(labels, categories=list(classes)).codes.astype(np.int64)
