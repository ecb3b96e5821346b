"""Early stopping: training ends when the score on validation rows no longer improves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

__all__ = ["EarlyStop"]


@dataclass
class EarlyStop:
    """The scores of the epochs so far, and the weights of the best one.

    Prechelt, "Early stopping - but when?", Neural Networks: Tricks of the Trade, 1998.

    Attributes
    ----------
    patience : int
        Epochs without a better score after which training ends.
    judge : callable
        Returns the scores of a network on the validation rows.
    score : str
        Name of the score that decides.
    high_is_good : bool
        Whether a high score is good.
    epoch : int
        The best epoch so far, from 0; -1 before the first.
    best : float or None
        Its score, negated if low is good; None before the first.
    weights : dict of str to Tensor
        Its weights, on the CPU.
    """

    patience: int
    judge: Callable[[nn.Module], dict[str, float]]
    score: str
    high_is_good: bool
    epoch: int = -1
    best: float | None = None
    weights: dict[str, torch.Tensor] = field(default_factory=dict)

    def look(self, epoch: int, model: nn.Module) -> dict[str, float]:
        """Score the network after an epoch, copy its weights if it is the best so far, and return the scores."""
        scores = self.judge(model)
        value = scores[self.score] if self.high_is_good else -scores[self.score]
        if self.best is None or value > self.best:
            self.epoch, self.best = epoch, value
            self.weights = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
        return scores

    def ends(self, epoch: int) -> bool:
        """Return whether training ends after an epoch."""
        return self.best is not None and epoch - self.epoch >= self.patience

    def to_dict(self) -> dict[str, Any]:
        """Return the content of a snapshot."""
        return {"epoch": self.epoch, "best": self.best, "weights": self.weights}

    def restore(self, content: dict[str, Any]) -> None:
        """Load the result of :meth:`to_dict`."""
        self.epoch, self.best, self.weights = content["epoch"], content["best"], content["weights"]
