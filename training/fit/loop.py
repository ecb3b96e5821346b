"""The training loop: a network from its initial weights, or from a snapshot, to the end of its schedule."""

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
from training.fit.early_stopping import EarlyStop
from training.fit.sampling import epoch_rows, epoch_size
from training.fit.state import TrainingState
from training.fit.tuning import early_layers, first_epochs, freeze
from training.images import Photos
from training.networks.network import Net
from training.networks.predict import predict
from training.networks.zoo import takes_size
from training.settings import Recipe
from training.utils.arrays import Bool, Float32, Int64
from training.utils.devices import Device
from training.utils.files import DamagedError, sound
from training.utils.targets import SoftLabels, Targets

__all__ = ["EpochResult", "Examples", "Fitted", "fit", "sizes_of"]


#: Pixels a side; of a smaller photo too little is left to learn from.
_LEAST_EARLY_SIZE = 32


@dataclass(frozen=True)
class Examples:
    """Training data of networks.

    Attributes
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
        May be memory-mapped.
    labels : ndarray, shape (N,)
        The target: class numbers 0 to K-1 (int64), or prices (float32). Only those of training rows are used.
    prices : ndarray of float32, shape (N,), or None
        A second input of the network; NaN where there is none.
    soft : SoftLabels or None
        How much each label counts; None: all do fully.
    """

    photos: Photos
    labels: Int64 | Float32
    prices: Float32 | None = None
    soft: SoftLabels | None = None


@dataclass(frozen=True)
class EpochResult:
    """The result of one epoch.

    Attributes
    ----------
    epoch, step : int
        Number of the epoch, from 0, and the optimizer steps done by its end.
    loss : float
        Mean training loss.
    scores : dict
        On the augmented training photos: ``accuracy`` and ``macro_f1``, or ``mae`` and ``median_ae``.
    validation : dict
        The same on the validation rows; empty without any.
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
        The epoch whose weights these are, if training may stop early; None if they are those of the last.
    began_anew : str or None
        Why an unfinished training was not continued; None if it was, or there was none.
    """

    model: Net
    history: list[EpochResult]
    best_epoch: int | None = None
    began_anew: str | None = None


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
    """Train a network from its initial weights, or from a snapshot, to the end of its schedule.

    With one cycle, models that take photos of any size see them at two thirds of their size in the first half of the
    epochs: the network can use what it learns there at the full size, at half of the cost (Howard, "Training Imagenet
    in 3 hours for 25 minutes", fast.ai 2018). In the same epochs a network with pretrained weights trains its last
    block alone; see :func:`training.fit.tuning.first_epochs`.

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
        Rows that decide when training ends and which epoch's weights count, if the recipe has an early stop.
    snapshot : Path, optional
        Gets the state of the unfinished training about once a minute: a killed training resumes there and ends with the
        same model. The caller must make sure that it was made from the same recipe and data.
    on_step : callable
        Called after each optimizer step with the number of steps so far.
    watchers : sequence of callable
        Called after each epoch with its result and the network.

    Returns
    -------
    Fitted

    Raises
    ------
    DivergedError
        If the loss becomes NaN or infinite.
    """
    devices = [device.device] if device.is_cuda else []
    with torch.random.fork_rng(devices=devices):
        labels = examples.labels[rows]
        prices = None if examples.prices is None else examples.prices[rows]
        photos = epoch_size(labels, recipe)
        steps = recipe.steps_for(photos)

        def begin() -> TrainingState:
            state = TrainingState.begin(recipe, labels, prices, classes=classes, steps=steps, device=device, seed=seed)
            state.stop = _early_stop(examples, validation, recipe, device, state.model)
            return state

        state, history, damaged = _continued(begin, snapshot)
        training = _Training(state, examples, rows, recipe, on_step)
        sizes = sizes_of(recipe, recipe.epochs_for(photos))
        first = first_epochs(recipe, len(sizes))
        early = early_layers(state.model) if first else []
        for epoch in range(len(history), len(sizes)):
            if state.stop is not None and state.stop.ends(epoch - 1):
                break
            done = history[-1].step if history else 0
            state.model.train()
            freeze(early, epoch < first)
            result = training.epoch(epoch, sizes[epoch], before=done, left=steps - done)
            history.append(result)
            for watcher in watchers:
                watcher(result, state.model)
            if snapshot is not None:
                state.save(snapshot, [asdict(past) for past in history])
        if state.stop is None:
            return Fitted(state.model, history, began_anew=damaged)
        on_step(steps)
        state.model.load_state_dict(state.stop.weights)
        return Fitted(state.model, history, state.stop.epoch, damaged)


