"""Numbers per listing and class that are computed when they are needed, because all of them would fill the memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from training.utils.arrays import Float64, Int64

__all__ = ["Rows"]


@dataclass(frozen=True)
class Rows:
    """An array of numbers whose rows are computed whenever they are asked for.

    Attributes
    ----------
    shape : tuple of int
        N and K.
    of : callable
        A slice, or row numbers as an ndarray of int64 → a new ndarray of float64, shape (n, K).

    Examples
    --------
    >>> import numpy as np
    >>> squares = Rows((3, 2), lambda rows: np.array([[1.0, 2], [3, 4], [5, 6]])[rows] ** 2)
    >>> squares[1:2]
    array([[ 9., 16.]])
    """

    shape: tuple[int, int]
    of: Callable[[slice | Int64], Float64]

    def __getitem__(self, rows: slice | Int64) -> Float64:
        """Return these rows; ``[:]`` is all of them."""
        return self.of(rows)
