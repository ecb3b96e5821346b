"""The open live pages of a run: who sits at each, and which listings are on their screens.

Each page has a locked note in the run's folder, as :mod:`curation.review.server.team` has, and beside it what it shows.
Both end with the process, however that ends. Without locks on the file system, nobody knows of the others.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.review.server.team import reviews_folder
from curation.run.folder import RunFolder
from training.utils.flock import lock

__all__ = ["Desk", "Seat"]

#: Seconds after which a page that says nothing any more shows nothing: its window is closed.
_SILENT = 15.0


@dataclass(frozen=True)
class Seat:
    """Another open page.

    Attributes
    ----------
    reviewer : str
        Who decides in it.
    shown : tuple of str
        The listings on its screen that were undecided.
    """

    reviewer: str
    shown: tuple[str, ...]


class Desk:
    """One's own note, and those of others.

    Parameters
    ----------
    run : RunFolder
        The run under review.
    reviewer : str
        Who decides here.
    kind : str
        What is reviewed: pages of another kind share nothing with this one.

    Raises
    ------
    ReviewError
        If the run's folder can't be written.
    """

    def __init__(self, run: RunFolder, reviewer: str, kind: str) -> None:
        folder = reviews_folder(run)
        self._kind = kind
        self._note = folder / f"{secrets.token_hex(8)}.desk"
        self._shown: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        draft = self._note.with_suffix(".draft")
        self._descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        with contextlib.suppress(OSError):
            lock(self._descriptor)
        os.write(self._descriptor, json.dumps({"reviewer": reviewer, "kind": kind}).encode())
        # renamed once it is locked: without the lock, another page would consider it stale
        draft.rename(self._note)

    def show(self, ids: Sequence[str]) -> None:
        """Tell the others what is on the screen; it holds until the next word, or until the page falls silent.

        Parameters
        ----------
        ids : sequence of str
            The undecided listings.
        """
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(_SILENT, self._write, [()])
            self._timer.daemon = True
            self._timer.start()
        self._write(tuple(ids))

    def others(self) -> list[Seat]:
        """Return the other open pages of the same kind, and remove the notes of those that were killed."""
        found = []
        for note in sorted(self._note.parent.glob("*.desk")):
            if note == self._note:
                continue
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError), note.open("rb+") as stream:
                if lock(stream, wait=False):
                    _remove(note)
                    continue
                said = json.loads(stream.read())
                if said["kind"] == self._kind:
                    found.append(Seat(str(said["reviewer"]), _shown_of(note)))
        return found

    def close(self) -> None:
        """Leave."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
        _remove(self._note)
        os.close(self._descriptor)

    def _write(self, ids: tuple[str, ...]) -> None:
        with self._lock:
            if ids == self._shown:
                return
            self._shown = ids
            draft = self._note.with_suffix(".next")
            # whoever reads it must never see a part of it; it need not outlive a power cut
            with contextlib.suppress(OSError):
                draft.write_text(json.dumps(ids), encoding="utf-8")
                draft.replace(self._note.with_suffix(".shown"))


def _shown_of(note: Path) -> tuple[str, ...]:
    try:
        content = json.loads(note.with_suffix(".shown").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(str(id) for id in content) if isinstance(content, list) else ()


def _remove(note: Path) -> None:
    for suffix in (".desk", ".shown", ".next", ".draft"):
        with contextlib.suppress(OSError):
            note.with_suffix(suffix).unlink(missing_ok=True)
