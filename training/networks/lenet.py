"""A simple network to compare others with."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["LeNet"]

#: Side of the feature maps after the last pooling, as in LeNet-5 for photos of 32 pixels.
_SIDE = 5


class LeNet(nn.Module):
    """LeNet-5 for colour (LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 1998).

    It has ReLU and max pooling, and averages over a grid of 5 × 5 before the dense layers, so photos may have any size
    from 16 pixels on.

    Parameters
    ----------
    classes : int
        Number of outputs K.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, 6, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.AdaptiveAvgPool2d(_SIDE),
        )
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * _SIDE**2, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, classes),
        )

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Return logits (B, K) of photos (B, 3, S, S)."""
        logits: torch.Tensor = self.dense(self.convolutions(photos))
        return logits
