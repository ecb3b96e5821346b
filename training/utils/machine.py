"""What the machine refuses: a full disk, a failing one, missing rights, too little memory; each as one line."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import CurateError, MachineError
from training.utils.units import bytes_text

__all__ = ["machine_error", "mark_resumable", "naming", "resumable", "resumes", "room"]

_FULL = (errno.ENOSPC, errno.EDQUOT)
_AGAIN = "run the same command again"
#: A note on what ends a command after it has kept something.
_RESUMES = "it resumes where it stopped"
_RIGHTS = f"Let this user read and write there (chmod, chown), or choose another folder, and {_AGAIN}"
#: What to do, by the number of the error.
_FIXES = {
    errno.ENOSPC: f"Make room there, and {_AGAIN}",
    errno.EDQUOT: f"Make room in your quota, and {_AGAIN}",
    errno.EIO: f"The disk or the connection to it fails: look after it, and {_AGAIN}",
    errno.EROFS: f"Make it writable (mount -o remount,rw), or choose another folder, and {_AGAIN}",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EFBIG: f"Raise the limit of a file's size (ulimit -f), and {_AGAIN}",
    errno.EMFILE: f"Raise the limit of open files (ulimit -n), and {_AGAIN}",
    errno.ENOMEM: f"End other programs, or take a larger machine, and {_AGAIN}",
}
_MEMORY = (
    "memory ran out{size}. End other programs, choose a smaller `batch_size` or `image_size`, or take a larger "
    f"machine, and {_AGAIN}"
)
#: Libraries that print.
_PRINTERS = ("click", "rich")


def mark_resumable(error: BaseException) -> None:
    """Note on what ends a command that the same command resumes where this stopped it: something was kept."""
    if not resumes(error):
        error.add_note(_RESUMES)


@contextmanager
def resumable() -> Iterator[None]:
    """Let the system's errors, and interruptions, of the block say that the same command resumes where they stopped it.

    Examples
    --------
    >>> try:
    ...     with resumable():
    ...         raise OSError(5, "Input/output error", "runs/shop/1/run.json")
    ... except OSError as error:
    ...     print(machine_error(error))
    can't use runs/shop/1/run.json: got Input/output error. The disk or the connection to it fails: look after it, and \
run the same command again: it resumes where it stopped.
    """
    try:
        yield
    except CurateError:
        # a mistake in what was asked is mended first
        raise
    except BaseException as error:
        mark_resumable(error)
        raise


def resumes(error: BaseException) -> bool:
    """Return whether the same command resumes where an error stopped it."""
    return any(_RESUMES in getattr(each, "__notes__", ()) for each in _chain(error))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the system in the block, also one that a library hides, name the file that was to be written.

    Examples
    --------
    >>> with naming(Path("runs/shop/1/issues.csv")):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    ...
    OSError: [Errno 28] No space left on device: 'runs/shop/1/issues.csv'
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        cause = _system_error(error)
        if cause is None or cause.errno is None or _elsewhere(cause.filename, path):
            raise
        raise OSError(cause.errno, os.strerror(cause.errno), str(path)) from error


def _elsewhere(named: object, path: Path) -> bool:
    """Return whether an error names a file that is not a temporary one beside `path`."""
    if not isinstance(named, str | bytes):
        return False
    other = Path(os.fsdecode(named))
    return other.parent != path.parent or not other.name.startswith(".")


def machine_error(error: BaseException) -> MachineError | None:
    """Return an error of the system, or of a library that met one, as one line for a person; None for other errors.

    Parameters
    ----------
    error : BaseException
        As it was raised.

    Examples
    --------
    >>> print(machine_error(OSError(5, "Input/output error", "runs/shop/1/run.json")))
    can't use runs/shop/1/run.json: got Input/output error. The disk or the connection to it fails: look after it, and \
run the same command again.
    >>> machine_error(KeyError("label")) is None
    True
    """
    message = _message(error)
    if message is None:
        return None
    return MachineError(f"{message}: {_RESUMES}." if resumes(error) else f"{message}.")


def _message(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return _MEMORY.format(size=f" ({error})" if str(error) else "")
    if isinstance(error, RuntimeError) and "can't allocate memory" in str(error):
        return _MEMORY.format(size="")
    if (cause := _system_error(error)) is not None:
        return _refused(cause)
    if (database := _database_error(error)) is not None:
        return f"the database of the study can't be written: got {database}. Make room there, and {_AGAIN}"
    return None


def _refused(error: OSError) -> str:
    number = error.errno
    got = str(error) if number is None else os.strerror(number)
    place = "the output" if _printing(error) else error.filename
    if isinstance(place, bytes):
        place = os.fsdecode(place)
    verb = "write" if number in (*_FULL, errno.EROFS, errno.EFBIG) or place == "the output" else "use"
    what = f"can't {verb} {place}" if place else "the system refused"
    wanted = room(error, Path(place)) if place and place != "the output" else ""
    fix = _FIXES.get(number or 0, f"Mend that, and {_AGAIN}")
    if not place:
        fix = fix.replace("Make room there", "Make room on the disk")
    return f"{what}: got {got}{f'; wanted {wanted}' if wanted else ''}. {fix}"


def room(error: OSError, path: Path) -> str:
    """Return, of an error of a full disk, how many bytes are wanted where a path is to be written; else an empty text.

    Parameters
    ----------
    error : OSError
        Of the system.
    path : Path
        What was to be written; the bytes are those that are free in the folder that it would be in.

    Examples
    --------
    >>> room(OSError(13, "Permission denied"), Path("shop"))
    ''
    """
    if error.errno not in _FULL:
        return ""
    folder = next((above for above in path.absolute().parents if above.is_dir()), Path("/"))
    # what was written of the file is gone, so it needs more than this
    free = shutil.disk_usage(folder).free
    return f"more than the {bytes_text(free)} that are free in {os.path.relpath(folder)}"


def _printing(error: OSError) -> bool:
    """Return whether the error came from printing: a file that the shell opened has no name here."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals.get("__name__", "").split(".")[0] in _PRINTERS


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        yield following
        seen.append(following)
        following = following.__cause__ or following.__context__


def _system_error(error: BaseException) -> OSError | None:
    """Return the error of the system itself: torch and zipfile raise others in its place."""
    if isinstance(error, OSError):
        return error
    if not isinstance(error, RuntimeError | ValueError):
        return None
    return next((each for each in _chain(error) if isinstance(each, OSError)), None)


def _database_error(error: BaseException) -> str | None:
    """Return what SQLite says of a disk that is full or fails; SQLAlchemy raises its own error from it."""
    for each in _chain(error):
        if isinstance(each, sqlite3.Error):
            name = getattr(each, "sqlite_errorname", "")
            return str(each) if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")) else None
    return None
