"""Random variation of photos: of a whole batch at once on the tensors, or by torchvision's policies."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch.nn import functional
from torchvision.transforms import v2

from training.images import Pixels
from training.images.normalize import normalize
from training.utils.arrays import Bool
from training.utils.devices import Device

__all__ = ["turn_and_mirror", "varied", "vary"]


#: Largest turn of `turn_and_mirror`, in radians: 30 degrees.
_WIDE_TURN = 0.52
_TURN = 0.17
_ZOOM = 0.15
_SHIFT = 0.12
_LIGHT = 0.2


def varied(
    pixels: Pixels,
    how: str,
    generator: torch.Generator,
    device: Device,
    *,
    size: int | None = None,
    copies: Bool | None = None,
) -> torch.Tensor:
    """Send photos to a device, normalise them and vary them at random.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (B, S, S, 3)
    how : str
        As in :data:`training.settings.AUGMENTS`. torchvision's policies draw from the global generator.
    generator : Generator
        On the CPU, so that every device draws the same.
    device : Device
        Where to.
    size : int, optional
        Side T of the result in pixels; S by default.
    copies : ndarray of bool, shape (B,), optional
        Photos that are turned and mirrored first.

    Returns
    -------
    Tensor of float32, shape (B, 3, T, T)
    """
    if how in _POLICIES:
        photos = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        pixels = torch.stack([_policy(how)(photo) for photo in photos]).permute(0, 2, 3, 1).numpy()
    batch = normalize(device.send(pixels))
    if copies is not None and copies.any():
        chosen = torch.from_numpy(copies).to(batch.device)
        batch[chosen] = turn_and_mirror(batch[chosen], generator)
    if how == "standard":
        return device.arrange(vary(batch, generator, size=size))
    batch = _smaller(batch, size or batch.shape[-1])
    return device.arrange(turn_and_mirror(batch, generator) if how == "rotate-flip" else batch)


_POLICIES = {
    "autoaugment": v2.AutoAugment,
    "randaugment": v2.RandAugment,
    "trivialaugment": v2.TrivialAugmentWide,
    "augmix": v2.AugMix,
}


@cache
def _policy(name: str) -> Any:
    return _POLICIES[name]()


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
    draw = _Draws(len(batch), generator, batch.device)
    batch = _smaller(batch, size or batch.shape[-1])
    mirror = torch.where(draw(1.0) < 0, -1.0, 1.0)
    angle, zoom = draw(_TURN), 1 + draw(_ZOOM)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    moved = torch.stack(
        [torch.stack([cos * mirror, -sin, draw(_SHIFT)], 1), torch.stack([sin * mirror, cos, draw(_SHIFT)], 1)], 1
    )
    seen = _moved(batch, moved)
    contrast, light = (1 + draw(_LIGHT)).view(-1, 1, 1, 1), draw(_LIGHT).view(-1, 1, 1, 1)
    return seen * contrast + light


def turn_and_mirror(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Rotate each photo by up to 30 degrees either way, and mirror half of them.

    Parameters
    ----------
    batch : Tensor, shape (B, 3, S, S)
        Photos; stays as it is.
    generator : Generator
        Source of randomness.
    """
    draw = _Draws(len(batch), generator, batch.device)
    mirror, angle = torch.where(draw(1.0) < 0, -1.0, 1.0), draw(_WIDE_TURN)
    cos, sin, none = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    return _moved(
        batch, torch.stack([torch.stack([cos * mirror, -sin, none], 1), torch.stack([sin * mirror, cos, none], 1)], 1)
    )


class _Draws:
    """Draws a number for each photo of a batch, evenly from -spread to spread."""

    def __init__(self, photos: int, generator: torch.Generator, device: torch.device) -> None:
        self._photos, self._generator, self._device = photos, generator, device

    def __call__(self, spread: float) -> torch.Tensor:
        return ((torch.rand(self._photos, generator=self._generator) * 2 - 1) * spread).to(self._device)


def _smaller(batch: torch.Tensor, size: int) -> torch.Tensor:
    if size >= batch.shape[-1]:
        return batch
    return functional.interpolate(batch, size=(size, size), mode="bilinear", antialias=True)


def _moved(batch: torch.Tensor, how: torch.Tensor) -> torch.Tensor:
    grid = functional.affine_grid(how, list(batch.shape), align_corners=False)
    return functional.grid_sample(batch, grid, padding_mode="reflection", align_corners=False)
