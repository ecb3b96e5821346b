"""Decoded photos as smaller ones: a network may be trained on smaller photos than features are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from training.images.decoding import Photos, Pixels
from training.utils.arrays import Int64

__all__ = ["Shrunk", "shrunk_to"]


@dataclass(frozen=True)
class Shrunk:
    """Photos, shrunk whenever they are read: that costs little beside a step of training, and no disk.

    Attributes
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
        The larger ones.
    size : int
        Side in pixels, less than S.
    """

    photos: Photos
    size: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, `size`, `size`, 3)."""
        return len(self.photos), self.size, self.size, 3

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, rows: Int64, /) -> Pixels:
        """Return the photos of `rows` as a new array of uint8, shape (n, `size`, `size`, 3)."""
        large = torch.from_numpy(self.photos[rows]).permute(0, 3, 1, 2)
        side = (self.size, self.size)
        small = functional.interpolate(large.float(), size=side, mode="bilinear", antialias=True)
        return np.ascontiguousarray(small.round_().to(torch.uint8).permute(0, 2, 3, 1).numpy())


def shrunk_to(photos: Photos, size: int) -> Photos:
    """Return photos whose side is at most `size` pixels: the same ones, if they are no larger."""
    return Shrunk(photos, size) if photos.shape[1] > size else photos
