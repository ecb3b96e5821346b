"""What decoding a photo may cost: bounds on pixels, and on work that a small file can ask for.

Pillow's own bound, 179 megapixels, is set for the whole process, and several threads may reach it at once.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from training.images.reading import BadPhotoError

__all__ = ["MAX_PIXELS", "check_pixels", "open_photo", "within_bounds"]

#: Most pixels of a photo: above those of all but a few cameras.
MAX_PIXELS = 128 * 10**6
#: Most pixels of a format that Pillow decodes in Python, which takes a microsecond for each.
_MAX_SLOW_PIXELS = 16 * 10**6
#: Photos of more pixels are decoded one at a time, however many threads there are.
_LARGE = 32 * 10**6
_large_photo = Lock()
#: Most scans of a progressive JPEG. Cameras and programs write about 10; each one goes over all pixels.
_MAX_SCANS = 100
#: Marks of a JPEG besides the escapes and restarts inside of a scan.
_MARK = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_BEGIN, _SCAN, _END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"

# Pillow's blocks of pixels have 16 MB, which the C library keeps for later: one large photo would cost a run 2 GB to
# its end. What has more than 32 MB goes back to the system.
if "PILLOW_BLOCK_SIZE" not in os.environ:
    Image.core.set_block_size(64 * 2**20)  # type: ignore[attr-defined] # Pillow does not export what it describes


@contextmanager
def open_photo(content: bytes | BinaryIO, formats: list[str] | None = None) -> Iterator[ImageFile.ImageFile]:
    """Open a photo, of which nothing is decoded yet.

    Parameters
    ----------
    content : bytes or binary file
        The file.
    formats : list of str, optional
        Pillow's names of formats; by default all.

    Raises
    ------
    Exception
        Any that Pillow raises for a damaged file; BadPhotoError for an empty one, and for one that another program
        would have to draw or decode.
    """
    if not content:
        raise BadPhotoError("the file is empty")
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    with _opened(stream, formats) as opened:
        if opened.format == "EPS":
            # Pillow would start Ghostscript, which runs what is in the file
            raise BadPhotoError("an EPS file is a program that draws, not a photo")
        if isinstance(opened, ImageFile.StubImageFile):
            # Pillow knows the format, perhaps not even the size, and leaves the pixels to programs of others
            raise BadPhotoError(f"Pillow does not decode {opened.format} files")
        yield opened


def _opened(stream: BinaryIO, formats: list[str] | None) -> ImageFile.ImageFile:
    try:
        return Image.open(stream, formats=formats)
    except ValueError:
        if stream.closed:
            # by a reader that then took it for no photo of its format, so that the next one could not read it
            raise UnidentifiedImageError from None
        raise


@contextmanager
def within_bounds(opened: ImageFile.ImageFile, content: bytes, stored: tuple[int, int]) -> Iterator[None]:
    """Let the block decode a photo if that takes neither too much memory nor time; a large one when no other is.

    Parameters
    ----------
    opened : Image
        Opened, perhaps to be decoded smaller than it is; not loaded.
    content : bytes
        Its file.
    stored : pair of int
        Its width and height in the file.

    Raises
    ------
    BadPhotoError
        If it has too many pixels or scans.
    """
    pixels = check_pixels(opened)
    if opened.info.get("progressive"):
        # its coefficients are all held, however small it is decoded
        pixels = stored[0] * stored[1]
        _check_scans(content)
    with _large_photo if pixels > _LARGE else nullcontext():
        yield


def check_pixels(opened: ImageFile.ImageFile) -> int:
    """Return the number of pixels that loading an opened photo decodes.

    Raises
    ------
    BadPhotoError
        If it has too many.
    """
    pixels = opened.width * opened.height
    most = _MAX_SLOW_PIXELS if _is_slow(opened) else MAX_PIXELS
    if pixels > most:
        size = f"{opened.width:,} x {opened.height:,}"
        raise BadPhotoError(f"it has {_millions(pixels)} ({size}), more than {_millions(most)}")
    return pixels


def _is_slow(opened: ImageFile.ImageFile) -> bool:
    decoders = (Image.DECODERS.get(part[0]) for part in opened.tile)
    return any(isinstance(decoder, type) and issubclass(decoder, ImageFile.PyDecoder) for decoder in decoders)


def _check_scans(content: bytes) -> None:
    at, scans = 0, 0
    while mark := _MARK.search(content, at):
        if mark[0] == _END:
            # what follows may be a film
            return
        at = mark.end()
        if mark[0] != _BEGIN:
            # nothing inside of a segment is a mark, e.g. in a thumbnail
            at += int.from_bytes(content[at : at + 2], "big")
        scans += mark[0] == _SCAN
        if scans > _MAX_SCANS:
            raise BadPhotoError(f"it has more than {_MAX_SCANS} scans")


def _millions(pixels: int) -> str:
    return f"{pixels / 10**6:,.0f} megapixels"
