"""Who else is reviewing a run: each open review leaves a locked note in the run's folder.

The lock on a note ends with its process, however that ends, so a note that can be locked is a stale one. It works
across machines where the run's folder is on a file system with locks, such as NFS.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from curation.errors import ReviewError
from curation.run.run import Run

__all__ = ["Colleague", "opening", "present"]

_FOLDER = ".reviews"


@dataclass(frozen=True)
class Colleague:
    """Another open review of the same run.

    Attributes
    ----------
    reviewer : str
        Who decides there.
    port : int
        Where it listens.
    host : str
        The machine it runs on.
    """

    reviewer: str
    port: int
    host: str


@contextmanager
def present(run: Run, reviewer: str, port: int) -> Iterator[list[Colleague]]:
    """Tell the other reviews of `run`, while the block runs, that this one is open.

    Yields
    ------
    list of Colleague
        The other open reviews, by machine and port. Of two that start at once, at least one finds the other.

    Raises
    ------
    ReviewError
        When nothing can be written in the run's folder: decisions would have nowhere to go.
    """
    note = _folder(run) / f"{secrets.token_hex(8)}.json"
    draft = note.with_suffix(".new")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    except OSError as error:
        raise _unwritable(run, error) from None
    try:
        _lock(descriptor)
        os.write(descriptor, json.dumps(asdict(Colleague(reviewer, port, socket.gethostname()))).encode())
        # it gets its name when it is locked: without the lock another review would take it for a stale one
        draft.rename(note)
        yield _others(note)
    finally:
        for path in (note, draft):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        os.close(descriptor)


def _others(own: Path) -> list[Colleague]:
    """Return the other open reviews, and clear away the notes of those that were killed."""
    found = []
    for note in own.parent.glob("*.json"):
        if note == own:
            continue
        with contextlib.suppress(OSError, ValueError, TypeError), note.open("rb+") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(Colleague(**json.loads(stream.read())))
            else:
                note.unlink()
    return sorted(found, key=lambda colleague: (colleague.host, colleague.port))


@contextmanager
def opening(run: Run) -> Iterator[None]:
    """Let one review at a time make or mend the run's dataset: two at once would undo each other's work."""
    try:
        descriptor = os.open(_folder(run) / "opening", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _unwritable(run, error) from None
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _folder(run: Run) -> Path:
    folder = run.folder / _FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise _unwritable(run, error) from None
    return folder


def _lock(descriptor: int) -> None:
    # a file system without locks costs the warning, not the review
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _unwritable(run: Run, error: OSError) -> ReviewError:
    return ReviewError(
        f"decisions could not be kept: {run.folder} can't be written ({error.strerror}). Change its permissions, or "
        "copy the run's folder and review the copy with --run"
    )
