"""From the checked table to listings that can be trained on: photos decoded, test set and folds fixed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import RunError, some
from curation.evidence.readable import require_readable
from curation.listings import Listings
from curation.listings.columns import class_numbers, groups_of
from curation.listings.limits import ALLOW_BAD
from curation.listings.splits import TEST_SHARE
from curation.photos.facts import photos_file, store_of, with_photo_facts
from curation.run.folder import RunFolder
from training.crossval.folds import assign_folds, choose_test
from training.engine.contract import LOCAL, Engine
from training.images import PhotoFacts
from training.images.cache import PhotoCache
from training.images.store import PhotosMissingError, PhotoStore
from training.utils.arrays import Int64
from training.utils.files import photo_path
from training.utils.noise import noise_to
from training.utils.progress import Reporter

__all__ = ["open_photos", "prepare", "require_photos", "trim_cache"]


def prepare(
    run: RunFolder,
    listings: Listings,
    *,
    image_size: int,
    seed: int,
    folds: int | Int64,
    cache: PhotoCache,
    reporter: Reporter,
    text: bool,
    engine: Engine = LOCAL,
) -> pd.DataFrame:
    """Decode the photos, fix the test set and the folds, and write ``listings.parquet``; or read what is there.

    Parameters
    ----------
    run : RunFolder
        Gets ``listings.parquet`` and the list of its decoded photos.
    listings : Listings
        The checked table.
    image_size : int
        Side of the decoded photos in pixels.
    seed : int
        Seed of the test set and the folds.
    folds : int or ndarray of int64, shape (N,)
        How many folds to make, or the folds there are already, in the order of the ids.
    cache : PhotoCache
        Where decoded photos are looked up and kept.
    reporter : Reporter
        Shows messages and progress.
    text : bool
        Whether text is looked for in photos.
    engine : Engine
        Where photos are read and decoded.

    Returns
    -------
    DataFrame
        The table ordered by id, so that nothing that is computed from it depends on the order of the input, with
        ``training_row`` (the number of the row in that order, and in all arrays below ``training/``), ``split``,
        ``fold``, and the facts about each photo: ``sha256``, ``width``, ``height``, ``unreadable`` (why), ``detail``
        (see :class:`curation.photos.near_duplicates.SimilarPhotos`), ``near_group`` (a number for every group of
        listings with nearly the same photo; NA where alone), ``near_likeness`` (of the most alike other photo of the
        group, 1 for an equal one; NA where alone), ``text_share`` and ``text`` (see
        :class:`curation.photos.text.TextFinder`; NA if text was not searched).
    """
    if run.listings_file.exists():
        return run.training_table()
    order = np.argsort(listings.table["id"].to_numpy(dtype=np.str_), kind="stable")
    rows = listings.raw.called(listings.raw.table.index[order])
    listings = replace(listings, table=listings.table.iloc[order].reset_index(drop=True))
    with noise_to(run.log_file):
        table = with_photo_facts(
            run.training_folder,
            listings,
            image_size,
            cache,
            reporter,
            text=text,
            engine=engine,
            require=lambda facts: require_readable(run, listings, facts, rows),
        )
    groups = groups_of(table)
    strata = class_numbers(table["label"], listings.classes)
    if not (table["split"] == "test").any():
        enough = len(np.unique(groups)) >= round(1 / TEST_SHARE)
        test = choose_test(strata, groups, share=TEST_SHARE, seed=seed) if enough else np.zeros(len(table), dtype=bool)
        if enough and table["split"].notna().any():
            reporter.say(f"No listing is marked as test, so about {TEST_SHARE:.0%} of them are drawn as the test set.")
        table["split"] = pd.array(np.where(test, "test", "train"), dtype="string")
    else:
        table["split"] = table["split"].fillna("train")
    table["fold"] = assign_folds(strata, groups, folds=folds, seed=seed) if isinstance(folds, int) else folds
    table["training_row"] = np.arange(len(table))
    hashes = "\n".join(table["sha256"].fillna(""))
    allowed = listings.limits.allow_bad
    run.update(
        image_size=image_size,
        **({"allow_bad": allowed} if allowed != ALLOW_BAD else {}),
        sha256={"table": listings.sha256, "images": hashlib.sha256(hashes.encode()).hexdigest()},
    )
    run.write_table(run.listings_file, table.iloc[np.argsort(order)])
    return table


def open_photos(run: RunFolder, cache: PhotoCache, reporter: Reporter, engine: Engine = LOCAL) -> PhotoStore:
    """Open the decoded photos of a run; where the cache no longer has them, decode the originals again.

    Parameters
    ----------
    run : RunFolder
        With ``listings.parquet``.
    cache : PhotoCache
        Where photos that are decoded again are kept.
    reporter : Reporter
        Shows messages and progress.
    engine : Engine
        Where photos are decoded again.

    Returns
    -------
    PhotoStore
        In the order of :meth:`curation.run.folder.RunFolder.training_table`; rows of unreadable photos are zeros and
        must not be used.

    Raises
    ------
    RunError
        If the run has no photos, or an original that has to be read again is no longer what it was.
    """
    table = run.training_table()
    require_photos(run, table)
    try:
        return PhotoStore.load(photos_file(run.training_folder))
    except (FileNotFoundError, PhotosMissingError):
        reporter.say("the decoded photos of this run are missing; they are read again")
    readable = table["unreadable"].isna()
    paths = [
        photo_path(run.photo_root, image) if sound else None
        for image, sound in zip(table["image"], readable, strict=True)
    ]
    with noise_to(run.log_file):
        size = run.record()["image_size"]
        store, facts = store_of(
            run.training_folder, paths, size, cache, reporter, max_bytes=run.photo_bytes, engine=engine
        )
    _require_unchanged(run, table[readable], [fact for fact, sound in zip(facts, readable, strict=True) if sound])
    store.save(photos_file(run.training_folder))
    return store


def trim_cache(run: RunFolder, cache: PhotoCache) -> None:
    """Delete what was used least recently of a cache that is over its limit, but for the decoded photos of a run.

    Parameters
    ----------
    run : RunFolder
        The run, perhaps without photos.
    cache : PhotoCache
        What the run added to.
    """
    files: Sequence[Path] = ()
    # without them there is nothing to keep
    with suppress(FileNotFoundError, PhotosMissingError):
        files = PhotoStore.load(photos_file(run.training_folder)).files
    cache.trim(keep=files)


def require_photos(run: RunFolder, table: pd.DataFrame) -> None:
    """Refuse a run whose listings have no photo: nothing can be trained on it.

    Parameters
    ----------
    run : RunFolder
        The run, for the message.
    table : DataFrame
        Its listings, with ``sha256``.

    Raises
    ------
    RunError
        If so.
    """
    if table["sha256"].isna().all():
        raise RunError(
            f"{run.folder} has no photos to train on", fix="Run find-issues on a dataset with an image column."
        )


def _require_unchanged(run: RunFolder, table: pd.DataFrame, facts: Sequence[PhotoFacts]) -> None:
    """Refuse photos that are not those of the run: its issues and decisions are about the old ones."""
    different = [
        f"{id} ({fact.error or 'another photo'})"
        for id, sha256, fact in zip(table["id"], table["sha256"], facts, strict=True)
        if fact.error or fact.sha256 != sha256
    ]
    if different:
        raise RunError(
            f"photos of {run.folder} changed after the run had read them",
            got=some(different),
            wanted=f"the files as they were, below {run.photo_root}",
            fix="Put them back, say where they are with `photos='FOLDER'`, or start a new run with "
            "`find_issues(listings)`.",
        )
