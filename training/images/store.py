"""The decoded photos of N rows, read a batch at a time, and checked the first time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import CurateError
from training.images.decoding import Pixels
from training.images.shards import Shard, ShardIndex, WrittenIndex, checksum_of, is_shard
from training.utils.array_files import Rows, open_arrays
from training.utils.arrays import Bool, Int64
from training.utils.files import DamagedError, NotReadableError, whole_file
from training.utils.units import home_as_tilde

__all__ = ["PhotoStore", "PhotosMissingError", "photos_missing"]

# every open shard costs a file descriptor, of which a process may have 256 (macOS) or 1,024 (Linux)
_OPEN_SHARDS = 128


class PhotosMissingError(CurateError):
    """Decoded photos were deleted; they can be decoded again from their files."""


def photos_missing(folder: Path) -> PhotosMissingError:
    """Return the error that decoded photos are missing from `folder`."""
    # not in the error's constructor: an error that crosses processes is made again from its message
    return PhotosMissingError(
        f"decoded photos are missing from {home_as_tilde(folder)}, or damaged: the cache was cleared, or trimmed for "
        "another run, or its files were changed. "
        "Give the same command again to decode them again."
    )


class PhotoStore:
    """The decoded photos of N rows, indexed like an array of uint8 with shape (N, S, S, 3).

    Shards are opened, and their pixels read, on first use. A copy in another process (pickle) opens them itself.

    Parameters
    ----------
    files : sequence of Path
        The pixel files of the shards.
    shard : ndarray of int32, shape (N,)
        Index into `files` for each row; -1 for a row without a readable photo, whose pixels are zeros.
    slot : ndarray of int32, shape (N,)
        Position in the shard.
    size : int
        S.
    """

    def __init__(
        self, files: Sequence[Path], shard: npt.NDArray[np.int32], slot: npt.NDArray[np.int32], size: int
    ) -> None:
        used = np.unique(shard[shard >= 0])
        self.files = [files[number] for number in used]
        self._shard = np.where(shard < 0, -1, np.searchsorted(used, shard)).astype(np.int32)
        self._slot, self._size = slot, size
        self._numbers, self._checked = np.arange(len(shard)), shard < 0
        self._opened = lru_cache(_OPEN_SHARDS)(_open)
        self._indexed = lru_cache(_OPEN_SHARDS)(_index_of)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, S, S, 3)."""
        return len(self._shard), self._size, self._size, 3

    def __len__(self) -> int:
        return len(self._shard)

    def __getitem__(self, rows: Int64 | Bool | slice | int, /) -> Pixels:
        """Return the photos of `rows` as a new array of uint8, shape (n, S, S, 3); of one row, shape (S, S, 3)."""
        shard, slot = np.atleast_1d(self._shard[rows]), np.atleast_1d(self._slot[rows])
        photos: Pixels = np.zeros((len(shard), *self.shape[1:]), dtype=np.uint8)
        for number in np.unique(shard[shard >= 0]):
            places = np.flatnonzero(shard == number)
            pixels = self._opened(self.files[number])
            if (pixels.shape[1:], pixels.dtype) != (photos.shape[1:], photos.dtype):
                raise photos_missing(self.files[number].parent)
            try:
                photos[places] = pixels[slot[places].astype(np.int64)]
            except (IndexError, ValueError, OSError):
                raise photos_missing(self.files[number].parent) from None
        self._check(np.atleast_1d(self._numbers[rows]), photos)
        return photos[0] if np.ndim(self._shard[rows]) == 0 else photos

    def _check(self, rows: Int64, photos: Pixels) -> None:
        """Compare photos, when they are read for the first time, with their checksums, where there are any."""
        for place in np.flatnonzero(~self._checked[rows]):
            row = rows[place]
            file, slot = self.files[self._shard[row]], self._slot[row]
            index = self._indexed(file)
            if index is not None and [checksum_of(photos[place])] != index.crc32[slot : slot + 1].tolist():
                Shard(file).discard()
                raise photos_missing(file.parent)
            self._checked[row] = True

    def part(self, rows: Int64) -> PhotoStore:
        """Return a store of some rows alone, which are 0, 1, … there."""
        return PhotoStore(self.files, self._shard[rows], self._slot[rows], self._size)

    def index(self, rows: Int64) -> ShardIndex | None:
        """Return hashes and sides of the originals of `rows`, all with a photo; None if a shard has lost them."""
        shard, slot = self._shard[rows], self._slot[rows]
        sha256, sides = np.empty((len(rows), 32), np.uint8), np.empty((len(rows), 2), np.int64)
        for number in np.unique(shard):
            index, places = self._indexed(self.files[number]), np.flatnonzero(shard == number)
            if index is None or slot[places].max() >= len(index.sha256):
                return None
            sha256[places], sides[places] = index.sha256[slot[places]], index.sides[slot[places]]
        return ShardIndex(sha256, sides)

    def __reduce__(self) -> tuple[Any, ...]:
        return PhotoStore, (self.files, self._shard, self._slot, self._size)

    @classmethod
    def joined(cls, stores: Sequence[PhotoStore], which: Int64, row: Int64) -> PhotoStore:
        """Return a store of photos that are in several ones of the same size.

        Parameters
        ----------
        stores : sequence of PhotoStore
            At least one.
        which, row : ndarray of int64, shape (N,)
            For each photo, the store that it is in, and its row there.
        """
        starts = np.cumsum([0, *(len(store.files) for store in stores)])
        shard, slot = np.full(len(which), -1, dtype=np.int32), np.zeros(len(which), dtype=np.int32)
        for number, store in enumerate(stores):
            places = np.flatnonzero(which == number)
            own = store._shard[row[places]]
            shard[places] = np.where(own < 0, -1, own + starts[number])
            slot[places] = store._slot[row[places]]
        return cls([file for store in stores for file in store.files], shard, slot, stores[0].shape[1])

    def touch(self) -> bool:
        """Mark all shards as used; return whether all of them exist."""
        for path in self.files:
            Shard(path).touch()
        return all(path.is_file() for path in self.files)

    def save(self, path: Path) -> None:
        """Write where each row is, so that :meth:`load` opens the same photos again."""
        folder = path.resolve().parent
        names = [str(_relative(file.resolve(), folder)) for file in self.files]
        with whole_file(path) as temporary:
            np.savez_compressed(
                temporary,
                files=np.array(names, dtype=np.str_),
                shard=self._shard,
                slot=self._slot,
                size=np.array(self._size),
            )

    @classmethod
    def load(cls, path: Path) -> PhotoStore:
        """Open what :meth:`save` wrote.

        Raises
        ------
        PhotosMissingError
            If a shard was deleted since then, or `path` is damaged.
        FileNotFoundError
            If there is no such file.
        """
        try:
            with open_arrays(path) as content:
                names, shard, slot = content["files"].tolist(), content["shard"], content["slot"]
                size = int(content["size"])
            # whoever wrote the file may name others, which are neither read nor touched
            fits = (
                all(is_shard(name) for name in names)
                and shard.shape == slot.shape == (len(shard),)
                and shard.dtype == slot.dtype == np.int32
            )
            if not fits or not ((shard >= -1) & (shard < len(names)) & (slot >= 0)).all() or size < 1:
                raise ValueError
            store = cls([path.resolve().parent / name for name in names], shard, slot, size)
        except (ValueError, KeyError, TypeError, OverflowError):
            raise photos_missing(path) from None
        if not store.touch():
            raise photos_missing(next((file for file in store.files if not file.is_file()), path).parent)
        return store


def _index_of(path: Path) -> WrittenIndex | None:
    return Shard(path).read_index()


def _open(path: Path) -> Rows:
    try:
        return Rows(path)
    except (FileNotFoundError, DamagedError, NotReadableError):
        raise photos_missing(path.parent) from None


def _relative(file: Path, folder: Path) -> Path:
    # photos in the run's own folder move with it
    return file.relative_to(folder) if file.is_relative_to(folder) else file
