"""Shards: decoded photos in pairs of files that are written once and never change.

A shard is ``<name>.npy`` with the pixels, written first, and ``<name>.npz``, the index: pixels without an index do not
count. So a killed process loses at most the shard that it was filling, and any number of processes may read, add and
delete at once without a lock: a file that one of them has open stays readable after another deletes it (POSIX
unlink).

The index has a checksum of each photo's pixels, and is protected by those of its archive. A shard with a photo that
does not have its checksum is deleted when that is read.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import uuid
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.images.decoding import RECIPE, Pixels
from training.utils.array_files import Rows, open_arrays
from training.utils.arrays import Int64
from training.utils.files import NotReadableError, whole_file

__all__ = [
    "CachedPhotos",
    "Shard",
    "ShardIndex",
    "WrittenIndex",
    "bytes_of",
    "checksum_of",
    "delete",
    "files_in",
    "is_shard",
    "shards_in",
    "used_at",
    "write_shard",
]

_PIXELS = re.compile(r"[0-9a-f]{32}\.npy")
# what reading a damaged or missing file can raise
_DAMAGED = (OSError, ValueError, KeyError, TypeError, NotReadableError)
# each costs a file descriptor, beside those of the stores
_OPEN_SHARDS = 32


@dataclass(frozen=True)
class ShardIndex:
    """The photos of a shard.

    Attributes
    ----------
    sha256 : ndarray of uint8, shape (n, 32)
        Hash of each photo's file.
    sides : ndarray of int64, shape (n, 2)
        Width and height of each original after turning it upright, in pixels.
    """

    sha256: Pixels
    sides: Int64


@dataclass(frozen=True)
class WrittenIndex(ShardIndex):
    """The photos of a shard, as they were written.

    Attributes
    ----------
    crc32 : ndarray of uint32, shape (n,)
        :func:`checksum_of` each photo's pixels, or of its features.
    """

    crc32: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Shard:
    """One pair of files of the cache.

    Attributes
    ----------
    pixels : Path
        ``.npy``: uint8, shape (n, S, S, 3); or what else was made of them, see :class:`training.images.kept.Kept`.
    """

    pixels: Path

    @property
    def index(self) -> Path:
        """``.npz``: its photos. The shard was last used when this file was last modified."""
        return self.pixels.with_suffix(".npz")

    def read_index(self, recipe: str = RECIPE) -> WrittenIndex | None:
        """Return the photos of the shard; None if it is damaged, missing, without checksums or decoded otherwise."""
        try:
            with open_arrays(self.index) as content:
                index = WrittenIndex(content["sha256"], content["sides"].astype(np.int64), content["crc32"])
                whole = self.pixels.stat().st_size >= int(content["bytes"])
                return index if whole and str(content["recipe"]) == recipe else None
        except _DAMAGED:
            return None

    def photos(self) -> int:
        """Return the number of photos, in whatever way they were decoded."""
        try:
            with open_arrays(self.index) as content:
                return len(content["sha256"])
        except _DAMAGED:
            return 0

    def bytes(self) -> int:
        """Return the size of both files."""
        return bytes_of(self.pixels) + bytes_of(self.index)

    def touch(self) -> None:
        """Mark the shard as used, unless the cache is read-only."""
        with contextlib.suppress(OSError):
            os.utime(self.index)

    def remove(self) -> None:
        """Delete the shard, its index first: pixels without an index are never used."""
        delete(self.index)
        delete(self.pixels)

    def discard(self) -> None:
        """Delete the shard, which is damaged, unless the cache is read-only."""
        with contextlib.suppress(OSError):
            self.remove()


def checksum_of(photo: npt.NDArray[Any]) -> int:
    """Return the CRC-32 of an array's type, shape and content."""
    described = zlib.crc32(f"{photo.dtype.str} {photo.shape}".encode())
    return zlib.crc32(np.ascontiguousarray(photo).data, described)


