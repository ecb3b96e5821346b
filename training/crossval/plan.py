"""The planner: how models are trained on this machine, settled by rules, and how long that takes, measured before."""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.crossval.jobs import Job
from training.crossval.predictions import stored_epochs
from training.crossval.run_job import CURVE_ROWS
from training.errors import InputError, check_choice
from training.features.choice import EMBEDDED
from training.features.extract import SAMPLE, NetworkFeatures, choose_extractor
from training.features.linear import fit_head
from training.features.names import is_given, parts_of, patches_in
from training.features.patches import PatchBank
from training.features.projection import MOST_FEATURES
from training.features.refit import COST
from training.fit.loop import sizes_of
from training.fit.sampling import epoch_size
from training.fit.throughput import Arrangement, measure, settled
from training.fit.tuning import first_epochs
from training.networks.embedded import has_weights
from training.networks.zoo import PRETRAINED, are_here, initial_weights
from training.settings import AUTO, PATCHES, STANDARD, WITH_NETWORKS, Recipe
from training.utils.devices import Device, each_on_one_core, hardware, threads, threads_for
from training.utils.files import read_json, sound, write_json
from training.utils.progress import SILENT, Reporter
from training.utils.units import duration

__all__ = ["Plan", "Work", "make_plan", "measure_once", "seconds_of_jobs", "with_weights"]

#: Share of a time limit that is planned for: the machine may get slower.
_MARGIN = 0.85
#: Photos and rows of the trial measurements.
_TRIAL_PHOTOS, _TRIAL_ROWS = 24, 512
#: Cost of a prediction, as a share of the cost of a training step on the same photos.
_FORWARD = 1 / 3
#: Cost of a training step of the last block, as a share of that of all layers: .29 (EfficientNet-Lite0) to .52
#: (ResNet-18) on a CPU.
_LAST_BLOCK = 0.4


@dataclass(frozen=True)
class Work:
    """How much there is to do.

    Attributes
    ----------
    photos : int
        Photos in all.
    rows, scored : int
        Rows that each model trains on, and rows that it scores.
    classes, models : int
        K, and how many models are trained together.
    repeats : int
        How often that is done, each time with features of its own.
    watched : int
        Rows that each model predicts in its later epochs, too.
    seconds_before : float
        Time before training, most of it for decoding photos.
    photo_size : int, optional
        Side of the photos that features are made of, in pixels; by default the recipe's.
    kept : mapping of str to float
        The share of the photos whose features an earlier run has kept, 0 to 1, by the name of what makes them.
    """

    photos: int
    rows: int
    scored: int
    classes: int
    models: int
    repeats: int = 1
    watched: int = 0
    seconds_before: float = 0.0
    photo_size: int | None = None
    kept: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How models are trained, and how long that is expected to take.

    Attributes
    ----------
    recipe : Recipe
        The one asked for, with the number of epochs settled (0 trains no network), and the precision.
    arrangement : Arrangement
        Where, and how many models at a time.
    seconds : dict
        Expected seconds of ``photos``, ``features``, ``heads`` and ``networks``.
    wished : int, optional
        The epochs without a time limit, if that left fewer.
    photo_size : int
        Side of the decoded photos, in pixels; networks may be trained on smaller ones.
    preset : str, optional
        What the preset ``auto`` stands for, if that was measured.
    """

    recipe: Recipe
    arrangement: Arrangement
    seconds: dict[str, float]
    wished: int | None = None
    photo_size: int = 0
    preset: str | None = None

    @property
    def computed(self) -> dict[str, Any]:
        """What the results depend on beside the settings that were asked for, for the record of a run."""
        limited = {} if self.wished is None else {"by_time_limit": {"epochs": self.epochs, "of": self.wished}}
        chosen = {} if self.preset is None else {"preset": self.preset}
        return {**self.arrangement.computed, **limited, **chosen}

    @property
    def epochs(self) -> int:
        """Epochs of each network."""
        return self.recipe.epochs or 0

    def save(self, path: Path) -> None:
        """Write the plan: an interrupted run resumes with the one it began with."""
        write_json(
            path,
            {
                "recipe": self.recipe.to_dict(),
                "arrangement": self.arrangement.to_dict(),
                "seconds": {stage: round(seconds, 2) for stage, seconds in self.seconds.items()},
                "wished": self.wished,
                "photo_size": self.photo_size,
                "preset": self.preset,
            },
        )

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read what :meth:`save` wrote.

        Raises
        ------
        DamagedError
            If it is no plan any more.
        """
        with sound(path):
            content = read_json(path)
            recipe, arrangement = Recipe(**content["recipe"]), Arrangement.from_dict(content["arrangement"])
            seconds = {str(stage): float(spent) for stage, spent in content["seconds"].items()}
            wished = content.get("wished")
            if recipe.features == AUTO:
                # earlier versions made features with the model, where there were weights for it
                recipe = replace(recipe, features=recipe.model if recipe.pretrained else PATCHES)
            size = operator.index(content.get("photo_size", recipe.size))
            preset = content.get("preset")
            if preset is not None:
                check_choice("preset", "preset", preset, (STANDARD, WITH_NETWORKS))
            return cls(recipe, arrangement, seconds, None if wished is None else operator.index(wished), size, preset)

    def lines(self) -> list[str]:
        """Describe the plan and how long it will take, for a person."""
        total, device = sum(self.seconds.values()), self.arrangement.device
        if not self.epochs:
            return [f"expected: {duration(total)} ({device}; linear models on features, no network)"]
        lines = [f"expected: {duration(total)} ({self.arrangement}; {self.epochs} epochs of {self.recipe.model})"]
        if total > 60:
            without = duration(total - self.seconds["networks"])
            lines.append(f'`preset="standard"`, without networks, would take {without}')
        if self.wished is not None:
            lines.append(
                f"the time limit leaves {self.epochs} of {self.wished} epochs, as fast as this machine is now: "
                f"`epochs={self.epochs}` without a limit gives the same result again"
            )
        return lines


