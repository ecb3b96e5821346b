"""The facts about each photo of a table: content, size, damage, reposts, detail and text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.listings import Listings
from curation.listings.fetch import why_not_fetched
from curation.photos.near_duplicates import BLANK, find_similar, kept_small
from curation.photos.text import TextFinder
from curation.photos.text_cache import PhotoText
from training.engine.contract import LOCAL, Engine
from training.images import PhotoFacts, Pixels
from training.images.cache import PhotoCache
from training.images.ingest import Look, store_photos
from training.images.reading import photo_content
from training.images.store import PhotoStore
from training.utils.arrays import Int64
from training.utils.blocks import row_blocks
from training.utils.files import NotReadableError, photo_path, whole_file
from training.utils.progress import Reporter

__all__ = ["by_smallest_id", "photos_file", "save_small", "small_file", "store_of", "with_photo_facts"]


_DTYPES: dict[str, Any] = {
    "sha256": "string",
    "width": "Int64",
    "height": "Int64",
    "unreadable": "string",
    "detail": "Float64",
    "near_group": "Int64",
    "near_likeness": "Float64",
    "text_share": "Float64",
    "text": "string",
}


def photos_file(folder: Path) -> Path:
    """Return the file that says where the decoded photo of each row of ``listings.parquet`` is."""
    return folder / "photos.npz"


def small_file(folder: Path) -> Path:
    """Return the file of the photos as they are hashed."""
    return folder / "small.npy"


def with_photo_facts(
    folder: Path,
    listings: Listings,
    size: int,
    cache: PhotoCache,
    reporter: Reporter,
    *,
    text: bool,
    engine: Engine,
    require: Callable[[list[PhotoFacts]], None],
) -> pd.DataFrame:
    """Add the facts about each photo; all of them are NA if no listing names a photo.

    Parameters
    ----------
    folder : Path
        Gets the list of the decoded photos.
    listings : Listings
        The checked table.
    size : int
        Side of the decoded photos in pixels.
    cache : PhotoCache
        Keeps decoded photos, small ones to compare, and the text in them.
    reporter : Reporter
        Shows messages and progress.
    text : bool
        Whether to look for text.
    engine : Engine
        Where photos are read, decoded and looked at.
    require : callable
        Gets the facts of all photos once they are read, and refuses them by an error.

    Returns
    -------
    DataFrame
        The table and the columns that :func:`curation.evidence.split.prepare` names.
    """
    table = listings.table.copy()
    if table["image"].isna().all():
        # one column of each type, which all share: nine would be 80 MB for a million listings
        empty = {dtype: pd.Series(pd.NA, table.index, dtype) for dtype in set(_DTYPES.values())}
        return table.assign(**{name: empty[dtype] for name, dtype in _DTYPES.items()})
    root = listings.source.root
    paths = [None if pd.isna(image) else photo_path(root, image) for image in table["image"]]
    with TextFinder(cache, reporter=reporter) if text else nullcontext() as finder:
        most = listings.limits.photo_bytes
        store, facts = store_of(folder, paths, size, cache, reporter, finder, max_bytes=most, engine=engine)
        if finder:
            _look_again(finder, paths, facts, most)
    require(facts)
    store.save(photos_file(folder))
    not_fetched = why_not_fetched(listings.problems)
    for name in ("sha256", "width", "height", "unreadable"):
        values = [fact.error if name == "unreadable" else getattr(fact, name) for fact in facts]
        if name == "unreadable" and not_fetched:
            values = [not_fetched.get(id, error) for id, error in zip(table["id"], values, strict=True)]
        table[name] = pd.array(values, dtype=_DTYPES[name])
    table = _with_near_groups(table, store, small_file(folder), cache, engine, reporter)
    texts = [finder.text_of(fact.sha256) if finder and not fact.error else PhotoText() for fact in facts]
    return table.assign(
        text_share=pd.array([text.share for text in texts], dtype="Float64"),
        text=pd.array([text.words for text in texts], dtype="string"),
    )


def _look_again(finder: TextFinder, paths: Sequence[Path | None], facts: Sequence[PhotoFacts], max_bytes: int) -> None:
    """Look at photos that other processes looked at without being able to keep what they saw, e.g. on a full disk."""
    finder.refresh()
    for path, fact in zip(paths, facts, strict=True):
        if path is None or fact.sha256 is None or fact.width is None or fact.height is None:
            continue
        if finder.lacks(fact.sha256, (fact.width, fact.height)):
            # one that has gone meanwhile has no text
            with suppress(OSError, NotReadableError), photo_content(path, max_bytes) as content:
                finder(content, fact.sha256, (fact.width, fact.height))


def _with_near_groups(
    table: pd.DataFrame, store: PhotoStore, small: Path, cache: PhotoCache, engine: Engine, reporter: Reporter
) -> pd.DataFrame:
    """Add ``detail``, ``near_group``, numbered in the order of each group's smallest id, and ``near_likeness``."""
    content = table["sha256"].where(table["unreadable"].isna())
    codes = pd.factorize(content)[0]
    readable = codes >= 0
    # each content is compared once, however many listings share it
    distinct, first = np.unique(codes[readable], return_index=True)
    rows = np.flatnonzero(readable)[first]
    kept = kept_small(cache, store.shape[1], reporter)
    similar = find_similar(store, rows, kept=kept, engine=engine, folder=small.parent, reporter=reporter)
    save_small(small, similar.small, codes)
    group, likeness = np.full(len(table), -1, dtype=np.int64), np.zeros(len(table))
    # listings with equal files are a group even if no other photo is similar
    numbers = np.where(similar.group >= 0, similar.group, len(rows) + distinct)
    group[readable], likeness[readable] = numbers[codes[readable]], similar.likeness[codes[readable]]
    likeness[readable & content.duplicated(keep=False).to_numpy()] = 1
    detail = pd.Series(pd.NA, index=table.index, dtype="Float64")
    detail[readable] = similar.detail[codes[readable]].astype(np.float64)
    # equal files of one colour are no reposts of each other
    alone = pd.Series(likeness == 0, index=table.index) | (detail < BLANK).fillna(False)
    return table.assign(
        detail=detail,
        near_group=by_smallest_id(pd.Series(group, index=table.index).mask(alone), table["id"]),
        near_likeness=pd.Series(likeness, index=table.index).mask(alone).astype("Float64"),
    )


