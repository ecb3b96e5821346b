"""What is computed part by part, and what computes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from training.utils.progress import Reporter

__all__ = ["LOCAL", "Engine", "Local", "Piece", "Steps", "Task"]

#: A part of a result: named arrays of numbers or text.
Piece = Mapping[str, npt.NDArray[Any]]
#: Called with the number of units that were done since the last call.
Steps = Callable[[int], None]


class Task(Protocol):
    """A pure function of many independent units, such as the photos of a table.

    What it yields for a unit depends neither on the units beside it, nor on how many threads or machines compute, so
    it may be cut into parts anywhere. Beside that it may only add to what is kept by content, as the photo cache is.

    Attributes
    ----------
    count : int
        Number of units.
    seconds : float
        About what a unit takes on one core; decides how many units go into a part.
    cores : int
        Cores that a part uses.
    gpus : int
        Graphics cards that a part uses.
    """

    @property
    def count(self) -> int:
        """Read-only."""

    @property
    def seconds(self) -> float:
        """Read-only."""

    @property
    def cores(self) -> int:
        """Read-only."""

    @property
    def gpus(self) -> int:
        """Read-only."""

    def part(self, units: range) -> Task:
        """Return the task of some of the units, which holds what these need and no more, and can be pickled."""

    def __call__(self, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        """Compute all units, and yield what comes of them, in their order.

        Parameters
        ----------
        on_step : callable
            Called as units are done.
        reporter : Reporter
            Gets messages for a person.
        """


class Engine(Protocol):
    """Computes tasks."""

    def run(self, task: Task, *, folder: Path, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        """Yield what comes of a task, in the order of its units.

        Parameters
        ----------
        task : Task
            What to compute.
        folder : Path
            Where parts may be handed over: all that compute see it. It is made when it is needed, and nothing is left
            there.
        on_step : callable
            Called as units are done.
        reporter : Reporter
            Gets the messages of the task, each once.
        """


class Local:
    """Computes a task as a whole in this process, which uses all of its cores."""

    def run(self, task: Task, *, folder: Path, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        """Yield what comes of a task; see :class:`Engine`."""
        yield from task(on_step, reporter)


#: The default engine; it has no state.
LOCAL = Local()