def make_plan(
    recipe: Recipe,
    work: Work,
    device: Device,
    *,
    time_limit: float | None = None,
    workers: int | None = None,
    reporter: Reporter = SILENT,
) -> Plan:
    """Decide how to train, measure for two or three seconds how long that takes, and report it.

    What is measured changes the order of the work, and no result: but for a time limit, which leaves fewer epochs on a
    slow machine. The plan says so.

    Parameters
    ----------
    recipe : Recipe
        What was asked for; iterations are rounded up to whole epochs.
    work : Work
        How much there is to do.
    device : Device
        Where to train.
    time_limit : float, optional
        Seconds that everything together may take. Networks get fewer epochs, or none, to keep it.
    workers : int, optional
        Networks that train at a time, if that is asked for.
    reporter : Reporter
        Shows the plan.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If even training without networks takes longer than the time limit.
    """
    recipe, device = settled(recipe, device, jobs=work.models)
    seconds = {
        "photos": work.seconds_before,
        # patches alone are others each time
        "features": (_features(recipe, device, work) * work.photos + _projection(work))
        * (work.repeats if patches_in(recipe.features) else 1),
        # where no network is trained, there is a second fit
        "heads": _heads(work, device) * work.models * work.repeats * (1 if recipe.has_network else 1 + COST),
        "networks": 0.0,
    }
    left = math.inf
    if time_limit is not None:
        needed = sum(seconds.values())
        left = time_limit * _MARGIN - needed
        if left < 0:
            raise InputError(
                "the time limit is too short",
                got=duration(time_limit),
                wanted=f"about {duration(needed / _MARGIN)}, for {work.photos} photos without training a network",
                fix="Give more time, or fewer listings.",
            )
    # without a network, there is nothing to arrange
    arrangement = Arrangement(device, hardware=hardware(device.device))
    wished = epochs = recipe.epochs_for(work.rows)
    if epochs:
        measured = measure(recipe, device, classes=work.classes, jobs=work.models, workers=workers)
        while epochs and (taken := _networks(_with_epochs(recipe, epochs), measured, work)) > left:
            epochs -= 1
        if epochs:
            arrangement, seconds["networks"] = measured, taken
        else:
            reporter.say(
                f"the time limit leaves no time for one epoch of {recipe.model}: linear models on features instead"
            )
    limited = wished if epochs < wished else None
    plan = Plan(_with_epochs(recipe, epochs), arrangement, seconds, limited, work.photo_size or recipe.size)
    for line in plan.lines():
        reporter.say(line)
    return plan


def measure_once(
    recipe: Recipe, device: Device, file: Path, *, classes: int, jobs: int, reporter: Reporter = SILENT
) -> Arrangement:
    """Measure how at most `jobs` networks of `recipe`, for `classes` outputs, train fastest on `device`.

    The result is kept in `file`, and read from there the next time: an interrupted training resumes in the same way,
    and says so where the hardware is another.

    Raises
    ------
    DamagedError
        If the file is none of these any more.
    """
    if file.exists():
        with sound(file):
            arrangement = Arrangement.from_dict(read_json(file))
        if arrangement.elsewhere:
            reporter.say(arrangement.elsewhere)
        return arrangement
    arrangement = measure(recipe, device, classes=classes, jobs=jobs)
    write_json(file, arrangement.to_dict())
    return arrangement


def seconds_of_jobs(recipe: Recipe, jobs: Sequence[Job], arrangement: Arrangement) -> float:
    """Return the seconds of training the networks of `jobs` with `recipe` and `arrangement`, if none stops early."""
    if not jobs:
        return 0.0
    rows = max(epoch_size(job.labels[job.rows], recipe) for job in jobs)
    scored, watched = max(len(job.scored) for job in jobs), max(len(job.watched) for job in jobs)
    return _networks(recipe, arrangement, Work(0, rows, scored, 0, len(jobs), watched=watched))


