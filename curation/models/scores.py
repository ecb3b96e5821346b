"""How good a model is: the scores of its training part and of its test set, and what it confuses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.models.dataset import Prepared
from training.evaluation.metrics import classification_metrics, price_metrics
from training.settings import Recipe
from training.utils.arrays import Float32, Int64

__all__ = ["METRICS", "SCORES", "SCORE_NAMES", "Metrics", "log_confusion", "score_text", "scores_of"]

#: Of a model, in its folder.
METRICS = "metrics.json"
#: The scores of a model, by target; the first decides which of several is the best.
SCORES = {"label": ("macro_f1", "accuracy"), "price": ("mae", "median_ae")}
#: For people.
SCORE_NAMES = {"macro_f1": "macro-F1", "accuracy": "accuracy", "mae": "MAE", "median_ae": "median error"}
_KEYS = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Metrics:
    """The content of ``metrics.json``.

    Attributes
    ----------
    folder, model : str
        Folder of the model, and its ``model.pt``.
    target : str
        ``label`` or ``price``.
    currency : str or None
        Of prices.
    settings : dict
        The recipe.
    initial_weights : str
        ``pretrained``, or why it started from scratch.
    epochs, iterations : int
        As trained.
    best_epoch : int or None
        The epoch whose weights were kept, counted from 0; None without an early stop.
    listings : dict of str to int
        How many ``train`` and ``test``, and ``all``.
    train, test : dict
        Scores of both parts, see :func:`scores_of`.
    warnings : list of str
        What weakens the model or its scores.
    """

    folder: str
    model: str
    target: str
    currency: str | None
    settings: dict[str, Any]
    initial_weights: str
    epochs: int
    best_epoch: int | None
    iterations: int
    listings: dict[str, int]
    train: dict[str, Any]
    test: dict[str, Any]
    warnings: list[str]

    def confused(self, most: int) -> list[tuple[str, str, int]]:
        """Return the pairs of classes that the test set confuses most: given, predicted, number of listings.

        Parameters
        ----------
        most : int
            Largest number of pairs.
        """
        classes, matrix = list(self.test["per_class"]), np.array(self.test["confusion"])
        np.fill_diagonal(matrix, 0)
        order = np.argsort(-matrix, axis=None, kind="stable")[:most]
        pairs = zip(*np.unravel_index(order, matrix.shape), strict=True)
        return [
            (classes[row], classes[column], int(matrix[row, column])) for row, column in pairs if matrix[row, column]
        ]


def scores_of(prepared: Prepared, recipe: Recipe, rows: Int64, predictions: Float32) -> dict[str, Any]:
    """Score the predictions of some rows.

    Parameters
    ----------
    prepared : Prepared
        The dataset.
    recipe : Recipe
        Says what is predicted: labels or prices.
    rows : ndarray of int64, shape (n,)
    predictions : ndarray of float32, shape (N, K) or (N, 1)
        Probabilities or prices.

    Returns
    -------
    dict
        Of labels as :func:`training.evaluation.metrics.classification_metrics`, with ``macro`` and ``weighted`` means
        over the classes that occur, and ``confusion`` (K, K): rows are given labels, columns predicted ones. Of prices
        as :func:`training.evaluation.metrics.price_metrics`, in the currency.
    """
    if recipe.target == "price":
        prices = prepared.labels[rows].astype(np.float64)
        return price_metrics(prices, predictions[rows, 0], prepared.class_numbers[rows], prepared.classes)
    given, predicted = prepared.labels[rows].astype(np.int64), predictions[rows].argmax(axis=1)
    scores = classification_metrics(given, predicted, prepared.classes)
    occurring = [each for each in scores["per_class"].values() if each["support"]]
    support = np.array([each["support"] for each in occurring])
    k = len(prepared.classes)
    return {
        **scores,
        "macro": {key: float(np.mean([each[key] for each in occurring])) for key in _KEYS},
        "weighted": {key: float(np.average([each[key] for each in occurring], weights=support)) for key in _KEYS},
        "confusion": np.bincount(given * k + predicted, minlength=k * k).reshape(k, k).tolist(),
    }


def score_text(score: str, value: float, *, named: bool = False) -> str:
    """Return a score, or a difference of it, for people.

    Parameters
    ----------
    score : str
        Of `SCORE_NAMES`.
    value : float
        In [0, 1] of labels, in the currency of prices.
    named : bool
        Whether its name stands before it.

    Examples
    --------
    >>> score_text("macro_f1", 0.5, named=True), score_text("mae", -1234.5)
    ('macro-F1 0.500', '−1,234.50')
    """
    text = f"{value:.3f}" if score in ("macro_f1", "accuracy") else f"{value:,.2f}"
    return f"{SCORE_NAMES[score]} " * named + text.replace("-", "−")


def log_confusion(metrics: Metrics, folder: Path) -> None:
    """Draw the confusion matrix of the test set in the TensorBoard log of a model for labels.

    Parameters
    ----------
    metrics : Metrics
    folder : Path
        Folder of the log.
    """
    if metrics.target != "label":
        return
    # it takes seconds to import
    from torch.utils.tensorboard import SummaryWriter

    from curation.rendering.confusion import confusion_figure

    figure = confusion_figure(np.array(metrics.test["confusion"]), list(metrics.test["per_class"]), "Test listings")
    with SummaryWriter(str(folder)) as log:
        log.add_figure("test/confusion", figure, metrics.epochs)
        log.add_scalar("test/macro_f1", metrics.test["macro_f1"], metrics.epochs)
