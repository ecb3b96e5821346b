"""How good predictions are, per class and over all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_fscore_support

__all__ = ["classification_metrics"]


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
