"""Everything that decides how a model is trained, in one frozen record that is saved with the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from training.errors import InputError, closest

__all__ = [
    "AUGMENTS",
    "BALANCES",
    "LOSSES",
    "OPTIMIZERS",
    "PRESETS",
    "SCHEDULES",
    "SUITED",
    "TARGETS",
    "Preset",
    "TrainSettings",
]

#: The optimisers, and the highest learning rate and the weight decay that suit each. Decay that is not decoupled is
#: another thing: 0.05, which is usual with AdamW, keeps Adam from learning.
SUITED = {"adamw": (1.5e-3, 0.05), "adam": (1.5e-3, 0.0), "sgd": (0.01, 1e-4)}
OPTIMIZERS = tuple(SUITED)
SCHEDULES = ("one-cycle", "cosine", "constant")
BALANCES = ("none", "oversample", "augment", "weights")
#: How photos are varied while a network trains; those after the third are torchvision's.
AUGMENTS = ("standard", "rotate-flip", "none", "autoaugment", "randaugment", "trivialaugment", "augmix")
#: What a network tells, and what its error costs if that is a price.
TARGETS = ("label", "price")
LOSSES = ("huber", "mse", "log-huber")


@dataclass(frozen=True)
class Preset:
    """How much time is spent.

    Attributes
    ----------
    image_size : int
        Side of the photos in pixels.
    pretrained_size : int
        The same where a pretrained network makes the features: it learnt from photos of 224 pixels, and on those of 48
        it sees less than patches of the photos do (docs/benchmarks.md).
    steps, fewest, most : int
        Optimiser steps that each fold's network should get, and the range of epochs that is worth the time; with
        `most` 0 no network is trained, and the linear heads on the features speak alone.
    help : str
        What it is for.
    """

    image_size: int
    pretrained_size: int
    steps: int
    fewest: int
    most: int
    help: str


#: Networks only in `thorough`: trained from scratch on a few thousand photos for minutes, they order wrong labels worse
#: than the heads (docs/benchmarks.md).
PRESETS = {
    "quick": Preset(32, 96, 0, 0, 0, "linear models on features of small photos"),
    "standard": Preset(48, 224, 0, 0, 0, "linear models on features"),
    "thorough": Preset(64, 224, 400, 12, 60, "a network per fold as well"),
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
    learning_rate : float or None
        The highest of the schedule; None takes what suits the optimiser.
    weight_decay : float or None
        Decay of the weights; None takes what suits the optimiser.
    label_smoothing : float
        Share of the target spread over all classes, in [0, 1). Above zero the model trusts single labels less.
    pretrained : bool
        Start from torchvision's weights when they can be had.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    seed : int
        Seed of everything random.
    iterations : int or None
        Optimiser steps, instead of `epochs`.
    schedule : str
        ``one-cycle`` (rises and falls; half of the epochs see smaller photos), ``cosine`` (falls), or ``constant``.
    lr_steps : tuple of (int, float)
        Learning rates from some iteration on, e.g. ``((20000, 1e-6),)``; the schedule must be ``constant``.
    early_stop : int or None
        Epochs without a better score on validation rows after which training ends, with the best epoch's weights.
    balance : str
        What small classes get: ``none``; ``oversample``: as many photos as the largest, by repetition; ``augment``:
        the same, repeated photos turned and mirrored; ``weights``: a weight in the loss.
    augment : str
        How photos are varied, one of `AUGMENTS`.
    target : str
        ``label`` or ``price``.
    loss : str
        Of prices: ``huber``, ``mse``, or ``log-huber``, the first on the logarithms.
    use_price : bool
        Whether a network for labels sees the price beside the photo.

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
    learning_rate: float | None = None
    weight_decay: float | None = None
    label_smoothing: float = 0.1
    pretrained: bool = True
    device: str = "auto"
    seed: int = 0
    iterations: int | None = None
    schedule: str = "one-cycle"
    lr_steps: tuple[tuple[int, float], ...] = ()
    early_stop: int | None = None
    balance: str = "none"
    augment: str = "standard"
    target: str = "label"
    loss: str = "huber"
    use_price: bool = False

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        # JSON has no tuples
        object.__setattr__(self, "lr_steps", tuple((int(step), float(rate)) for step, rate in self.lr_steps))
        choices = {
            "preset": (self.preset, tuple(PRESETS)),
            "optimizer": (self.optimizer, OPTIMIZERS),
            "schedule": (self.schedule, SCHEDULES),
            "way to balance": (self.balance, BALANCES),
            "way to augment": (self.augment, AUGMENTS),
            "target": (self.target, TARGETS),
            "loss": (self.loss, LOSSES),
        }
        for what, (chosen, known) in choices.items():
            if chosen not in known:
                raise InputError(f"unknown {what}", got=chosen, wanted=", ".join(known), fix=closest(chosen, known))
        ranges = {
            "image size": (self.size, 16, 2048),
            "number of epochs": (self.epochs or 0, 0, 100_000),
            "number of iterations": (1 if self.iterations is None else self.iterations, 1, 10**8),
            "number of epochs without progress": (1 if self.early_stop is None else self.early_stop, 1, 100_000),
            "batch size": (self.batch_size, 2, 65_536),
            "learning rate": (self.rate, 1e-12, 100),
            "label smoothing": (self.label_smoothing, 0, 0.999),
            "weight decay": (self.decay, 0, 1e6),
            "time limit in seconds": (1.0 if self.time_limit is None else self.time_limit, 1, 10**8),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise InputError(f"the {name} is out of range", got=str(value), wanted=f"{low} to {high}")
        self._check_together()

    def _check_together(self) -> None:
        """Refuse settings that contradict each other."""
        if self.iterations is not None and self.epochs is not None:
            raise InputError("epochs and iterations can't both be given", fix="Leave one of them out.")
        if self.lr_steps and self.schedule != "constant":
            raise InputError(
                "learning rates by iteration need a constant schedule", got=self.schedule, fix="Leave the schedule out."
            )
        begins = [step for step, _ in self.lr_steps]
        if begins != sorted(set(begins)) or any(step < 1 for step in begins):
            raise InputError(
                "the iterations of the learning rates must rise, from 1 on", got=", ".join(map(str, begins))
            )
        for _, rate in self.lr_steps:
            if not 0 < rate <= 100:
                raise InputError("a learning rate is out of range", got=str(rate), wanted="above 0, at most 100")
        if self.target == "price" and (self.balance != "none" or self.use_price):
            what = "the price beside the photo" if self.use_price else "balancing classes"
            raise InputError(f"{what} has no effect on a price model", fix="Leave it out, or tell labels instead.")

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return SUITED[self.optimizer][0] if self.learning_rate is None else self.learning_rate

    @property
    def decay(self) -> float:
        """Decay of the weights."""
        return SUITED[self.optimizer][1] if self.weight_decay is None else self.weight_decay

    @property
    def size(self) -> int:
        """Side of the photos in pixels."""
        return PRESETS[self.preset].image_size if self.image_size is None else self.image_size

    def epochs_for(self, photos: int) -> int:
        """Return the number of epochs for `photos` training photos.

        Few photos need many passes to give the optimiser enough steps; many photos need few.
        """
        if self.iterations is not None:
            return -(-self.iterations // self.batches(photos))
        if self.epochs is not None:
            return self.epochs
        preset = PRESETS[self.preset]
        steps_per_epoch = max(1, photos // self.batch_size)
        return min(preset.most, max(preset.fewest, round(preset.steps / steps_per_epoch)))

    def batches(self, photos: int) -> int:
        """Return the optimiser steps of one epoch of `photos` training photos."""
        # a last batch of one photo has no variance for batch norm and is left out of that epoch
        return max(1, (photos + self.batch_size - 2) // self.batch_size)

    def steps_for(self, photos: int) -> int:
        """Return the optimiser steps that training on `photos` photos takes."""
        return self.iterations or self.epochs_for(photos) * self.batches(photos)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dictionary for run.json and checkpoints."""
        # as JSON has it: a record that was written and read again must be equal
        return {**asdict(self), "lr_steps": [list(step) for step in self.lr_steps]}
