"""How this machine trains: what decides the digits is settled by rules, what decides the speed alone is measured."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from training.errors import check_range, check_types
from training.fit.augment import varied
from training.fit.state import TrainingState
from training.networks.zoo import is_depthwise
from training.settings import Recipe
from training.utils.devices import Device, find_device, hardware, threads

__all__ = ["Arrangement", "measure", "seconds_of_step", "settled"]

#: Timed steps of each candidate, after a warm-up; the fastest counts, as other programs can only slow a step down.
_STEPS = 3
#: Seconds; a step that takes longer is measured on fewer photos.
_LONGEST_STEP = 0.4
#: Share by which training side by side must be faster; less is noise.
_GAIN = 0.05
#: Most models at a time on one GPU.
_ON_ONE_GPU = 4


@dataclass(frozen=True)
class Arrangement:
    """How models are trained on this machine.

    Attributes
    ----------
    device : Device
        Where, in which precision and layout.
    side_by_side : int
        Models trained at a time, each in a process of its own; 1 trains one after another. It changes no result.
    threads : int
        Threads of each model, however many train at the time.
    step_seconds, alone_seconds : float
        Seconds of one optimizer step while `side_by_side` models train, and while one does; 0 without networks.
    hardware : str
        Of :func:`training.utils.devices.hardware`, where training began; empty in records of earlier versions.
    """

    device: Device
    side_by_side: int = 1
    threads: int = 1
    step_seconds: float = 0.0
    alone_seconds: float = 0.0
    hardware: str = ""

    @property
    def computed(self) -> dict[str, Any]:
        """What the digits of the results depend on beside recipe and data, for the record of a run."""
        where = {"device": str(self.device.device), "hardware": self.hardware or None}
        return {**where, "precision": self.device.precision, "threads": self.threads}

    @property
    def elsewhere(self) -> str | None:
        """What to say if training began on other hardware; None if it didn't, or if nobody knows."""
        here = hardware(self.device.device)
        if self.hardware in ("", here):
            return None
        return (
            f"this began on other hardware ({self.hardware}; here {here}): precision and threads stay as they were, "
            "but the last digits of what is computed from here on may differ"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dictionary for JSON."""
        return {**asdict(self), "device": {**asdict(self.device), "device": str(self.device.device)}}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Arrangement:
        """Read what :meth:`to_dict` wrote.

        Raises
        ------
        KeyError, TypeError, ValueError, InputError
            If it is another dictionary.
        """
        name, mixed, channels_last = (content["device"][key] for key in ("device", "mixed", "channels_last"))
        device = replace(find_device(name), mixed=mixed, channels_last=channels_last)
        # earlier versions shared the cores among those that ran
        cores = content.get("cores")
        shared = {} if cores is None else {"threads": max(1, cores // content["side_by_side"])}
        read = cls(**{**{key: value for key, value in content.items() if key != "cores"}, **shared, "device": device})
        check_types(cls.__annotations__, {name: getattr(read, name) for name in cls.__annotations__})
        check_range("threads", "number of threads", read.threads, 1, math.inf)
        check_range("side_by_side", "number of models side by side", read.side_by_side, 1, math.inf)
        return read

    def __str__(self) -> str:
        if self.side_by_side == 1:
            how = f"one model at a time, {_threads(self.threads)}"
        else:
            how = f"{self.side_by_side} models side by side, {_threads(self.threads)} each"
        return f"{self.device}; {how}"


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"


def settled(recipe: Recipe, device: Device, *, jobs: int) -> tuple[Recipe, Device]:
    """Settle what the digits of a network depend on: precision, layout and threads. Nothing is measured.

    Parameters
    ----------
    recipe : Recipe
        What was asked for.
    device : Device
        Where.
    jobs : int
        Models that are to be trained. They share the cores, also while fewer of them run.

    Returns
    -------
    recipe : Recipe
        With its precision and, if it has a network, its threads.
    device : Device
        With precision and layout.
    """
    device = device.computing(_precision(recipe, device))
    shared = torch.get_num_threads() // min(jobs, _most(device, 1))
    number = (recipe.threads or max(1, shared)) if recipe.has_network else None
    return replace(recipe, precision=device.precision, threads=number), device


def _precision(recipe: Recipe, device: Device) -> str:
    """Return the precision that was asked for: ``auto`` of a depthwise network that a CPU trains is float32.

    Its gradients take longer in bfloat16, also where a CPU has instructions for it (docs/benchmarks.md).
    """
    trained_here = recipe.has_network and device.device.type == "cpu" and is_depthwise(recipe.model)
    return "float32" if recipe.precision == "auto" and trained_here else recipe.precision


def _most(device: Device, each: int) -> int:
    """Return how many models may train at a time, with so many threads `each`."""
    return _ON_ONE_GPU if device.is_cuda else max(1, torch.get_num_threads() // each)


def measure(recipe: Recipe, device: Device, *, classes: int, jobs: int, workers: int | None = None) -> Arrangement:
    """Try out how long networks train here, and how many at a time are fastest, in two or three seconds.

    Parameters
    ----------
    recipe : Recipe
        The network, the size of its photos and batches, precision and threads.
    device : Device
        Where.
    classes : int
        K.
    jobs : int
        Models that are to be trained.
    workers : int, optional
        How many at a time, if that is asked for.

    Returns
    -------
    Arrangement
        With the seconds of one step; if a whole batch takes long, they are scaled up from fewer photos.
    """
    recipe, device = settled(recipe, device, jobs=jobs)
    number = recipe.threads or 1
    batch = _batch_that_fits(recipe, device, classes, number)
    scale = recipe.batch_size / batch
    alone = seconds_of_step(recipe, device, classes, batch, 1, number)
    running, together = min(jobs, workers or _most(device, number)), alone
    if running > 1 and device.device.type in ("cuda", "cpu"):
        together = seconds_of_step(recipe, device, classes, batch, running, number)
        if workers is None and together / running >= alone * (1 - _GAIN):
            running, together = 1, alone
    else:
        running = 1
    return Arrangement(device, running, number, together * scale, alone * scale, hardware(device.device))


def _batch_that_fits(recipe: Recipe, device: Device, classes: int, number: int) -> int:
    """Return how many photos a measured step may have, so that the measurement stays short."""
    few = min(4, recipe.batch_size)
    each = seconds_of_step(recipe, device, classes, few, 1, number) / few
    return max(few, min(recipe.batch_size, int(_LONGEST_STEP / max(each, 1e-9))))


def seconds_of_step(recipe: Recipe, device: Device, classes: int, batch: int, running: int, number: int) -> float:
    """Return the seconds of one step while several models take steps at the same time.

    They run in threads of this process. As torch releases the interpreter's lock while it computes, that is nearly as
    fast as in processes, which take longer to start.

    Parameters
    ----------
    recipe : Recipe
        The network and the size of its photos.
    device : Device
        Where, in which precision and layout.
    classes : int
        K.
    batch : int
        Photos of a step.
    running : int
        How many models.
    number : int
        Threads of each.
    """
    barrier = threading.Barrier(running + 1)

    def work(step: Callable[[], None]) -> None:
        torch.set_num_threads(number)
        step()
        for _ in range(_STEPS):
            barrier.wait()
            step()
            barrier.wait()

    # initial weights and dropout draw from the global generator
    with threads(number), torch.random.fork_rng(devices=[device.device] if device.is_cuda else []):
        steps = [_stepper(recipe, device, classes, batch) for _ in range(running)]
        workers = [threading.Thread(target=work, args=(step,), daemon=True) for step in steps]
        for worker in workers:
            worker.start()
        taken = []
        for _ in range(_STEPS):
            barrier.wait()
            start = time.perf_counter()
            barrier.wait()
            taken.append(time.perf_counter() - start)
        return min(taken)


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
