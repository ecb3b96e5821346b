"""Processes that work beside an open review, so that no key waits for them."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import curation
from curation.review.server.failures import LOG
from curation.run.folder import RunFolder

__all__ = ["end", "reason", "start"]

#: Seconds that a process has to end by itself.
_PATIENCE = 5


def start(run: RunFolder, module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a module of this package as a process of its own; what it prints goes to the review's log.

    Parameters
    ----------
    run : RunFolder
        Its folder is the first argument.
    module : str
        What `python -m` runs.
    *arguments : str
        Those after the folder.

    Raises
    ------
    OSError
        If no process can be started.
    """
    root = str(Path(curation.__file__).parents[1])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", module, str(run.folder.resolve()), *arguments]
    with (run.folder / LOG).open("ab") as log:
        # in a session of its own, so that Ctrl-C does not reach it: `end` ends it
        return subprocess.Popen(  # noqa: S603  # nosec B603
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,
        )


def reason(status: int) -> str:
    """Return in words why a process failed.

    Parameters
    ----------
    status : int
        What it ended with; negative for a signal.
    """
    return f"killed by signal {-status}" if status < 0 else f"{LOG} of the run says why"


def end(process: subprocess.Popen[bytes] | None) -> None:
    """End a process, if there is one."""
    if process is None:
        return
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE)
