"""What is known of the text in photos, by the hash of their content, kept in the cache for later runs.

Each file is written once, whole, and never changes; its folder is named by how text is looked for. So any number of
processes may read, add and delete at once without a lock, and a changed detector is not served old answers.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from training.images.cache import PhotoCache
from training.images.shards import files_in
from training.utils.files import write_text
from training.utils.units import home_as_tilde

__all__ = ["KnownText", "PhotoText"]

#: Seconds after which what is found is brought to disk.
_EVERY = 20.0


class PhotoText(NamedTuple):
    """The text of one photo.

    Attributes
    ----------
    share : float or None
        Share of the photo that text covers, in [0, 1]; None if the photo was not looked at.
    words : str or None
        The words that were read, on one line; None where the share is small or nothing could be read.
    """

    share: float | None = None
    words: str | None = None


class KnownText:
    """Reads what earlier runs have found, and keeps what this one finds.

    Parameters
    ----------
    cache : PhotoCache
        Where.
    recipe : str
        How text is looked for; a name for a folder.
    say : callable
        Gets a line if nothing can be kept.
    """

    def __init__(self, cache: PhotoCache, recipe: str, say: Callable[[str], None]) -> None:
        self._folder, self._say = cache.text_root / recipe, say
        self._found: dict[str, PhotoText] = {}
        self._new: dict[str, PhotoText] = {}
        self._written = time.monotonic()
        self._lock = threading.Lock()
        for path in files_in(self._folder):
            if not path.name.startswith("."):
                self._found.update(_read(path))

    def get(self, sha256: str) -> PhotoText | None:
        """Return what is known of a photo's content; None if nothing is."""
        return self._found.get(sha256)

    def add(self, sha256: str, text: PhotoText) -> None:
        """Take what was found; now and then, bring it to disk. Several threads may call this at once."""
        with self._lock:
            self._found[sha256] = self._new[sha256] = text
        if time.monotonic() - self._written >= _EVERY:
            self.flush()

    def flush(self) -> None:
        """Bring what was found to disk; a cache that can't be written costs only the time of finding it again."""
        with self._lock:
            self._written = time.monotonic()
            new, self._new = self._new, {}
        if not new:
            return
        try:
            write_text(self._folder / f"{uuid.uuid4().hex}.json", json.dumps(new, ensure_ascii=False))
        except OSError as error:
            self._say(
                f"the text found in photos can't be kept in {home_as_tilde(self._folder)} "
                f"({error.strerror or error}): the next run looks again"
            )


def _read(path: Path) -> dict[str, PhotoText]:
    """Return what a file holds; nothing if it is damaged or gone."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = {str(sha256): PhotoText(float(share), words) for sha256, (share, words) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    with suppress(OSError):
        # what is used stays longest
        os.utime(path)
    return found
