"""What a network tells, a class or a price: its outputs, its loss, its answer, its scores."""

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

#: What :meth:`Net.forward` gives, as a tensor or an array.
Answers = TypeVar("Answers", torch.Tensor, npt.NDArray[np.generic])

#: Errors above this many medians cost in proportion, not squared.
_HUBER = 0.1


class LabelTask(nn.Module):
    """Tells the class.

    Parameters
    ----------
    classes : int
        K.
    smoothing : float
        Label smoothing.
    weights : ndarray of float32, shape (K,), or None
        Of the classes in the loss.
    """

    #: What is best, and whether much of it is good.
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
        """Return the likeliest class numbers (n,) of probabilities (n, K)."""
        likeliest: Answers = answers.argmax(1)
        return likeliest

    def scores(self, told: npt.NDArray[np.generic], target: npt.NDArray[np.generic]) -> dict[str, float]:
        """Score class numbers (n,) against those given (n,)."""
        return classification_scores(target.astype(np.int64), told.astype(np.int64))


class PriceTask(nn.Module):
    """Tells the price; starts from a usual one.

    Parameters
    ----------
    loss : str
        ``huber`` (Huber, "Robust estimation of a location parameter", 1964), ``mse``: on prices, one non-negative
        output (ReLU); ``log-huber``: on their logarithms.
    prices : ndarray of float32, shape (n,)
        Of the training rows, above 0: their median and spread are the scale of the output.
    """

    score, high_is_good = "mae", False
    outputs = 1

    def __init__(self, loss: str, prices: Float32) -> None:
        super().__init__()
        self._loss = loss
        logs = np.log(prices.astype(np.float64))
        centre = float(np.median(logs)) if len(logs) else 0.0
        # the median distance from the median, as a standard deviation (Hampel 1974); equal prices have none
        spread = 1.4826 * float(np.median(np.abs(logs - centre))) if len(logs) else 0.0
        self.centre: torch.Tensor
        self.spread: torch.Tensor
        self.register_buffer("centre", torch.tensor(centre))
        self.register_buffer("spread", torch.tensor(max(spread, 0.05)))

    def loss(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of outputs (B, 1) against prices (B,)."""
        told, target = output.float().squeeze(1), target.float()
        if self._loss == "log-huber":
            return functional.huber_loss(told, (target.log() - self.centre) / self.spread)
        told, target = functional.relu(1 + told), target / self.centre.exp()
        if self._loss == "mse":
            return functional.mse_loss(told, target)
        return functional.huber_loss(told, target, delta=_HUBER)

    def answer(self, output: torch.Tensor) -> torch.Tensor:
        """Return prices (B, 1) of outputs (B, 1)."""
        told = output.float()
        if self._loss == "log-huber":
            return (self.centre + self.spread * told).exp()
        return functional.relu(1 + told) * self.centre.exp()

    def best(self, answers: Answers) -> Answers:
        """Return prices (n,) of answers (n, 1)."""
        return answers[:, 0]

    def scores(self, told: npt.NDArray[np.generic], target: npt.NDArray[np.generic]) -> dict[str, float]:
        """Score prices (n,) against those asked (n,)."""
        return price_scores(target.astype(np.float64), told.astype(np.float64))


Task = LabelTask | PriceTask


def task_for(recipe: Recipe, classes: int, labels: npt.NDArray[np.generic]) -> Task:
    """Return what a network is to tell.

    Parameters
    ----------
    recipe : Recipe
        Its target, loss and balance.
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
