"""What to train, how, and how long it will take: settled before the first photo is decoded, by measurement."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from training.crossval.predictions import kept_epochs
from training.crossval.run_job import JUDGED
from training.errors import InputError
from training.features.extract import KEPT, SAMPLE, choose_extractor
from training.features.linear import fit_head
from training.features.patches import PatchBank
from training.fit.loop import sizes_of
from training.fit.throughput import Arrangement, measure
from training.networks.zoo import PRETRAINED, initial_weights
from training.settings import Recipe
from training.utils.devices import Device, each_on_one_core, threads_for
from training.utils.files import read_json, write_json
from training.utils.progress import Reporter
from training.utils.units import duration

__all__ = ["Plan", "Work", "make_plan", "say_plan", "with_weights"]

#: Share of a time limit that is planned for: the machine may get slower.
_MARGIN = 0.85
#: Photos and rows of the trial measurements.
_TRIAL_PHOTOS, _TRIAL_ROWS = 24, 512
#: Cost of a prediction, in those of a training step on the same photos.
_FORWARD = 1 / 3


@dataclass(frozen=True)
class Work:
    """How much there is to do.

    Attributes
    ----------
    photos : int
        Photos in all.
    rows, scored : int
        Rows that one model trains on, and that it scores.
    classes, models : int
        K, and how many models are trained together.
    repeats : int
        How often that is done, each time with features of its own.
    watched : int
        Rows whose predictions are kept, epoch by epoch.
    seconds_before : float
        What is done before training, decoding above all.
    """

    photos: int
    rows: int
    scored: int
    classes: int
    models: int
    repeats: int = 1
    watched: int = 0
    seconds_before: float = 0.0


@dataclass(frozen=True)
class Plan:
    """How models are trained, and how long that is expected to take.

    Attributes
    ----------
    recipe : Recipe
        As asked for, with the number of epochs settled: 0 trains no network.
    arrangement : Arrangement
        How.
    seconds : dict
        Expected seconds of ``photos``, ``features``, ``heads`` and ``networks``.
    """

    recipe: Recipe
    arrangement: Arrangement
    seconds: dict[str, float]

    @property
    def epochs(self) -> int:
        """Epochs of each network."""
        return self.recipe.epochs or 0

    def save(self, path: Path) -> None:
        """Write it, so that an interrupted run goes on as it began."""
        write_json(
            path,
            {
                "recipe": self.recipe.to_dict(),
                "arrangement": self.arrangement.to_dict(),
                "seconds": {stage: round(seconds, 2) for stage, seconds in self.seconds.items()},
            },
        )

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read what :meth:`save` wrote."""
        content = read_json(path)
        return cls(Recipe(**content["recipe"]), Arrangement.from_dict(content["arrangement"]), content["seconds"])

    def lines(self) -> list[str]:
        """Say what is going to be done, and how long it will take."""
        total, device = sum(self.seconds.values()), self.arrangement.device
        if not self.epochs:
            return [f"expected: {duration(total)} ({device}; linear models on features, no network)"]
        lines = [f"expected: {duration(total)} ({self.arrangement}; {self.epochs} epochs of {self.recipe.model})"]
        if total > 60:
            without = duration(total - self.seconds["networks"])
            lines.append(f'`preset="standard"`, without networks, would take {without}')
        return lines


def make_plan(recipe: Recipe, work: Work, device: Device, *, time_limit: float | None = None) -> Plan:
    """Measure this machine for two or three seconds, and settle how to train.

    Parameters
    ----------
    recipe : Recipe
        What was asked for.
    work : Work
        How much there is to do.
    device : Device
        Where.
    time_limit : float, optional
        Seconds that all of it may take.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If even the quickest way does not fit into the time limit.
    """
    seconds = {
        "photos": work.seconds_before,
        # those of a pretrained network are the same each time
        "features": (_features(recipe, device) * work.photos + _projection(work))
        * (1 if recipe.pretrained else work.repeats),
        "heads": _heads(work, device) * work.models * work.repeats,
        "networks": 0.0,
    }
    epochs = recipe.epochs_for(work.rows)
    needed = sum(seconds.values())
    left = math.inf
    if time_limit is not None:
        left = time_limit * _MARGIN - needed
        if left < 0:
            raise InputError(
                "the time limit is too short",
                got=duration(time_limit),
                wanted=f"about {duration(needed / _MARGIN)}, for {work.photos} photos without training a network",
                fix="Give more time, or fewer listings.",
            )
    # without a network, nothing needs to be arranged
    arrangement = Arrangement(device, cores=torch.get_num_threads())
    if epochs:
        measured = measure(recipe, device, classes=work.classes, jobs=work.models)
        while epochs and _networks(recipe, epochs, measured, work) > left:
            epochs -= 1
        if epochs:
            arrangement, seconds["networks"] = measured, _networks(recipe, epochs, measured, work)
    return Plan(replace(recipe, epochs=epochs), arrangement, seconds)


