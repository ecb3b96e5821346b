"""The files that the App shows: photos, small copies for the grid, and drawn tiles where there is no photo to show.

Making all copies before the review would take many minutes for 50,000 large photos, most of which nobody opens. So a
sample only names its files, and a copy is made when the browser requests it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from curation.rendering.thumbnails import SUFFIX, make_thumbnail
from curation.review.app.tiles import CANNOT_BE_OPENED, NO_PHOTO, NOT_FOUND, tile
from curation.run.folder import RunFolder
from training.images.reading import MAX_BYTES
from training.utils.files import NotReadableError, open_regular, whole_file
from training.utils.parallel import cores

__all__ = ["SIDE", "Source", "Thumbnails", "copies_of", "sources", "thumbnail_of", "whole_of"]

#: Longest side of a thumbnail in pixels: the tiles of the grid are about this wide.
SIDE = 256
# a photo that is not much larger loads as fast as its thumbnail
_LARGE = 512
# longest side of a copy that stands for a photo which the browser can't be given
_WHOLE = 2048
#: Endings of photos that browsers show; the others, such as ``.tif``, are shown as copies.
_SHOWN = frozenset({"", ".avif", ".bmp", ".gif", ".ico", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".webp"})
_App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


class Source(NamedTuple):
    """What a file shows.

    Attributes
    ----------
    photo : str or None
        The photo; None for a listing without one.
    side : int or None
        Longest side of the copy in pixels; None if the photo itself is shown.
    """

    photo: str | None
    side: int | None


def copies_of(run: RunFolder) -> Path:
    """Return the folder of a run's copies and tiles; the photos' own folders are never written to."""
    return run.folder.resolve() / "thumbnails"


def whole_of(photo: str | None, folder: Path) -> str:
    """Return the file that the App shows when a listing is open.

    Parameters
    ----------
    photo : str or None
        Absolute path of the photo; None for a listing without one.
    folder : Path
        Folder of the copies.

    Returns
    -------
    str
        The photo itself, if browsers show such files and its name is UTF-8, as MongoDB demands; otherwise a copy.
    """
    if photo is None:
        return str(folder / f"{NO_PHOTO}{SUFFIX}")
    name = os.fsencode(photo)
    if Path(photo).suffix.lower() in _SHOWN and name.decode("utf-8", errors="replace") == photo:
        return photo
    return str(folder / f"{hashlib.sha256(name).hexdigest()}-whole{SUFFIX}")


def thumbnail_of(row: Mapping[str, Any], folder: Path) -> str:
    """Return the file that the grid shows for a listing: a thumbnail, or what :func:`whole_of` returns.

    Parameters
    ----------
    row : mapping
        ``photo``, and ``sha256``, ``width`` and ``height`` if they are known.
    folder : Path
        Folder of the thumbnails.

    Returns
    -------
    str
        A thumbnail if a side is longer than 512 px. Photos with the same content share it.
    """
    sides = [row.get("width") or 0, row.get("height") or 0]
    if row["photo"] is None or row.get("sha256") is None or max(sides) <= _LARGE:
        return whole_of(row["photo"], folder)
    return str(folder / f"{row['sha256']}{SUFFIX}")


def sources(row: Mapping[str, Any], folder: Path) -> dict[str, Source]:
    """Return the files that the App shows for a listing, and what they show.

    Parameters
    ----------
    row, folder
        As for :func:`thumbnail_of`.
    """
    whole, small = whole_of(row["photo"], folder), thumbnail_of(row, folder)
    itself = whole == row["photo"]
    return {small: Source(row["photo"], SIDE), whole: Source(row["photo"], None if itself else _WHOLE)}


class Thumbnails:
    """An ASGI app that makes missing files before FiftyOne's server is asked for them.

    For a listing without a photo, a photo that has disappeared or one that can't be opened, it lets the server send a
    drawn tile that says so.

    Parameters
    ----------
    app : ASGI app
        FiftyOne's server.
    files : mapping of str to Source
        The files that the App shows. Nothing else is made.
    folder : Path
        Where copies and tiles are written.
    damaged : set of str
        Photos that could not be opened when the run was made; whether they can now is tried again.
    max_bytes : int
        Photos in larger files are not shown.
    """

    def __init__(
        self,
        app: _App,
        files: Mapping[str, Source],
        folder: Path,
        damaged: frozenset[str] = frozenset(),
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._app = app
        self._files = files
        self._folder = folder
        self._damaged = damaged
        self._max_bytes = max_bytes
        # decoding keeps a core busy; more at a time would only need more memory
        self._free = asyncio.Semaphore(cores())

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Make the requested file, and hand over."""
        if scope["type"] == "http" and scope["path"].rstrip("/") == "/media":
            # FiftyOne's server uses the last one
            asked = [value for name, value in parse_qsl(scope["query_string"].decode("latin-1")) if name == "filepath"]
            if asked and asked[-1] in self._files:
                sent = await self._ready(asked[-1])
                if sent != asked[-1]:
                    scope = {**scope, "query_string": urlencode({"filepath": sent}).encode()}
        await self._app(scope, receive, send)

    async def _ready(self, file: str) -> str:
        """Return the file to send: the one that was asked for, once it is there, or a tile."""
        source = self._files[file]
        is_copy = source.side is not None
        if (is_copy or source.photo not in self._damaged) and self._may_send(Path(file)):
            return file
        async with self._free:
            return await asyncio.to_thread(_made, Path(file), source, self._folder, self._max_bytes)

    def _may_send(self, file: Path) -> bool:
        """Return whether a file may be sent as it is: an empty one of the system may never end."""
        try:
            with open_regular(file, self._max_bytes) as stream:
                return os.fstat(stream.fileno()).st_size > 0
        except (OSError, NotReadableError):
            return False


def _made(file: Path, source: Source, folder: Path, max_bytes: int) -> str:
    """Make a copy if there is none, and return what to send for it."""
    if source.photo is None:
        return _tile(NO_PHOTO, folder)
    if not Path(source.photo).is_file():
        return _tile(NOT_FOUND, folder)
    copy = make_thumbnail(Path(source.photo), source.side or SIDE, max_bytes)
    if copy.error is not None:
        return _tile(CANNOT_BE_OPENED, folder)
    if source.side is not None:
        _write(file, copy.content)
    return str(file)


def _tile(words: str, folder: Path) -> str:
    """Return the tile that says these words; it is drawn once."""
    file = folder / f"{words}{SUFFIX}"
    if not file.is_file():
        _write(file, tile(words))
    return str(file)


def _write(file: Path, content: bytes) -> None:
    with whole_file(file) as temporary:
        temporary.write_bytes(content)
