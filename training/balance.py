"""Small classes beside large ones: repeated photos, or weights in the loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from training.photos import Integers

__all__ = ["balanced_rows", "balanced_size", "class_weights"]


def balanced_size(labels: npt.NDArray[np.generic], balance: str) -> int:
    """Return how many photos one epoch has.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        Class numbers of the training rows; with balance ``none``, also prices.
    balance : str
        As in :class:`training.settings.TrainSettings`.

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
    rows: Integers, labels: npt.NDArray[np.generic], balance: str, generator: torch.Generator
) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Return the rows of one epoch, and which of them are copies that bring a class to the size of the largest.

    Every row comes at least once; copies are drawn without repetition until all rows of the class are used up.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
    labels : ndarray, shape (n,)
        Class numbers of `rows`; with balance ``none``, also prices.
    balance : str
        As in :class:`training.settings.TrainSettings`.
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
    extra: list[Integers] = []
    for kind, count in zip(kinds, counts, strict=True):
        members, missing = rows[labels == kind], int(counts.max() - count)
        while missing > 0:
            drawn = members[torch.randperm(len(members), generator=generator).numpy()][:missing]
            extra.append(drawn)
            missing -= len(drawn)
    copies = np.concatenate([rows[:0], *extra])
    return np.concatenate([rows, copies]), np.arange(len(rows) + len(copies)) >= len(rows)


def class_weights(labels: Integers, classes: int) -> npt.NDArray[np.float32]:
    """Return a weight for each class, inverse to its number, so that all count alike (scikit-learn's ``balanced``).

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Class numbers of the training rows.
    classes : int
        K.

    Returns
    -------
    ndarray of float32, shape (K,)
        0 for a class without rows; the mean over all rows is 1.

    Examples
    --------
    >>> class_weights(np.array([0, 0, 0, 1]), 2)
    array([0.6666667, 2.       ], dtype=float32)
    """
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    known = max(1, int((counts > 0).sum()))
    return np.divide(len(labels), known * counts, out=np.zeros(classes), where=counts > 0).astype(np.float32)
