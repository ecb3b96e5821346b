"""One model: a linear head on the features, if there are any, and a network, if the recipe has one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from training.crossval.checkpoint import (
    CHECKPOINT,
    Checkpoint,
    has_checkpoint,
    read_checkpoint,
    snapshot_file,
    write_checkpoint,
)
from training.crossval.jobs import Data, Done, Job
from training.crossval.predictions import Predictions, stored_epochs
from training.errors import InputError
from training.features.linear import Head, fit_head
from training.fit.loop import EpochResult, Fitted, fit
from training.fit.sampling import epoch_size
from training.networks.network import Net
from training.networks.predict import predict
from training.settings import Recipe
from training.utils.array_files import map_array
from training.utils.arrays import Float32, Int64
from training.utils.devices import Device
from training.utils.files import DamagedError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["CURVE_ROWS", "run_job"]

#: Most held-out rows behind the learning curve; more would only take time.
CURVE_ROWS = 500


def run_job(
    job: Job, data: Data, recipe: Recipe, device: Device, on_step: Callable[[int], None] = lambda step: None
) -> Done:
    """Train and score, or load the finished result.

    Parameters
    ----------
    job : Job
        What to train on and to predict.
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
        If the checkpoint in the job's folder was made with other settings or data, or if not even two photos fit into
        memory at once. A damaged one is no error: it only saves time.
    """
    key = job.key(data, recipe)
    warnings: list[str] = []
    if has_checkpoint(job.folder):
        try:
            checkpoint = _finished(job, data, recipe, key)
            on_step(job.steps(recipe))
            head = checkpoint.head
            return Done(
                checkpoint.head_probs, checkpoint.network_probs, resumed=True, strength=head.strength if head else None
            )
        except DamagedError as error:
            warnings.append(f"{job.name} is trained again: its {error.path.name} is damaged ({error.reason})")
    snapshot = snapshot_file(job.folder, key)
    head, head_probs = _fit_head(job, data, device)
    checkpoint = Checkpoint(key, recipe, head, head_probs=head_probs)
    done = Done(head_probs, warnings=tuple(warnings), strength=head.strength if head else None)
    if recipe.has_network:
        fitted, fitting, more = _fit_network(job, data, recipe, device, snapshot, on_step)
        probs = predict(fitted.model, data.photos, job.scored, device, prices=data.prices)
        done = replace(done, network=probs, warnings=(*warnings, *more))
        checkpoint = replace(
            checkpoint,
            recipe=fitting,
            weights=fitted.model.state_dict(),
            best_epoch=fitted.best_epoch,
            network_probs=probs,
            history=tuple(fitted.history),
        )
    write_checkpoint(job.folder, checkpoint)
    snapshot.unlink(missing_ok=True)
    on_step(job.steps(recipe))
    return done


def _finished(job: Job, data: Data, recipe: Recipe, key: str) -> Checkpoint:
    """Read the checkpoint of a job, and make sure that its predictions are there.

    Raises
    ------
    DamagedError
        If a file is damaged or missing.
    InputError
        If it was made with other settings or data.
    """
    checkpoint = read_checkpoint(job.folder, key)
    epochs = (
        len(stored_epochs(recipe.epochs_for(epoch_size(job.labels[job.rows], recipe)))) if recipe.has_network else 0
    )
    wanted = (
        (data.features is not None, checkpoint.head_probs, job.head_predictions, 1),
        (recipe.has_network, checkpoint.network_probs, job.network_predictions, epochs),
    )
    for trained, probs, file, stored in wanted:
        if not trained:
            continue
        if probs is None or len(probs) != len(job.scored):
            raise DamagedError(job.folder / CHECKPOINT, "it lacks predictions")
        if len(job.watched) and not Predictions.has(file, stored, len(job.labels), data.classes):
            raise DamagedError(file, "it is not what was stored there")
    return checkpoint


def _fit_head(job: Job, data: Data, device: Device) -> tuple[Head | None, Float32 | None]:
    """Fit the head, and return its probabilities for the scored rows; None for both without features."""
    if data.features is None:
        return None, None
    features: Float32 = map_array(data.features)
    labels = job.labels.astype(np.int64)
    head = fit_head(
        features,
        job.rows,
        labels,
        data.groups,
        classes=data.classes,
        seed=job.seed,
        device=device.device,
        soft=job.soft,
    )
    if len(job.watched):
        stored = Predictions(job.head_predictions, epochs=1, rows=len(labels), classes=data.classes)
        stored.write(0, job.watched, head.predict(features, job.watched))
    return head, head.predict(features, job.scored)


def _fit_network(
    job: Job, data: Data, recipe: Recipe, device: Device, snapshot: Path, on_step: Callable[[int], None]
) -> tuple[Fitted, Recipe, list[str]]:
    """Train the network of a job, in smaller batches if a GPU lacks memory; also return its recipe and warnings."""
    warnings: list[str] = []
    epochs = recipe.epochs_for(epoch_size(job.labels[job.rows], recipe))
    while True:
        try:
            with _log(job.folder) as log:
                curve = [] if log is None else [_Curve(job, data, device, log)]
                fitted = fit(
                    data.examples(job.labels, job.soft),
                    job.rows,
                    classes=data.classes,
                    recipe=recipe,
                    device=device,
                    seed=job.seed,
                    validation=job.validation,
                    snapshot=snapshot,
                    on_step=on_step,
                    watchers=[*curve, _Storing(job, data, device, stored_epochs(epochs))],
                )
                if fitted.began_anew is not None:
                    warnings.append(
                        f"{job.name} begins again: what was kept of its training is damaged ({fitted.began_anew})"
                    )
                return fitted, recipe, warnings
        except torch.OutOfMemoryError:
            half = recipe.batch_size // 2
            if half < 2:
                raise InputError(
                    f"{recipe.model} does not fit into the memory of {device}",
                    got=f"batches of {recipe.batch_size} photos of {recipe.size} pixels",
                    fix='Choose a smaller `image_size`, another `model`, or `device="cpu"`.',
                ) from None
            warnings.append(f"{job.name}: out of memory with batches of {recipe.batch_size}; trained with {half}")
            # twice as many steps an epoch must not mean fewer epochs; a number of iterations stays as it is
            recipe = replace(recipe, batch_size=half, epochs=recipe.epochs if recipe.iterations else epochs)
            snapshot.unlink(missing_ok=True)
        torch.cuda.empty_cache()


def _log(folder: Path) -> AbstractContextManager[SummaryWriter | None]:
    """Open a TensorBoard log; without TensorBoard, as on a machine with torch and numpy alone, there is none."""
    if importlib.util.find_spec("tensorboard") is None:
        return nullcontext()
    # it takes seconds to import, and most runs train no network
    from torch.utils.tensorboard import SummaryWriter

    log: SummaryWriter = SummaryWriter(str(folder))
    return log


@dataclass(frozen=True)
class _Watcher:
    """Predicts rows after an epoch."""

    job: Job
    data: Data
    device: Device

    def predict(self, model: Net, rows: Int64) -> Float32:
        return predict(model, self.data.photos, rows, self.device, mirrored=False, prices=self.data.prices)


@dataclass(frozen=True)
class _Curve(_Watcher):
    """Draws the learning curve in TensorBoard, for some of the held-out rows."""

    log: SummaryWriter

    def __call__(self, result: EpochResult, model: Net) -> None:
        drawn = {"train/loss": result.loss, "learning_rate": result.learning_rate, "iteration": float(result.step)}
        drawn |= {f"train/{name}": value for name, value in result.scores.items()}
        drawn |= {f"validation/{name}": value for name, value in result.validation.items()}
        # without a label: class numbers below 0, and prices that are NaN
        rows = self.job.scored[self.job.labels[self.job.scored] >= 0]
        rows = rows[:: max(1, len(rows) // CURVE_ROWS)]
        if len(rows):
            answers, labels = self.predict(model, rows), self.job.labels[rows]
            scores = model.task.scores(model.task.best(answers), labels)
            drawn |= {f"held_out/{name}": value for name, value in scores.items()}
            if model.task.score == "macro_f1":
                of_label = answers[np.arange(len(labels)), labels.astype(np.int64)]
                drawn["held_out/loss"] = float(-np.log(np.maximum(of_label, 1e-8)).mean())
        for name, value in drawn.items():
            self.log.add_scalar(name, value, result.epoch)


@dataclass(frozen=True)
class _Storing(_Watcher):
    """Stores the predictions for the watched rows after some epochs."""

    epochs: list[int]

    def __call__(self, result: EpochResult, model: Net) -> None:
        rows = self.job.watched
        if result.epoch not in self.epochs or not len(rows):
            return
        size = {"epochs": len(self.epochs), "rows": len(self.job.labels), "classes": self.data.classes}
        stored = Predictions(self.job.network_predictions, **size)
        stored.write(self.epochs.index(result.epoch), rows, self.predict(model, rows))