def save_small(file: Path, small: Pixels, rows: Int64) -> None:
    """Keep photos as they are hashed, so that a later run finds reposts of them.

    Parameters
    ----------
    file : Path
        Of :func:`small_file`.
    small : ndarray of uint8, shape (n, 16, 16, 3)
        The photos.
    rows : ndarray of int64, shape (N,)
        Which of them each listing has; -1 for none, which is black.
    """
    shown = small if len(small) else np.zeros((1, *small.shape[1:]), dtype=np.uint8)
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(rows), *small.shape[1:])}
    with whole_file(file) as temporary, temporary.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        # a block at a time: all of them once more would take 1 kB of memory for each
        for block in row_blocks(len(rows)):
            own = shown[rows[block]]
            own[rows[block] < 0] = 0
            stream.write(own.tobytes())


def by_smallest_id(groups: pd.Series, ids: pd.Series) -> pd.Series:
    """Return the groups numbered from 0 in the order of their smallest id; the order of rows does not matter.

    Parameters
    ----------
    groups : Series, length N
        NA for a listing without one.
    ids : Series of str, length N
        With the same index.
    """
    smallest = ids.astype(str).groupby(groups).transform("min")
    return smallest.rank(method="dense").sub(1).astype("Int64")


def store_of(
    folder: Path,
    paths: Sequence[Path | None],
    size: int,
    cache: PhotoCache,
    reporter: Reporter,
    look: Look | None = None,
    *,
    max_bytes: int,
    engine: Engine = LOCAL,
) -> tuple[PhotoStore, list[PhotoFacts]]:
    """Load the decoded photos from the cache, or decode and cache them; also return the facts about each.

    Parameters as of :func:`training.images.ingest.store_photos`; photos that the cache can't hold go below `folder`.
    """
    return store_photos(
        paths,
        size=size,
        cache=cache,
        spare=folder / "photos",
        look=look,
        max_bytes=max_bytes,
        engine=engine,
        reporter=reporter,
    )
