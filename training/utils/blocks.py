"""Rows of large arrays, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["row_blocks"]

#: Rows of a block. What is computed of so few stays in the cache of a processor.
_ROWS = 32_768


def row_blocks(rows: int) -> Iterator[slice]:
    """Yield the blocks of so many rows, in order: what is computed of one block is small, however many rows there are.

    Parameters
    ----------
    rows : int
        0 or more.

    Examples
    --------
    >>> list(row_blocks(40_000))
    [slice(0, 32768, None), slice(32768, 40000, None)]
    """
    for start in range(0, rows, _ROWS):
        yield slice(start, min(start + _ROWS, rows))
