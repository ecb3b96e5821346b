"""Which photos are the same one, saved again, resized, slightly cropped or brightened; never compares all pairs."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from curation.photos.alignment import could_be_same, likeness
from curation.photos.hashing import (
    DIFFERENT,
    SMALL,
    Hashes,
    among_best,
    different_bits,
    meetings,
    photo_hashes,
    shrunk,
)
from curation.photos.tasks import FITTED, READ, Fitting, Shrinking
from training.engine.contract import LOCAL, Engine, Piece, Steps, Task
from training.images import Photos, Pixels
from training.images.cache import PhotoCache
from training.images.kept import Kept
from training.images.store import PhotoStore
from training.utils.arrays import Bool, Float32, Int64
from training.utils.blocks import row_blocks
from training.utils.progress import SILENT, Progress, Reporter

__all__ = ["BLANK", "KnownPhotos", "SimilarPhotos", "detail_of", "find_similar", "kept_small"]

#: Photos with less detail, see :class:`SimilarPhotos`, are blank: that two of them are equal means nothing.
#: The lowest of a good photo was 9.
BLANK = 5.0


# small photos, and pairs of them, that are in memory at a time
_BLOCK = 2048
# any two photos with less detail look alike
_DETAIL = 8.0
# least correlation of two photos at 8 x 8 pixels that are worth fitting; none of 1,000 real photos that were cropped by
# up to 3 % a side and saved again was below
_WORTH = 0.8
# most pairs of a photo that are fitted: this bounds the work if thousands look alike
_PARTNERS = 8
# count up when a change of `small_photos` changes a pixel
_VERSION = 1


#: What computes tasks.
_Computed = Callable[..., Iterator[Piece]]


@dataclass(frozen=True)
class SimilarPhotos:
    """Which photos are the same one, and how much each shows.

    Attributes
    ----------
    group : ndarray of int64, shape (N,)
        The number of each photo's group, from 0, in no particular order; -1 for a photo without one.
    likeness : ndarray of float32, shape (N,)
        Correlation with the most similar photo of the group that it was compared with, 0.94 to 1; 0 without a group.
    detail : ndarray of float32, shape (N,)
        Standard deviation of the red, green or blue of a photo's 16 x 16 pixels, whichever is largest; grey levels of
        255. 0 is a photo of one colour. Shrinking averages out the noise of a dark photo, which is no detail.
    small : ndarray of uint8, shape (N, 16, 16, 3)
        The photos as they are hashed.
    """

    group: Int64
    likeness: Float32
    detail: Float32
    small: Pixels


def kept_small(cache: PhotoCache, size: int, reporter: Reporter = SILENT) -> Kept:
    """Return the small photos that earlier runs compared, for :func:`find_similar`.

    Parameters
    ----------
    cache : PhotoCache
        Keeps them.
    size : int
        Side in pixels of the photos that they are made of.
    reporter : Reporter
        Gets a message if they can't be kept.
    """
    folder = cache.small_root / f"{size}-{SMALL}-{_VERSION}"
    return Kept(folder, (SMALL, SMALL, 3), np.uint8, what="small photos", reporter=reporter)


def find_similar(
    photos: Photos,
    rows: Int64,
    *,
    kept: Kept | None = None,
    engine: Engine = LOCAL,
    folder: Path | None = None,
    reporter: Reporter = SILENT,
) -> SimilarPhotos:
    """Group the photos of `rows` that are the same one, directly or through a chain of others.

    Candidates have nearly the same hash (:func:`curation.photos.hashing.meetings`) and no part that clearly differs
    (:func:`curation.photos.alignment.could_be_same`). They are then compared pixel by pixel
    (:func:`curation.photos.alignment.likeness`). Photos with hardly any detail are never joined. The work grows with N
    log N; memory holds 1 kB per photo and one block. The groups do not depend on the order of `rows`.

    Parameters
    ----------
    photos : Photos, shape (M, S, S, 3)
        Decoded photos.
    rows : ndarray of int64, shape (N,)
        Which of them; each content once, since a photo that many listings share need not be compared with itself.
    kept : Kept, optional
        The small photos of earlier runs, of :func:`kept_small`; gets the others.
    engine : Engine
        Where small photos are made and pairs are looked through.
    folder : Path, optional
        Where an engine with several processes hands parts over; nothing is left there.
    reporter : Reporter
        Shows the progress.

    Returns
    -------
    SimilarPhotos
        In the order of `rows`.
    """
    with reporter.bar("looking for reposts") as progress:

        def computed(task: Task, on_step: Steps = lambda units: None) -> Iterator[Piece]:
            return engine.run(task, folder=folder or Path(), on_step=on_step, reporter=reporter)

        small = _small(photos, rows, kept, computed, progress)
        detail = detail_of(small)
        detailed = _by_content(small, np.flatnonzero(detail >= _DETAIL))
        first, second = (detailed[places] for places in _worth_comparing(small, detailed))
        could = _could_be_same(small, first, second, folder and folder / "pairs", computed)
        first, second = first[could], second[could]
        group, alike = _joined(photos, rows, first, second, progress)
    return SimilarPhotos(group, alike, detail, small)


def detail_of(small: Pixels) -> Float32:
    """Return how much each photo shows, see :class:`SimilarPhotos`, shape (n,), from :func:`small_photos`."""
    detail = np.zeros(len(small), dtype=np.float32)
    for start in range(0, len(small), _BLOCK):
        block = small[start : start + _BLOCK]
        detail[start : start + _BLOCK] = block.reshape(len(block), -1, 3).astype(np.float32).std(axis=1).max(axis=1)
    return detail


@dataclass(frozen=True)
class KnownPhotos:
    """The photos of an earlier run, as far as finding them again needs them.

    Attributes
    ----------
    small : ndarray of uint8, shape (M, 16, 16, 3)
        As they are hashed.
    places : ndarray of int64, shape (m,)
        Which of them show enough to be compared.
    hashes : ndarray of uint64, shape (m,)
        Of these.
    coarse : ndarray of float16, shape (m, 192)
        Their 8 x 8 pixels, of length 1.
    """

    small: Pixels
    places: Int64
    hashes: Hashes
    coarse: npt.NDArray[np.float16]

    @classmethod
    def of(cls, small: Pixels, rows: Int64) -> KnownPhotos:
        """Return what is needed of `rows` of small photos."""
        places = rows[detail_of(small[rows]) >= _DETAIL]
        return cls(small, places, *_hashed(small, places))

    def like(self, small: Pixels) -> list[Int64]:
        """Return the known photos that each of n new ones may show, the most alike first; rows of `small`.

        Parameters
        ----------
        small : ndarray of uint8, shape (n, 16, 16, 3)
            The new ones.
        """
        found = [np.empty(0, dtype=np.int64) for _ in small]
        shown = np.flatnonzero(detail_of(small) >= _DETAIL)
        for row, own, coarse in zip(shown, *_hashed(small, shown), strict=True):
            near = np.flatnonzero(different_bits(self.hashes, own) <= DIFFERENT)
            alike = self.coarse[near].astype(np.float32) @ coarse.astype(np.float32)
            best = np.argsort(-alike, kind="stable")
            best = best[alike[best] >= _WORTH][:_PARTNERS]
            places = self.places[near[best]]
            if len(places):
                could = could_be_same(np.repeat(small[[row]], len(places), axis=0), self.small[places])
                found[row] = places[could]
        return found


def _small(photos: Photos, rows: Int64, kept: Kept | None, computed: _Computed, progress: Progress) -> Pixels:
    """Return the small photos of `rows`, which are only made where they are not kept."""
    small = np.empty((len(rows), SMALL, SMALL, 3), dtype=np.uint8)
    known = np.zeros(len(rows), dtype=np.bool_)
    hashed = photos if isinstance(photos, PhotoStore) else None
    if kept is not None and hashed is not None:
        for block in row_blocks(len(rows)):
            if (index := hashed.index(rows[block])) is not None:
                small[block], known[block] = kept.read(index)
    missing = np.flatnonzero(~known)
    done = len(rows) - len(missing)

    def on_step(units: int) -> None:
        nonlocal done
        done = min(done + units * READ, len(rows))
        # making them takes about as long as comparing
        progress(done, 2 * len(rows))

    at = 0
    for piece in computed(Shrinking(photos, rows[missing]), on_step):
        made = missing[at : at + len(piece["small"])]
        small[made] = piece["small"]
        at += len(made)
        if kept is not None and hashed is not None and (index := hashed.index(rows[made])) is not None:
            kept.add(index, small[made])
    if kept is not None:
        kept.flush()
    return small


def _by_content(small: Pixels, places: Int64) -> Int64:
    """Sort the places of photos by their content, so that the order of the rows does not matter."""
    digests = np.array([hashlib.sha256(small[place].data).digest() for place in places], dtype="S32")
    return places[np.argsort(digests, kind="stable")]


def _worth_comparing(small: Pixels, detailed: Int64) -> tuple[Int64, Int64]:
    """Return pairs of places in `detailed` whose hashes and small pixels nearly agree, most alike first."""
    hashes, coarse = _hashed(small, detailed)
    first, second = meetings(hashes)
    alike = np.empty(len(first), dtype=np.float32)
    for start in range(0, len(first), _BLOCK):
        pairs = slice(start, start + _BLOCK)
        one, other = (coarse[places[pairs]].astype(np.float32) for places in (first, second))
        alike[pairs] = np.einsum("np,np->n", one, other)
    best = np.argsort(-alike, kind="stable")
    best = best[alike[best] >= _WORTH]
    best = best[among_best(first[best], second[best], _PARTNERS)]
    return first[best], second[best]


def _could_be_same(small: Pixels, first: Int64, second: Int64, scratch: Path | None, computed: _Computed) -> Bool:
    """Return which pairs of rows of `small` are worth comparing pixel by pixel."""
    with _emptied(scratch):
        pieces = computed(Fitting(small, first, second, scratch))
        return np.concatenate([np.zeros(0, dtype=np.bool_), *(piece["could"] for piece in pieces)])


@contextmanager
def _emptied(folder: Path | None) -> Iterator[None]:
    """Delete a folder of ours before the block, as a killed process may have left it, and after it."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _hashed(small: Pixels, places: Int64) -> tuple[Hashes, npt.NDArray[np.float16]]:
    """Return the hashes of small photos, and their 8 x 8 pixels without the mean and of length 1."""
    hashes: Hashes = np.empty(len(places), dtype=np.uint64)
    coarse = np.empty((len(places), (SMALL // 2) ** 2 * 3), dtype=np.float16)
    for start in range(0, len(places), _BLOCK):
        block = small[places[start : start + _BLOCK]]
        hashes[start : start + _BLOCK] = photo_hashes(block)
        values = shrunk(block, SMALL // 2).reshape(len(block), -1)
        values -= values.mean(axis=1, keepdims=True)
        coarse[start : start + _BLOCK] = values / np.linalg.norm(values, axis=1, keepdims=True)
    return hashes, coarse


def _joined(photos: Photos, rows: Int64, first: Int64, second: Int64, progress: Progress) -> tuple[Int64, Float32]:
    """Compare the pairs, most alike first, and skip those that others have joined already."""
    count, pairs = len(rows), len(first)
    group, alike = np.arange(count), np.zeros(count, dtype=np.float32)
    edges = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, pairs, FITTED):
        one, other = first[start : start + FITTED], second[start : start + FITTED]
        apart = group[one] != group[other]
        one, other = one[apart], other[apart]
        like = likeness(photos[rows[one]], photos[rows[other]]) if len(one) else np.empty(0, dtype=np.float32)
        same = like > 0
        if same.any():
            np.maximum.at(alike, one[same], like[same])
            np.maximum.at(alike, other[same], like[same])
            edges.append(np.stack([one[same], other[same]], axis=1))
            group = _components(np.concatenate(edges), count)
        progress(count + count * min(start + FITTED, pairs) // pairs, 2 * count)
    if not pairs:
        progress(2 * count, 2 * count)
    return np.where(alike > 0, group, -1), alike


def _components(edges: Int64, count: int) -> Int64:
    graph = coo_array((np.ones(len(edges), dtype=np.int8), (edges[:, 0], edges[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
