"""Pixels as the input of a network."""

from __future__ import annotations

import torch

__all__ = ["MEAN", "SD", "normalize"]


#: ImageNet's statistics, which torchvision's weights expect.
MEAN = (0.485, 0.456, 0.406)
SD = (0.229, 0.224, 0.225)


def normalize(pixels: torch.Tensor) -> torch.Tensor:
    """Turn uint8 pixels (B, S, S, 3) into normalized float32 (B, 3, S, S)."""
    mean = torch.tensor(MEAN, device=pixels.device).view(1, 3, 1, 1)
    sd = torch.tensor(SD, device=pixels.device).view(1, 3, 1, 1)
    return (pixels.permute(0, 3, 1, 2).float() / 255 - mean) / sd
