"""Runs a mongod for as long as anybody uses it: ``python keeper.py USERS SOCKET MONGOD ARGUMENT...``.

Whoever uses the mongod holds a shared lock on the file USERS. Locks end with their process, however that ends, so this
process waits for an exclusive one, and then stops mongod. It is run as a file, in a session of its own: a signal of the
terminal does not reach it, and it imports nothing but Python's own modules.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

__all__ = ["keep"]

_PR_SET_PDEATHSIG = 1
# mongod writes everything down before it ends, which takes longer on a slow disk
_PATIENCE = 120.0


def keep(users: str, address: str, command: list[str]) -> int:
    """Run a mongod until nobody holds a lock on a file, or it ends by itself.

    Parameters
    ----------
    users : str
        The file that its users lock.
    address : str
        The socket that mongod makes. Its folder is removed after mongod if nothing else is in it: where it is not that
        of the database, nobody else would.
    command : list of str
        The mongod, with its arguments.

    Returns
    -------
    int
        The exit code of mongod.
    """
    descriptor = os.open(users, os.O_RDWR)
    # the command that our own process gave us; no shell
    mongod = subprocess.Popen(  # noqa: S603  # nosec B603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_ends_with_this_process,
    )

    def stop_when_unused() -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # held until this process ends, so that nobody joins a mongod that stops
        mongod.terminate()
        try:
            mongod.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            mongod.kill()

    threading.Thread(target=stop_when_unused, daemon=True).start()
    code = mongod.wait()
    with contextlib.suppress(OSError):
        # one that ended by itself may have users, and the next of them starts another
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        Path(address).unlink(missing_ok=True)
        Path(address).parent.rmdir()
    return code


def _ends_with_this_process() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    os._exit(keep(sys.argv[1], sys.argv[2], sys.argv[3:]) & 0xFF)
