"""The photos of a live page: small copies, made when the browser asks for them.

They are kept beside those of the App, by the hash of the photo, so that a photo that is in a thousand listings is
decoded once; and in memory, for those that are asked for again at once.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from curation.rendering.thumbnails import SUFFIX, make_thumbnail
from curation.run.folder import RunFolder
from curation.run.own_photos import OwnPhotos
from training.utils.boundary import Boundary
from training.utils.files import NotReadableError, open_regular, printable_name, whole_file

__all__ = ["LARGE", "SMALL", "Photos", "Shown"]

#: Longer side in pixels of the photos to decide on, and of those beside them.
LARGE = 480
SMALL = 160
#: Bytes of copies in memory.
_KEPT = 48 * 1024 * 1024
#: A larger file is no copy of ours.
_LARGEST = 4 * 1024 * 1024


class Shown(NamedTuple):
    """A copy of a photo, or why there is none.

    Attributes
    ----------
    content : bytes
        WebP; empty if there is none.
    why : str
        Why there is none, in words; empty if there is one.
    """

    content: bytes
    why: str = ""


class Photos:
    """Makes the copies. Several threads may use it.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    find : callable
        Id → the absolute path of the photo, or None; KeyError for no listing of the run.
    hash_of : callable
        Id → SHA-256 of the photo as the run read it, or None.
    """

    def __init__(self, run: RunFolder, find: Callable[[str], str | None], hash_of: Callable[[str], str | None]) -> None:
        self._run = run
        self._find = find
        self._hash_of = hash_of
        self._boundary = Boundary(run.photo_boundary)
        self._most = run.photo_bytes
        self._folder = run.folder.resolve() / "thumbnails"
        self._kept: OrderedDict[tuple[str, int], Shown] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._writer = ThreadPoolExecutor(1, "copies")

    def copy(self, id: str, side: int) -> Shown:
        """Return a copy of a listing's photo.

        Parameters
        ----------
        id : str
            The listing.
        side : int
            `LARGE` or `SMALL`.

        Raises
        ------
        KeyError
            If the run has no such listing.
        """
        photo = self._find(id)
        if photo is None:
            return Shown(b"", "this listing has none")
        with self._lock:
            shown = self._kept.get((photo, side))
            if shown is not None:
                self._kept.move_to_end((photo, side))
                return shown
        shown = self._shown(Path(photo), side, self._hash_of(id))
        if shown.content:
            self._keep((photo, side), shown)
        return shown

    def close(self) -> None:
        """Wait until what was made is written."""
        self._writer.shutdown()

    def _shown(self, photo: Path, side: int, sha256: str | None) -> Shown:
        if not (self._boundary.holds(photo) or self._own.may_be_shown(str(photo))):
            return Shown(b"", f"{printable_name(photo.name)} leads to a file that is no photo of this run")
        file = self._folder / f"{sha256}-{side}{SUFFIX}" if sha256 else None
        if file is not None and photo.is_file() and (content := _read(file)):
            return Shown(content)
        made = make_thumbnail(photo, side, self._most)
        if made.error is not None:
            return Shown(b"", made.error)
        if file is not None:
            # nobody waits for the disk
            self._writer.submit(_write, file, made.content)
        return Shown(made.content)

    @cached_property
    def _own(self) -> OwnPhotos:
        """Which files outside the folder of the photos are some, too: slow, and few runs have any."""
        return OwnPhotos(self._run)

    def _keep(self, key: tuple[str, int], shown: Shown) -> None:
        with self._lock:
            before = self._kept.pop(key, None)
            self._size += len(shown.content) - (len(before.content) if before else 0)
            self._kept[key] = shown
            while self._size > _KEPT:
                _, dropped = self._kept.popitem(last=False)
                self._size -= len(dropped.content)


def _write(file: Path, content: bytes) -> None:
    # a full disk keeps nobody from looking
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        with whole_file(file) as temporary:
            temporary.write_bytes(content)


def _read(file: Path) -> bytes:
    try:
        with open_regular(file, _LARGEST) as stream:
            return stream.read()
    except (OSError, NotReadableError):
        return b""
