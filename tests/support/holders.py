"""Another process that works on a run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.run.folder import RunFolder

_HOLD = """
import os, sys, time
from pathlib import Path
from training.utils.locks import held
with held(Path(sys.argv[1]), sys.argv[2]):
    # the child says so itself: until it runs, it holds its parent's files too
    if not (sys.argv[3:] and os.fork()):
        print(os.getpid(), flush=True)
    sys.stdin.read()
"""


@contextmanager
def holding(run: RunFolder, command: str, *, with_child: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold the run's lock until the block ends, or until the process is told to end or is killed.

    It ends when its stdin is closed. `with_child`: it has forked a child, whose number is `child` of what is yielded.
    """
    arguments = [sys.executable, "-c", _HOLD, run.lock_file.absolute(), command, *(["child"] if with_child else [])]
    root = Path(__file__).parents[2]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.child = int(process.stdout.readline())  # type: ignore[attr-defined]
        try:
            yield process
        finally:
            process.stdin.close()
