"""The plain loop: train one epoch, predict, fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from training.augment import normalize, vary
from training.devices import Device
from training.models import build_model, logits_of
from training.settings import TrainSettings

__all__ = ["EpochResult", "Fitted", "fit", "predict", "steps_of"]

Pixels = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_PREDICT_BATCH = 128
# share of the steps in which the learning rate rises
_WARM_UP = 0.25


@dataclass(frozen=True)
class EpochResult:
    """What one epoch came to: mean training loss and share of training photos predicted as labelled."""

    epoch: int
    loss: float
    accuracy: float
    learning_rate: float


@dataclass(frozen=True)
class Fitted:
    """A trained model, its epochs, and where its initial weights came from."""

    model: nn.Module
    history: list[EpochResult]
    origin: str


def steps_of(photos: int, settings: TrainSettings) -> int:
    """Return the optimiser steps that training on `photos` photos takes."""
    return settings.epochs_for(photos) * _batches(photos, settings.batch_size)


def _batches(photos: int, batch_size: int) -> int:
    # a last batch of one photo has no variance for batch norm and is left out of that epoch
    return max(1, (photos + batch_size - 2) // batch_size)


def fit(
    photos: Pixels,
    rows: Integers,
    labels: Integers,
    *,
    classes: int,
    settings: TrainSettings,
    device: Device,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
    on_epoch: Callable[[EpochResult, nn.Module], None] = lambda result, model: None,
) -> Fitted:
    """Train a classifier from its start to the end of its schedule.

    Parameters
    ----------
    photos : ndarray of uint8, shape (N, S, S, 3)
        All photos; may be memory-mapped.
    rows : ndarray of int64, shape (n,)
        The rows to train on, at least 2.
    labels : ndarray of int64, shape (N,)
        Class numbers 0 to K-1; rows outside `rows` are not looked at.
    classes : int
        K.
    settings : TrainSettings
        Model, size, schedule.
    device : Device
        Where to train.
    seed : int
        Seed of the initial weights, the order, and the augmentation; the global generator is left as it was.
    on_step, on_epoch : callable
        Called after every optimiser step, and with every epoch's result and the model as it is.

    Returns
    -------
    Fitted
    """
    devices = [device.device] if device.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        model, origin = build_model(
            settings.model, classes=classes, image_size=settings.image_size, pretrained=settings.pretrained
        )
        model.to(device.device)
        optimizer = _optimizer(model, settings)
        schedule = _one_cycle(optimizer, steps_of(len(rows), settings), settings.learning_rate)
        history = []
        for epoch in range(settings.epochs_for(len(rows))):
            loss, accuracy = _train_one_epoch(
                model, optimizer, schedule, photos, rows, labels, settings, device, generator, on_step
            )
            history.append(EpochResult(epoch, loss, accuracy, float(schedule.get_last_lr()[0])))
            on_epoch(history[-1], model)
    return Fitted(model, history, origin)


def _optimizer(model: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(model.parameters(), lr=rate, weight_decay=decay, fused=True)


def _one_cycle(optimizer: torch.optim.Optimizer, steps: int, peak: float) -> torch.optim.lr_scheduler.LRScheduler:
    # one step more than are taken, as the schedule is read after each; below 3 its phases would have no length
    total = max(steps + 1, 3)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=peak, total_steps=total, pct_start=max(_WARM_UP, 2 / total)
    )


def _train_one_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    photos: Pixels,
    rows: Integers,
    labels: Integers,
    settings: TrainSettings,
    device: Device,
    generator: torch.Generator,
    on_step: Callable[[], None],
) -> tuple[float, float]:
    model.train()
    order = rows[torch.randperm(len(rows), generator=generator).numpy()]
    total, right, seen = 0.0, 0, 0
    for number in range(_batches(len(rows), settings.batch_size)):
        chosen = order[number * settings.batch_size : (number + 1) * settings.batch_size]
        batch = vary(normalize(_pixels(photos, chosen, device)), generator)
        target = torch.from_numpy(labels[chosen]).to(device.device)
        with device.autocast():
            logits = logits_of(model(batch))
            loss = functional.cross_entropy(logits, target, label_smoothing=settings.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        total += float(loss.detach()) * len(chosen)
        right += int((logits.argmax(1) == target).sum())
        seen += len(chosen)
        on_step()
    return total / seen, right / seen


def _pixels(photos: Pixels, rows: Integers, device: Device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(photos[rows])).to(device.device)


def predict(model: nn.Module, photos: Pixels, rows: Integers, device: Device, *, mirrored: bool = True) -> Floats:
    """Predict class probabilities.

    Parameters
    ----------
    model : Module
        A trained classifier.
    photos : ndarray of uint8, shape (N, S, S, 3)
        All photos.
    rows : ndarray of int64, shape (n,)
        The rows to predict.
    device : Device
        Where to compute.
    mirrored : bool
        Take the mean over each photo and its mirror image: steadier, at twice the cost.

    Returns
    -------
    ndarray of float32, shape (n, K)
        Rows sum to 1.
    """
    model.eval()
    parts = []
    with torch.inference_mode(), device.autocast():
        for start in range(0, len(rows), _PREDICT_BATCH):
            batch = normalize(_pixels(photos, rows[start : start + _PREDICT_BATCH], device))
            views = (batch, batch.flip(3)) if mirrored else (batch,)
            probs = torch.stack([logits_of(model(view)).float().softmax(1) for view in views]).mean(0)
            parts.append(probs.cpu().numpy())
    return np.concatenate(parts).astype(np.float32)
