"""How good predictions are, per class and over all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_fscore_support

__all__ = ["classification_metrics", "most_named"]


def classification_metrics(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], classes: Sequence[str]
) -> dict[str, Any]:
    """Compute accuracy, macro-F1, and precision / recall / F1 / support per class.

    Parameters
    ----------
    truth, predicted : ndarray of int64, shape (n,)
        Class numbers.
    classes : sequence of str, length K
        Names of the classes.

    Returns
    -------
    dict
        ``accuracy``, ``macro_f1`` (mean F1 of the classes that occur in `truth`, in [0, 1], low = bad), and
        ``per_class``: class → ``precision``, ``recall``, ``f1``, ``support``.
    """
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=np.arange(len(classes)), zero_division=0
    )
    per_class = {
        name: {
            "precision": float(precision[number]),
            "recall": float(recall[number]),
            "f1": float(f1[number]),
            "support": int(support[number]),
        }
        for number, name in enumerate(classes)
    }
    return {
        "accuracy": float((truth == predicted).mean()),
        "macro_f1": float(f1[support > 0].mean()),
        "per_class": per_class,
    }


def most_named(predicted: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the class that most models named for each listing, and the share of the models that did.

    Parameters
    ----------
    predicted : ndarray of int64, shape (S, n)
        Class numbers that S models gave.

    Returns
    -------
    named : ndarray of int64, shape (n,)
        Where two classes tie, the smaller number.
    share : ndarray of float64, shape (n,)
        Above 0, at most 1.

    Examples
    --------
    >>> most_named(np.array([[2, 1], [2, 0], [0, 1], [2, 0]]))
    (array([2, 0]), array([0.75, 0.5 ]))
    """
    named = np.zeros(predicted.shape[1], dtype=np.int64)
    most = np.zeros_like(named)
    for number in np.unique(predicted):
        count = (predicted == number).sum(axis=0)
        named, most = np.where(count > most, number, named), np.maximum(count, most)
    return named, most / len(predicted)
