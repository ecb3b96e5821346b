"""Everything that decides how a model is trained, in one frozen record that is saved with the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from training.errors import InputError, closest

__all__ = ["OPTIMIZERS", "PRESETS", "Preset", "TrainSettings"]

OPTIMIZERS = ("adamw", "adam", "sgd")


@dataclass(frozen=True)
class Preset:
    """How much time is spent.

    Attributes
    ----------
    image_size : int
        Side of the photos in pixels.
    steps, fewest, most : int
        Optimiser steps that each fold's network should get, and the range of epochs that is worth the time; with
        `most` 0 no network is trained, and the linear heads on the features speak alone.
    help : str
        What it is for.
    """

    image_size: int
    steps: int
    fewest: int
    most: int
    help: str


#: Networks only in `thorough`: trained from scratch on a few thousand photos for minutes, they order wrong labels worse
#: than the heads (docs/benchmarks.md).
PRESETS = {
    "quick": Preset(32, 0, 0, 0, "linear models on features of small photos"),
    "standard": Preset(48, 0, 0, 0, "linear models on features"),
    "thorough": Preset(64, 400, 12, 60, "a network per fold as well"),
}


@dataclass(frozen=True)
class TrainSettings:
    """How a model is trained.

    Attributes
    ----------
    preset : str
        ``quick``, ``standard`` or ``thorough``: what is not said otherwise.
    time_limit : float or None
        Seconds that training may take; networks get fewer epochs, or none, to keep it.
    model : str
        Any torchvision classifier by name.
    image_size : int or None
        Side of the square that photos are shrunk to, in pixels (at least 16); None leaves it to the preset.
    epochs : int or None
        Passes over the training photos; 0 trains no network; None chooses a number by how many photos there are.
    batch_size : int
        Photos per optimiser step (at least 2).
    optimizer : str
        ``adamw``, ``adam`` or ``sgd``.
    learning_rate : float
        Peak of the one-cycle schedule.
    weight_decay : float
        Decay of the weights.
    label_smoothing : float
        Share of the target spread over all classes, in [0, 1). Above zero the model trusts single labels less.
    pretrained : bool
        Start from torchvision's weights when they can be had.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    seed : int
        Seed of everything random.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    preset: str = "standard"
    time_limit: float | None = None
    model: str = "resnet18"
    image_size: int | None = None
    epochs: int | None = None
    batch_size: int = 16
    optimizer: str = "adamw"
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    pretrained: bool = True
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for what, chosen, known in (("preset", self.preset, tuple(PRESETS)), ("optimizer", self.optimizer, OPTIMIZERS)):
            if chosen not in known:
                raise InputError(f"unknown {what}", got=chosen, wanted=", ".join(known), fix=closest(chosen, known))
        ranges = {
            "image size": (self.size, 16, 2048),
            "number of epochs": (self.epochs or 0, 0, 100_000),
            "batch size": (self.batch_size, 2, 65_536),
            "learning rate": (self.learning_rate, 1e-12, 100),
            "time limit in seconds": (1.0 if self.time_limit is None else self.time_limit, 1, 10**8),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"the {name} is out of range", got=str(value), wanted=f"{low} to {high}")

    @property
    def size(self) -> int:
        """Side of the photos in pixels."""
        return PRESETS[self.preset].image_size if self.image_size is None else self.image_size

    def epochs_for(self, photos: int) -> int:
        """Return the number of epochs for `photos` training photos.

        Few photos need many passes to give the optimiser enough steps; many photos need few.
        """
        if self.epochs is not None:
            return self.epochs
        preset = PRESETS[self.preset]
        steps_per_epoch = max(1, photos // self.batch_size)
        return min(preset.most, max(preset.fewest, round(preset.steps / steps_per_epoch)))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dictionary for run.json and checkpoints."""
        return asdict(self)