def _features(recipe: Recipe, device: Device) -> float:
    """Return the seconds that the features of one photo take, with all cores at work."""
    cores = threads_for(device.device)
    photos = np.random.default_rng(0).integers(0, 256, (_TRIAL_PHOTOS, recipe.size, recipe.size, 3), dtype=np.uint8)
    extract, _ = choose_extractor(photos, np.arange(_TRIAL_PHOTOS), recipe, device)
    extract(photos[:4])
    start = time.perf_counter()
    list(each_on_one_core(extract, [photos] * cores, device=device.device))
    return (time.perf_counter() - start) / (_TRIAL_PHOTOS * cores)


def _projection(work: Work) -> float:
    """Return the seconds that finding the main directions takes, from the speed of a matrix product."""
    side = 1024
    matrix = torch.ones(side, side)
    matrix @ matrix
    start = time.perf_counter()
    matrix @ matrix
    return (time.perf_counter() - start) * 12 * min(work.photos, SAMPLE) * PatchBank.width * KEPT / side**3


def _heads(work: Work, device: Device) -> float:
    """Return the seconds that one head takes, with all cores at work."""
    cores = threads_for(device.device)
    chance = np.random.default_rng(0)
    rows = min(_TRIAL_ROWS, max(work.rows, 2))
    features = chance.standard_normal((rows, min(KEPT, rows)), dtype=np.float32)
    labels, every = chance.integers(0, work.classes, rows), np.arange(rows)

    def fit(seed: int) -> None:
        fit_head(features, every, labels, every, classes=work.classes, seed=seed, device=device.device)

    start = time.perf_counter()
    list(each_on_one_core(fit, range(cores), device=device.device))
    return (time.perf_counter() - start) / cores * max(1.0, work.rows / rows)


def _networks(recipe: Recipe, epochs: int, arrangement: Arrangement, work: Work) -> float:
    """Return the seconds that training and using all networks takes."""
    recipe = replace(recipe, epochs=epochs)
    steps = recipe.steps_for(work.rows)
    # the convolutions' cost goes with the area; half of the epochs may see smaller photos
    area = float(np.mean([(size / recipe.size) ** 2 for size in sizes_of(recipe, epochs)]))
    width = arrangement.side_by_side

    def seconds(models: int, watched: int) -> float:
        looks = 2 * work.scored + min(JUDGED, work.scored) * epochs + watched * len(kept_epochs(epochs))
        forward = looks / recipe.batch_size * _FORWARD
        whole, rest = divmod(models, width)
        each = arrangement.step_seconds * (steps * area + forward)
        last = arrangement.alone_seconds if rest == 1 else arrangement.step_seconds * rest / width
        return whole * each + (last * (steps * area + forward) if rest else 0.0)

    return seconds(work.models, work.watched) * work.repeats


def with_weights(recipe: Recipe, reporter: Reporter) -> Recipe:
    """Fetch the weights once, before processes would each try; without them, networks start from scratch."""
    origin = initial_weights(recipe.model, pretrained=recipe.pretrained)
    if recipe.pretrained and origin != PRETRAINED:
        reporter.say(f"{recipe.model} starts {origin}")
    return replace(recipe, pretrained=origin == PRETRAINED)


def say_plan(plan: Plan, recipe: Recipe, rows: int, reporter: Reporter) -> None:
    """Report what will be done, and how long it will take.

    Parameters
    ----------
    plan : Plan
        What is planned.
    recipe : Recipe
        How the networks train.
    rows : int
        Number of training listings.
    reporter : Reporter
        Told the plan.
    """
    if not plan.epochs and recipe.epochs_for(rows):
        reporter.say(
            f"the time limit leaves no time for one epoch of {recipe.model}: linear models on features instead"
        )
    for line in plan.lines():
        reporter.say(line)
