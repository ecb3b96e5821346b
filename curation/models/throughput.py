"""How networks are trained on this machine: measured once, said with the time it will take, kept for going on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from training.crossval.jobs import Job
from training.fit.throughput import Arrangement, measure
from training.settings import Recipe
from training.utils.devices import Device
from training.utils.files import read_json, write_json
from training.utils.progress import Reporter
from training.utils.units import duration

__all__ = ["arrange", "expected_seconds", "measured"]


def arrange(
    recipe: Recipe, jobs: Sequence[Job], device: Device, file: Path, reporter: Reporter, *, classes: int
) -> Arrangement:
    """Measure how networks train fastest here, and say how long these jobs take; or read back what was measured.

    Parameters
    ----------
    recipe : Recipe
    jobs : sequence of Job
        That are trained together.
    device : Device
    file : Path
        Keeps it: an interrupted training goes on as it began.
    reporter : Reporter
        Shows messages and progress.
    classes : int
        K.
    """
    known = file.exists()
    arrangement = measured(recipe, len(jobs), device, file, classes=classes)
    if not known:
        steps, seconds = sum(job.steps(recipe) for job in jobs), expected_seconds(recipe, jobs, arrangement)
        reporter.say(f"expected: {duration(seconds)} at most ({arrangement}; {steps:,} steps of {recipe.model})")
    return arrangement


def measured(recipe: Recipe, jobs: int, device: Device, file: Path, *, classes: int) -> Arrangement:
    """Measure how several networks train fastest here, and keep the result in a file; or read it from there.

    Parameters
    ----------
    recipe : Recipe
        How the networks train.
    jobs : int
        Number of networks.
    device : Device
        Where they train.
    file : Path
        Keeps the result.
    classes : int
        K.
    """
    if file.exists():
        return Arrangement.from_dict(read_json(file))
    arrangement = measure(recipe, device, classes=classes, jobs=jobs)
    write_json(file, arrangement.to_dict())
    return arrangement


def expected_seconds(recipe: Recipe, jobs: Sequence[Job], arrangement: Arrangement) -> float:
    """Return how long jobs take at most, in seconds.

    Parameters
    ----------
    recipe : Recipe
        How the networks train.
    jobs : sequence of Job
        The networks.
    arrangement : Arrangement
        How many train side by side, and how long a step takes.
    """
    return sum(job.steps(recipe) for job in jobs) * arrangement.step_seconds / arrangement.side_by_side
