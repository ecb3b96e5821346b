"""How long work talks to the person in front of it; the command line draws it, tests stay silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from training.progress import Progress, silent

__all__ = ["Silent", "Talk"]


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
