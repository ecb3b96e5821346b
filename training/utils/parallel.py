"""Mapping over a pool of threads in order, with a bounded number of waiting results."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

__all__ = ["cores", "map_ahead", "use_cores"]

#: Most cores that this process shall use, if that was said.
_most: int | None = None

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int) -> Iterator[Result]:
    """Map in order like ``pool.map``, which would submit all items at once and pile up their results.

    Parameters
    ----------
    pool : Executor
        Does the work.
    work : callable
        Thread-safe.
    items : iterable
        The arguments.
    ahead : int
        Items that are submitted before the first result is taken.
    """
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def cores() -> int:
    """Return the number of cores that this process may use."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return there if _most is None else min(there, _most)


def use_cores(number: int) -> None:
    """Let this process use at most so many cores from now on, as others compute beside it."""
    global _most
    _most = number
