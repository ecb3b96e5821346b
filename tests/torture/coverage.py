"""The readers of `fuzz`, led by coverage: atheris keeps a content that reaches new code, and changes it further.

A process has all of curation and training instrumented, and forks once for each reader, since libFuzzer knows one
target a process. Half of the changes are libFuzzer's own, half are those of `fuzz`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.torture.tally import Tally

__all__ = ["COUNT", "missing", "run"]

COUNT = 20_000
_ROOT = Path(__file__).resolve().parents[2]


def missing() -> str:
    """Return why this kind can't run here; "" if it can."""
    if importlib.util.find_spec("atheris") is None:
        return "no atheris, which has wheels for Python 3.11 to 3.13 on Linux"
    return ""


def run(count: int, seed: int, jobs: int) -> Tally:
    """Try `count` cases of all readers together.

    Parameters
    ----------
    count : int
        Cases; each reader gets its share, and as many as it has honest contents at least.
    seed : int
        Decides what libFuzzer and `fuzz` change.
    jobs : int
        Readers at once.
    """
    if why := missing():
        return Tally("coverage", skipped=why)
    with tempfile.TemporaryDirectory(prefix="curate-torture-") as folder:
        # modules are instrumented as they are imported: a process of its own, which has imported none yet
        command = [sys.executable, "-m", "tests.torture._guided", str(count), str(seed), str(jobs), folder]
        environment = {**os.environ, "PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1"}
        log = Path(folder) / "log"
        with log.open("wb") as output:
            code = subprocess.run(command, cwd=_ROOT, env=environment, stdout=output, stderr=output).returncode
        if code == 0:
            return Tally(**json.loads((Path(folder) / "tally.json").read_text()))
        end = log.read_text(errors="replace")[-2000:]
        return Tally("coverage", unexplained=1, faults=[f"unexplained: the process ended with {code}: {end}"])
