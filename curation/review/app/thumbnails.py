"""Small copies of large photos for the grid, made when the browser first asks for them.

Making all of them before the review would take many minutes for 50,000 large photos, most of which nobody opens. So a
sample only names its thumbnail, and the file is made when the browser requests it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from curation.rendering.thumbnails import SUFFIX, make_thumbnail
from training.utils.files import whole_file
from training.utils.parallel import cores

__all__ = ["SIDE", "Thumbnails", "thumbnail_of"]

#: Longest side of a thumbnail in pixels: the tiles of the grid are about this wide.
SIDE = 256
# a photo that is not much larger loads as fast as its thumbnail
_LARGE = 512
_App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


def thumbnail_of(row: Mapping[str, Any], folder: Path) -> str:
    """Return the file that the grid shows for a listing: its thumbnail, or the photo itself.

    Parameters
    ----------
    row : mapping
        ``photo``, and ``sha256``, ``width`` and ``height`` if they are known.
    folder : Path
        Folder of the thumbnails.

    Returns
    -------
    str
        The photo's own path unless a side is longer than 512 px. Photos with the same content share a thumbnail.
    """
    sides = [row.get("width") or 0, row.get("height") or 0]
    if row.get("sha256") is None or max(sides) <= _LARGE:
        return str(row["photo"])
    return str(folder / f"{row['sha256']}{SUFFIX}")


class Thumbnails:
    """An ASGI app that makes missing thumbnails before FiftyOne's server is asked for them.

    A photo that can't be decoded gets none. The server then answers that there is no such file, and the grid shows a
    tile with a red "!".

    Parameters
    ----------
    app : ASGI app
        FiftyOne's server.
    photos : mapping of str to str
        The photo of each thumbnail. Nothing else is made.
    """

    def __init__(self, app: _App, photos: Mapping[str, str]) -> None:
        self._app = app
        self._photos = photos
        # decoding keeps a core busy; more at a time would only need more memory
        self._free = asyncio.Semaphore(cores())

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Make the requested thumbnail, and hand over."""
        if scope["type"] == "http" and scope["path"].rstrip("/") == "/media":
            for name, value in parse_qsl(scope["query_string"].decode("latin-1")):
                if name == "filepath" and value in self._photos:
                    await self._make(Path(self._photos[value]), Path(value))
        await self._app(scope, receive, send)

    async def _make(self, photo: Path, file: Path) -> None:
        async with self._free:
            if not file.exists():
                await asyncio.to_thread(_write, photo, file)


def _write(photo: Path, file: Path) -> None:
    thumbnail = make_thumbnail(photo, SIDE)
    if thumbnail.error is None:
        with whole_file(file) as temporary:
            temporary.write_bytes(thumbnail.content)
