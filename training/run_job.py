"""One model: a linear head on the features, where there are some, and a network, unless time is short."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from training.devices import Device
from training.errors import InputError
from training.files import whole_file
from training.heads import Head, fit_head
from training.jobs import Data, Done, Job
from training.loop import Fitted, predict
from training.networks import fit_network
from training.predictions import Predictions
from training.settings import TrainSettings

__all__ = ["forget_other", "run_job"]


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
        return Done(_array(known["head_probs"]), _array(known["network_probs"]), known=True)
    head, head_probs = _head(job, data, device)
    done, fitted = Done(head_probs), None
    if settings.epochs_for(len(job.rows)):
        warnings: list[str] = []
        fitted, settings = fit_network(job, data, settings, device, _unfinished(job, key), on_step, warnings)
        told = predict(fitted.model, data.photos, job.scored, device, prices=data.prices)
        done = Done(head_probs, told, tuple(warnings))
    with whole_file(path) as temporary:
        torch.save(_content(key, settings, head, fitted, done), temporary)
    _unfinished(job, key).unlink(missing_ok=True)
    on_step(job.steps(settings))
    return done


def _head(job: Job, data: Data, device: Device) -> tuple[Head | None, npt.NDArray[np.float32] | None]:
    """Fit the head, and return what it says of the scored rows; None for both without features."""
    if data.features is None:
        return None, None
    features: npt.NDArray[np.float32] = np.load(data.features, mmap_mode="r")
    labels = job.labels.astype(np.int64)
    head = fit_head(features, job.rows, labels, data.groups, classes=data.classes, seed=job.seed, device=device.device)
    if len(job.watched):
        kept = Predictions(job.head_predictions, epochs=1, rows=len(labels), classes=data.classes)
        kept.write(0, job.watched, head.predict(features, job.watched))
    return head, head.predict(features, job.scored)


def _array(kept: torch.Tensor | None) -> npt.NDArray[np.float32] | None:
    return None if kept is None else kept.numpy()


def _tensor(array: npt.NDArray[np.float32] | None) -> torch.Tensor | None:
    return None if array is None else torch.from_numpy(array)


def forget_other(job: Job, data: Data, settings: TrainSettings) -> None:
    """Remove a checkpoint of another question from the job's folder."""
    path = job.folder / "checkpoint.pt"
    if path.exists() and torch.load(path, map_location="cpu", weights_only=True).get("key") != job.key(data, settings):
        shutil.rmtree(job.folder)


def _unfinished(job: Job, key: str) -> Path:
    # the key in the name: what another question left is not taken for this one's
    return job.folder / f"unfinished-{key[:16]}.pt"


def _content(key: str, settings: TrainSettings, head: Head | None, fitted: Fitted | None, done: Done) -> dict[str, Any]:
    kept = {"weight": head.weight.cpu(), "bias": head.bias.cpu(), "strength": head.strength} if head else None
    return {
        "key": key,
        "settings": settings.to_dict(),
        "head": kept,
        "model": fitted.model.state_dict() if fitted else None,
        "best_epoch": fitted.best_epoch if fitted else None,
        "head_probs": _tensor(done.head),
        "network_probs": _tensor(done.network),
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
