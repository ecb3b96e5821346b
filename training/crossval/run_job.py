"""One model: a linear head on the features, where there are some, and a network, unless time is short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from training.crossval.checkpoint import (
    Checkpoint,
    has_checkpoint,
    read_checkpoint,
    snapshot_file,
    write_checkpoint,
)
from training.crossval.jobs import Data, Done, Job
from training.crossval.predictions import Predictions, kept_epochs
from training.errors import InputError
from training.features.linear import Head, fit_head
from training.fit.loop import EpochResult, Fitted, fit
from training.fit.sampling import epoch_size
from training.networks.network import Net
from training.networks.predict import predict
from training.settings import Recipe
from training.utils.arrays import Float32
from training.utils.devices import Device

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["JUDGED", "fit_network", "run_job"]

#: Held-out rows that the learning curve is drawn from; more would only take time.
JUDGED = 500


def run_job(
    job: Job, data: Data, recipe: Recipe, device: Device, on_step: Callable[[int], None] = lambda step: None
) -> Done:
    """Train and score, or load the finished result.

    Parameters
    ----------
    job : Job
        What to train and to predict.
    data : Data
        What all jobs share: photos and features.
    recipe : Recipe
        How to train.
    device : Device
        Where to train.
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
    key = job.key(data, recipe)
    if has_checkpoint(job.folder):
        kept = read_checkpoint(job.folder, key)
        on_step(job.steps(recipe))
        return Done(kept.head_probs, kept.network_probs, resumed=True)
    head, head_probs = _head(job, data, device)
    done, fitted = Done(head_probs), None
    if recipe.has_network:
        warnings: list[str] = []
        fitted, recipe = fit_network(job, data, recipe, device, snapshot_file(job.folder, key), on_step, warnings)
        probs = predict(fitted.model, data.photos, job.scored, device, prices=data.prices)
        done = Done(head_probs, probs, tuple(warnings))
    write_checkpoint(
        job.folder,
        Checkpoint(
            key,
            recipe,
            head,
            fitted.model.state_dict() if fitted else None,
            fitted.best_epoch if fitted else None,
            done.head,
            done.network,
            tuple(fitted.history) if fitted else (),
        ),
    )
    snapshot_file(job.folder, key).unlink(missing_ok=True)
    on_step(job.steps(recipe))
    return done


def _head(job: Job, data: Data, device: Device) -> tuple[Head | None, Float32 | None]:
    """Fit the head, and return what it says of the scored rows; None for both without features."""
    if data.features is None:
        return None, None
    features: Float32 = np.load(data.features, mmap_mode="r")
    labels = job.labels.astype(np.int64)
    head = fit_head(features, job.rows, labels, data.groups, classes=data.classes, seed=job.seed, device=device.device)
    if len(job.watched):
        kept = Predictions(job.head_predictions, epochs=1, rows=len(labels), classes=data.classes)
        kept.write(0, job.watched, head.predict(features, job.watched))
    return head, head.predict(features, job.scored)


def fit_network(
    job: Job,
    data: Data,
    recipe: Recipe,
    device: Device,
    snapshot: Path,
    on_step: Callable[[int], None],
    warnings: list[str],
) -> tuple[Fitted, Recipe]:
    """Train the network of a job; on a GPU without enough memory, with half the batch.

    Parameters
    ----------
    job : Job
        What to train and to predict.
    data : Data
        What all jobs share: photos and features.
    recipe : Recipe
        How to train.
    device : Device
        Where to train.
    snapshot : Path
        Keeps the state of an unfinished training.
    on_step : callable
        Called with the number of steps done.
    warnings : list of str
        Gets what a person should know.

    Returns
    -------
    fitted : Fitted
    recipe : Recipe
        With the batch size that did fit.

    Raises
    ------
    InputError
        If not even two photos fit into memory at once.
    """
    # it takes seconds to import, and most runs train no network
    from torch.utils.tensorboard import SummaryWriter

    epochs = recipe.epochs_for(epoch_size(job.labels[job.rows], recipe))
    while True:
        try:
            with SummaryWriter(str(job.folder)) as log:
                return fit(
                    data.examples(job.labels),
                    job.rows,
                    classes=data.classes,
                    recipe=recipe,
                    device=device,
                    seed=job.seed,
                    validation=job.validation,
                    snapshot=snapshot,
                    on_step=on_step,
                    watchers=[_Curve(job, data, device, log), _Keeper(job, data, device, epochs)],
                ), recipe
        except torch.OutOfMemoryError:
            half = recipe.batch_size // 2
            if half < 2:
                raise InputError(
                    f"{recipe.model} does not fit into the memory of {device}",
                    got=f"batches of {recipe.batch_size} photos of {recipe.size} pixels",
                    fix='Choose a smaller `image_size`, another `model`, or `device="cpu"`.',
                ) from None
            warnings.append(f"{job.name}: out of memory with batches of {recipe.batch_size}; trained with {half}")
            # the schedule by iteration is kept as it was asked for
            kept = recipe.epochs if recipe.iterations else epochs
            recipe = replace(recipe, batch_size=half, epochs=kept)
            snapshot.unlink(missing_ok=True)
        torch.cuda.empty_cache()


class _Curve:
    """Draws the learning curve in TensorBoard, on some of the held-out rows."""

    def __init__(self, job: Job, data: Data, device: Device, log: SummaryWriter) -> None:
        self._job, self._data, self._device, self._log = job, data, device, log
        given = job.labels[job.scored]
        # class numbers below 0, and prices that are no numbers, are none
        judged = job.scored[given >= 0]
        self._judged = judged[:: max(1, len(judged) // JUDGED)]

    def __call__(self, result: EpochResult, model: Net) -> None:
        drawn = {"train/loss": result.loss, "learning_rate": result.learning_rate, "iteration": float(result.step)}
        drawn |= {f"train/{name}": value for name, value in result.scores.items()}
        drawn |= {f"validation/{name}": value for name, value in result.validation.items()}
        if len(self._judged):
            told = predict(
                model, self._data.photos, self._judged, self._device, mirrored=False, prices=self._data.prices
            )
            given = self._job.labels[self._judged]
            drawn |= {
                f"held_out/{name}": value for name, value in model.task.scores(model.task.best(told), given).items()
            }
            if model.task.score == "macro_f1":
                loss = -np.log(np.maximum(told[np.arange(len(given)), given.astype(np.int64)], 1e-8)).mean()
                drawn["held_out/loss"] = float(loss)
        for name, value in drawn.items():
            self._log.add_scalar(name, value, result.epoch)


class _Keeper:
    """Keeps the predictions of the watched rows in the later epochs."""

    def __init__(self, job: Job, data: Data, device: Device, epochs: int) -> None:
        self._job, self._data, self._device, self._kept = job, data, device, kept_epochs(epochs)

    def __call__(self, result: EpochResult, model: Net) -> None:
        if result.epoch not in self._kept or not len(self._job.watched):
            return
        kept = Predictions(
            self._job.network_predictions,
            epochs=len(self._kept),
            rows=len(self._job.labels),
            classes=self._data.classes,
        )
        probs = predict(
            model, self._data.photos, self._job.watched, self._device, mirrored=False, prices=self._data.prices
        )
        kept.write(self._kept.index(result.epoch), self._job.watched, probs)
