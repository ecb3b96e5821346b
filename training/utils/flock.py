"""Locks of the system on files and folders, and temporary ones whose lock tells whether their process still lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

__all__ = ["is_left", "lock", "locked_folder", "scratch_folder", "sweep", "temporary_file", "temporary_folder"]


def lock(file: int | IO[Any], *, wait: bool = True, shared: bool = False) -> bool:
    """Lock an open file or folder against other processes, until it is closed or the process ends.

    Parameters
    ----------
    file : int or file
        A descriptor, or an open file.
    wait : bool
        Wait while another process holds the lock.
    shared : bool
        Share the lock with other processes that share it, too.

    Returns
    -------
    bool
        Whether this process holds the lock; always True with `wait`.

    Raises
    ------
    OSError
        If the file system has no locks.
    """
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, how if wait else how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Let one process at a time run the block, which is short; several where the folder can't be locked."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        with contextlib.suppress(OSError):
            lock(descriptor)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """Yield an empty file beside `path` with its suffix, gone after the block; `sweep` leaves it alone until then."""

    def make(file: Path) -> int:
        # readable like any other file: the kernel applies the umask
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)

    with _locked(path.parent, path.stem, path.suffix, make) as file:
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield an empty folder in `parent` that its owner alone can read; as :func:`temporary_file` otherwise."""

    def make(folder: Path) -> int:
        folder.mkdir(mode=0o700)
        return os.open(folder, os.O_RDONLY)

    with _locked(parent, name, "", make) as folder:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Yield a folder where temporary ones are, as :func:`temporary_folder`; those of killed processes are swept."""
    parent = Path(tempfile.gettempdir())
    sweep(parent / name)
    with temporary_folder(parent, name) as folder:
        yield folder


@contextmanager
def _locked(parent: Path, stem: str, suffix: str, make: Callable[[Path], int]) -> Iterator[Path]:
    while True:
        # begins with a letter: people put dates behind names
        path = parent / f".{stem}-{secrets.choice('abcdef')}{secrets.token_hex(4)[1:]}{suffix}"
        try:
            descriptor = make(path)
        except FileNotFoundError:
            if not parent.exists():
                raise
            continue
        try:
            with contextlib.suppress(OSError):  # without locks on this file system, nothing is swept
                lock(descriptor)
            # who swept may have come before the lock
            if _is(descriptor, path):
                yield path
                return
        finally:
            os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def sweep(path: Path) -> None:
    """Remove the temporary files and folders that killed processes left of `path`, beside it and in it."""
    stems = f"({re.escape(path.name)}|{re.escape(path.stem)})"
    left = re.compile(rf"\.{stems}-[a-f][0-9a-f]{{7}}({re.escape(path.suffix)})?")
    for parent in (path.absolute().parent, path):
        if not parent.is_dir():
            continue
        for other in [other for other in parent.iterdir() if left.fullmatch(other.name)]:
            if not is_left(other):
                continue
            if other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
            else:
                other.unlink(missing_ok=True)


def is_left(path: Path) -> bool:
    """Return whether nobody works on a temporary file or folder any more."""
    if path.is_symlink() or not (path.is_file() or path.is_dir()):
        return False
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return lock(descriptor, wait=False)
        finally:
            os.close(descriptor)
    return False
