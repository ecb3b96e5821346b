"""The projection of features to their main directions: estimated once, kept, and applied to photos that come later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from training.utils.array_files import open_arrays, write_arrays
from training.utils.arrays import Float32
from training.utils.files import whole_file

__all__ = ["MOST_FEATURES", "Projection", "projection_file"]

#: Most features of a photo after the projection.
MOST_FEATURES = 512


def projection_file(features: Path) -> Path:
    """Return the file beside a file of features that keeps how they were projected."""
    return features.with_name(f"{features.stem}-projection.npz")


@dataclass(frozen=True)
class Projection:
    """Standardise, rotate to the principal components of a sample, and even out their spreads.

    Attributes
    ----------
    mean, spread : Tensor of float32, shape (W,)
        Of each feature.
    directions : Tensor of float32, shape (W, D)
        What the standardised features are multiplied with.
    """

    mean: torch.Tensor
    spread: torch.Tensor
    directions: torch.Tensor

    @property
    def width(self) -> int:
        """Number of features D after the projection."""
        return self.directions.shape[1]

    @classmethod
    def of(cls, sample: torch.Tensor, widths: Sequence[int], seed: int, evened: float) -> Projection:
        """Estimate the projection.

        Parameters
        ----------
        sample : Tensor of float32, shape (n, W)
            Features of some photos.
        widths : sequence of int
            How many features each part has; if there are several, all get the same total variance.
        seed : int
            Seed of the decomposition.
        evened : float
            The power of the spreads that the directions are divided by.
        """
        width = max(1, min(MOST_FEATURES, *(side - 1 for side in sample.shape)))
        mean, spread = sample.mean(0), sample.std(0, correction=0) + 1e-4
        if len(widths) > 1:
            spread = spread * _lengths((sample - mean) / spread, widths)
        standard = (sample - mean) / spread
        with torch.random.fork_rng(devices=[sample.device] if sample.is_cuda else []):
            torch.manual_seed(seed)
            directions = torch.svd_lowrank(standard, width, niter=2)[2]
        rotated = standard @ directions
        directions = directions / rotated.std(0, correction=0).clamp(min=1e-6) ** evened
        # heads choose their penalty from a fixed list, so the scale must not depend on the data
        size = (standard @ directions).norm(dim=1).mean().clamp(min=1e-6)
        return cls(mean, spread, directions * (3 * width**0.25 / size))

    def __call__(self, features: torch.Tensor) -> Float32:
        """Return the projected features (n, D) of features (n, W)."""
        projected: Float32 = (((features - self.mean) / self.spread) @ self.directions).cpu().numpy()
        return projected

    def save(self, file: Path) -> None:
        """Write the projection as ``.npz``, whole or not at all."""
        with whole_file(file) as temporary:
            write_arrays(temporary, {name: tensor.cpu().numpy() for name, tensor in vars(self).items()})

    @classmethod
    def load(cls, file: Path) -> Projection:
        """Read what :meth:`save` wrote, for the CPU.

        Raises
        ------
        ValueError
            If the file is damaged.
        OSError
            If it can't be read.
        """
        with open_arrays(file) as arrays:
            return cls(*(torch.from_numpy(arrays[name]) for name in ("mean", "spread", "directions")))


def _lengths(standard: torch.Tensor, widths: Sequence[int]) -> torch.Tensor:
    """Return what the columns of each part are divided by, so that the part has a total variance of 1; shape (W,)."""
    totals = [part.var(0, correction=0).sum() for part in torch.split(standard, list(widths), dim=1)]
    return torch.cat([total.clamp(min=1e-6).sqrt().expand(width) for total, width in zip(totals, widths, strict=True)])
