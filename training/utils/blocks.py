"""Rows of large arrays, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from training.utils.arrays import Bool

__all__ = ["finite_rows", "row_blocks"]

#: Rows of a block. What is computed of so few stays in the cache of a processor.
_ROWS = 8_192


def row_blocks(rows: int) -> Iterator[slice]:
    """Split row numbers into consecutive blocks, so that temporary arrays stay small however many rows there are.

    Parameters
    ----------
    rows : int
        0 or more.

    Examples
    --------
    >>> list(row_blocks(10_000))
    [slice(0, 8192, None), slice(8192, 10000, None)]
    """
    for start in range(0, rows, _ROWS):
        yield slice(start, min(start + _ROWS, rows))


def finite_rows(values: npt.NDArray[Any]) -> Bool:
    """Return in which rows every number is finite, shape (N,).

    Parameters
    ----------
    values : ndarray of float32 or float64, shape (N, K)

    Examples
    --------
    >>> finite_rows(np.array([[0.5, 0.5], [np.nan, np.nan]]))
    array([ True, False])
    """
    finite = np.empty(len(values), dtype=bool)
    for block in row_blocks(len(values)):
        finite[block] = np.isfinite(values[block]).all(axis=1)
    return finite
