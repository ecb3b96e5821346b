"""Other open reviews of a run: each of them keeps a locked note in the run's folder.

A lock ends with its process, however that ends, so a note that can be locked is stale. Locks work across machines if
the run's folder is on a file system that has them, such as NFS.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from curation.errors import ReviewError
from curation.run.folder import RunFolder
from training.utils.flock import lock

__all__ = ["Colleague", "open_reviews", "opening", "present", "reviews_folder"]

_FOLDER = ".reviews"


@dataclass(frozen=True)
class Colleague:
    """Another open review of the same run.

    Attributes
    ----------
    reviewer : str
        Who decides in it.
    port : int
        The port it listens on.
    host : str
        The machine it runs on.
    codes : str
        The folder that :mod:`curation.review.server.links` are made in; empty in a review of an earlier version.
    """

    reviewer: str
    port: int
    host: str
    codes: str = ""


@contextmanager
def present(run: RunFolder, reviewer: str, port: int, codes: str = "") -> Iterator[list[Colleague]]:
    """Tell other reviews of `run` that this one is open while the block runs.

    Parameters
    ----------
    run : RunFolder
        The run under review.
    reviewer : str
        Name of the reviewer.
    port : int
        Port of this review.
    codes : str
        The folder of its codes.

    Yields
    ------
    list of Colleague
        The other open reviews, by machine and port. If two start at the same time, at least one sees the other.

    Raises
    ------
    ReviewError
        If the run's folder can't be written, so that no decision could be saved.
    """
    note = reviews_folder(run) / f"{secrets.token_hex(8)}.json"
    draft = note.with_suffix(".new")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    except OSError as error:
        raise _unwritable(run, error) from None
    try:
        _lock(descriptor)
        os.write(descriptor, json.dumps(asdict(Colleague(reviewer, port, socket.gethostname(), codes))).encode())
        # renamed once it is locked: without the lock, another review would consider it stale
        draft.rename(note)
        yield _others(note.parent, note)
    finally:
        for path in (note, draft):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        os.close(descriptor)


def open_reviews(run: RunFolder) -> list[Colleague]:
    """Return all open reviews of `run`, by machine and port."""
    return _others(reviews_folder(run))


def _others(folder: Path, own: Path | None = None) -> list[Colleague]:
    """Return the open reviews but one's own, and remove the notes of those that were killed."""
    others = []
    for note in folder.glob("*.json"):
        if note == own:
            continue
        with contextlib.suppress(OSError, ValueError, TypeError), note.open("rb+") as stream:
            if lock(stream, wait=False):
                note.unlink()
            else:
                others.append(Colleague(**json.loads(stream.read())))
    return sorted(others, key=lambda colleague: (colleague.host, colleague.port))


@contextmanager
def opening(run: RunFolder) -> Iterator[None]:
    """Let one review at a time build or repair the run's dataset, because two would undo each other's work."""
    try:
        descriptor = os.open(reviews_folder(run) / "opening", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _unwritable(run, error) from None
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def reviews_folder(run: RunFolder) -> Path:
    """Return the folder with the notes of the open reviews of `run`, which is made if it is missing.

    Raises
    ------
    ReviewError
        If it can't be made.
    """
    folder = run.folder / _FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise _unwritable(run, error) from None
    return folder


def _lock(descriptor: int) -> None:
    # if this file system has no locks, the warning is lost, but not the review
    with contextlib.suppress(OSError):
        lock(descriptor)


def _unwritable(run: RunFolder, error: OSError) -> ReviewError:
    return ReviewError(
        f"decisions could not be saved: {run.folder} can't be written ({error.strerror}). Change its permissions, or "
        "review a copy of the folder with `open_run('COPY')`"
    )
