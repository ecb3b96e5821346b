"""The network of one job: its training, its learning curve, and what it predicts in later epochs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from training.devices import Device
from training.errors import InputError
from training.jobs import Data, Job
from training.loop import EpochResult, Fitted, epoch_size, fit, predict
from training.net import Net
from training.predictions import Predictions, kept_epochs
from training.settings import TrainSettings

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["JUDGED", "fit_network"]

#: Held-out rows that the learning curve is drawn from; more would only take time.
JUDGED = 500


def fit_network(
    job: Job,
    data: Data,
    settings: TrainSettings,
    device: Device,
    snapshot: Path,
    on_step: Callable[[int], None],
    warnings: list[str],
) -> tuple[Fitted, TrainSettings]:
    """Train the network of a job; on a GPU without enough memory, with half the batch.

    Parameters
    ----------
    job, data, settings, device
        What, on what, how, where.
    snapshot : Path
        Keeps the state of an unfinished training.
    on_step : callable
        Called with the number of steps done.
    warnings : list of str
        Gets what a person should know.

    Returns
    -------
    fitted : Fitted
    settings : TrainSettings
        With the batch size that did fit.

    Raises
    ------
    InputError
        If not even two photos fit into memory at once.
    """
    # it takes seconds to import, and most runs train no network
    from torch.utils.tensorboard import SummaryWriter

    epochs = settings.epochs_for(epoch_size(job.labels[job.rows], settings))
    while True:
        try:
            with SummaryWriter(str(job.folder)) as log:
                return fit(
                    data.examples(job.labels),
                    job.rows,
                    classes=data.classes,
                    settings=settings,
                    device=device,
                    seed=job.seed,
                    validation=job.validation,
                    snapshot=snapshot,
                    on_step=on_step,
                    watchers=[_Curve(job, data, device, log), _Keeper(job, data, device, epochs)],
                ), settings
        except torch.OutOfMemoryError:
            half = settings.batch_size // 2
            if half < 2:
                raise InputError(
                    f"{settings.model} does not fit into the memory of {device}",
                    got=f"batches of {settings.batch_size} photos of {settings.size} pixels",
                    fix="Choose a smaller --image-size, another --model, or --device cpu.",
                ) from None
            warnings.append(f"{job.name}: out of memory with batches of {settings.batch_size}; trained with {half}")
            # the schedule by iteration is kept as it was asked for
            kept = settings.epochs if settings.iterations else epochs
            settings = replace(settings, batch_size=half, epochs=kept)
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
