"""What one fold's models predict of every row, epoch by epoch, on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.utils.arrays import Float32, Int64
from training.utils.files import whole_file

__all__ = ["Predictions", "kept_epochs"]


#: Most epochs that are kept; more change the mean little, and each costs a look at every photo.
MOST_KEPT = 6
#: Log-probabilities below this say nothing more, and float16 has few digits there.
FLOOR = -16.0


def kept_epochs(epochs: int) -> list[int]:
    """Return which epochs are kept: of the later half, evenly, at most six; the last is always one of them.

    In the first epochs a network has not learnt what is common, in the last it has begun to learn wrong labels by heart
    (Arpit et al., "A Closer Look at Memorization in Deep Networks", ICML 2017); the mean over the later half is
    steadier than either (Pleiss et al., "Identifying Mislabeled Data using the Area Under the Margin Ranking", NeurIPS
    2020).

    Examples
    --------
    >>> kept_epochs(1), kept_epochs(8)
    ([0], [4, 5, 6, 7])
    >>> kept_epochs(60)
    [30, 36, 42, 47, 53, 59]
    """
    first = epochs // 2
    places = np.linspace(first, epochs - 1, min(MOST_KEPT, epochs - first))
    return sorted({round(place) for place in places})


class Predictions:
    """Log-probabilities of float16, shape (E, N, K), memory-mapped; what was not predicted is NaN.

    Parameters
    ----------
    path : Path
        The ``.npy`` file. One of the same shape is gone on with: an interrupted training writes its epochs again.
    epochs, rows, classes : int
        E, N, K.
    """

    def __init__(self, path: Path, *, epochs: int, rows: int, classes: int) -> None:
        shape = (epochs, rows, classes)
        self.path = path
        if _shape(path) != shape:
            _begin(path, shape)
        self._array = np.lib.format.open_memmap(path, mode="r+")

    def write(self, epoch: int, rows: Int64, probs: Float32) -> None:
        """Keep the probabilities (n, K) of `rows` in one epoch, and bring them to disk."""
        with np.errstate(divide="ignore"):
            self._array[epoch, rows] = np.maximum(np.log(probs), FLOOR).astype(np.float16)
        self._array.flush()

    @staticmethod
    def mean(path: Path, rows: slice) -> Float32:
        """Return the mean log-probabilities of `rows` over the epochs in a file; float32, shape (n, K)."""
        array = np.load(path, mmap_mode="r")
        return np.asarray(array[:, rows].astype(np.float32).mean(axis=0), dtype=np.float32)


def _shape(path: Path) -> tuple[int, ...] | None:
    """Return the shape of the array in a file; None where there is none, or not a whole one."""
    try:
        return tuple(np.load(path, mmap_mode="r").shape)
    except (OSError, ValueError, EOFError):
        return None


def _begin(path: Path, shape: tuple[int, ...]) -> None:
    # a process that is killed must not leave zeros, which would be read as certain
    with whole_file(path) as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)
        array[:] = np.nan
        array.flush()
