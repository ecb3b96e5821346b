"""Features without labels or pretrained weights: how much a photo looks like patches of others.

Coates, Ng and Lee, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning" (AISTATS 2011), with the
dictionary of Coates and Ng, "The Importance of Encoding Versus Training with Sparse Coding and Vector Quantization"
(ICML 2011): random whitened patches do as well as learned ones. With a linear head they rank wrong labels better than a
ResNet trained from scratch on the same few photos, at a hundredth of its cost (docs/benchmarks.md).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from training.images import Photos
from training.utils.array_files import open_arrays, write_arrays
from training.utils.files import whole_file

__all__ = ["PatchBank"]

_PATCH = 6
_FILTERS = 512
#: Patches that the whitening is estimated from, and photos that they are drawn from.
_PATCHES = 40_000
_PHOTOS = 4_000
#: Activations below this do not count (soft threshold, Coates and Ng, section 3).
_THRESHOLD = 0.5
#: Cells per side that activations are averaged over.
_CELLS = 2
# added to variances, so that flat patches and weak directions are not amplified to noise
_FLAT = 10 / 255**2
_WEAK = 0.1
#: Photos at a time: on a CPU the activations should fit into its cache, a GPU needs large batches.
_BATCH, _BATCH_ON_GPU = 4, 256
#: Larger photos are shrunk to this side, in pixels; a patch would show too little of them.
_SIDE = 48


class PatchBank:
    """Filters made of patches of a dataset's own photos.

    Parameters
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
        All photos.
    rows : ndarray of int64
        The readable ones.
    seed : int
        Seed of the choice of patches.
    device : torch.device
        Where to compute.

    Attributes
    ----------
    width : int
        Number of features of a photo.
    """

    width = 2 * _FILTERS * _CELLS**2

    def __init__(self, photos: Photos, rows: np.ndarray, *, seed: int, device: torch.device) -> None:
        chance = np.random.default_rng(seed)
        chosen = np.sort(chance.choice(rows, min(len(rows), _PHOTOS), replace=False))
        patches = _draw(photos, chosen, chance)
        mean = patches.mean(0)
        centred = patches - mean
        spread, directions = torch.linalg.eigh(centred.T @ centred / len(patches))
        whiten = directions @ torch.diag((spread.clamp(min=0) + _WEAK).rsqrt()) @ directions.T
        atoms = (centred[:_FILTERS] @ whiten).clone()
        if len(atoms) < _FILTERS:
            atoms = atoms.repeat(math.ceil(_FILTERS / len(atoms)), 1)[:_FILTERS]
        atoms = atoms / atoms.norm(dim=1, keepdim=True).clamp(min=1e-6)
        filters = whiten @ atoms.T
        offset = -(mean @ filters)
        # subtracting the mean of a patch is linear, so the filters do it
        filters = filters - filters.mean(0, keepdim=True)
        self._set(filters.T.contiguous(), offset, device)

    def _set(self, filters: torch.Tensor, offset: torch.Tensor, device: torch.device) -> None:
        self._offset = offset.view(1, -1, 1, 1).to(device)
        self._filters = filters.reshape(_FILTERS, 3, _PATCH, _PATCH).contiguous().to(device)
        self._box = torch.full((1, 3, _PATCH, _PATCH), 1 / (3 * _PATCH**2), device=device)
        self._device = device

    def save(self, file: Path) -> None:
        """Write the filters as ``.npz``, whole or not at all."""
        arrays = {"filters": self._filters.flatten(1).cpu().numpy(), "offset": self._offset.flatten().cpu().numpy()}
        with whole_file(file) as temporary:
            write_arrays(temporary, arrays)

    @classmethod
    def load(cls, file: Path, device: torch.device) -> PatchBank:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ValueError
            If the file is damaged.
        OSError
            If it can't be read.
        """
        bank = cls.__new__(cls)
        with open_arrays(file) as arrays:
            bank._set(torch.from_numpy(arrays["filters"]), torch.from_numpy(arrays["offset"]), device)
        return bank

    @torch.inference_mode()
    def __call__(self, pixels: np.ndarray) -> torch.Tensor:
        """Compute the features of photos, the mean of each photo and its mirror image.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (n, S, S, 3)
            Photos.

        Returns
        -------
        Tensor of float32, shape (n, width)
            Not negative.
        """
        batch = _BATCH if self._device.type == "cpu" else _BATCH_ON_GPU
        return torch.cat([self._features(pixels[at : at + batch]) for at in range(0, len(pixels), batch)])

    def _features(self, pixels: np.ndarray) -> torch.Tensor:
        photos = _shrunk(torch.from_numpy(pixels).to(self._device))
        both = torch.cat([photos, photos.flip(3)])
        pooled = self._pooled(both).sqrt_()
        return (pooled[: len(photos)] + pooled[len(photos) :]) / 2

    def _pooled(self, photos: torch.Tensor) -> torch.Tensor:
        stride = max(1, round(photos.shape[-1] / 32))
        mean = functional.conv2d(photos, self._box, stride=stride)
        variance = functional.conv2d(photos * photos, self._box, stride=stride) - mean * mean
        contrast = (variance.clamp_(min=0) + _FLAT).rsqrt_()
        like = functional.conv2d(photos, self._filters, stride=stride).mul_(contrast).add_(self._offset)
        alike = functional.adaptive_avg_pool2d((like - _THRESHOLD).relu_(), _CELLS)
        opposite = functional.adaptive_avg_pool2d(like.neg_().sub_(_THRESHOLD).relu_(), _CELLS)
        return torch.cat([alike, opposite], 1).flatten(1)


def _shrunk(pixels: torch.Tensor) -> torch.Tensor:
    """Turn uint8 (n, S, S, 3) into float32 (n, 3, s, s) in [0, 1] with s at most `_SIDE`."""
    photos = pixels.permute(0, 3, 1, 2).float() / 255
    if photos.shape[-1] <= _SIDE:
        return photos.contiguous()
    return functional.interpolate(photos, size=(_SIDE, _SIDE), mode="bilinear", antialias=True)


def _draw(photos: Photos, rows: np.ndarray, chance: np.random.Generator) -> torch.Tensor:
    """Draw patches at random, each brought to mean 0 and contrast 1; float32, shape (n, 3 · patch²)."""
    each = math.ceil(_PATCHES / len(rows))
    patches = []
    for start in range(0, len(rows), 256):
        block = _shrunk(torch.from_numpy(photos[rows[start : start + 256]]))
        windows = block.unfold(2, _PATCH, 1).unfold(3, _PATCH, 1)
        y, x = torch.from_numpy(chance.integers(0, windows.shape[2], size=(2, len(block) * each)))
        patches.append(windows[torch.arange(len(block)).repeat_interleave(each), :, y, x].flatten(1))
    drawn = torch.cat(patches)
    drawn = drawn[torch.from_numpy(chance.permutation(len(drawn)))]
    drawn = drawn - drawn.mean(1, keepdim=True)
    return drawn / (drawn.var(1, keepdim=True, unbiased=False) + _FLAT).sqrt()
