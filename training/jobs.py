"""One model: a linear head on the features and, unless time is short, a network; together they score rows."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training.devices import Device
from training.errors import InputError
from training.features import choose_extractor, compute_features, features_known
from training.files import whole_file
from training.heads import Head, fit_head
from training.loop import EpochResult, Fitted, Floats, fit, predict, steps_of
from training.photos import Integers, Photos
from training.progress import Progress, silent
from training.settings import TrainSettings

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["JUDGED", "Data", "Done", "Job", "forget_other", "prepare_data", "run_job"]

#: Held-out rows that the learning curve is drawn from; more would only take time.
JUDGED = 500


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
    """

    name: str
    folder: Path
    labels: Integers
    rows: Integers
    scored: Integers
    seed: int

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
        for array in (self.labels[self.rows], self.rows, self.scored, data.groups):
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


def run_job(
    job: Job, data: Data, settings: TrainSettings, device: Device, on_step: Callable[[int], None] = lambda step: None
) -> Done:
    """Train and score, or read back what was done before.

    Parameters
    ----------
    job, data, settings, device
        What, on what, how, where.
    on_step : callable
        Called with the number of steps done.

    Returns
    -------
    Done

    Raises
    ------
    InputError
        If the checkpoint in the job's folder was made with other settings or data.
    """
    key = job.key(data, settings)
    path = job.folder / "checkpoint.pt"
    known = _read_checkpoint(path, key)
    if known is not None:
        on_step(job.steps(settings))
        network = None if known["network_probs"] is None else known["network_probs"].numpy()
        return Done(known["head_probs"].numpy(), network, (f"{job.name} is done already",))
    features: npt.NDArray[np.float32] = np.load(data.features, mmap_mode="r")
    head = fit_head(
        features, job.rows, job.labels, data.groups, classes=data.classes, seed=job.seed, device=device.device
    )
    done, fitted = Done(head.predict(features, job.scored)), None
    if settings.epochs_for(len(job.rows)):
        said: list[str] = []
        fitted, settings = _fit_network(job, data, settings, device, key, on_step, said)
        said.append(f"{settings.model}: {fitted.origin}")
        done = Done(done.head, predict(fitted.model, data.photos, job.scored, device), tuple(said))
    with whole_file(path) as temporary:
        torch.save(_content(key, settings, head, fitted, done), temporary)
    _unfinished(job, key).unlink(missing_ok=True)
    on_step(job.steps(settings))
    return done


def _fit_network(
    job: Job,
    data: Data,
    settings: TrainSettings,
    device: Device,
    key: str,
    on_step: Callable[[int], None],
    said: list[str],
) -> tuple[Fitted, TrainSettings]:
    """Train the network; on a GPU without enough memory, with half the batch."""
    # it takes seconds to import, and most runs train no network
    from torch.utils.tensorboard import SummaryWriter

    epochs = settings.epochs_for(len(job.rows))
    while True:
        try:
            with SummaryWriter(str(job.folder)) as log:
                return fit(
                    data.photos,
                    job.rows,
                    job.labels,
                    classes=data.classes,
                    settings=settings,
                    device=device,
                    seed=job.seed,
                    snapshot=_unfinished(job, key),
                    on_step=on_step,
                    on_epoch=_Curve(job, data, device, log),
                ), settings
        except torch.OutOfMemoryError:
            half = settings.batch_size // 2
            if half < 2:
                raise InputError(
                    f"{settings.model} does not fit into the memory of {device}",
                    got=f"batches of {settings.batch_size} photos of {settings.size} pixels",
                    fix="Choose a smaller --image-size, another --model, or --device cpu.",
                ) from None
            said.append(f"{job.name}: out of memory with batches of {settings.batch_size}; trained with {half}")
            settings = replace(settings, batch_size=half, epochs=epochs)
            _unfinished(job, key).unlink(missing_ok=True)
        torch.cuda.empty_cache()


def forget_other(job: Job, data: Data, settings: TrainSettings) -> None:
    """Remove a checkpoint of another question from the job's folder."""
    path = job.folder / "checkpoint.pt"
    if path.exists() and torch.load(path, map_location="cpu", weights_only=True).get("key") != job.key(data, settings):
        shutil.rmtree(job.folder)


class _Curve:
    """Draws the learning curve in TensorBoard, on some of the held-out rows."""

    def __init__(self, job: Job, data: Data, device: Device, log: SummaryWriter) -> None:
        self._job, self._data, self._device, self._log = job, data, device, log
        judged = job.scored[job.labels[job.scored] >= 0]
        self._judged = judged[:: max(1, len(judged) // JUDGED)]

    def __call__(self, result: EpochResult, model: nn.Module) -> None:
        self._log.add_scalar("train/loss", result.loss, result.epoch)
        self._log.add_scalar("train/accuracy", result.accuracy, result.epoch)
        self._log.add_scalar("learning_rate", result.learning_rate, result.epoch)
        if not len(self._judged):
            return
        probs = predict(model, self._data.photos, self._judged, self._device, mirrored=False)
        given = self._job.labels[self._judged]
        loss = -np.log(np.maximum(probs[np.arange(len(given)), given], 1e-8)).mean()
        self._log.add_scalar("held_out/loss", float(loss), result.epoch)
        self._log.add_scalar("held_out/accuracy", float((probs.argmax(1) == given).mean()), result.epoch)


def _unfinished(job: Job, key: str) -> Path:
    # the key in the name: what another question left is not taken for this one's
    return job.folder / f"unfinished-{key[:16]}.pt"


def _content(key: str, settings: TrainSettings, head: Head, fitted: Fitted | None, done: Done) -> dict[str, Any]:
    return {
        "key": key,
        "settings": settings.to_dict(),
        "head": {"weight": head.weight.cpu(), "bias": head.bias.cpu(), "strength": head.strength},
        "model": fitted.model.state_dict() if fitted else None,
        "head_probs": torch.from_numpy(done.head),
        "network_probs": None if done.network is None else torch.from_numpy(done.network),
        "history": [asdict(epoch) for epoch in fitted.history] if fitted else [],
    }


def _read_checkpoint(path: Path, key: str) -> dict[str, Any] | None:
    if not path.exists():
        return None
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if content.get("key") != key:
        raise InputError(
            f"{path} was made with other settings or data",
            wanted="a checkpoint of this run",
            fix="Remove it, or start a new run.",
        )
    return content