def write_shard(folder: Path, index: ShardIndex, pixels: npt.NDArray[Any]) -> Shard:
    """Write a shard to `folder`, completely or not at all.

    Parameters
    ----------
    folder : Path
        Folder of all shards.
    index : ShardIndex
        Its photos.
    pixels : ndarray of uint8, shape (n, S, S, 3)
        Their pixels; or what else was made of them, such as features of float32, shape (n, W).

    Raises
    ------
    OSError
        If the folder can't be made or written, or the disk is full.
    """
    # a new name each time: one name never stands for different pixels
    shard = Shard(folder / f"{uuid.uuid4().hex}.npy")
    with whole_file(shard.pixels) as temporary, temporary.open("wb") as stream:
        # np.save would say how many bytes are missing, not that the disk is full
        np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(pixels))
        stream.write(np.ascontiguousarray(pixels).data)
        written = stream.tell()
    with whole_file(shard.index) as temporary:
        np.savez(
            temporary,
            sha256=index.sha256,
            sides=index.sides.astype(np.int32),
            crc32=np.array([checksum_of(photo) for photo in pixels], dtype=np.uint32),
            recipe=np.array(RECIPE),
            bytes=np.array(written),
        )
    return shard


def is_shard(path: str) -> bool:
    """Return whether a path has the name of a shard's pixels, as :func:`write_shard` makes them.

    Examples
    --------
    >>> is_shard("cache/0123456789abcdef0123456789abcdef.npy"), is_shard("/etc/passwd")
    (True, False)
    """
    return _PIXELS.fullmatch(Path(path).name) is not None


class CachedPhotos:
    """The photos of several shards by the hash of their file; in arrays, as a full cache holds more than a million."""

    def __init__(self, shards: Iterable[Shard]) -> None:
        sound = [(shard.pixels, index) for shard in shards if (index := shard.read_index()) is not None]
        self.paths = [path for path, _ in sound]
        self._sha256 = np.concatenate([np.zeros((0, 32), np.uint8), *(index.sha256 for _, index in sound)])
        self._sides = np.concatenate([np.zeros((0, 2), np.int64), *(index.sides for _, index in sound)])
        self._crc32 = np.concatenate([np.zeros(0, np.uint32), *(index.crc32 for _, index in sound)])
        self._opened = lru_cache(_OPEN_SHARDS)(Rows)
        self._damaged: set[int] = set()
        counts = [len(index.sha256) for _, index in sound]
        self._shard = np.repeat(np.arange(len(sound), dtype=np.int32), counts)
        self._slot = np.concatenate([np.zeros(0, np.int32), *(np.arange(count, dtype=np.int32) for count in counts)])
        keys = np.ascontiguousarray(self._sha256[:, :8]).view("<u8")[:, 0]
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def find(self, digest: bytes) -> int:
        """Return the number of the photo with this hash; -1 if there is none."""
        # looked up by the first 8 bytes; if two photos share them, the second is decoded again
        at = int(np.searchsorted(self._keys, np.frombuffer(digest, "<u8", count=1)[0]))
        if at == len(self._keys):
            return -1
        number = int(self._order[at])
        return number if self._sha256[number].tobytes() == digest else -1

    def place(self, number: int) -> tuple[int, int, Int64]:
        """Return the shard of a photo, its slot there, and the sides of its original."""
        return int(self._shard[number]), int(self._slot[number]), self._sides[number]

    def read(self, number: int) -> npt.NDArray[Any] | None:
        """Return the pixels of a photo, or its features; called by several threads.

        None if they were deleted or are damaged. A shard that is damaged is deleted where that is allowed, so that
        later runs need not find out.
        """
        shard, slot, _ = self.place(number)
        if shard in self._damaged:
            return None
        try:
            photo: npt.NDArray[Any] = self._opened(self.paths[shard])[np.array([slot])][0]
            if checksum_of(photo) == self._crc32[number]:
                return photo
        # a file that is there and can't be opened now may be sound
        except OSError:
            return None
        except (ValueError, IndexError, NotReadableError):
            pass
        self._damaged.add(shard)
        Shard(self.paths[shard]).discard()
        return None


def shards_in(folder: Path) -> list[Shard]:
    """Return the complete shards of a folder; none if it can't be read."""
    paths = (path for path in files_in(folder) if path.suffix == ".npz" and not path.name.startswith("."))
    return [Shard(path.with_suffix(".npy")) for path in paths]


def files_in(folder: Path) -> list[Path]:
    """Return the paths in a folder, sorted; none if it can't be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def delete(path: Path) -> None:
    """Delete a file of the cache, or the folder that is in its place; there may be none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def bytes_of(path: Path) -> int:
    """Return the size of a file in bytes; 0 if another process deleted it."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def used_at(path: Path) -> float:
    """Return when a file was last modified; long ago if another process deleted it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
