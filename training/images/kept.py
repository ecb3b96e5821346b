"""What was made of single photos or texts, kept in the cache by the hash of their content, for all later runs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from training.images.shards import CachedPhotos, Shard, ShardIndex, shards_in, write_shard
from training.utils.arrays import Bool, Int64
from training.utils.progress import SILENT, Reporter
from training.utils.units import home_as_tilde

__all__ = ["Hashed", "Kept"]

#: Rows in one file: a killed process loses fewer.
_IN_FILE = 1_024


class Hashed(Protocol):
    """What something is made of, such as the photos of a :class:`training.images.store.PhotoStore`."""

    def index(self, rows: Int64) -> ShardIndex | None:
        """Return the hashes of some rows; None if they are lost."""


class Kept:
    """Arrays of one shape, one for each photo or text, in shards (:mod:`training.images.shards`) of one folder.

    The folder stands for the recipe: whatever the arrays depend on, beside the content and the way photos are decoded,
    is in its name, so that a changed recipe finds nothing. What can't be read or is damaged is missing, and is made
    again; what can't be written is made again by later runs.

    Parameters
    ----------
    folder : Path
        Of the recipe; made when the first array is kept.
    shape : tuple of int
        Of one array.
    dtype : dtype
        Of its numbers.
    what : str
        What is kept, for a message.
    reporter : Reporter
        Gets a message if the folder can't be written.
    """

    def __init__(
        self, folder: Path, shape: tuple[int, ...], dtype: npt.DTypeLike, *, what: str, reporter: Reporter = SILENT
    ) -> None:
        self._folder, self._shape, self._dtype = folder, shape, np.dtype(dtype)
        self._what, self._reporter = what, reporter
        self._kept = CachedPhotos(shards_in(folder))
        self._used: set[int] = set()
        self._new: dict[bytes, tuple[Int64, npt.NDArray[Any]]] = {}
        self._writes = True
        self._lock = threading.Lock()

    def read(self, index: ShardIndex) -> tuple[npt.NDArray[Any], Bool]:
        """Return what is kept of some photos or texts; called by several threads.

        Parameters
        ----------
        index : ShardIndex
            Their hashes.

        Returns
        -------
        values : ndarray, shape (n, ...)
            Zeros where nothing is kept.
        kept : ndarray of bool, shape (n,)
            Where something is.
        """
        values = np.zeros((len(index.sha256), *self._shape), self._dtype)
        kept = np.zeros(len(values), dtype=bool)
        for row, digest in enumerate(index.sha256):
            number = self._kept.find(digest.tobytes())
            array = self._kept.read(number) if number >= 0 else None
            if array is not None and (array.shape, array.dtype) == (self._shape, self._dtype):
                values[row], kept[row] = array, True
                self._used.add(self._kept.place(number)[0])
        return values, kept

    def add(self, index: ShardIndex, values: npt.NDArray[Any]) -> None:
        """Keep new arrays; many together are written at once. Called by several threads.

        Parameters
        ----------
        index : ShardIndex
            What they were made of.
        values : ndarray, shape (n, ...)
            The arrays.
        """
        with self._lock:
            for digest, sides, array in zip(index.sha256, index.sides, values, strict=True):
                self._new[digest.tobytes()] = (sides, array)
            if len(self._new) >= _IN_FILE:
                self._write()

    def flush(self) -> None:
        """Write what is not written yet, and mark the files that were read as used."""
        with self._lock:
            self._write()
            while self._used:
                Shard(self._kept.paths[self._used.pop()]).touch()

    def _write(self) -> None:
        new, self._new = self._new, {}
        if not new or not self._writes:
            return
        sha256 = np.frombuffer(b"".join(new), dtype=np.uint8).reshape(len(new), 32)
        sides = np.stack([sides for sides, _ in new.values()])
        try:
            write_shard(self._folder, ShardIndex(sha256, sides), np.stack([array for _, array in new.values()]))
        except OSError as error:
            self._writes = False
            where, why = home_as_tilde(self._folder), error.strerror or error
            self._reporter.say(f"{self._what} can't be kept in {where} ({why}): later runs make them again")
