"""What `curate tune` searches: learning rate, its schedule, augmentation, weight decay."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from training.settings import AUGMENTS, SCHEDULES, Recipe

if TYPE_CHECKING:
    from optuna import Trial

__all__ = ["SearchSpace", "digest", "parameters_of", "space_around", "start_parameters", "with_parameters"]

#: Schedules beside those of a recipe: constant with one step down, and the steps of the start.
_STEP, _GIVEN = "step", "given"
#: How far the search goes from the start, down and up.
_RATES = (1 / 20, 20.0)
_DECAYS = (1 / 100, 10.0)
#: Where in training the learning rate steps down, and to which share of it.
_STEP_AT = (0.3, 0.9)
_STEP_TO = 0.1
#: Significant digits of drawn numbers; few keep the command short.
_DIGITS = 3
#: Limits of :func:`training.settings.Recipe`.
_LEAST_RATE, _MOST_RATE, _MOST_DECAY = 1e-12, 100.0, 1e6


@dataclass(frozen=True)
class SearchSpace:
    """What trials are drawn from.

    Attributes
    ----------
    learning_rate : tuple of float
        Least and most; drawn evenly on the logarithm.
    weight_decay : tuple of float, or None
        The same; None keeps it at 0.
    schedule : tuple of str
        Those of a recipe; ``step``: constant, with a tenth of the rate from ``step_at`` on; ``given``: the steps of the
        start, their rates scaled with the first.
    augment : tuple of str
        All augmentations.
    step_at : tuple of float
        Least and most share of training after which ``step`` steps down.
    """

    learning_rate: tuple[float, float]
    weight_decay: tuple[float, float] | None
    schedule: tuple[str, ...]
    augment: tuple[str, ...] = AUGMENTS
    step_at: tuple[float, float] = _STEP_AT

    def draw(self, trial: Trial) -> None:
        """Draw the parameters of a trial; those it has already stay."""
        trial.suggest_float("learning_rate", *self.learning_rate, log=True)
        if trial.suggest_categorical("schedule", self.schedule) == _STEP:
            trial.suggest_float("step_at", *self.step_at)
        trial.suggest_categorical("augment", self.augment)
        if self.weight_decay is not None:
            trial.suggest_float("weight_decay", *self.weight_decay, log=True)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dictionary for run.json."""
        # as JSON has it: a record that was written and read again must be equal
        return {name: value if value is None else list(value) for name, value in asdict(self).items()}


def space_around(start: Recipe) -> SearchSpace:
    """Return the space around the settings that a search starts from.

    Learning rates and weight decays lie around those of the start, as good ones depend on the model and the optimizer.
    """
    rate, decay = start.rate, start.decay
    return SearchSpace(
        (max(_LEAST_RATE, rate * _RATES[0]), min(_MOST_RATE, rate * _RATES[1])),
        (decay * _DECAYS[0], min(_MOST_DECAY, decay * _DECAYS[1])) if decay else None,
        (*SCHEDULES, _STEP, *([_GIVEN] if start.lr_steps else [])),
    )


def start_parameters(start: Recipe) -> dict[str, Any]:
    """Return the parameters that stand for the start itself."""
    parameters = {
        "learning_rate": start.rate,
        "schedule": _GIVEN if start.lr_steps else start.schedule,
        "augment": start.augment,
    }
    return {**parameters, "weight_decay": start.decay} if start.decay else parameters


def parameters_of(drawn: dict[str, Any], start: Recipe) -> dict[str, Any]:
    """Return the parameters that are used: numbers rounded to three digits, those of the start unchanged.

    Parameters
    ----------
    drawn : dict
        Parameters as they were drawn.
    start : Recipe
        The recipe that the search started from.
    """
    exact = start_parameters(start)
    return {
        name: _short(value) if isinstance(value, float) and value != exact.get(name) else value
        for name, value in drawn.items()
    }


def with_parameters(start: Recipe, parameters: dict[str, Any], steps: int) -> Recipe:
    """Return the start's settings with other parameters.

    Parameters
    ----------
    start : Recipe
    parameters : dict
        Of :func:`parameters_of`.
    steps : int
        Optimizer steps of this training: a step of the learning rate comes at a share of them.
    """
    rate, schedule = parameters["learning_rate"], parameters["schedule"]
    lr_steps: tuple[tuple[int, float], ...] = ()
    if schedule == _GIVEN:
        scale = rate / start.rate
        lr_steps = tuple(
            (begins, then if scale == 1 else min(_MOST_RATE, _short(then * scale))) for begins, then in start.lr_steps
        )
    elif schedule == _STEP and steps > 1:
        begins = round(parameters["step_at"] * steps)
        lr_steps = ((min(max(begins, 1), steps - 1), _short(rate * _STEP_TO)),)
    return replace(
        start,
        learning_rate=rate,
        schedule=schedule if schedule in SCHEDULES else "constant",
        lr_steps=lr_steps,
        augment=parameters["augment"],
        weight_decay=parameters.get("weight_decay", start.decay),
    )


def digest(parameters: dict[str, Any]) -> str:
    """Name parameters in eight characters."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:8]


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
