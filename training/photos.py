"""Photos: decoded once, upright, as one memory-mapped array of small squares."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from training.files import whole_file
from training.progress import Progress, silent

__all__ = ["PhotoFacts", "decode", "load_photos", "store_photos"]

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PhotoFacts:
    """What is known of one photo after reading it.

    Attributes
    ----------
    sha256 : str or None
        Hash of the file's content; None if the file can't be read.
    width, height : int or None
        Upright size in pixels; None if it can't be decoded.
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
        The file: JPEG, PNG, WebP, GIF, ... (first frame); palette, CMYK, 16-bit and transparent ones too.
    size : int
        Side of the square in pixels. The aspect ratio is not kept: nothing of the photo is cut off.

    Returns
    -------
    pixels : ndarray of uint8, shape (size, size, 3)
        RGB.
    (width, height) : tuple of int
        Upright size of the original.

    Raises
    ------
    Exception
        Whatever the decoder says of a damaged file: Pillow's decoders raise many kinds.
    """
    with warnings.catch_warnings():
        # a large photo is no attack here, and Pillow's note about odd EXIF says nothing of the pixels
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content)) as opened:
            width, height = opened.size
            # 5 to 8 swap the sides (EXIF 2.32, 4.6.4 A, Orientation)
            upright = (height, width) if opened.getexif().get(0x0112, 1) >= 5 else (width, height)
            # a JPEG can be decoded at 1/2, 1/4 or 1/8 of its size for a fraction of the time
            opened.draft("RGB", (2 * size, 2 * size))
            opened.load()
            image = _rgb(ImageOps.exif_transpose(opened))
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)), upright


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # 16 bits a pixel: Pillow's own conversion would cut everything above 255 to white
        values = np.asarray(image, dtype=np.float64)
        scale = 257.0 if values.max() > 255 else 1.0
        return Image.fromarray((values / scale).clip(0, 255).astype(np.uint8)).convert("RGB")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        opaque = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(opaque, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def store_photos(
    paths: Sequence[Path | None], destination: Path, *, size: int, progress: Progress = silent
) -> list[PhotoFacts]:
    """Decode all photos into one array on disk, whole or not at all.

    Parameters
    ----------
    paths : sequence of Path or None, length N
        None for a listing without a photo.
    destination : Path
        The ``.npy`` file: uint8, shape (N, size, size, 3). The rows of unreadable photos are zeros and must not be
        used; `error` says which they are.
    size : int
        Side of the squares in pixels.
    progress : callable
        Called with (photos done, N).

    Returns
    -------
    list of PhotoFacts, length N
    """
    facts: list[PhotoFacts] = []
    with whole_file(destination) as temporary:
        images = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=(len(paths), size, size, 3))
        # decoding releases the interpreter's lock, so threads use all cores without copying pixels
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for row, (fact, pixels) in enumerate(pool.map(lambda path: _examine(path, size), paths)):
                facts.append(fact)
                if pixels is not None:
                    images[row] = pixels
                progress(row + 1, len(paths))
        images.flush()
        del images
    return facts


def _examine(path: Path | None, size: int) -> tuple[PhotoFacts, Pixels | None]:
    if path is None:
        return PhotoFacts(error="no photo"), None
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return PhotoFacts(error="no such file"), None
    except OSError as error:
        return PhotoFacts(error=error.strerror or str(error)), None
    sha256 = hashlib.sha256(content).hexdigest()
    if not content:
        return PhotoFacts(sha256, error="the file is empty"), None
    try:
        pixels, (width, height) = decode(content, size)
    except Exception as error:  # a damaged file can raise anything in a decoder; it becomes a finding
        return PhotoFacts(sha256, error=_why(error)), None
    return PhotoFacts(sha256, width, height), pixels


def _why(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    return str(error) or type(error).__name__


def load_photos(store: Path) -> Pixels:
    """Open a store made by :func:`store_photos`; pixels are read when they are used."""
    photos: Pixels = np.load(store, mmap_mode="r")
    return photos