def _with_epochs(recipe: Recipe, epochs: int) -> Recipe:
    return replace(recipe, epochs=epochs, iterations=None)


def _features(recipe: Recipe, device: Device, work: Work) -> float:
    """Return the mean seconds that features of a photo take, with all cores at work, unless they are there already."""
    size = work.photo_size or recipe.size
    left = {part: 1 - work.kept.get(part, 0.0) for part in parts_of(recipe.features) if not is_given(part)}
    return sum(
        share * _features_of_part(replace(recipe, features=part), device, size) for part, share in left.items() if share
    )


def _features_of_part(recipe: Recipe, device: Device, size: int) -> float:
    cores = threads_for(device.device)
    photos = np.random.default_rng(0).integers(0, 256, (_TRIAL_PHOTOS, size, size, 3), dtype=np.uint8)
    extract, _ = choose_extractor(photos, np.arange(_TRIAL_PHOTOS), recipe, device)
    # a network fills up its batches, so it is measured in one that is full
    count = extract.at_once(size) if isinstance(extract, NetworkFeatures) else _TRIAL_PHOTOS
    photos = np.resize(photos, (count, *photos.shape[1:]))
    extract(photos[:4])
    start = time.perf_counter()
    list(each_on_one_core(extract, [photos] * cores, device=device.device))
    return (time.perf_counter() - start) / (count * cores)


def _projection(work: Work) -> float:
    """Return the seconds that finding the main directions takes, from the speed of a matrix product."""
    side = 1024
    matrix = torch.ones(side, side)
    with threads(1):
        matrix @ matrix
        start = time.perf_counter()
        matrix @ matrix
    return (time.perf_counter() - start) * 12 * min(work.photos, SAMPLE) * PatchBank.width * MOST_FEATURES / side**3


def _heads(work: Work, device: Device) -> float:
    """Return the seconds that one head takes, with all cores at work."""
    cores = threads_for(device.device)
    chance = np.random.default_rng(0)
    rows = min(_TRIAL_ROWS, max(work.rows, 2))
    features = chance.standard_normal((rows, min(MOST_FEATURES, rows)), dtype=np.float32)
    labels, every = chance.integers(0, work.classes, rows), np.arange(rows)

    def fit(seed: int) -> None:
        fit_head(features, every, labels, every, classes=work.classes, seed=seed, device=device.device)

    start = time.perf_counter()
    list(each_on_one_core(fit, range(cores), device=device.device))
    return (time.perf_counter() - start) / cores * max(1.0, work.rows / rows)


def _networks(recipe: Recipe, arrangement: Arrangement, work: Work) -> float:
    """Return the seconds that training all networks, and predicting with them, takes."""
    epochs, steps = recipe.epochs_for(work.rows), recipe.steps_for(work.rows)
    # the cost of convolutions grows with the area; half of the epochs may see smaller photos, or train few layers
    areas = np.array([(size / recipe.size) ** 2 for size in sizes_of(recipe, epochs)])
    areas[: first_epochs(recipe, epochs)] *= _LAST_BLOCK
    area = float(areas.mean())
    predictions = 2 * work.scored + min(CURVE_ROWS, work.scored) * epochs + work.watched * len(stored_epochs(epochs))
    each = steps * area + predictions / recipe.batch_size * _FORWARD
    width = arrangement.side_by_side
    rounds, rest = divmod(work.models, width)
    last = arrangement.alone_seconds if rest == 1 else arrangement.step_seconds * rest / width
    return (rounds * arrangement.step_seconds + (last if rest else 0.0)) * each * work.repeats


def with_weights(recipe: Recipe, reporter: Reporter, *, fetch: bool = True, compared: Collection[str] = ()) -> Recipe:
    """Fetch the weights that a network starts from before several processes try to; say where there are none.

    Without `fetch`, a network whose weights are not on this machine starts from scratch. `compared` are the networks
    that are compared, where it is one of several.
    """
    if not recipe.has_network:
        return recipe
    if not fetch and recipe.pretrained and not are_here(recipe.model):
        return replace(recipe, pretrained=False)
    origin = initial_weights(recipe.model, pretrained=recipe.pretrained)
    if recipe.pretrained and origin != PRETRAINED:
        advised = EMBEDDED not in {recipe.model, *compared} and has_weights(EMBEDDED)
        other = f"{EMBEDDED} among `models`" if compared else f"`model={EMBEDDED!r}`"
        reporter.say(
            f"{recipe.model} starts {origin}" + (f"; {other} has weights that are installed" if advised else "")
        )
    return replace(recipe, pretrained=origin == PRETRAINED)
