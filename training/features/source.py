"""Where features come from, before they are projected: rows in, numbers out, whoever made them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch

from training.features.kept import KeptFeatures
from training.images import Photos, Pixels
from training.images.store import PhotoStore
from training.utils.arrays import Float32, Float64, Int64

__all__ = ["Extractor", "Joined", "OfArray", "OfPhotos", "Source"]

#: Turns photos (n, S, S, 3) into features (n, W); called by several threads.
Extractor = Callable[[Pixels], torch.Tensor]

_BLOCK = 4_096


class Source(Protocol):
    """Makes the features of rows.

    Attributes
    ----------
    widths : tuple of int
        How many features of a row each of its parts makes; all of them are W.
    """

    @property
    def widths(self) -> tuple[int, ...]:
        """Read-only."""

    def __call__(self, rows: Int64) -> torch.Tensor:
        """Return the features of rows (n,), float32 of shape (n, W); called by several threads."""

    def part(self, rows: Int64) -> Source:
        """Return a source of some rows, which are 0, 1, … there; it holds no others, and can be pickled."""

    def flush(self) -> None:
        """Keep for later runs what is not kept yet."""


class OfPhotos:
    """Features that are made of photos.

    Parameters
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
        All of them.
    extract : callable
        Makes W features of a photo; see :func:`training.features.extract.choose_extractor`.
    width : int
        W.
    kept : KeptFeatures, optional
        What earlier runs kept of the photos' features; gets the others.
    """

    def __init__(self, photos: Photos, extract: Extractor, width: int, kept: KeptFeatures | None = None) -> None:
        self._photos, self._extract, self._kept = photos, extract, kept
        self.widths: tuple[int, ...] = (width,)

    def __call__(self, rows: Int64) -> torch.Tensor:
        """Return the features of rows (n,), float32 of shape (n, W)."""
        return self._made(rows) if self._kept is None else self._kept(rows, make=self._made)

    def _made(self, rows: Int64) -> torch.Tensor:
        return self._extract(self._photos[rows])

    def part(self, rows: Int64) -> OfPhotos:
        """Return a source of some rows."""
        photos = self._photos.part(rows) if isinstance(self._photos, PhotoStore) else self._photos[rows]
        kept = self._kept.of(photos) if self._kept is not None and isinstance(photos, PhotoStore) else None
        return OfPhotos(photos, self._extract, self.widths[0], kept)

    def flush(self) -> None:
        """Keep for later runs what is not kept yet."""
        if self._kept is not None:
            self._kept.flush()


class OfArray:
    """Features that were made elsewhere, centred, and with a standard deviation of 1 over all numbers.

    Whoever made them chose their scale, and later steps add small numbers that must not outweigh them.

    Parameters
    ----------
    values : ndarray of float32, shape (N, W)
        A row for each row of the table; may be memory-mapped.
    rows : ndarray of int64
        Those that are used.
    """

    def __init__(self, values: Float32, rows: Int64) -> None:
        self._values = values
        self.widths: tuple[int, ...] = (values.shape[1],)
        # in float64, and block by block: sums of float32 depend on their number, and the array may not fit into memory
        blocks = [rows[at : at + _BLOCK] for at in range(0, len(rows), _BLOCK)]
        self._mean: Float64 = sum(values[block].sum(0, dtype=np.float64) for block in blocks) / len(rows)
        squares = sum(float(((values[block] - self._mean) ** 2).sum()) for block in blocks)
        self._scale = np.sqrt(squares / (len(rows) * values.shape[1])) or 1.0

    def __call__(self, rows: Int64) -> torch.Tensor:
        """Return the features of rows (n,), float32 of shape (n, W)."""
        return torch.from_numpy(((self._values[rows] - self._mean) / self._scale).astype(np.float32))

    def part(self, rows: Int64) -> OfArray:
        """Return a source of some rows, with the scale of all."""
        part = copy.copy(self)
        part._values = np.asarray(self._values[rows])
        return part

    def flush(self) -> None:
        """Do nothing: they are there."""


class Joined:
    """Features of several sources, side by side.

    Parameters
    ----------
    sources : sequence of Source
        At least two.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    @property
    def widths(self) -> tuple[int, ...]:
        """Those of all sources, one after the other."""
        return tuple(width for source in self._sources for width in source.widths)

    def __call__(self, rows: Int64) -> torch.Tensor:
        """Return the features of rows (n,), float32 of shape (n, W), on the CPU."""
        return torch.cat([source(rows).cpu() for source in self._sources], dim=1)

    def part(self, rows: Int64) -> Joined:
        """Return sources of some rows."""
        return Joined([source.part(rows) for source in self._sources])

    def flush(self) -> None:
        """Keep for later runs what is not kept yet."""
        for source in self._sources:
            source.flush()
