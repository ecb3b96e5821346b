"""Random variation of a whole batch at once, on the tensors."""

from __future__ import annotations

import torch
from torch.nn import functional

__all__ = ["normalize", "vary"]

# ImageNet's statistics, which torchvision's weights expect
_MEAN = (0.485, 0.456, 0.406)
_SD = (0.229, 0.224, 0.225)

_TURN = 0.17
_ZOOM = 0.15
_SHIFT = 0.12
_LIGHT = 0.2


def normalize(pixels: torch.Tensor) -> torch.Tensor:
    """Turn uint8 pixels (B, S, S, 3) into normalised float32 (B, 3, S, S)."""
    mean = torch.tensor(_MEAN, device=pixels.device).view(1, 3, 1, 1)
    sd = torch.tensor(_SD, device=pixels.device).view(1, 3, 1, 1)
    return (pixels.permute(0, 3, 1, 2).float() / 255 - mean) / sd


def vary(batch: torch.Tensor, generator: torch.Generator, *, size: int | None = None) -> torch.Tensor:
    """Mirror, turn, zoom, shift and light every photo of a normalised batch at random.

    Parameters
    ----------
    batch : Tensor of float32, shape (B, 3, S, S)
        Normalised photos.
    generator : Generator
        On the CPU, so that every device draws the same.
    size : int, optional
        Side T of the result in pixels; S by default.

    Returns
    -------
    Tensor of float32, shape (B, 3, T, T)
    """
    n, size = len(batch), size or batch.shape[-1]

    def draw(spread: float) -> torch.Tensor:
        return ((torch.rand(n, generator=generator) * 2 - 1) * spread).to(batch.device)

    if size < batch.shape[-1]:
        batch = functional.interpolate(batch, size=(size, size), mode="bilinear", antialias=True)
    mirror = torch.where(draw(1.0) < 0, -1.0, 1.0)
    angle, zoom = draw(_TURN), 1 + draw(_ZOOM)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    moved = torch.stack(
        [torch.stack([cos * mirror, -sin, draw(_SHIFT)], 1), torch.stack([sin * mirror, cos, draw(_SHIFT)], 1)], 1
    )
    grid = functional.affine_grid(moved, list(batch.shape), align_corners=False)
    seen = functional.grid_sample(batch, grid, padding_mode="reflection", align_corners=False)
    contrast, light = (1 + draw(_LIGHT)).view(n, 1, 1, 1), draw(_LIGHT).view(n, 1, 1, 1)
    return seen * contrast + light
