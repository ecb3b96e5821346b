"""How much there is to see in a photo: next to nothing in a blank one."""

from __future__ import annotations

import numpy as np

from curation.photos.hashing import small_photos
from training.images import Photos, Pixels
from training.utils.arrays import Float32, Int64

__all__ = ["detail_of", "spread_of_colours"]

_BLOCK = 256


def detail_of(photos: Photos, rows: Int64) -> Float32:
    """Measure how far the colours of each photo spread.

    Parameters
    ----------
    photos : Photos of uint8, shape (M, S, S, 3)
        Decoded photos.
    rows : ndarray of int64, shape (N,)
        Which of them.

    Returns
    -------
    ndarray of float32, shape (N,)
        Standard deviation of the red, green or blue of a photo's 16 x 16 pixels, whichever spreads furthest; grey
        levels of 255. 0 is one colour. Shrinking evens out the noise of a dark photo, which is no detail.
    """
    detail = np.zeros(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        detail[block] = spread_of_colours(small_photos(photos[rows[block]]))
    return detail


def spread_of_colours(small: Pixels) -> Float32:
    """Return the standard deviation of the colour that spreads furthest in each photo, shape (n,)."""
    spread: Float32 = small.reshape(len(small), -1, 3).astype(np.float32).std(axis=1).max(axis=1)
    return spread
