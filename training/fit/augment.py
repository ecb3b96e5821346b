"""Random variation of photos: of a whole batch on its tensors, or by torchvision's policies."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch.nn import functional

from training.images import Pixels
from training.images.normalize import normalize
from training.utils.arrays import Bool
from training.utils.devices import Device

__all__ = ["turn_and_mirror", "varied", "vary"]

#: The names of torchvision's policies, by ours.
_POLICIES = {
    "autoaugment": "AutoAugment",
    "randaugment": "RandAugment",
    "trivialaugment": "TrivialAugmentWide",
    "augmix": "AugMix",
}
#: Largest turn of `turn_and_mirror` and of `vary`, in radians: 30 and 10 degrees.
_WIDE_TURN, _TURN = 0.52, 0.17
#: Largest zoom, shift as a share of half a side, and change of contrast and brightness in `vary`.
_ZOOM, _SHIFT, _LIGHT = 0.15, 0.12, 0.2


def varied(
    pixels: Pixels,
    policy: str,
    generator: torch.Generator,
    device: Device,
    *,
    size: int | None = None,
    turned: Bool | None = None,
) -> torch.Tensor:
    """Send photos to a device, normalize them and vary them at random.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (B, S, S, 3)
    policy : str
        One of :data:`training.settings.AUGMENTS`. torchvision's policies draw from the global generator.
    generator : Generator
        On the CPU, so that every device draws the same.
    device : Device
        Where to.
    size : int, optional
        Side T of the result in pixels; S by default.
    turned : ndarray of bool, shape (B,), optional
        Photos that are turned and mirrored first.

    Returns
    -------
    Tensor of float32, shape (B, 3, T, T)
    """
    if policy in _POLICIES:
        photos = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        pixels = torch.stack([_policy(policy)(photo) for photo in photos]).permute(0, 2, 3, 1).numpy()
    batch = normalize(device.send(pixels))
    if turned is not None and turned.any():
        chosen = torch.from_numpy(turned).to(batch.device)
        batch[chosen] = turn_and_mirror(batch[chosen], generator)
    batch = _shrunk(batch, size or batch.shape[-1])
    return device.arrange(vary(batch, generator) if policy == "standard" else batch)


@cache
def _policy(name: str) -> Any:
    # slow to import, and most runs use none of them
    from torchvision.transforms import v2

    return getattr(v2, _POLICIES[name])()


def vary(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror, turn, zoom, shift and light every photo of a normalized batch at random.

    Parameters
    ----------
    batch : Tensor of float32, shape (B, 3, S, S)
        Normalized photos; stays as it is.
    generator : Generator
        On the CPU, so that every device draws the same.

    Returns
    -------
    Tensor of float32, shape (B, 3, S, S)
    """
    draw = _Draws(len(batch), generator, batch.device)
    mirror, angle, zoom = draw.signs(), draw(_TURN), 1 + draw(_ZOOM)
    moved = _moved(batch, mirror, angle, zoom, draw(_SHIFT), draw(_SHIFT))
    contrast, light = (1 + draw(_LIGHT)).view(-1, 1, 1, 1), draw(_LIGHT).view(-1, 1, 1, 1)
    return moved * contrast + light


def turn_and_mirror(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Turn each photo by up to 30 degrees either way, and mirror half of them.

    Parameters
    ----------
    batch : Tensor of float32, shape (B, 3, S, S)
        Photos; stays as it is.
    generator : Generator
        On the CPU, so that every device draws the same.

    Returns
    -------
    Tensor of float32, shape (B, 3, S, S)
    """
    draw = _Draws(len(batch), generator, batch.device)
    mirror, angle = draw.signs(), draw(_WIDE_TURN)
    none = torch.zeros_like(angle)
    return _moved(batch, mirror, angle, 1 + none, none, none)


class _Draws:
    """Draws one number for each photo of a batch."""

    def __init__(self, photos: int, generator: torch.Generator, device: torch.device) -> None:
        self._photos, self._generator, self._device = photos, generator, device

    def __call__(self, spread: float) -> torch.Tensor:
        """Draw evenly from -spread to spread."""
        return ((torch.rand(self._photos, generator=self._generator) * 2 - 1) * spread).to(self._device)

    def signs(self) -> torch.Tensor:
        """Draw -1 or 1."""
        return torch.where(self(1.0) < 0, -1.0, 1.0)


def _shrunk(batch: torch.Tensor, size: int) -> torch.Tensor:
    if size >= batch.shape[-1]:
        return batch
    return functional.interpolate(batch, size=(size, size), mode="bilinear", antialias=True)


def _moved(
    batch: torch.Tensor,
    mirror: torch.Tensor,
    angle: torch.Tensor,
    zoom: torch.Tensor,
    right: torch.Tensor,
    down: torch.Tensor,
) -> torch.Tensor:
    """Mirror, turn, zoom and shift each photo by its own numbers, each of shape (B,)."""
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    rows = torch.stack([cos * mirror, -sin, right], 1), torch.stack([sin * mirror, cos, down], 1)
    grid = functional.affine_grid(torch.stack(rows, 1), list(batch.shape), align_corners=False)
    return functional.grid_sample(batch, grid, padding_mode="reflection", align_corners=False)
