"""The photos of one epoch; those of small classes may be repeated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from training.settings import Recipe
from training.utils.arrays import Bool, Int64

__all__ = ["epoch_rows", "epoch_size"]

#: Ways to balance that repeat photos; the others leave the epoch as it is.
_REPEATING = ("oversample", "augment")


def epoch_size(labels: npt.NDArray[np.generic], recipe: Recipe) -> int:
    """Return the number of photos in one epoch.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        Class numbers of the training rows, or their prices if nothing is balanced.
    recipe : Recipe
        How to train.

    Examples
    --------
    >>> labels = np.array([0, 0, 0, 1])
    >>> epoch_size(labels, Recipe(balance="oversample")), epoch_size(labels, Recipe(balance="weights"))
    (6, 4)
    """
    if recipe.balance not in _REPEATING:
        return len(labels)
    counts = np.unique(labels, return_counts=True)[1]
    return int(counts.max(initial=0)) * len(counts)


def epoch_rows(
    rows: Int64, labels: npt.NDArray[np.generic], recipe: Recipe, generator: torch.Generator
) -> tuple[Int64, Bool]:
    """Return the rows of one epoch, and which of them are copies that bring a class to the size of the largest.

    Every row comes at least once. A row is repeated only after all rows of its class were.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        The training rows.
    labels : ndarray, shape (n,)
        Their class numbers, or their prices if nothing is balanced.
    recipe : Recipe
        How to train.
    generator : Generator
        Draws the copies.

    Returns
    -------
    rows : ndarray of int64, shape (m,)
    copies : ndarray of bool, shape (m,)
    """
    if recipe.balance not in _REPEATING:
        return rows, np.zeros(len(rows), dtype=bool)
    classes, counts = np.unique(labels, return_counts=True)
    drawn = [rows]
    for number, count in zip(classes, counts, strict=True):
        members, missing = rows[labels == number], int(counts.max() - count)
        while missing > 0:
            drawn.append(members[torch.randperm(len(members), generator=generator).numpy()][:missing])
            missing -= len(drawn[-1])
    chosen = np.concatenate(drawn)
    return chosen, np.arange(len(chosen)) >= len(rows)
