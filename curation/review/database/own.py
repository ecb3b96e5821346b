"""A mongod of our own: reached through a socket file that only its owner can open, and gone with its last user.

FiftyOne's own way has no password, listens on a port that everybody on the machine can reach, and joins any mongod that
another FiftyOne of the same person has started, whatever folder was named. So FiftyOne gets the address of this one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from curation.errors import ReviewError
from curation.review.database import keeper
from curation.review.database.check import configured, installed_mongod
from training.images.cache import default_cache_folder
from training.utils.flock import lock

__all__ = ["database_folder", "join"]

#: Seconds to wait for a mongod that starts, or one that stops, on a slow and busy machine.
_PATIENCE = 90.0
_POLL = 0.05
#: Longest address of a socket in bytes, less than anywhere; FiftyOne's mongod takes commas for a list.
_LONGEST = 100
_PLAIN = re.compile(r"[\w./ -]+", re.ASCII)
#: What mongod exits with if another one has its folder.
_IN_USE = 100


def database_folder(version: str) -> Path:
    """Return the folder of our database for a mongod of a version, e.g. ``6.0``.

    It is below the folder that ``FIFTYONE_DATABASE_DIR``, or FiftyOne's config file, names, otherwise in the cache. A
    mongod can't open the files of most other versions. They are not needed: runs have all decisions.
    """
    named = configured("database_dir")
    base = Path(named).expanduser() if named else default_cache_folder()
    return base.absolute() / f"curate-mongodb-{version}"


def join() -> str:
    """Start our mongod, or join the one that another review of this person has started.

    It ends when this process and all others that joined it have ended, however they end.

    Returns
    -------
    str
        The address of the database.

    Raises
    ------
    ReviewError
        If there is no mongod, or it can't be started.
    """
    program, version = installed_mongod()
    folder = database_folder(version)
    try:
        _make_private(folder)
        users = os.open(folder / "users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _wait_for_lock(users, folder)
            # now that no keeper removes it
            address = _socket_folder(folder) / "mongod.sock"
            with _alone(folder):
                if not _answers(address):
                    _start(program, folder, address)
        except BaseException:
            os.close(users)
            raise
        # stays open until the process ends: its lock says that mongod is in use
    except OSError as error:
        raise ReviewError(
            f"the review's database can't be kept in {folder} ({error.strerror or error}). Name another folder with "
            "CURATE_CACHE_DIR; or decide without the App: `apply_fixes(decisions='FILE.csv')`"
        ) from error
    return f"mongodb://{quote(str(address), safe='')}"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time start mongod."""
    starting = os.open(folder / "starting", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        lock(starting)
        yield
    finally:
        os.close(starting)


def _make_private(folder: Path) -> None:
    """Make a folder that only this user can enter.

    Raises
    ------
    ReviewError
        If it is somebody else's.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ReviewError(f"{folder} is not a folder of yours. Remove it, or name another place with CURATE_CACHE_DIR")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def _socket_folder(folder: Path) -> Path:
    """Return the folder of the socket: that of the database, or a short one if the path is too long for a socket."""
    if _fits(folder):
        return folder
    name = f"curate-{os.geteuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    # `_make_private` refuses one that somebody else made
    bases = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108  # nosec B108
    short = next((base / name for base in bases if _fits(base / name)), None)
    if short is None:
        raise ReviewError(f"the path of {folder} is too long for a database. Name a shorter one with CURATE_CACHE_DIR")
    _make_private(short)
    return short


def _fits(folder: Path) -> bool:
    path = str(folder / "mongod.sock")
    return len(os.fsencode(path)) <= _LONGEST and _PLAIN.fullmatch(path) is not None


def _wait_for_lock(users: int, folder: Path) -> None:
    """Say that this process uses mongod; wait for one that is about to stop."""
    end = time.monotonic() + _PATIENCE
    while not lock(users, wait=False, shared=True):
        if time.monotonic() > end:
            raise ReviewError(f"the database in {folder} has been stopping for {_PATIENCE:.0f} s. Try again later")
        time.sleep(_POLL)


def _answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PATIENCE)
        try:
            probe.connect(str(address))
        except OSError:
            return False
    return True


def _start(program: Path, folder: Path, address: Path) -> None:
    """Start mongod and its keeper, and wait until it answers."""
    data, log = folder / "db", folder / "log"
    data.mkdir(mode=0o700, exist_ok=True)
    log.unlink(missing_ok=True)  # mongod would keep the old one beside it
    command = [str(program), "--dbpath", str(data), "--logpath", str(log)]
    # no port, and no socket in /tmp either
    command += ["--bind_ip", str(address), "--filePermissions", "0700", "--nounixsocket"]
    # it would write measurements of itself, and a journal of 300 MB before the first byte
    command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
    command += ["--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=16MB)"]
    # not a Popen, which would warn when it is forgotten; in a session of its own, so that Ctrl-C does not reach it
    started = os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", keeper.__file__, str(folder / "users"), str(address), *command],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in range(3)],
        setsid=True,
        setsigmask=[],
    )
    end = time.monotonic() + _PATIENCE
    while not _answers(address):
        ended, status = os.waitpid(started, os.WNOHANG)
        if ended or time.monotonic() > end:
            raise _not_started(folder, log, os.waitstatus_to_exitcode(status) if ended else None)
        time.sleep(_POLL)


def _not_started(folder: Path, log: Path, code: int | None) -> ReviewError:
    if code == _IN_USE:
        return ReviewError(
            f"the database in {folder} is in use by another mongod, perhaps of another machine. Stop the review there, "
            "or name another folder with CURATE_CACHE_DIR"
        )
    why = _reason(log) or ("it does not answer" if code is None else f"exit code {code}")
    return ReviewError(
        f"MongoDB could not be started ({why}). If its files are damaged, type: rm -r {folder} — all decisions are in "
        "the runs, and the next review makes it again. Or decide without the App: `apply_fixes(decisions='FILE.csv')`"
    )


def _reason(log: Path) -> str:
    """Return the last error in a log of mongod."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("s") in ("E", "F"):
            attributes = entry.get("attr") or {}
            return " ".join(str(attributes.get("error") or entry.get("msg")).split())[:200]
    return ""
