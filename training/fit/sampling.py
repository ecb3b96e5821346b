"""Small classes beside large ones: repeated photos, or weights in the loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from training.utils.arrays import Bool, Int64

__all__ = ["balanced_rows", "balanced_size"]


def balanced_size(labels: npt.NDArray[np.generic], balance: str) -> int:
    """Return how many photos one epoch has.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        Class numbers of the training rows; with balance ``none``, also prices.
    balance : str
        As in :class:`training.settings.Recipe`.

    Examples
    --------
    >>> balanced_size(np.array([0, 0, 0, 1]), "oversample"), balanced_size(np.array([0, 0, 0, 1]), "weights")
    (6, 4)
    """
    if balance not in ("oversample", "augment"):
        return len(labels)
    counts = np.unique(labels, return_counts=True)[1]
    return int(counts.max(initial=0)) * len(counts)


def balanced_rows(
    rows: Int64, labels: npt.NDArray[np.generic], balance: str, generator: torch.Generator
) -> tuple[Int64, Bool]:
    """Return the rows of one epoch, and which of them are copies that bring a class to the size of the largest.

    Every row comes at least once; copies are drawn without repetition until all rows of the class are used up.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
    labels : ndarray, shape (n,)
        Class numbers of `rows`; with balance ``none``, also prices.
    balance : str
        As in :class:`training.settings.Recipe`.
    generator : Generator
        Of the choice.

    Returns
    -------
    rows : ndarray of int64, shape (m,)
    copies : ndarray of bool, shape (m,)
    """
    if balance not in ("oversample", "augment"):
        return rows, np.zeros(len(rows), dtype=bool)
    kinds, counts = np.unique(labels, return_counts=True)
    extra: list[Int64] = []
    for kind, count in zip(kinds, counts, strict=True):
        members, missing = rows[labels == kind], int(counts.max() - count)
        while missing > 0:
            drawn = members[torch.randperm(len(members), generator=generator).numpy()][:missing]
            extra.append(drawn)
            missing -= len(drawn)
    copies = np.concatenate([rows[:0], *extra])
    return np.concatenate([rows, copies]), np.arange(len(rows) + len(copies)) >= len(rows)
