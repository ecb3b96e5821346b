"""What libraries in C write to stderr past Python, and what Pillow logs: kept in a file instead of the terminal."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TextIO

__all__ = ["noise_to"]

_STDERR = 2


class _Kept(logging.Handler):
    """Writes what is logged to where the noise goes; where no program handles it, Python would show it."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            os.write(_STDERR, f"{self.format(record)}\n".encode(errors="backslashreplace"))


class _Stderr:
    """The one stderr of this process: the first of the blocks that run at a time redirects it, the last restores it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._restore = ExitStack()

    def enter(self, log: Path | None) -> None:
        with self._lock:
            if not self._inside:
                with ExitStack() as stack:
                    _redirect(log, stack)
                    self._restore = stack.pop_all()
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._restore.close()


_stderr = _Stderr()


@contextmanager
def noise_to(log: Path | None = None) -> Iterator[None]:
    """Append to a file what libraries write to stderr while the block runs; what Python writes is shown as ever.

    Decoders of photos say there what they think of a file, but not which file it is: libtiff hundreds of lines. So does
    Pillow in warnings that it logs. A progress bar must begin inside the block, and end there. Blocks that run in other
    threads at the same time share the file of the first one.

    Parameters
    ----------
    log : Path, optional
        The file; its folder exists. It stays only if there is something in it. Without one, nothing is kept.
    """
    _stderr.enter(log)
    try:
        yield
    finally:
        _stderr.leave()


def _redirect(log: Path | None, restore: ExitStack) -> None:
    try:
        shown = os.dup(_STDERR)
    except OSError:
        # there is none, e.g. in a service
        return
    restore.callback(os.close, shown)
    try:
        kept = os.open(os.devnull if log is None else log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        # noise is no reason to fail, e.g. on a full disk
        return
    restore.callback(_tidy, log)
    _keep_shown(shown, restore)
    restore.callback(os.dup2, shown, _STDERR)
    os.dup2(kept, _STDERR)
    os.close(kept)
    logger, handler = logging.getLogger("PIL"), _Kept(logging.WARNING)
    logger.addHandler(handler)
    restore.callback(logger.removeHandler, handler)


def _keep_shown(shown: int, restore: ExitStack) -> None:
    """Let Python write to where stderr led, if it would write to the file."""
    ours: TextIO = sys.stderr
    try:
        redirected = ours.fileno() == _STDERR
    except (OSError, ValueError, AttributeError):
        return
    if not redirected:
        return
    ours.flush()
    sys.stderr = open(  # noqa: SIM115 - a descriptor, closed by its owner
        shown, "w", encoding=ours.encoding, errors=ours.errors, buffering=1, closefd=False
    )
    restore.callback(_give_back, ours, sys.stderr)


def _give_back(ours: TextIO, mine: TextIO) -> None:
    mine.flush()
    if sys.stderr is mine:
        sys.stderr = ours


def _tidy(log: Path | None) -> None:
    with suppress(OSError):
        if log is not None and not log.stat().st_size:
            log.unlink()
