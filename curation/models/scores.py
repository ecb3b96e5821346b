"""What a model is worth: the tables of a classification or a price report, and the confusion matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from curation.models.dataset import Prepared
from training.evaluation.metrics import classification_metrics, price_metrics
from training.settings import Recipe
from training.utils.arrays import Float32, Int64

__all__ = ["confused", "log_confusion", "scores_of"]

_KEYS = ("precision", "recall", "f1")


def scores_of(prepared: Prepared, recipe: Recipe, rows: Int64, told: Float32) -> dict[str, Any]:
    """Score what was told of some rows.

    Parameters
    ----------
    prepared : Prepared
        The dataset.
    recipe : Recipe
        Says what is predicted: labels or prices.
    rows : ndarray of int64, shape (n,)
    told : ndarray of float32, shape (N, K) or (N, 1)
        Probabilities or prices.

    Returns
    -------
    dict
        Of labels as :func:`training.evaluation.metrics.classification_metrics`, with ``macro`` and ``weighted`` means
        over the classes that occur, and ``confusion`` (K, K): rows are given labels, columns told ones. Of prices as
        :func:`training.evaluation.metrics.price_metrics`, in the currency.
    """
    if recipe.target == "price":
        asked = prepared.labels[rows].astype(np.float64)
        return price_metrics(asked, told[rows, 0], prepared.class_numbers[rows], prepared.classes)
    given, predicted = prepared.labels[rows].astype(np.int64), told[rows].argmax(axis=1)
    scores = classification_metrics(given, predicted, prepared.classes)
    of = [each for each in scores["per_class"].values() if each["support"]]
    counts = np.array([each["support"] for each in of])
    k = len(prepared.classes)
    return {
        **scores,
        "macro": {key: float(np.mean([each[key] for each in of])) for key in _KEYS},
        "weighted": {key: float(np.average([each[key] for each in of], weights=counts)) for key in _KEYS},
        "confusion": np.bincount(given * k + predicted, minlength=k * k).reshape(k, k).tolist(),
    }


def confused(result: dict[str, Any], most: int) -> list[tuple[str, str, int]]:
    """Return the pairs of classes that the test set confuses most: given class, predicted class, number of listings.

    Parameters
    ----------
    result : dict
        Content of ``model.json``.
    most : int
        Largest number of pairs.
    """
    names, matrix = list(result["test"]["per_class"]), np.array(result["test"]["confusion"])
    np.fill_diagonal(matrix, 0)
    order = np.argsort(-matrix, axis=None, kind="stable")[:most]
    pairs = zip(*np.unravel_index(order, matrix.shape), strict=True)
    return [(names[given], names[told], int(matrix[given, told])) for given, told in pairs if matrix[given, told]]


def log_confusion(result: dict[str, Any], folder: Path) -> None:
    """Draw the confusion matrix of the test set in the TensorBoard log of a model for labels.

    Parameters
    ----------
    result : dict
        Content of ``model.json``.
    folder : Path
        Folder of the log.
    """
    if result["target"] != "label":
        return
    from torch.utils.tensorboard import SummaryWriter

    from curation.rendering.confusion import confusion_figure

    names, counts = list(result["test"]["per_class"]), np.array(result["test"]["confusion"])
    figure = confusion_figure(counts, names, "Test listings")
    with SummaryWriter(str(folder)) as log:
        log.add_figure("test/confusion", figure, result["epochs"])
        log.add_scalar("test/macro_f1", result["test"]["macro_f1"], result["epochs"])