def _continued(
    begin: Callable[[], TrainingState], snapshot: Path | None
) -> tuple[TrainingState, list[EpochResult], str | None]:
    """Return a training as its snapshot left it, and its epochs; at its beginning, and why, if that is damaged."""
    state = begin()
    if snapshot is None:
        return state, [], None
    try:
        epochs = state.restore(snapshot)
        with sound(snapshot):
            return state, [EpochResult(**epoch) for epoch in epochs], None
    except DamagedError as error:
        snapshot.unlink()
        return begin(), [], error.reason


def sizes_of(recipe: Recipe, epochs: int) -> list[int]:
    """Return the side of the photos in each of so many `epochs` of a `recipe`, in pixels."""
    early = recipe.size * 2 // 3
    if recipe.schedule != "one-cycle" or early < _LEAST_EARLY_SIZE or not takes_size(recipe.model, early, recipe.size):
        early = recipe.size
    return [early] * (epochs // 2) + [recipe.size] * (epochs - epochs // 2)


def _early_stop(examples: Examples, rows: Int64 | None, recipe: Recipe, device: Device, net: Net) -> EarlyStop | None:
    if recipe.early_stop is None:
        return None
    if rows is None or not len(rows):
        raise ValueError("an early stop needs validation rows")

    def judge(model: torch.nn.Module) -> dict[str, float]:
        answers = predict(net, examples.photos, rows, device, mirrored=False, prices=examples.prices)
        return net.task.scores(net.task.best(answers), examples.labels[rows])

    return EarlyStop(recipe.early_stop, judge, net.task.score, net.task.high_is_good)


@dataclass(frozen=True)
class _Training:
    """One network that is trained, epoch by epoch."""

    state: TrainingState
    examples: Examples
    rows: Int64
    recipe: Recipe
    on_step: Callable[[int], None]

    def epoch(self, number: int, size: int, *, before: int, left: int) -> EpochResult:
        """Train one epoch on photos of `size` pixels, after `before` steps, with at most `left` to go."""
        state, task, batch_size = self.state, self.state.model.task, self.recipe.batch_size
        rows, turned = self._order()
        # on a GPU, reading a number waits for all the work before it: once an epoch is enough
        total, predictions = torch.zeros((), device=state.device.device), []
        steps = min(self.recipe.batches(len(rows)), left)
        for step in range(steps):
            batch = slice(step * batch_size, (step + 1) * batch_size)
            loss, answers = self._step(rows[batch], turned[batch], size)
            total += loss * len(answers)
            predictions.append(task.best(answers))
            self.on_step(before + step + 1)
        trained = rows[: steps * batch_size]
        mean = float(total) / len(trained)
        if not math.isfinite(mean):
            raise DivergedError(
                f"training diverged in epoch {number + 1}: the loss is {mean}; choose a `learning_rate` below "
                f"{self.recipe.rate:g}",
                parameter="learning_rate",
            )
        scores = task.scores(torch.cat(predictions).cpu().numpy(), self.examples.labels[trained])
        validation = {} if state.stop is None else state.stop.look(number, state.model)
        rate = float(state.schedule.get_last_lr()[0])
        return EpochResult(number, before + steps, mean, scores, validation, rate)

    def _order(self) -> tuple[Int64, Bool]:
        """Return the rows of one epoch in random order, and which are copies to turn and mirror."""
        generator = self.state.generator
        rows, copies = epoch_rows(self.rows, self.examples.labels[self.rows], self.recipe, generator)
        order = torch.randperm(len(rows), generator=generator).numpy()
        return rows[order], copies[order] & (self.recipe.balance == "augment")

    def _step(self, rows: Int64, turned: Bool, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        state, prices, device = self.state, self.examples.prices, self.state.device
        photos = varied(
            self.examples.photos[rows], self.recipe.augment, state.generator, device, size=size, turned=turned
        )
        target = device.send(self._targets(rows))
        return state.step(photos, target, None if prices is None else device.send(prices[rows]))

    def _targets(self, rows: Int64) -> npt.NDArray[np.generic]:
        if self.examples.soft is None:
            return self.examples.labels[rows]
        labels = self.examples.labels.astype(np.int64)
        return Targets(labels, self.state.model.task.outputs, self.examples.soft).of(rows).numpy()
