"""How long work says how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "silent"]

#: Called with (steps done, steps in all); the caller draws the bar.
Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Say nothing."""
