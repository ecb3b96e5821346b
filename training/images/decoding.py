"""Photos: decoded upright, as small squares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin
from PIL import __version__ as PIL_VERSION

from training.images.bounds import open_photo, within_bounds
from training.images.colours import first_that_shows
from training.utils.arrays import Int64

__all__ = [
    "RECIPE",
    "PhotoFacts",
    "Photos",
    "Pixels",
    "check_photo",
    "decode",
    "decode_within",
    "stored_size",
    "upright_size",
]

Pixels = npt.NDArray[np.uint8]

#: Names the way `decode` turns a file into pixels; count up when a change of it changes pixels or sizes. Photos that
#: were cached under another name are decoded again.
RECIPE = f"3, Pillow {PIL_VERSION}"


class Photos(Protocol):
    """The decoded photos of N rows: a plain array, or a :class:`training.images.store.PhotoStore`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, S, S, 3)."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Int64, /) -> Pixels:
        """Return the photos of `rows` as a new array of uint8, shape (n, S, S, 3)."""


@dataclass(frozen=True)
class PhotoFacts:
    """The facts about one photo, after reading it.

    Attributes
    ----------
    sha256 : str or None
        Hash of the file; None if the file can't be read.
    width, height : int or None
        Size after turning it upright, in pixels; None if it can't be decoded.
    error : str or None
        Why it can't be decoded; None for a sound photo.
    """

    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    error: str | None = None


def decode(content: bytes, size: int) -> tuple[Pixels, tuple[int, int]]:
    """Decode a photo completely, turn it upright, and resize it to a square.

    Parameters
    ----------
    content : bytes
        The file: JPEG, PNG, WebP, GIF, ... (of several frames, the first that shows something); palette, CMYK, 16-bit
        and transparent ones too, see :func:`training.images.colours.rgb`.
    size : int
        Side of the square in pixels. The photo is squeezed, not cropped.

    Returns
    -------
    pixels : ndarray of uint8, shape (size, size, 3)
        RGB.
    (width, height) : tuple of int
        Upright size of the original.

    Raises
    ------
    Exception
        Any that a decoder raises for a damaged file: those of Pillow raise many kinds. ``BadPhotoError`` for one that
        would take too much memory or time, see :mod:`training.images.bounds`.
    """
    with _upright(content, 2 * size) as (image, upright):
        return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)), upright


def decode_within(content: bytes, side: int) -> Pixels:
    """Decode a photo completely, turn it upright, and shrink it until neither side is longer than `side`.

    Parameters
    ----------
    content : bytes
        As for :func:`decode`.
    side : int
        Longest side in pixels. The aspect ratio is kept; a smaller photo stays as it is.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        RGB.

    Raises
    ------
    Exception
        As :func:`decode`.
    """
    with _upright(content, 2 * side) as (image, upright):
        scale = min(1.0, side / max(upright))
        width, height = (max(1, round(length * scale)) for length in upright)
        return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0))


def check_photo(content: bytes, formats: list[str] | None = None) -> str:
    """Decode a photo completely, and make as few pixels of it as its format allows; return Pillow's name of that.

    Parameters
    ----------
    content : bytes
        As for :func:`decode`.
    formats : list of str, optional
        Pillow's names of formats; by default all.

    Raises
    ------
    Exception
        As :func:`decode`.
    """
    with open_photo(content, formats) as opened:
        stored = stored_size(opened)
        opened.draft("RGB", (1, 1))
        with within_bounds(opened, content, stored):
            opened.load()
        return str(opened.format)


@contextmanager
def _upright(content: bytes, least: int) -> Iterator[tuple[Image.Image, tuple[int, int]]]:
    """Yield a photo upright in RGB, and its original upright size; a large JPEG is shrunk, not below `least`."""
    with open_photo(content) as opened:
        # a loaded file does not tell how many bits a colour had
        deep = any(";16" in str(part) for part in opened.tile)
        stored = stored_size(opened)
        upright = upright_size(stored, _orientation(opened))
        # a JPEG can be decoded at 1/2, 1/4 or 1/8 of its size for a fraction of the time
        opened.draft("RGB", (least, least))
        with within_bounds(opened, content, stored):
            opened.load()
            yield first_that_shows(opened, turned=_turned, deep=deep), upright


def _turned(image: Image.Image) -> Image.Image:
    # read again, as some decoders turn the photo while they load it; transposing an upright photo would copy it
    return ImageOps.exif_transpose(image) if _orientation(image) != 1 else image


def stored_size(image: Image.Image) -> tuple[int, int]:
    """Return the width and height of a photo as stored, before any EXIF orientation."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        # later versions of Pillow give the upright size of these, and of no others
        return image.tag_v2[ExifTags.Base.ImageWidth], image.tag_v2[ExifTags.Base.ImageLength]
    return image.size


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the width and height of a photo after it is turned upright.

    Parameters
    ----------
    size : pair of int
        Width and height as stored.
    orientation : int
        EXIF orientation, 1 to 8.
    """
    width, height = size
    # 5 to 8 swap the sides (EXIF 2.32, 4.6.4 A, Orientation)
    return (height, width) if 5 <= orientation <= 8 else (width, height)


def _orientation(image: Image.Image) -> int:
    value = image.getexif().get(0x0112, 1)
    return value if isinstance(value, int) else 1
