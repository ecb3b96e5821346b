"""The plain loop: train one epoch, predict, fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from training.augment import normalize, vary
from training.devices import Device
from training.models import build_model, logits_of, takes_size
from training.photos import Integers, Photos
from training.settings import TrainSettings
from training.state import TrainingState

__all__ = ["EpochResult", "Fitted", "fit", "new_state", "predict", "sizes_of", "steps_of", "train_step"]

Floats = npt.NDArray[np.float32]

_PREDICT_BATCH = 128
# share of the steps in which the learning rate rises
_WARM_UP = 0.25
# below it, too little of a photo is left to learn from
_LEAST_EARLY_SIZE = 32


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
    photos: Photos,
    rows: Integers,
    labels: Integers,
    *,
    classes: int,
    settings: TrainSettings,
    device: Device,
    seed: int,
    snapshot: Path | None = None,
    on_step: Callable[[int], None] = lambda step: None,
    watchers: Sequence[Callable[[EpochResult, nn.Module], None]] = (),
) -> Fitted:
    """Train a classifier from its start, or from where it was interrupted, to the end of its schedule.

    Models that take photos of any size see them at two thirds of their size in the first half of the epochs: what is
    learned there holds for the full size, at half of the cost (Howard, "Training Imagenet in 3 hours for 25 minutes",
    fast.ai 2018).

    Parameters
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
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
    snapshot : Path, optional
        Keeps the state of an unfinished training, about once a minute, so that one that was killed goes on and ends
        with the same model. The caller must make sure that it belongs to the same question.
    on_step : callable
        Called with the number of optimiser steps done after each.
    watchers : sequence of callable
        Called with every epoch's result and the model as it is.

    Returns
    -------
    Fitted
    """
    devices = [device.device] if device.is_cuda else []
    with torch.random.fork_rng(devices=devices):
        state, origin = new_state(classes, steps_of(len(rows), settings), settings, device, seed)
        history = [] if snapshot is None else [EpochResult(**epoch) for epoch in state.restore(snapshot)]
        sizes = sizes_of(settings, settings.epochs_for(len(rows)))
        for epoch in range(len(history), len(sizes)):
            result = _train_one_epoch(state, epoch, sizes[epoch], photos, rows, labels, settings, device, on_step)
            history.append(result)
            for watcher in watchers:
                watcher(result, state.model)
            if snapshot is not None:
                state.keep(snapshot, [asdict(done) for done in history])
    return Fitted(state.model, history, origin)


def new_state(
    classes: int, steps: int, settings: TrainSettings, device: Device, seed: int
) -> tuple[TrainingState, str]:
    """Return a network before its first step, and where its weights come from. Seeds the global generator."""
    torch.manual_seed(seed)
    model, origin = build_model(
        settings.model, classes=classes, image_size=settings.size, pretrained=settings.pretrained
    )
    device.place(model)
    optimizer = _optimizer(model, settings)
    schedule = _one_cycle(optimizer, steps, settings.learning_rate)
    return TrainingState(model, optimizer, schedule, torch.Generator().manual_seed(seed)), origin


def sizes_of(settings: TrainSettings, epochs: int) -> list[int]:
    """Return the side of the photos in every epoch."""
    early = settings.size * 2 // 3
    if early < _LEAST_EARLY_SIZE or not takes_size(settings.model, early):
        early = settings.size
    return [early] * (epochs // 2) + [settings.size] * (epochs - epochs // 2)


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
    state: TrainingState,
    epoch: int,
    size: int,
    photos: Photos,
    rows: Integers,
    labels: Integers,
    settings: TrainSettings,
    device: Device,
    on_step: Callable[[int], None],
) -> EpochResult:
    state.model.train()
    order = rows[torch.randperm(len(rows), generator=state.generator).numpy()]
    batches = _batches(len(rows), settings.batch_size)
    # on a GPU, asking for a number waits for all the work before it: once an epoch is enough
    total, right = torch.zeros((), device=device.device), torch.zeros((), dtype=torch.int64, device=device.device)
    seen = 0
    for number in range(batches):
        chosen = order[number * settings.batch_size : (number + 1) * settings.batch_size]
        batch = device.arrange(vary(normalize(device.send(photos[chosen])), state.generator, size=size))
        target = device.send(labels[chosen])
        loss, correct = train_step(state, batch, target, settings.label_smoothing, device)
        total += loss * len(chosen)
        right += correct
        seen += len(chosen)
        on_step(epoch * batches + number + 1)
    rate = float(state.schedule.get_last_lr()[0])
    return EpochResult(epoch, float(total) / seen, int(right) / seen, rate)


def train_step(
    state: TrainingState, batch: torch.Tensor, target: torch.Tensor, smoothing: float, device: Device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Take one optimiser step; return the mean loss, and how many were predicted as labelled."""
    with device.autocast():
        logits = logits_of(state.model(batch))
        loss = functional.cross_entropy(logits, target, label_smoothing=smoothing)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimizer.step()
    state.schedule.step()
    return loss.detach(), (logits.argmax(1) == target).sum()


def predict(model: nn.Module, photos: Photos, rows: Integers, device: Device, *, mirrored: bool = True) -> Floats:
    """Predict class probabilities.

    Parameters
    ----------
    model : Module
        A trained classifier.
    photos : Photos of uint8, shape (N, S, S, 3)
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
            batch = device.arrange(normalize(device.send(photos[rows[start : start + _PREDICT_BATCH]])))
            views = (batch, batch.flip(3)) if mirrored else (batch,)
            probs = torch.stack([logits_of(model(view)).float().softmax(1) for view in views]).mean(0)
            parts.append(probs.cpu().numpy())
    return np.concatenate(parts).astype(np.float32)
