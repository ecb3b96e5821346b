"""What looking for reposts computes part by part, so that a cluster can: small photos, and which pairs could be one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.photos.alignment import could_be_same
from curation.photos.hashing import small_photos
from training.engine.contract import Piece, Steps
from training.images import Photos, Pixels
from training.images.store import PhotoStore
from training.utils.array_files import map_array
from training.utils.arrays import Int64
from training.utils.files import whole_file
from training.utils.progress import Reporter

__all__ = ["FITTED", "READ", "Fitting", "Shrinking"]

#: Whole photos that are in memory at a time.
READ = 256
#: Pairs that are fitted at a time: few, so that they stay in the processor's cache.
FITTED = 256
# of one core for a block: photos of 224 pixels, read and shrunk; pairs
_SECONDS_SHRUNK, _SECONDS_FITTED = 0.1, 0.012


@dataclass(frozen=True)
class Shrinking:
    """The task of making small photos, in one piece for each block of 256 rows.

    Attributes
    ----------
    photos : Photos, shape (M, S, S, 3)
        Decoded photos.
    rows : ndarray of int64, shape (N,)
        Which of them.
    cores, gpus, seconds
        As of :class:`training.engine.contract.Task`.
    """

    photos: Photos
    rows: Int64
    cores: int = 1
    gpus: int = 0
    seconds: float = _SECONDS_SHRUNK

    @property
    def count(self) -> int:
        """Number of blocks."""
        return -(-len(self.rows) // READ)

    def part(self, units: range) -> Shrinking:
        """Return the task of some blocks."""
        rows = self.rows[units.start * READ : units.stop * READ]
        photos = self.photos.part(rows) if isinstance(self.photos, PhotoStore) else self.photos[rows]
        return replace(self, photos=photos, rows=np.arange(len(rows)))

    def __call__(self, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        """Make the small photos: ``small``, uint8, shape (n, 16, 16, 3)."""
        for start in range(0, len(self.rows), READ):
            yield {"small": small_photos(self.photos[self.rows[start : start + READ]])}
            on_step(1)


@dataclass(frozen=True)
class Fitting:
    """The task of telling which pairs could be the same photo, in one piece for each block of 256 pairs.

    Attributes
    ----------
    small : ndarray of uint8, shape (N, 16, 16, 3)
        Small photos.
    first, second : ndarray of int64, shape (P,)
        The members of each pair, rows of `small`.
    scratch : Path or None
        A folder for what parts read, which all that compute see; whoever makes the task deletes it before and after.
        None for a task that is computed as a whole.
    cores, gpus, seconds
        As of :class:`training.engine.contract.Task`.
    """

    small: Pixels
    first: Int64
    second: Int64
    scratch: Path | None
    cores: int = 1
    gpus: int = 0
    seconds: float = _SECONDS_FITTED

    @property
    def count(self) -> int:
        """Number of blocks."""
        return -(-len(self.first) // FITTED)

    def part(self, units: range) -> _FittingOfFiles:
        """Return the task of some blocks; the arrays, which may be large, go there as files."""
        if self.scratch is None:
            raise ValueError("without a folder there are no parts")
        arrays: dict[str, npt.NDArray[Any]] = {"small": self.small, "first": self.first, "second": self.second}
        for name, array in arrays.items():
            file = self.scratch / f"{name}.npy"
            if not file.exists():
                with whole_file(file) as temporary:
                    np.save(temporary, array)
        return _FittingOfFiles(self.scratch.absolute(), units)

    def __call__(self, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        """Fit the pairs: ``could``, bool, shape (n,)."""
        for start in range(0, len(self.first), FITTED):
            pairs = slice(start, start + FITTED)
            yield {"could": could_be_same(self.small[self.first[pairs]], self.small[self.second[pairs]])}
            on_step(1)


@dataclass(frozen=True)
class _FittingOfFiles:
    """The same task for some blocks, whose arrays are mapped where it is computed."""

    scratch: Path
    units: range
    cores: int = 1
    gpus: int = 0
    seconds: float = _SECONDS_FITTED

    @property
    def count(self) -> int:
        return len(self.units)

    def part(self, units: range) -> _FittingOfFiles:
        return replace(self, units=self.units[units.start : units.stop])

    def __call__(self, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        small, first, second = (map_array(self.scratch / f"{name}.npy") for name in ("small", "first", "second"))
        pairs = slice(self.units.start * FITTED, self.units.stop * FITTED)
        yield from Fitting(small, first[pairs], second[pairs], self.scratch)(on_step, reporter)
