"""The engine that computes parts as tasks of a Ray cluster (Moritz et al., "Ray", OSDI 2018)."""

from __future__ import annotations

import itertools
import shutil
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.engine.contract import Piece, Steps, Task
from training.engine.worker import compute_part, read_pieces
from training.errors import InputError, MachineError
from training.utils.files import make_folder
from training.utils.progress import Reporter

__all__ = ["Ray", "cut"]

#: Seconds of a part on one core: starting a task takes milliseconds, and loading a network a second.
_SECONDS = 12.0
#: How often a part is computed again whose process or machine was lost.
_RETRIES = 3
#: Parts that are handed out beyond those that can be computed at once.
_AHEAD = 16
#: Seconds in which parts that are ended must have ended.
_ENDED = 10.0
#: Seconds until a file that another machine wrote must be seen here.
_SEEN = 60.0


def cut(count: int, seconds: float) -> list[range]:
    """Cut units into parts of nearly equal size that take about 12 seconds each; one part, if all take less.

    Parameters
    ----------
    count : int
        Number of units.
    seconds : float
        What a unit takes.

    Examples
    --------
    >>> cut(1000, 0.03), cut(3, 60), cut(0, 1)
    ([range(0, 500), range(500, 1000)], [range(0, 1), range(1, 2), range(2, 3)], [])
    """
    parts = min(count, max(1, int(count * seconds / _SECONDS)))
    edges = [count * number // parts for number in range(parts + 1)] if parts else [0]
    return [range(start, stop) for start, stop in itertools.pairwise(edges)]


class Ray:
    """Computes parts on the cores and graphics cards of a cluster that this process is connected to.

    Each part is computed by one process, which writes what comes of it to a file and returns messages alone. A part
    whose process or machine is lost is computed again, elsewhere if need be.

    Parameters
    ----------
    ray : module
        The package, connected; see :func:`training.engine.cluster.connected`.
    """

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._compute = ray.remote(compute_part)

    def run(self, task: Task, *, folder: Path, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        """Yield what comes of a task; see :class:`training.engine.contract.Engine`."""
        self._require_room(task)
        shared = (folder / "parts").absolute()
        # the remains of a killed process
        shutil.rmtree(shared, ignore_errors=True)
        make_folder(shared)
        try:
            yield from self._pieces(task, shared, on_step, reporter)
        finally:
            shutil.rmtree(shared, ignore_errors=True)

    def _pieces(self, task: Task, shared: Path, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        left = deque(_Part(number, units, shared) for number, units in enumerate(cut(task.count, task.seconds)))
        running: dict[Any, _Part] = {}
        done: dict[int, _Part] = {}
        following, said = 0, set[str]()
        compute = self._compute.options(num_cpus=task.cores, num_gpus=task.gpus, max_retries=_RETRIES)
        try:
            while left or running:
                while left and len(running) < self._at_once(task) + _AHEAD:
                    part = left.popleft()
                    running[compute.remote(task.part(part.units), part.path)] = part
                # wakes up now and then, so that Ctrl-C is seen
                ready, _ = self._ray.wait(list(running), num_returns=1, timeout=1)
                for answer in ready:
                    part = running.pop(answer)
                    for line in self._messages(answer):
                        if line not in said:
                            said.add(line)
                            reporter.say(line)
                    done[part.number] = part
                    on_step(len(part.units))
                while following in done:
                    yield from done.pop(following).pieces()
                    following += 1
        finally:
            self._end(list(running))

    def _end(self, running: list[Any]) -> None:
        """End parts, and wait until they have ended: they must not write to a folder that is about to be deleted."""
        for answer in running:
            self._ray.cancel(answer, force=True)
        if running:
            self._ray.wait(running, num_returns=len(running), timeout=_ENDED)

    def _require_room(self, task: Task) -> None:
        """Refuse a task of which no machine can compute a part: it would wait for ever."""
        for name, wanted in (("CPU", task.cores), ("GPU", task.gpus)):
            most = max((node["Resources"].get(name, 0) for node in self._ray.nodes() if node["Alive"]), default=0)
            if most < wanted:
                what = "cores" if name == "CPU" else "graphics cards"
                raise InputError(
                    f"no machine of the cluster has as many {what} as a part needs",
                    got=f"{most:g}",
                    wanted=str(wanted),
                    fix="Add one, or choose fewer `threads`."
                    if name == "CPU"
                    else 'Add one, or choose `device="cpu"`.',
                    parameter="engine",
                )

    def _at_once(self, task: Task) -> int:
        """Return how many parts the cluster can compute at once, as it is now."""
        there = self._ray.cluster_resources()
        return int(there.get("GPU", 0) // task.gpus if task.gpus else there.get("CPU", 0) // task.cores)

    def _messages(self, answer: Any) -> list[str]:
        """Return the messages of a part that was computed."""
        errors = self._ray.exceptions
        try:
            result: list[str] | Exception = self._ray.get(answer)
        except errors.RayError as error:
            lost = (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError, errors.ObjectLostError)
            if not isinstance(error, lost):
                raise
            raise MachineError(
                f"a part was lost {_RETRIES + 1} times: its process was killed, perhaps because memory ran out, or its "
                f"machine was lost ({_first_line(error)}); what was finished is kept: start again as before to continue"
            ) from error
        if isinstance(result, Exception):
            raise result
        return result


@dataclass(frozen=True)
class _Part:
    """Some units of a task, and the file that gets what comes of them."""

    number: int
    units: range
    shared: Path

    @property
    def path(self) -> Path:
        return self.shared / f"{self.number}.npz"

    def pieces(self) -> Iterator[Piece]:
        """Yield what came of it, and delete the file."""
        until = time.monotonic() + _SEEN
        # a network file system may show a new file late
        while not self.path.exists():
            if time.monotonic() > until:
                raise MachineError(
                    f"a part was computed, but its file is not seen here: {self.path}; wanted a folder that all "
                    "machines of the cluster share"
                )
            time.sleep(0.2)
        yield from read_pieces(self.path)
        self.path.unlink()


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
