"""The predictions of one fold's models for every row, epoch by epoch, on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.utils.array_files import map_array
from training.utils.arrays import Float32, Int64
from training.utils.files import DamagedError, NotReadableError, allocate, whole_file

__all__ = ["Predictions", "stored_epochs"]


#: Most epochs that are stored; more change the mean little, and each costs a prediction for every photo.
MOST_STORED = 6
#: Least log-probability: lower ones carry no more information, and float16 has few digits there.
FLOOR = -16.0


def stored_epochs(epochs: int) -> list[int]:
    """Return the epochs to store: at most six of the later half, evenly spaced, always with the last.

    In the first epochs a network has not learnt the common patterns yet, in the last it begins to memorize wrong labels
    (Arpit et al., "A Closer Look at Memorization in Deep Networks", ICML 2017). The mean over the later half is more
    reliable than either (Pleiss et al., "Identifying Mislabeled Data using the Area Under the Margin Ranking", NeurIPS
    2020).

    Examples
    --------
    >>> stored_epochs(1), stored_epochs(8)
    ([0], [4, 5, 6, 7])
    >>> stored_epochs(60)
    [30, 36, 42, 47, 53, 59]
    """
    first = epochs // 2
    places = np.linspace(first, epochs - 1, min(MOST_STORED, epochs - first))
    return sorted({round(place) for place in places})


class Predictions:
    """Log-probabilities of float16, shape (E, N, K), memory-mapped; NaN where nothing was predicted.

    Parameters
    ----------
    path : Path
        The ``.npy`` file. An existing one of the same shape is reused: a resumed training overwrites its epochs.
    epochs, rows, classes : int
        E, N, K.
    """

    def __init__(self, path: Path, *, epochs: int, rows: int, classes: int) -> None:
        shape = (epochs, rows, classes)
        self.path = path
        if not self.has(path, *shape):
            _begin(path, shape)
        self._array = np.lib.format.open_memmap(path, mode="r+")

    def write(self, epoch: int, rows: Int64, probs: Float32) -> None:
        """Store the probabilities (n, K) of `rows` after one epoch, and flush them to disk."""
        with np.errstate(divide="ignore"):
            self._array[epoch, rows] = np.maximum(np.log(probs), FLOOR).astype(np.float16)
        self._array.flush()

    @staticmethod
    def has(path: Path, epochs: int, rows: int, classes: int) -> bool:
        """Return whether a file holds predictions of this shape."""
        return _shape(path) == (epochs, rows, classes)

    @staticmethod
    def mean(path: Path, rows: slice) -> Float32:
        """Return the mean log-probabilities of `rows` over the epochs in a file; float32, shape (n, K)."""
        array = map_array(path)
        return np.asarray(array[:, rows].astype(np.float32).mean(axis=0), dtype=np.float32)


def _shape(path: Path) -> tuple[int, ...] | None:
    """Return the shape of the array in a file; None if it is missing, incomplete or another one."""
    try:
        array = map_array(path)
    except (OSError, DamagedError, NotReadableError):
        return None
    return array.shape if array.dtype == np.float16 else None


def _begin(path: Path, shape: tuple[int, ...]) -> None:
    # a killed process must not leave zeros, which would mean a probability of 1
    with whole_file(path) as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)
        allocate(temporary)
        array[:] = np.nan
        array.flush()
