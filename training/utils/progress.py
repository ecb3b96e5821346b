"""Reporting messages and progress; the command line shows them, tests stay silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

__all__ = ["SILENT", "Progress", "Reporter", "Silent", "silent"]

#: Called with (steps done, steps in all).
Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Report nothing of `done` steps out of `total`."""


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
