"""What a model is trained on, what it is asked, and what it answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.devices import Device
from training.features import choose_extractor, compute_features, features_known
from training.loop import Floats, steps_of
from training.photos import Integers, Photos
from training.progress import Progress, silent
from training.settings import TrainSettings

__all__ = ["Data", "Done", "Job", "prepare_data"]

_NOBODY: Integers = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Data:
    """What all jobs read.

    Attributes
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
    features : Path
        Of float32, shape (N, D); see :func:`training.features.compute_features`.
    features_key : str
        What they depend on.
    groups : ndarray of int64, shape (N,)
        Rows that must stay on one side.
    classes : int
        K.
    """

    photos: Photos
    features: Path
    features_key: str
    groups: Integers
    classes: int


def prepare_data(
    photos: Photos,
    has_photo: npt.NDArray[np.bool_],
    groups: Integers,
    *,
    classes: int,
    settings: TrainSettings,
    device: Device,
    folder: Path,
    photos_key: str = "",
    progress: Progress = silent,
    say: Callable[[str], None] = lambda line: None,
) -> Data:
    """Compute the features that all jobs share, or read them back.

    Parameters
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
    has_photo : ndarray of bool, shape (N,)
        The readable ones.
    groups : ndarray of int64, shape (N,)
    classes : int
        K.
    settings, device
        How, where.
    folder : Path
        Gets ``features-<seed>.npy``.
    photos_key : str
        Names the photos.
    progress : callable
        Called with (photos done, photos in all).
    say : callable
        Told what the features are.

    Returns
    -------
    Data
    """
    path, rows = folder / f"features-{settings.seed}.npy", np.flatnonzero(has_photo)
    key = f"{photos_key} {settings.size} {settings.seed} {settings.pretrained and settings.model}"
    if not features_known(path, key):
        extract, origin = choose_extractor(photos, rows, settings, device)
        say(f"features: {origin}")
        compute_features(
            photos, rows, extract, path, key=key, seed=settings.seed, device=device.device, progress=progress
        )
    progress(len(rows), len(rows))
    return Data(photos, path, key, groups, classes)


@dataclass(frozen=True)
class Job:
    """One model to train and the rows that it scores.

    Attributes
    ----------
    name : str
        For messages, e.g. ``fold 1 of 5``.
    folder : Path
        Gets ``checkpoint.pt`` and a TensorBoard log.
    labels : ndarray of int64, shape (N,)
        Class numbers; only those of `rows` and, for the learning curve, of `scored` are looked at.
    rows, scored : ndarray of int64
        Rows that train, and rows that are scored.
    seed : int
        Of everything random.
    watched : ndarray of int64
        Rows whose predictions are kept on disk, epoch by epoch.
    """

    name: str
    folder: Path
    labels: Integers
    rows: Integers
    scored: Integers
    seed: int
    watched: Integers = field(default_factory=lambda: _NOBODY)

    @property
    def head_predictions(self) -> Path:
        """The head's predictions of `watched`; see :class:`training.predictions.Predictions`."""
        return self.folder / "head-predictions.npy"

    @property
    def network_predictions(self) -> Path:
        """The network's predictions of `watched`, of the epochs that are kept."""
        return self.folder / "network-predictions.npy"

    def steps(self, settings: TrainSettings) -> int:
        """Return the optimiser steps of its network; at least 1, which stands for the head."""
        return max(1, steps_of(len(self.rows), settings))

    def key(self, data: Data, settings: TrainSettings) -> str:
        """Name what its checkpoint depends on, so that none is used for another question."""
        # where it is computed, and what it was planned from, is not part of the question
        asked = {**settings.to_dict(), "device": None, "time_limit": None, "preset": None, "size": settings.size}
        digest = hashlib.sha256(
            json.dumps([asked, data.classes, self.seed, data.features_key], sort_keys=True).encode()
        )
        for array in (self.labels[self.rows], self.rows, self.scored, self.watched, data.groups):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Done:
    """What a job came to.

    Attributes
    ----------
    head, network : ndarray of float32, shape (n, K)
        Probabilities of the scored rows; rows sum to 1. No `network` if none was trained.
    said : tuple of str
        What a person should know.
    """

    head: Floats
    network: Floats | None = None
    said: tuple[str, ...] = ()
