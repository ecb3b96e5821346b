"""Features that a network made of photos or texts, kept in the photo cache by the hash of what they are made of."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.images.kept import Hashed, Kept
from training.images.shards import CachedPhotos, ShardIndex, shards_in
from training.utils.arrays import Int64
from training.utils.devices import Device, hardware
from training.utils.progress import SILENT, Reporter

__all__ = ["KeptFeatures", "kept_folder", "kept_share"]


def kept_folder(root: Path, name: str, size: int, device: Device) -> Path:
    """Return the folder of the features that one network makes of photos of one size, on such hardware.

    Other hardware, and another version of torch, differ in the last digits.

    Parameters
    ----------
    root : Path
        Of all features.
    name : str
        The network, e.g. ``lite0`` or ``timm:resnet10t``.
    size : int
        Side of the photos in pixels.
    device : Device
        What computes, in its precision.
    """
    computed = hashlib.sha256(f"{hardware(device.device)} {torch.__version__}".encode()).hexdigest()
    # the colon of timm:NAME is not allowed in the names of folders everywhere
    return root / f"{name.replace(':', '-')}-{size}-{device.precision}-{computed[:12]}"


def kept_share(folder: Path, digests: Collection[bytes]) -> float:
    """Return the share of photos whose features were kept, 0 to 1.

    Parameters
    ----------
    folder : Path
        Of :func:`kept_folder`.
    digests : collection of bytes
        The SHA-256 of each photo's file.
    """
    kept = CachedPhotos(shards_in(folder))
    return sum(kept.find(digest) >= 0 for digest in digests) / max(1, len(digests))


class KeptFeatures:
    """The features of photos or texts: those that were kept, and others as they are made.

    Parameters
    ----------
    folder : Path
        Of :func:`kept_folder`; made when the first features are kept.
    photos : Hashed
        What the features are made of.
    width : int
        Number of features W.
    reporter : Reporter
        Gets a message if the folder can't be written.
    """

    def __init__(self, folder: Path, photos: Hashed, width: int, reporter: Reporter = SILENT) -> None:
        self._folder, self._photos, self._width = folder, photos, width
        self._kept = Kept(folder, (width,), np.float32, what="features", reporter=reporter)

    def of(self, photos: Hashed) -> KeptFeatures:
        """Return the kept features of other photos or texts."""
        other = copy.copy(self)
        other._photos = photos
        return other

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self._folder, self._photos, self._width, _computes())

    def __call__(self, rows: Int64, make: Callable[[Int64], torch.Tensor]) -> torch.Tensor:
        """Return the features of some rows, shape (n, W), on the CPU; called by several threads.

        Parameters
        ----------
        rows : ndarray of int64, shape (n,)
            With a readable photo each.
        make : callable
            Makes the features of rows.
        """
        index = self._photos.index(rows)
        if index is None:
            return make(rows).cpu()
        values, kept = self._kept.read(index)
        if not kept.all():
            values[~kept] = make(rows[~kept]).cpu().numpy()
            self._kept.add(ShardIndex(index.sha256[~kept], index.sides[~kept]), values[~kept])
        return torch.from_numpy(values)

    def flush(self) -> None:
        """Write what is not written yet."""
        self._kept.flush()


def _computes() -> str:
    """Return what computes here."""
    return " ".join(hardware(torch.device(name)) for name in ("cpu", *["cuda"] * torch.cuda.is_available()))


def _reopened(folder: Path, photos: Hashed, width: int, computes: str) -> KeptFeatures:
    """Open kept features in another process, whose messages nobody would read; of another processor, others."""
    if (own := _computes()) != computes:
        folder = folder.with_name(f"{folder.name}-{hashlib.sha256(own.encode()).hexdigest()[:12]}")
    return KeptFeatures(folder, photos, width)
