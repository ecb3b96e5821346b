"""Facts about photo files that need no decoding: their size and format, and which of them are equal or broken."""

from __future__ import annotations

import hashlib
import os
import stat
import warnings
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from PIL import Image

from training.images.bounds import check_pixels, open_photo
from training.images.decoding import check_photo, stored_size, upright_size
from training.images.reading import MAX_BYTES, photo_content, why_unreadable
from training.utils.files import NotReadableError, open_regular
from training.utils.parallel import map_ahead
from training.utils.progress import Progress

__all__ = ["PhotoHeader", "read_headers", "same_content"]

# waiting for the disk or the network is most of the work, so there are more threads than cores
_THREADS = 16
_AHEAD = 64
_END = 4096
_PIECE = 4096
_READ = 1 << 20
_ORIENTATION = 0x0112

Item = TypeVar("Item")
Result = TypeVar("Result")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class PhotoHeader:
    """What the header of one photo says.

    Attributes
    ----------
    width, height : int or None
        Upright size in pixels, EXIF orientation applied; None for an unreadable photo.
    format : str or None
        Pillow's name of the format, e.g. ``"JPEG"``.
    turned : bool
        Whether the EXIF orientation turns or mirrors the stored pixels.
    error : str or None
        Why the photo can't be read; None for a sound one.
    """

    width: int | None = None
    height: int | None = None
    format: str | None = None
    turned: bool = False
    error: str | None = None


def read_headers(paths: Sequence[Path | None], progress: Progress, max_bytes: int = MAX_BYTES) -> list[PhotoHeader]:
    """Read the headers of photos, in parallel.

    Only a file that does not end as its format does is decoded, to see whether it was cut short. Damage in the middle
    of a file shows when all photos are decoded, which `find-issues` does.

    Parameters
    ----------
    paths : sequence of Path or None
        None for a listing without a photo.
    progress : callable
        Called with (photos done, all).
    max_bytes : int
        A photo in a larger file is unreadable.

    Returns
    -------
    list of PhotoHeader
        In the order of `paths`. Never raises for what is in a file.
    """
    return _in_threads(partial(_header, max_bytes=max_bytes), paths, progress)


def same_content(paths: Sequence[Path | None], progress: Progress, max_bytes: int = MAX_BYTES) -> list[list[int]]:
    """Find files with exactly the same bytes, and read few of them whole for it.

    Files of one size are compared by a piece of their middle, and by the hash of the whole only where that is the same.

    Parameters
    ----------
    paths : sequence of Path or None
        The files; empty, missing and unreadable ones are the same as none.
    progress : callable
        Called with (files done, all).
    max_bytes : int
        A larger file is the same as none.

    Returns
    -------
    list of list of int
        Positions in `paths` of each group of two or more, the first ones first.
    """
    # a device has no size, so it is the same as none
    files = [Path(os.devnull) if path is None else path for path in paths]
    sizes = _in_threads(_file_size, files, progress)
    groups = _groups((size, place) for place, size in enumerate(sizes) if 0 < size <= max_bytes)
    for fingerprint in (_middle, _sha256):
        places = [place for group in groups for place in group]
        keys = _in_threads(fingerprint, [files[place] for place in places], progress)
        # files of different groups differ already, whatever their fingerprints
        numbers = [number for number, group in enumerate(groups) for _ in group]
        keyed = zip(zip(numbers, keys, strict=True), places, strict=True)
        groups = _groups((key, place) for key, place in keyed if key[1] is not None)
    return sorted(groups)


def _in_threads(work: Callable[[Item], Result], items: Sequence[Item], progress: Progress) -> list[Result]:
    results = []
    # what Pillow notes of odd metadata or of large photos says nothing of the pixels
    with warnings.catch_warnings(), ThreadPoolExecutor(_THREADS) as pool:
        warnings.simplefilter("ignore")
        for result in map_ahead(pool, work, items, _AHEAD):
            results.append(result)
            progress(len(results), len(items))
    return results


def _groups(keyed: Iterable[tuple[Key, int]]) -> list[list[int]]:
    groups: dict[Key, list[int]] = {}
    for key, place in keyed:
        groups.setdefault(key, []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def _file_size(path: Path) -> int:
    """Return the size of a plain file; 0 for anything else, as opening a pipe would wait forever."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _middle(path: Path) -> bytes | None:
    # of two photos of one camera, the beginning is the same more often than the middle
    try:
        with open_regular(path) as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size // 2 - _PIECE // 2))
            return hashlib.blake2b(stream.read(_PIECE), digest_size=16).digest()
    except (OSError, NotReadableError):
        return None


def _sha256(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with open_regular(path) as stream:
            # one that grows is read as far as it went
            left = os.fstat(stream.fileno()).st_size
            while piece := stream.read(min(left, _READ)):
                digest.update(piece)
                left -= len(piece)
    except (OSError, NotReadableError):
        return None
    return digest.hexdigest()


def _header(path: Path | None, max_bytes: int) -> PhotoHeader:
    if path is None:
        return PhotoHeader(error="no photo")
    try:
        return _read(path, max_bytes)
    except Exception as error:  # a damaged file can raise anything in a decoder; it becomes a finding
        return PhotoHeader(error=why_unreadable(error))


def _read(path: Path, max_bytes: int) -> PhotoHeader:
    with open_regular(path, max_bytes) as stream:
        size = os.fstat(stream.fileno()).st_size
        # before it is opened as a photo, for some formats close the file then
        head, end = _ends_of(stream, size) if size else (b"", b"")
        with open_photo(stream if size else b"") as opened:
            # not the format's own getexif: that of PNG decodes the whole photo
            orientation = Image.Image.getexif(opened).get(_ORIENTATION, 1)
            turned = isinstance(orientation, int) and 2 <= orientation <= 8
            width, height = upright_size(stored_size(opened), orientation if turned else 1)
            kind = opened.format
            # as it would be decoded
            opened.draft("RGB", (1, 1))
            check_pixels(opened)
    cut = not _ends_well(kind, head, end, size)
    if cut:
        with photo_content(path, max_bytes) as content:
            check_photo(content)
    return PhotoHeader(width, height, kind, turned)


def _ends_of(stream: BinaryIO, size: int) -> tuple[bytes, bytes]:
    head = stream.read(8)
    stream.seek(max(0, size - _END))
    end = stream.read(_END)
    stream.seek(0)
    return head, end


def _ends_well(kind: str | None, head: bytes, end: bytes, size: int) -> bool:
    """Return whether a file ends as its format does; True for a format that says nothing of its end."""
    if kind in ("JPEG", "MPO"):
        return b"\xff\xd9" in end
    if kind == "PNG":
        return b"IEND" in end
    if kind == "GIF":
        return end.rstrip(b"\0").endswith(b";")
    # RIFF says how long it is
    return kind != "WEBP" or int.from_bytes(head[4:8], "little") + 8 <= size
