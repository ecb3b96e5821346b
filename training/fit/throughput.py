"""How this machine trains fastest: a short measurement of layouts, precisions, and numbers of models at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from training.fit.augment import varied
from training.fit.state import TrainingState
from training.settings import Recipe
from training.utils.devices import Device, bfloat16_may_be_fast, find_device

__all__ = ["Arrangement", "measure"]

#: Timed steps of each candidate, after a warm-up; the fastest counts, as other programs can only slow a step down.
_STEPS = 3
#: Seconds; a step that takes longer is measured on fewer photos.
_LONGEST_STEP = 0.4
#: Share by which another way must be faster; less is noise.
_GAIN = 0.05
#: Models at a time that are tried on one GPU.
_ON_ONE_GPU = 4


@dataclass(frozen=True)
class Arrangement:
    """How models are trained on this machine.

    Attributes
    ----------
    device : Device
        Where, in which precision and layout.
    side_by_side : int
        Models trained at a time, each in a process of its own; 1 trains one after another.
    cores : int
        Processor cores that they share.
    step_seconds, alone_seconds : float
        Seconds of one optimizer step while `side_by_side` models train, and while one does; 0 without networks.
    """

    device: Device
    side_by_side: int = 1
    cores: int = 1
    step_seconds: float = 0.0
    alone_seconds: float = 0.0

    def threads(self, running: int) -> int:
        """Return the threads of each model while `running` models train."""
        return max(1, self.cores // running)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dictionary for JSON."""
        return {**asdict(self), "device": {**asdict(self.device), "device": str(self.device.device)}}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Arrangement:
        """Read what :meth:`to_dict` wrote."""
        name, mixed, channels_last = (content["device"][key] for key in ("device", "mixed", "channels_last"))
        device = replace(find_device(name), mixed=mixed, channels_last=channels_last)
        return cls(**{**content, "device": device})

    def __str__(self) -> str:
        if self.side_by_side == 1:
            how = f"one model at a time, {_threads(self.cores)}"
        else:
            how = f"{self.side_by_side} models side by side, {_threads(self.threads(self.side_by_side))} each"
        return f"{self.device}; {how}"


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"


def measure(recipe: Recipe, device: Device, *, classes: int, jobs: int) -> Arrangement:
    """Try out how networks train fastest here, in two or three seconds.

    Parameters
    ----------
    recipe : Recipe
        The network, the size of its photos and batches.
    device : Device
        Where.
    classes : int
        K.
    jobs : int
        Models that are to be trained.

    Returns
    -------
    Arrangement
        With the seconds of one step; if a whole batch takes long, they are scaled up from fewer photos.
    """
    cores = torch.get_num_threads()
    batch = _batch_that_fits(recipe, device, classes)
    scale = recipe.batch_size / batch

    def seconds(candidate: Device, running: int = 1) -> float:
        return _seconds(recipe, candidate, classes, batch, running, max(1, cores // running))

    best, fastest = device, seconds(device)
    for candidate in _candidates(device):
        taken = seconds(candidate)
        if taken < fastest * (1 - _GAIN):
            best, fastest = candidate, taken
    running = min(jobs, _ON_ONE_GPU if device.is_cuda else cores)
    if running > 1 and device.device.type in ("cuda", "cpu"):
        together = seconds(best, running)
        if together / running < fastest * (1 - _GAIN):
            return Arrangement(best, running, cores, together * scale, fastest * scale)
    return Arrangement(best, 1, cores, fastest * scale, fastest * scale)


def _candidates(device: Device) -> list[Device]:
    """Return the other ways to compute on a device that may be faster."""
    ways = [replace(device, channels_last=True)]
    if bfloat16_may_be_fast(device.device):
        ways += [replace(device, mixed=True), replace(device, mixed=True, channels_last=True)]
    return ways


def _batch_that_fits(recipe: Recipe, device: Device, classes: int) -> int:
    """Return how many photos a measured step may have, so that the measurement stays short."""
    few = min(4, recipe.batch_size)
    each = _seconds(recipe, device, classes, few, 1, torch.get_num_threads()) / few
    return max(few, min(recipe.batch_size, int(_LONGEST_STEP / max(each, 1e-9))))


def _seconds(recipe: Recipe, device: Device, classes: int, batch: int, running: int, threads: int) -> float:
    """Return the seconds of one step while `running` models take steps at the same time.

    They run in threads of this process. As torch releases the interpreter's lock while it computes, that is nearly as
    fast as in processes, which take longer to start.
    """
    barrier = threading.Barrier(running + 1)

    def work(step: Callable[[], None]) -> None:
        torch.set_num_threads(threads)
        step()
        for _ in range(_STEPS):
            barrier.wait()
            step()
            barrier.wait()

    before = torch.get_num_threads()
    # initial weights and dropout draw from the global generator
    with torch.random.fork_rng(devices=[device.device] if device.is_cuda else []):
        steps = [_stepper(recipe, device, classes, batch) for _ in range(running)]
        workers = [threading.Thread(target=work, args=(step,), daemon=True) for step in steps]
        try:
            for worker in workers:
                worker.start()
            taken = []
            for _ in range(_STEPS):
                barrier.wait()
                start = time.perf_counter()
                barrier.wait()
                taken.append(time.perf_counter() - start)
            return min(taken)
        finally:
            torch.set_num_threads(before)


def _stepper(recipe: Recipe, device: Device, classes: int, batch: int) -> Callable[[], None]:
    kind = np.float32 if recipe.target == "price" else np.int64
    labels, prices = np.ones(batch, dtype=kind), np.ones(batch, dtype=np.float32) if recipe.use_price else None
    recipe = replace(recipe, pretrained=False)
    state = TrainingState.begin(recipe, labels, prices, classes=classes, steps=1000, device=device, seed=0)
    state.model.train()
    pixels = torch.randint(0, 256, (batch, recipe.size, recipe.size, 3), dtype=torch.uint8).numpy()
    target, sent_prices = device.send(labels), None if prices is None else device.send(prices)

    def step() -> None:
        photos = varied(pixels, recipe.augment, state.generator, device)
        state.step(photos, target, sent_prices)
        if device.is_cuda:
            torch.cuda.synchronize(device.device)

    return step
