"""A cache of the text in photos, by the hash of their content, for later runs.

Each file is written once, whole, and never changes; it is named by its checksum, its folder by the settings of the
detector. So any number of processes may read, add and delete at once without a lock, a changed detector gets no old
results, and nobody a damaged one.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from training.images.cache import PhotoCache
from training.images.shards import delete, files_in
from training.utils.files import write_text
from training.utils.progress import Reporter
from training.utils.units import home_as_tilde

__all__ = ["PhotoText", "TextCache"]

#: Seconds after which new results are written to disk.
_EVERY = 20.0
_SUFFIX = ".json"


class PhotoText(NamedTuple):
    """The text of one photo.

    Attributes
    ----------
    share : float or None
        Share of the photo that text covers, in [0, 1]; None if the photo was not examined.
    words : str or None
        The words that were read, on one line; None if nothing could be read.
    """

    share: float | None = None
    words: str | None = None


class TextCache:
    """The results of earlier runs and of this one.

    Parameters
    ----------
    cache : PhotoCache
        Holds the folder.
    recipe : str
        Name of the detector's settings; becomes the name of a folder.
    reporter : Reporter
        Shows a message if nothing can be written.
    """

    def __init__(self, cache: PhotoCache, recipe: str, reporter: Reporter) -> None:
        self._folder, self._reporter = cache.text_root / recipe, reporter
        self._texts: dict[str, PhotoText] = {}
        self._new: dict[str, PhotoText] = {}
        self._written = time.monotonic()
        self._lock = threading.Lock()
        self._seen: set[Path] = set()
        self.refresh()

    def refresh(self) -> None:
        """Read what other processes have written since it was last read."""
        for path in files_in(self._folder):
            if not path.name.startswith(".") and path not in self._seen:
                self._seen.add(path)
                self._texts.update(_read(path))

    def get(self, sha256: str) -> PhotoText | None:
        """Return the text of a photo by its content; None if it is not cached."""
        return self._texts.get(sha256)

    def add(self, sha256: str, text: PhotoText) -> None:
        """Add a result; write to disk now and then. Several threads may call this at once."""
        with self._lock:
            self._texts[sha256] = self._new[sha256] = text
        if time.monotonic() - self._written >= _EVERY:
            self.flush()

    def flush(self) -> None:
        """Write new results to disk; a cache that can't be written costs only the time to find the text again."""
        with self._lock:
            self._written = time.monotonic()
            new, self._new = self._new, {}
        if not new:
            return
        try:
            content = json.dumps(new, ensure_ascii=False)
            write_text(self._folder / f"{_checksum(content.encode())}{_SUFFIX}", content)
        except OSError as error:
            self._reporter.say(
                f"the text in photos can't be cached in {home_as_tilde(self._folder)} "
                f"({error.strerror or error}): the next run looks for it again"
            )


def _read(path: Path) -> dict[str, PhotoText]:
    """Return the content of a file; nothing if it is damaged or was deleted."""
    try:
        content = b"" if path.is_dir() else path.read_bytes()
        if _checksum(content) != path.stem:
            # a folder would be in the way of the file when its content is found again
            if path.suffix == _SUFFIX:
                delete(path)
            return {}
        texts = {sha256: PhotoText(float(share), words) for sha256, (share, words) in json.loads(content).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    with suppress(OSError):
        # the least recently used file is deleted first
        os.utime(path)
    return texts


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
