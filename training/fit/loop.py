"""The plain loop: train one epoch, predict, fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from training.errors import DivergedError
from training.fit.augment import varied
from training.fit.checkpoint import TrainingState
from training.fit.early_stopping import EarlyStop
from training.fit.optim import make_optimizer, make_schedule
from training.fit.sampling import balanced_rows, balanced_size
from training.images import Photos
from training.networks.network import Net, build_net
from training.networks.predict import predict
from training.networks.zoo import takes_size
from training.settings import Recipe
from training.utils.arrays import Bool, Float32, Int64
from training.utils.devices import Device

__all__ = ["EpochResult", "Examples", "Fitted", "epoch_size", "fit", "new_state", "sizes_of", "steps_of", "train_step"]


# below it, too little of a photo is left to learn from
_LEAST_EARLY_SIZE = 32


@dataclass(frozen=True)
class Examples:
    """What networks learn from.

    Attributes
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
        May be memory-mapped.
    labels : ndarray, shape (N,)
        What is to be told: class numbers 0 to K-1 (int64), or prices (float32). Only those of training rows are looked
        at.
    prices : ndarray of float32, shape (N,), or None
        What a network may look at beside the photo; NaN where there is none.
    """

    photos: Photos
    labels: Int64 | Float32
    prices: Float32 | None = None


@dataclass(frozen=True)
class EpochResult:
    """What one epoch came to.

    Attributes
    ----------
    epoch, step : int
        Number of the epoch, and the optimiser steps that were done when it ended.
    loss : float
        Mean training loss.
    scores : dict
        Of the training photos as they were varied: ``accuracy`` and ``macro_f1``, or ``mae`` and ``median_ae``.
    validation : dict
        The same of the validation rows; empty where there are none.
    learning_rate : float
        At its end.
    """

    epoch: int
    step: int
    loss: float
    scores: dict[str, float]
    validation: dict[str, float]
    learning_rate: float


@dataclass(frozen=True)
class Fitted:
    """A trained network and its epochs.

    Attributes
    ----------
    model : Net
    history : list of EpochResult
    best_epoch : int or None
        Whose weights these are, where training may stop early; None for the last.
    """

    model: Net
    history: list[EpochResult]
    best_epoch: int | None = None


def steps_of(labels: npt.NDArray[np.generic], recipe: Recipe) -> int:
    """Return the number of optimizer steps that training takes.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        Labels of the training rows.
    recipe : Recipe
        How to train.
    """
    return recipe.steps_for(epoch_size(labels, recipe))


def epoch_size(labels: npt.NDArray[np.generic], recipe: Recipe) -> int:
    """Return the number of photos in one epoch.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        Labels of the training rows.
    recipe : Recipe
        How to train.
    """
    return balanced_size(labels, recipe.balance)


def fit(
    examples: Examples,
    rows: Int64,
    *,
    classes: int,
    recipe: Recipe,
    device: Device,
    seed: int,
    validation: Int64 | None = None,
    snapshot: Path | None = None,
    on_step: Callable[[int], None] = lambda step: None,
    watchers: Sequence[Callable[[EpochResult, Net], None]] = (),
) -> Fitted:
    """Train a network from its start, or from where it was interrupted, to the end of its schedule.

    With one cycle, models that take photos of any size see them at two thirds of their size in the first half of the
    epochs: what is learned there holds for the full size, at half of the cost (Howard, "Training Imagenet in 3 hours
    for 25 minutes", fast.ai 2018).

    Parameters
    ----------
    examples : Examples
        N of them.
    rows : ndarray of int64, shape (n,)
        The rows to train on, at least 2.
    classes : int
        K.
    recipe : Recipe
        Model, size, schedule.
    device : Device
        Where to train.
    seed : int
        Seed of the initial weights, the order, and the augmentation; the global generator is left as it was.
    validation : ndarray of int64, optional
        Rows that decide when training ends, and which epoch's weights are kept, if the settings want an early stop.
    snapshot : Path, optional
        Keeps the state of an unfinished training, about once a minute, so that one that was killed goes on and ends
        with the same model. The caller must make sure that it belongs to the same question.
    on_step : callable
        Called with the number of optimiser steps done after each.
    watchers : sequence of callable
        Called with every epoch's result and the network as it is.

    Returns
    -------
    Fitted

    Raises
    ------
    DivergedError
        If the loss is no number any more.
    """
    devices = [device.device] if device.is_cuda else []
    with torch.random.fork_rng(devices=devices):
        labels = examples.labels[rows]
        prices = None if examples.prices is None else examples.prices[rows]
        steps = steps_of(labels, recipe)
        state = new_state(classes, steps, recipe, device, seed, labels, prices)
        state.stop = _early_stop(examples, validation, recipe, device, state.model)
        training = _Training(state, examples, rows, recipe, device, on_step)
        history = [] if snapshot is None else [EpochResult(**epoch) for epoch in state.restore(snapshot)]
        sizes = sizes_of(recipe, recipe.epochs_for(epoch_size(labels, recipe)))
        for epoch in range(len(history), len(sizes)):
            if state.stop is not None and state.stop.ends(epoch - 1):
                break
            done = history[-1].step if history else 0
            result = training.epoch(epoch, sizes[epoch], before=done, left=steps - done)
            history.append(result)
            for watcher in watchers:
                watcher(result, state.model)
            if snapshot is not None:
                state.keep(snapshot, [asdict(past) for past in history])
        if state.stop is None:
            return Fitted(state.model, history)
        on_step(steps)
        state.model.load_state_dict(state.stop.weights)
        return Fitted(state.model, history, state.stop.epoch)


def new_state(
    classes: int,
    steps: int,
    recipe: Recipe,
    device: Device,
    seed: int,
    labels: npt.NDArray[np.generic],
    prices: Float32 | None = None,
) -> TrainingState:
    """Return a network before its first step. Seeds the global generator.

    Parameters
    ----------
    classes : int
        K.
    steps : int
        Number of optimizer steps, for the schedule of the learning rate.
    recipe : Recipe
        How to train.
    device : Device
        Where to train.
    seed : int
        Seed of the weights and of the order of the photos.
    labels : ndarray, shape (n,)
        Labels of the training rows.
    prices : ndarray of float, shape (n,), optional
        Their prices, for a network that also gets the price.
    """
    torch.manual_seed(seed)
    net = build_net(recipe, classes, labels, prices)
    device.place(net)
    optimizer = make_optimizer(net, recipe)
    schedule = make_schedule(optimizer, steps, recipe)
    return TrainingState(net, optimizer, schedule, torch.Generator().manual_seed(seed))


def sizes_of(recipe: Recipe, epochs: int) -> list[int]:
    """Return the side of the photos in each epoch, in pixels.

    Parameters
    ----------
    recipe : Recipe
        How to train.
    epochs : int
        Number of epochs.
    """
    early = recipe.size * 2 // 3
    if recipe.schedule != "one-cycle" or early < _LEAST_EARLY_SIZE or not takes_size(recipe.model, early, recipe.size):
        early = recipe.size
    return [early] * (epochs // 2) + [recipe.size] * (epochs - epochs // 2)


def _early_stop(examples: Examples, rows: Int64 | None, recipe: Recipe, device: Device, net: Net) -> EarlyStop | None:
    if recipe.early_stop is None:
        return None
    if rows is None or not len(rows):
        raise ValueError("without validation rows nothing tells when to stop")

    def judge(model: torch.nn.Module) -> dict[str, float]:
        told = predict(net, examples.photos, rows, device, mirrored=False, prices=examples.prices)
        return net.task.scores(net.task.best(told), examples.labels[rows])

    return EarlyStop(recipe.early_stop, judge, net.task.score, net.task.high_is_good)


@dataclass(frozen=True)
class _Training:
    """One network that is trained, epoch by epoch."""

    state: TrainingState
    examples: Examples
    rows: Int64
    recipe: Recipe
    device: Device
    on_step: Callable[[int], None]

    def epoch(self, number: int, size: int, *, before: int, left: int) -> EpochResult:
        """Train one epoch on photos of a size, after `before` steps, with at most `left` to go."""
        state, task = self.state, self.state.model.task
        state.model.train()
        rows, copies = self._order()
        # on a GPU, asking for a number waits for all the work before it: once an epoch is enough
        total, told = torch.zeros((), device=self.device.device), []
        steps, batch_size = min(self.recipe.batches(len(rows)), left), self.recipe.batch_size
        for step in range(steps):
            batch = slice(step * batch_size, (step + 1) * batch_size)
            loss, answers = self._step(rows[batch], copies[batch], size)
            total += loss * len(answers)
            told.append(task.best(answers))
            self.on_step(before + step + 1)
        trained = rows[: steps * batch_size]
        mean = float(total) / len(trained)
        if not math.isfinite(mean):
            raise DivergedError(
                f"training diverged in epoch {number + 1}: the loss is {mean}; choose a `learning_rate` below "
                f"{self.recipe.rate:g}",
                parameter="learning_rate",
            )
        scores = task.scores(torch.cat(told).cpu().numpy(), self.examples.labels[trained])
        validation = {} if state.stop is None else state.stop.look(number, state.model)
        rate = float(state.schedule.get_last_lr()[0])
        return EpochResult(number, before + steps, mean, scores, validation, rate)

    def _order(self) -> tuple[Int64, Bool]:
        """Return the rows of one epoch in their order, and which are copies that are turned and mirrored."""
        balance, generator = self.recipe.balance, self.state.generator
        rows, copies = balanced_rows(self.rows, self.examples.labels[self.rows], balance, generator)
        order = torch.randperm(len(rows), generator=generator).numpy()
        return rows[order], copies[order] & (balance == "augment")

    def _step(self, chosen: Int64, copies: Bool, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        photos, prices, device = self.examples.photos[chosen], self.examples.prices, self.device
        batch = varied(photos, self.recipe.augment, self.state.generator, device, size=size, copies=copies)
        target = device.send(self.examples.labels[chosen])
        return train_step(self.state, batch, target, device, None if prices is None else device.send(prices[chosen]))


def train_step(
    state: TrainingState,
    batch: torch.Tensor,
    target: torch.Tensor,
    device: Device,
    prices: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Take one optimizer step; return the mean loss, and the network's predictions.

    Parameters
    ----------
    state : TrainingState
        The network and its optimizer; both move on by a step.
    batch : Tensor, shape (B, 3, S, S)
        Photos.
    target : Tensor, shape (B, ...)
        What the network should predict.
    device : Device
        Where it trains.
    prices : Tensor, shape (B,), optional
        Prices, for a network that also gets the price.
    """
    with device.autocast():
        outputs = state.model.outputs(batch, prices)
        loss = state.model.loss(outputs, target)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimizer.step()
    state.schedule.step()
    return loss.detach(), state.model.task.answer(outputs[0].detach())
