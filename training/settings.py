"""Everything that decides how a model is trained, in one frozen record that is saved with the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from training.errors import InputError, closest

__all__ = ["OPTIMIZERS", "TrainSettings"]

OPTIMIZERS = ("adamw", "adam", "sgd")

#: Optimiser steps after which the ranking of the demo's listings no longer got better (docs/benchmarks.md), and the
#: range of epochs that is worth the time.
STEPS = 100
FEWEST_EPOCHS = 4
MOST_EPOCHS = 20


@dataclass(frozen=True)
class TrainSettings:
    """How a model is trained.

    Attributes
    ----------
    model : str
        Any torchvision classifier by name.
    image_size : int
        Side of the square that photos are shrunk to, in pixels (at least 16).
    epochs : int or None
        Passes over the training photos; None chooses a number by how many photos there are.
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

    model: str = "resnet18"
    image_size: int = 48
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
        if self.optimizer not in OPTIMIZERS:
            raise InputError(
                "unknown optimizer",
                got=self.optimizer,
                wanted=", ".join(OPTIMIZERS),
                fix=closest(self.optimizer, OPTIMIZERS),
            )
        ranges = {
            "image size": (self.image_size, 16, 2048),
            "number of epochs": (1 if self.epochs is None else self.epochs, 1, 100_000),
            "batch size": (self.batch_size, 2, 65_536),
            "learning rate": (self.learning_rate, 1e-12, 100),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"the {name} is out of range", got=str(value), wanted=f"{low} to {high}")

    def epochs_for(self, photos: int) -> int:
        """Return the number of epochs for `photos` training photos.

        Few photos need many passes to give the optimiser enough steps; many photos need few.
        """
        if self.epochs is not None:
            return self.epochs
        steps_per_epoch = max(1, photos // self.batch_size)
        return min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(STEPS / steps_per_epoch)))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dictionary for run.json and checkpoints."""
        return asdict(self)
