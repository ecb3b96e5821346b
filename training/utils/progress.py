"""How long work reports to the person in front of it; the command line draws it, tests stay silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

__all__ = ["SILENT", "Progress", "Reporter", "Silent", "silent"]

#: Called with (steps done, steps in all); the caller draws the bar.
Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Report nothing.

    Parameters
    ----------
    done, total : int
        How far the work is.
    """


class Reporter(Protocol):
    """Where lines and progress go."""

    def say(self, line: str) -> None:
        """Show a line; never a result, those are returned."""

    def bar(self, what: str) -> AbstractContextManager[Progress]:
        """Show a progress bar with the time left while the block runs."""


class Silent:
    """A reporter that shows nothing."""

    def say(self, line: str) -> None:
        """Drop the line."""

    @contextmanager
    def bar(self, what: str) -> Iterator[Progress]:
        """Show nothing."""
        yield silent


#: For whoever wants to hear nothing; it has no state.
SILENT = Silent()
