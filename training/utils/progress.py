"""Reporting messages and progress; the command line shows them, tests stay silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

__all__ = ["SILENT", "Progress", "Reporter", "Silent", "counted", "silent"]

#: Called with (steps done, steps in all).
Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Report nothing of `done` steps out of `total`."""


def counted(progress: Progress, total: int) -> Callable[[int], None]:
    """Return what adds up steps, and reports how many are done.

    Parameters
    ----------
    progress : callable
        Called with the number of steps done so far, and `total`.
    total : int
        Steps in all.

    Returns
    -------
    callable
        To be called with the number of steps that were done since the last call.

    Examples
    --------
    >>> step = counted(lambda done, total: print(done, "of", total), 5)
    >>> step(2), step(3)
    2 of 5
    5 of 5
    (None, None)
    """
    done = 0

    def step(units: int) -> None:
        nonlocal done
        done += units
        progress(done, total)

    return step


class Reporter(Protocol):
    """Shows messages and progress bars."""

    def say(self, line: str) -> None:
        """Show a message; results are returned instead."""

    def bar(self, what: str) -> AbstractContextManager[Progress]:
        """Show a progress bar while the block runs."""


class Silent:
    """A reporter that shows nothing."""

    def say(self, line: str) -> None:
        """Drop the line."""

    @contextmanager
    def bar(self, what: str) -> Iterator[Progress]:
        """Show nothing."""
        yield silent


#: The default reporter; it has no state.
SILENT = Silent()
