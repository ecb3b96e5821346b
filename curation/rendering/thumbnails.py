"""Small copies of photos: one maker for the pages, the App, and tables in notebooks."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from training.images.decoding import decode_within
from training.images.reading import MAX_BYTES, photo_content, why_unreadable
from training.utils.files import printable_name

__all__ = ["MEDIA_TYPE", "SUFFIX", "Thumbnail", "make_thumbnail"]

#: WebP is in every browser since 2020; at these settings about a third smaller than a JPEG that looks the same.
SUFFIX = ".webp"
MEDIA_TYPE = "image/webp"
_ENCODING = {"quality": 72, "method": 2}


@dataclass(frozen=True)
class Thumbnail:
    """A small copy of a photo, or the reason why there is none.

    Attributes
    ----------
    content : bytes
        The WebP file; empty if the photo can't be read.
    error : str or None
        Why the photo can't be read.
    """

    content: bytes
    error: str | None = None

    @property
    def base64(self) -> str:
        """The content as text."""
        return base64.b64encode(self.content).decode()

    @property
    def uri(self) -> str | None:
        """A data URI that holds the content, for the ``src`` of an image; None if the photo can't be read."""
        return None if self.error else f"data:{MEDIA_TYPE};base64,{self.base64}"


def make_thumbnail(path: Path, side: int, max_bytes: int = MAX_BYTES) -> Thumbnail:
    """Make a small, upright copy of a photo.

    Parameters
    ----------
    path : Path
        The photo. One that can't be read raises nothing: it is a finding of its own.
    side : int
        Longest side in pixels; a smaller photo stays as small as it is.
    max_bytes : int
        A larger file is not read.

    Notes
    -----
    Decoders warn about odd files. Warning filters belong to the whole process, so this function, which runs in
    threads, leaves them alone; whoever makes many thumbnails silences them once around the loop.
    """
    try:
        with photo_content(path, max_bytes) as content:
            pixels = decode_within(content, side)
    except Exception as error:  # a damaged file can raise anything in a decoder
        return Thumbnail(b"", f"{printable_name(path.name)} can't be read: {why_unreadable(error)}")
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", **_ENCODING)
    return Thumbnail(stream.getvalue())
