"""Features that a network made of photos or texts, kept in the photo cache by the hash of what they are made of."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from training.images.shards import CachedPhotos, Shard, ShardIndex, shards_in, write_shard
from training.utils.arrays import Float32, Int64
from training.utils.devices import Device, hardware
from training.utils.progress import SILENT, Reporter
from training.utils.units import home_as_tilde

__all__ = ["Hashed", "KeptFeatures", "kept_folder", "kept_share"]

#: Photos in one file: a killed process loses the features of fewer.
_IN_FILE = 1_024


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


class Hashed(Protocol):
    """What features are made of, such as :class:`training.images.store.PhotoStore`."""

    def index(self, rows: Int64) -> ShardIndex | None:
        """Return the hashes of some rows; None if they are lost."""


class KeptFeatures:
    """The features of photos or texts: those that were kept, and others as they are made.

    Features that can't be read, or are damaged, are made again; if they can't be written, later runs make them again.

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
        self._folder, self._photos, self._width, self._reporter = folder, photos, width, reporter
        self._kept = CachedPhotos(shards_in(folder))
        for path in self._kept.paths:
            Shard(path).touch()
        self._new: dict[bytes, tuple[Int64, Float32]] = {}
        self._writes = True
        self._lock = threading.Lock()

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
        values = self._read(index)
        missing = np.flatnonzero(np.isnan(values).any(axis=1))
        if len(missing):
            values[missing] = make(rows[missing]).cpu().numpy()
            self._keep(ShardIndex(index.sha256[missing], index.sides[missing]), values[missing])
        return torch.from_numpy(values)

    def _read(self, index: ShardIndex) -> Float32:
        """Return the kept features, NaN where there are none."""
        values = np.full((len(index.sha256), self._width), np.nan, dtype=np.float32)
        for row, digest in enumerate(index.sha256):
            number = self._kept.find(digest.tobytes())
            features = self._kept.read(number) if number >= 0 else None
            if features is not None and features.dtype == np.float32 and features.shape == (self._width,):
                values[row] = features
        return values

    def _keep(self, index: ShardIndex, values: Float32) -> None:
        with self._lock:
            for digest, sides, features in zip(index.sha256, index.sides, values, strict=True):
                self._new[digest.tobytes()] = (sides, features)
            if len(self._new) >= _IN_FILE:
                self._write()

    def flush(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        new, self._new = self._new, {}
        if not new or not self._writes:
            return
        sha256 = np.frombuffer(b"".join(new), dtype=np.uint8).reshape(len(new), 32)
        sides = np.stack([sides for sides, _ in new.values()])
        try:
            write_shard(self._folder, ShardIndex(sha256, sides), np.stack([features for _, features in new.values()]))
        except OSError as error:
            self._writes = False
            where, why = home_as_tilde(self._folder), error.strerror or error
            self._reporter.say(f"features can't be kept in {where} ({why}): later runs make them again")
