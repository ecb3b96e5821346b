"""Engines and tasks for tests."""

import os
import pickle
import signal
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.engine.worker import compute_part, read_pieces
from training.errors import InputError
from training.utils import parallel
from training.utils.devices import threads


class InParts:
    """Computes parts of so many units, each of which is pickled and hands over a file, as machines of a cluster do."""

    def __init__(self, units):
        self.units, self.parts = units, 0

    def run(self, task, *, folder, on_step, reporter):
        for start in range(0, task.count, self.units):
            units = range(start, min(start + self.units, task.count))
            path, part = Path(folder).absolute() / f"part-{start}.npz", pickle.loads(pickle.dumps(task.part(units)))
            with _process_of_its_own():
                said = compute_part(part, path)
            if isinstance(said, Exception):
                raise said
            for line in said:
                reporter.say(line)
            yield from read_pieces(path)
            path.unlink()
            on_step(len(units))
            self.parts += 1


@contextmanager
def _process_of_its_own():
    """Let this process be as before afterwards: that of a part uses one core from then on."""
    with pytest.MonkeyPatch.context() as patch, threads(torch.get_num_threads()):
        patch.setattr(parallel, "_most", None)
        yield


@dataclass(frozen=True)
class Squares:
    """The squares of numbers; one of them may kill the process that computes it, or be refused."""

    numbers: Sequence[int]
    seconds: float = 0.0
    kills: int | None = None
    times: int = 0
    marks: Path | None = None
    refused: int | None = None
    pause: float = 0.0
    cores: int = 1
    gpus: int = 0

    @property
    def count(self):
        return len(self.numbers)

    def part(self, units):
        return replace(self, numbers=list(self.numbers[units.start : units.stop]))

    def __call__(self, on_step, reporter):
        for number in self.numbers:
            time.sleep(self.pause)
            if number == self.kills and len(list(self.marks.iterdir())) < self.times:
                (self.marks / str(time.time_ns())).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            if number == self.refused:
                raise InputError("a number is refused", got=str(number))
            reporter.say("squares are computed")
            yield {"square": np.array(number**2)}
            on_step(1)
