"""How long work says how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

__all__ = ["Progress", "Silent", "Talk", "silent"]

#: Called with (steps done, steps in all); the caller draws the bar.
Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Say nothing."""


class Talk(Protocol):
    """Somebody who listens."""

    def say(self, line: str) -> None:
        """Show a line; never a result, those are returned."""

    def bar(self, what: str) -> AbstractContextManager[Progress]:
        """Show a progress bar with the time left while the block runs."""


class Silent:
    """Nobody listens."""

    def say(self, line: str) -> None:
        """Drop the line."""

    @contextmanager
    def bar(self, what: str) -> Iterator[Progress]:
        """Show nothing."""
        yield silent
