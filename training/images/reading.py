"""The files of photos: read within bounds, and why one can't be."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock

from PIL import Image, UnidentifiedImageError

from training.utils.files import NotReadableError, read_regular

__all__ = ["MAX_BYTES", "NO_PHOTO", "BadPhotoError", "photo_content", "why_unreadable"]

#: Most bytes of a photo's file, by default.
MAX_BYTES = 200 * 10**6
#: Why a listing without a path of a photo has none.
NO_PHOTO = "no photo"
#: Files of more bytes are held in memory one at a time, however many threads read.
_LARGE = 32 * 10**6
_large_file = Lock()
#: Characters of a decoder's message that are kept.
_LONGEST = 200


class BadPhotoError(ValueError):
    """Why a photo is not decoded, although a decoder might."""


@contextmanager
def photo_content(path: Path, max_bytes: int = MAX_BYTES) -> Iterator[bytes]:
    """Yield the bytes of a photo's file; where it is large, other threads wait with theirs until the block ends.

    Parameters
    ----------
    path : Path
        The file. Pipes, devices and the like are not opened, not even through a link.
    max_bytes : int
        A larger file is not read.

    Raises
    ------
    NotReadableError, OSError
        If it can't be read, or is larger; :func:`why_unreadable` has the words for it.
    """
    with _large_file if path.stat().st_size > _LARGE else nullcontext():
        yield read_regular(path, max_bytes)


def why_unreadable(error: Exception) -> str:
    """Return why a photo can't be read, in a few words that follow a colon.

    Parameters
    ----------
    error : Exception
        Of :func:`photo_content` or of :func:`training.images.decoding.decode`: a damaged file can raise anything in a
        decoder.

    Examples
    --------
    >>> why_unreadable(FileNotFoundError(2, "No such file or directory")), why_unreadable(UnidentifiedImageError("?"))
    ('no such file', 'not an image')
    """
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    if isinstance(error, NotReadableError):
        return f"it {error.reason}"
    if isinstance(error, Image.DecompressionBombError):
        return "it has more than 179 megapixels"
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "it is a link that leads to itself"
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    said = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    # one line, whatever the file put into it
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in said[: 4 * _LONGEST]).split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
