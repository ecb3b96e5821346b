"""Memory that nothing uses, given back to the system."""

from __future__ import annotations

import ctypes

import pyarrow as pa

__all__ = ["release_unused"]


def release_unused() -> None:
    """Give back what PyArrow, and the C library of Linux, keep for the next arrays.

    After a step that made many large arrays, it may be as much again as is in use.

    Examples
    --------
    >>> release_unused()
    """
    pa.default_memory_pool().release_unused()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        # another library: it has no such function, and some of them keep less
        return
    trim(0)
