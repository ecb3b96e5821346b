"""How a model is trained: the recipe, which decides the result, and its execution, which decides where and how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from training.errors import InputError, closest

__all__ = [
    "AUGMENTS",
    "BALANCES",
    "LOSSES",
    "OPTIMIZERS",
    "OPTIMIZER_DEFAULTS",
    "PRESETS",
    "SCHEDULES",
    "TARGETS",
    "Execution",
    "Preset",
    "Recipe",
    "read_settings",
]

#: The default learning rate (the highest of the schedule) and weight decay of each optimizer. Decay that is not
#: decoupled acts differently: 0.05, which is usual with AdamW, keeps Adam from learning.
OPTIMIZER_DEFAULTS = {"adamw": (1.5e-3, 0.05), "adam": (1.5e-3, 0.0), "sgd": (0.01, 1e-4)}
OPTIMIZERS = tuple(OPTIMIZER_DEFAULTS)
SCHEDULES = ("one-cycle", "cosine", "constant")
BALANCES = ("none", "oversample", "augment", "weights")
#: How photos are varied while a network trains; those after the third are torchvision's.
AUGMENTS = ("standard", "rotate-flip", "none", "autoaugment", "randaugment", "trivialaugment", "augmix")
#: What a network predicts, and the loss of a price.
TARGETS = ("label", "price")
LOSSES = ("huber", "mse", "log-huber")

#: Side of the photos in pixels, unless recipe or preset say otherwise.
_SIZE = 64
#: Where the number of epochs is left open: the optimizer steps to aim at, and the fewest and most epochs.
_STEPS, _FEWEST, _MOST = 400, 12, 60


@dataclass(frozen=True)
class Recipe:
    """What decides the result of a training.

    Parameters
    ----------
    model : str
        Any torchvision classifier by name, or ``lenet``.
    image_size : int, optional
        Side of the square that photos are shrunk to, in pixels (16 to 2048); by default the preset's, 64 without one.
    epochs : int, optional
        Passes over the training photos; 0 trains no network. By default the preset decides whether there is a network,
        and the number of photos for how long it trains: 12 to 60 epochs, few for many photos.
    batch_size : int
        Photos per optimizer step (at least 2).
    optimizer : str
        ``adamw``, ``adam`` or ``sgd``.
    learning_rate : float, optional
        The highest of the schedule; by default what suits the optimizer.
    weight_decay : float, optional
        By default what suits the optimizer.
    label_smoothing : float
        Share of the target spread over all classes, in [0, 1). Above zero the model trusts single labels less.
    pretrained : bool
        Start from torchvision's weights where they can be had.
    seed : int
        Seed of everything random.
    iterations : int, optional
        Optimizer steps, instead of `epochs`.
    schedule : str
        ``one-cycle`` (rises and falls; half of the epochs see smaller photos), ``cosine`` (falls), or ``constant``.
    lr_steps : tuple of (int, float)
        Learning rates from some iteration on, e.g. ``((20000, 1e-6),)``; the schedule must be ``constant``.
    early_stop : int, optional
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
        If a value is out of range, or two contradict each other.

    Examples
    --------
    >>> recipe = Recipe(optimizer="sgd", epochs=8)
    >>> recipe.has_network, recipe.rate, recipe.size
    (True, 0.01, 64)
    """

    model: str = "resnet18"
    image_size: int | None = None
    epochs: int | None = None
    batch_size: int = 16
    optimizer: str = "adamw"
    learning_rate: float | None = None
    weight_decay: float | None = None
    label_smoothing: float = 0.1
    pretrained: bool = True
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
        _check_choice("optimizer", "optimizer", self.optimizer, OPTIMIZERS)
        _check_choice("schedule", "schedule", self.schedule, SCHEDULES)
        _check_choice("balance", "way to balance", self.balance, BALANCES)
        _check_choice("augment", "way to augment", self.augment, AUGMENTS)
        _check_choice("target", "target", self.target, TARGETS)
        _check_choice("loss", "loss", self.loss, LOSSES)
        _check_range("image_size", "image size", self.size, 16, 2048)
        _check_range("epochs", "number of epochs", self.epochs, 0, 100_000)
        _check_range("iterations", "number of iterations", self.iterations, 1, 10**8)
        _check_range("early_stop", "number of epochs without progress", self.early_stop, 1, 100_000)
        _check_range("batch_size", "batch size", self.batch_size, 2, 65_536)
        _check_range("learning_rate", "learning rate", self.rate, 1e-12, 100)
        _check_range("label_smoothing", "label smoothing", self.label_smoothing, 0, 0.999)
        _check_range("weight_decay", "weight decay", self.decay, 0, 1e6)
        self._check_together()

    def _check_together(self) -> None:
        """Refuse settings that contradict each other."""
        if self.iterations is not None and self.epochs is not None:
            raise InputError(
                "epochs and iterations can't both be given", fix="Leave one of them out.", parameter="iterations"
            )
        if self.lr_steps and self.schedule != "constant":
            raise InputError(
                "learning rates by iteration need a constant schedule",
                got=self.schedule,
                fix="Leave the schedule out.",
                parameter="schedule",
            )
        begins = [step for step, _ in self.lr_steps]
        if begins != sorted(set(begins)) or any(step < 1 for step in begins):
            raise InputError(
                "the iterations of the learning rates must rise, from 1 on",
                got=", ".join(map(str, begins)),
                parameter="lr_steps",
            )
        for _, rate in self.lr_steps:
            if not 0 < rate <= 100:
                raise InputError(
                    "a learning rate is out of range",
                    got=str(rate),
                    wanted="above 0, at most 100",
                    parameter="lr_steps",
                )
        if self.target == "price" and (self.balance != "none" or self.use_price):
            what = "the price beside the photo" if self.use_price else "balancing classes"
            raise InputError(
                f"{what} has no effect on a price model",
                fix="Leave it out, or predict labels instead.",
                parameter="use_price" if self.use_price else "balance",
            )

    @property
    def has_network(self) -> bool:
        """Whether a network is trained; without one, linear models on features are all there is."""
        return self.iterations is not None or self.epochs != 0

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return OPTIMIZER_DEFAULTS[self.optimizer][0] if self.learning_rate is None else self.learning_rate

    @property
    def decay(self) -> float:
        """The weight decay."""
        return OPTIMIZER_DEFAULTS[self.optimizer][1] if self.weight_decay is None else self.weight_decay

    @property
    def size(self) -> int:
        """Side of the photos in pixels."""
        return _SIZE if self.image_size is None else self.image_size

    def epochs_for(self, photos: int) -> int:
        """Return the number of epochs for `photos` training photos.

        Few photos need many passes to give the optimizer enough steps; many photos need few.
        """
        if self.iterations is not None:
            return -(-self.iterations // self.batches(photos))
        if self.epochs is not None:
            return self.epochs
        return min(_MOST, max(_FEWEST, round(_STEPS / max(1, photos // self.batch_size))))

    def batches(self, photos: int) -> int:
        """Return the optimizer steps of one epoch of `photos` training photos."""
        # a last batch of one photo has no variance for batch norm and is left out of that epoch
        return max(1, (photos + self.batch_size - 2) // self.batch_size)

    def steps_for(self, photos: int) -> int:
        """Return the optimizer steps that training on `photos` photos takes."""
        return self.iterations or self.epochs_for(photos) * self.batches(photos)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as a dictionary for run.json and checkpoints."""
        # as JSON has it: a record that was written and read again must be equal
        return {**asdict(self), "lr_steps": [list(step) for step in self.lr_steps]}

    def question(self) -> dict[str, Any]:
        """Return what is asked, with nothing left open: two recipes that train alike ask the same."""
        settled = {"image_size": self.size, "learning_rate": self.rate, "weight_decay": self.decay}
        return {**self.to_dict(), **settled}


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
    network : bool
        Whether each fold also trains a network; otherwise the linear models on the features are all there is.
    help : str
        What it is for.
    """

    image_size: int
    pretrained_size: int
    network: bool
    help: str


#: Networks only in `thorough`: trained from scratch on a few thousand photos for minutes, they rank wrong labels worse
#: than the linear models (docs/benchmarks.md).
PRESETS = {
    "quick": Preset(32, 96, False, "linear models on features of small photos"),
    "standard": Preset(48, 224, False, "linear models on features"),
    "thorough": Preset(64, 224, True, "a network per fold as well"),
}


@dataclass(frozen=True)
class Execution:
    """Where a model is trained, and how much time that may take.

    Parameters
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    time_limit : float, optional
        Seconds that training may take; networks get fewer epochs, or none, to keep it.
    preset : str
        ``quick``, ``standard`` or ``thorough``: what the recipe leaves open.

    Raises
    ------
    InputError
        If a value is out of range.

    Examples
    --------
    >>> Execution(preset="quick").complete(Recipe()).size
    32
    """

    device: str = "auto"
    time_limit: float | None = None
    preset: str = "standard"

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        _check_choice("preset", "preset", self.preset, tuple(PRESETS))
        _check_range("time_limit", "time limit in seconds", self.time_limit, 1, 10**8)

    def complete(self, recipe: Recipe) -> Recipe:
        """Return a recipe with the photo size, and whether there is a network, taken from the preset if left open."""
        preset = PRESETS[self.preset]
        if recipe.image_size is None:
            recipe = replace(recipe, image_size=preset.image_size)
        if recipe.epochs is None and recipe.iterations is None and not preset.network:
            recipe = replace(recipe, epochs=0)
        return recipe

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dictionary for run.json."""
        return asdict(self)


def read_settings(content: Mapping[str, Any]) -> tuple[Recipe, Execution]:
    """Read a recipe and its execution from one dictionary, as run.json holds them."""
    ours = {field.name for field in fields(Execution)}
    return (
        Recipe(**{name: value for name, value in content.items() if name not in ours}),
        Execution(**{name: value for name, value in content.items() if name in ours}),
    )


def _check_choice(parameter: str, what: str, chosen: str, choices: tuple[str, ...]) -> None:
    if chosen not in choices:
        raise InputError(
            f"unknown {what}",
            got=chosen,
            wanted=", ".join(choices),
            fix=closest(chosen, choices),
            parameter=parameter,
        )


def _check_range(parameter: str, what: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise InputError(f"the {what} is out of range", got=str(value), wanted=f"{low} to {high}", parameter=parameter)
