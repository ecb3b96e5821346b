"""What a network predicts, a class or a price: its outputs, its loss, its predictions, its scores."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from training.evaluation.metrics import classification_scores, price_scores
from training.settings import Recipe
from training.utils.arrays import Float32, Int64

__all__ = ["LabelTask", "PriceTask", "Task", "class_weights", "task_for"]

#: The result of :meth:`Net.forward`, as a tensor or an array.
Answers = TypeVar("Answers", torch.Tensor, npt.NDArray[np.generic])

#: The loss of larger errors, as a share of the median price, is linear, not squared.
_HUBER = 0.1


class LabelTask(nn.Module):
    """Predicts the class.

    Parameters
    ----------
    classes : int
        K.
    smoothing : float
        Label smoothing.
    weights : ndarray of float32, shape (K,), or None
        Weights of the classes in the loss.
    """

    #: The score that decides which epoch is best, and whether high values are good.
    score, high_is_good = "macro_f1", True

    def __init__(self, classes: int, smoothing: float, weights: Float32 | None = None) -> None:
        super().__init__()
        self.outputs, self._smoothing = classes, smoothing
        self.weights: torch.Tensor | None
        self.register_buffer("weights", None if weights is None else torch.from_numpy(weights), persistent=False)

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of logits (B, K) against class numbers (B,)."""
        return functional.cross_entropy(output, target, self.weights, label_smoothing=self._smoothing)

    def answer(self, output: torch.Tensor) -> torch.Tensor:
        """Return probabilities (B, K) of logits (B, K)."""
        return output.float().softmax(1)

    def best(self, answers: Answers) -> Answers:
        """Return the most probable class numbers (n,) from probabilities (n, K)."""
        most_probable: Answers = answers.argmax(1)
        return most_probable

    def scores(self, predicted: npt.NDArray[np.generic], target: npt.NDArray[np.generic]) -> dict[str, float]:
        """Score predicted class numbers (n,) against the given ones (n,)."""
        return classification_scores(target.astype(np.int64), predicted.astype(np.int64))


class PriceTask(nn.Module):
    """Predicts the price; an untrained network predicts about the median.

    Parameters
    ----------
    loss : str
        ``huber`` (Huber, "Robust estimation of a location parameter", 1964) or ``mse``: on prices, with one
        non-negative output (ReLU); ``log-huber``: on their logarithms.
    prices : ndarray of float32, shape (n,)
        Prices of the training rows, above 0. Their median and spread are the scale of the output.
    """

    score, high_is_good = "mae", False
    outputs = 1

    def __init__(self, loss: str, prices: Float32) -> None:
        super().__init__()
        self._loss = loss
        logs = np.log(prices.astype(np.float64))
        centre = float(np.median(logs)) if len(logs) else 0.0
        # as a standard deviation; 0 if all prices are equal
        spread = 1.4826 * float(np.median(np.abs(logs - centre))) if len(logs) else 0.0
        self.centre: torch.Tensor
        self.spread: torch.Tensor
        self.register_buffer("centre", torch.tensor(centre))
        self.register_buffer("spread", torch.tensor(max(spread, 0.05)))

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of outputs (B, 1) against prices (B,)."""
        output, target = output.float().squeeze(1), target.float()
        if self._loss == "log-huber":
            return functional.huber_loss(output, (target.log() - self.centre) / self.spread)
        predicted, target = functional.relu(1 + output), target / self.centre.exp()
        if self._loss == "mse":
            return functional.mse_loss(predicted, target)
        return functional.huber_loss(predicted, target, delta=_HUBER)

    def answer(self, output: torch.Tensor) -> torch.Tensor:
        """Return prices (B, 1) of outputs (B, 1)."""
        output = output.float()
        if self._loss == "log-huber":
            return (self.centre + self.spread * output).exp()
        return functional.relu(1 + output) * self.centre.exp()

    def best(self, answers: Answers) -> Answers:
        """Return prices (n,) of answers (n, 1)."""
        return answers[:, 0]

    def scores(self, predicted: npt.NDArray[np.generic], target: npt.NDArray[np.generic]) -> dict[str, float]:
        """Score predicted prices (n,) against the asking prices (n,)."""
        return price_scores(target.astype(np.float64), predicted.astype(np.float64))


Task = LabelTask | PriceTask


def task_for(recipe: Recipe, classes: int, labels: npt.NDArray[np.generic]) -> Task:
    """Return the task of a network.

    Parameters
    ----------
    recipe : Recipe
        Names target, loss and balance.
    classes : int
        K.
    labels : ndarray, shape (n,)
        Class numbers, or prices, of the training rows.
    """
    if recipe.target == "price":
        return PriceTask(recipe.loss, labels.astype(np.float32))
    weights = class_weights(labels.astype(np.int64), classes) if recipe.balance == "weights" else None
    return LabelTask(classes, recipe.label_smoothing, weights)


def class_weights(labels: Int64, classes: int) -> Float32:
    """Return a weight for each class, inverse to its size, so that all count alike (scikit-learn's ``balanced``).

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
    occurring = max(1, int((counts > 0).sum()))
    return np.divide(len(labels), occurring * counts, out=np.zeros(classes), where=counts > 0).astype(np.float32)
