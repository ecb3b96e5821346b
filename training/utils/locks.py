"""Who works on something: a lock that ends with its process, however that ends, and a note of who holds it.

The lock is `flock`'s, on a small file that stays. Its content is a note of the holder, empty while there is none.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from training.utils.flock import lock
from training.utils.units import now

__all__ = ["Holder", "InUse", "held", "holder_of", "is_held"]

#: Seconds between two attempts to get a lock.
_EVERY = 0.1
#: How often a note is read that says nothing yet: its holder has only just come, or has only just been killed.
_LOOKS = 50
#: What a file system without locks answers.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF}
#: Longest note that is read.
_LONGEST = 4096


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes
    ----------
    command : str
        The function of the API, e.g. ``"apply_fixes"``.
    process : int
        Its number on `host`.
    host, user : str
        Where it runs, and whose it is.
    since : str
        When it began: ISO 8601, UTC.

    Examples
    --------
    >>> print(Holder("undo", 4711, "box", "ana", "2026-11-29T12:08:23.417+00:00"))
    `undo()` (process 4711 of ana on box) since 2026-11-29 12:08:23 UTC
    """

    command: str
    process: int
    host: str
    user: str
    since: str

    def __str__(self) -> str:
        """Return it as part of a sentence."""
        since, call = self.since[:19].replace("T", " "), f"{self.command}()"
        return f"`{call}` (process {self.process} of {self.user} on {self.host}) since {since} UTC"

    @property
    def gone(self) -> bool:
        """Whether its process has ended, as far as this machine can tell."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):
            return False
        return False


class InUse(Exception):
    """A lock is held by another.

    Attributes
    ----------
    holder : Holder or None
        By whom; None if it did not say so.
    """

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(str(holder))
        self.holder = holder


@contextmanager
def held(
    file: Path,
    command: str,
    *,
    wait: bool | float = False,
    waiting: Callable[[Holder | None], object] = lambda holder: None,
    unlockable: Callable[[], object] = lambda: None,
) -> Iterator[None]:
    """Hold a lock while the block runs, against other processes and against other threads of this one.

    It ends with the process, however that ends, also if children of it live on.

    Parameters
    ----------
    file : Path
        Made if it is missing; its folder exists.
    command : str
        Who wants it: a function of the API.
    wait : bool or float
        Whether to wait while another holds it, or for how many seconds.
    waiting : callable
        Called with the holder when a wait for it begins.
    unlockable : callable
        Called if the file system has no locks: then the block runs without one.

    Raises
    ------
    InUse
        If another holds it, and still does after the wait.
    OSError
        If the file can't be made or written.
    """
    began, looks, told = time.monotonic(), 0, None
    # before the lock is taken: whoever finds it taken looks for the note
    me = Holder(command, os.getpid(), socket.gethostname(), _user(), since="")
    while (descriptor := _taken(file, unlockable)) is None:
        holder, looks = holder_of(file), looks + 1
        # a moment later, the note says who it is
        known = (holder is not None and not holder.gone) or looks >= _LOOKS
        if known and wait is not True and time.monotonic() - began >= wait:
            raise InUse(holder)
        if known and wait and told != (holder,):
            told = (holder,)
            waiting(holder)
        time.sleep(_EVERY)
    try:
        _write(descriptor, replace(me, since=now()))
        yield
    finally:
        # a forked child that comes here closed it at its birth
        if descriptor in _OPEN:
            _write(descriptor, None)
            _close(descriptor)


def is_held(file: Path) -> bool:
    """Return whether somebody holds the lock right now."""
    try:
        # a pipe in its place, of a stranger's run, must not be waited for
        descriptor = _open(file, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # shared, which `_taken` tells from a holder
        return not lock(descriptor, wait=False, shared=True)
    except OSError:
        return False
    finally:
        _close(descriptor)


def _taken(file: Path, unlockable: Callable[[], object]) -> int | None:
    """Return the descriptor of the file that is locked now; None if another holds it."""
    while True:
        descriptor = _open(file, os.O_RDWR | os.O_CREAT)
        try:
            if lock(descriptor, wait=False):
                if _is(descriptor, file):
                    return descriptor
            elif not lock(descriptor, wait=False, shared=True):
                _close(descriptor)
                return None
            else:
                # somebody only looked whether it is held
                time.sleep(0.001)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                unlockable()
                return descriptor
            _close(descriptor)
            raise
        _close(descriptor)


def _is(descriptor: int, file: Path) -> bool:
    """Return whether a file that was opened is still the one in the folder: whoever held it may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def holder_of(file: Path) -> Holder | None:
    """Return who the note says holds the lock; None if it says nothing that can be read."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            holder = Holder(**json.loads(stream.read(_LONGEST)))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    texts = (holder.command, holder.host, holder.user, holder.since)
    sound = all(isinstance(text, str) and text.isprintable() for text in texts) and isinstance(holder.process, int)
    return holder if sound else None


def _write(descriptor: int, holder: Holder | None) -> None:
    # a note that can't be written, e.g. to a full disk, is no reason to stop
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        if holder is not None:
            os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user that has no name
        return f"user {os.getuid()}"


#: Of the locks of this process. A forked child would keep them alive after its parent.
_OPEN: set[int] = set()


def _open(path: Path, flags: int) -> int:
    # Python closes it when another program is executed
    descriptor = os.open(path, flags, 0o666)
    _OPEN.add(descriptor)
    return descriptor


def _close(descriptor: int) -> None:
    if descriptor in _OPEN:
        _OPEN.discard(descriptor)
        os.close(descriptor)


def _close_all() -> None:
    while _OPEN:
        os.close(_OPEN.pop())


os.register_at_fork(after_in_child=_close_all)
