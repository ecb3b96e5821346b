"""How a model is trained: the recipe decides the result, the execution decides where and how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from training.errors import InputError, check_choice, check_range, check_types, closest, short_repr

__all__ = [
    "AUGMENTS",
    "AUTO",
    "BALANCES",
    "LOSSES",
    "OPTIMIZERS",
    "OPTIMIZER_DEFAULTS",
    "PATCHES",
    "PRECISIONS",
    "PRESETS",
    "SCHEDULES",
    "STANDARD",
    "TARGETS",
    "TUNED_SIZE",
    "WITH_NETWORKS",
    "Execution",
    "Preset",
    "Recipe",
    "preset_for",
    "preset_today",
    "read_settings",
]

#: The default learning rate (the highest of the schedule) and weight decay of each optimizer. Decay that is not
#: decoupled acts differently: 0.05, which is usual with AdamW, keeps Adam from learning.
OPTIMIZER_DEFAULTS = {"adamw": (1.5e-3, 0.05), "adam": (1.5e-3, 0.0), "sgd": (0.01, 1e-4)}
OPTIMIZERS = tuple(OPTIMIZER_DEFAULTS)
SCHEDULES = ("one-cycle", "cosine", "constant")
BALANCES = ("none", "oversample", "augment", "weights")
#: How photos are augmented while a network trains; those after the second are policies of torchvision.
AUGMENTS = ("standard", "none", "autoaugment", "randaugment", "trivialaugment", "augmix")
TARGETS = ("label", "price")
PRECISIONS = ("auto", "float32", "bfloat16")
#: Of a price model.
LOSSES = ("huber", "mse", "log-huber")

#: Of features and of the preset: curate chooses.
AUTO = "auto"
#: What makes the features, beside the names of networks: patches of the photos.
PATCHES = "patches"

#: Side of the photos in pixels, unless recipe or preset say otherwise.
_SIZE = 64
#: Where the number of epochs is left open: the optimizer steps to aim at, and the fewest and most epochs, from scratch
#: and of a network that is fine-tuned.
_FROM_SCRATCH, _TUNED = (400, 12, 60), (200, 4, 20)


@dataclass(frozen=True)
class Recipe:
    """What decides the result of a training.

    Parameters
    ----------
    model : str
        The network: any torchvision classifier by name, ``lite0``, ``lite2`` or ``lenet``.
    image_size : int, optional
        Side of the square that photos are shrunk to, in pixels (16 to 2048); by default the preset's, or 64. Beside a
        network that is trained, features of another one are made of larger photos, see `Preset`.
    epochs : int, optional
        Passes over the training photos; 0 trains no network. By default the preset decides whether to train a network,
        and the number of photos decides how long, fewer epochs for more photos: 4 to 20 if pretrained weights are
        fine-tuned, 12 to 60 from scratch.
    batch_size : int
        Photos per optimizer step (at least 2).
    optimizer : str
        ``adamw``, ``adam`` or ``sgd``.
    learning_rate : float, optional
        The highest of the schedule; by default that of `OPTIMIZER_DEFAULTS`.
    weight_decay : float, optional
        By default that of `OPTIMIZER_DEFAULTS`.
    label_smoothing : float
        Share of the target spread over all classes, in [0, 1). Above zero the model trusts single labels less.
    pretrained : bool
        Start from weights that were trained on ImageNet: torchvision's, if they are there or can be downloaded, or
        those of ``lite0`` and ``lite2``, which are installed with curate and with its extra ``lite2``.
    seed : int
        Seed of everything random.
    iterations : int, optional
        Optimizer steps, instead of `epochs`.
    schedule : str
        ``one-cycle`` (rises and falls; the first half of the epochs see smaller photos and, with pretrained weights,
        train the last block alone), ``cosine`` (falls), or ``constant``.
    lr_steps : tuple of (int, float)
        Learning rates from an iteration on, e.g. ``((20000, 1e-6),)``; the schedule must be ``constant``.
    early_stop : int, optional
        Epochs without a better score on validation rows after which training ends, with the best epoch's weights.
    balance : str
        How small classes are treated. ``none``: like the others; ``oversample``: their photos are repeated until all
        classes are as large as the largest; ``augment``: the same, with the copies turned and mirrored; ``weights``:
        they weigh more in the loss.
    augment : str
        How photos are augmented, one of `AUGMENTS`.
    target : str
        ``label`` or ``price``.
    loss : str
        Of a price model: ``huber``, ``mse``, or ``log-huber`` (Huber's on the logarithms of prices).
    use_price : bool
        Whether a network that predicts labels gets the price beside the photo.
    precision : str
        What networks compute in: ``float32``, ``bfloat16``, or ``auto``, which is bfloat16 where the hardware has
        instructions for it, but float32 where a CPU trains a network with depthwise convolutions. Parameters are
        float32 in any case.
    threads : int, optional
        Threads of a CPU that each network trains with: another number changes the last digits. By default the models
        of a run share the cores.
    features : str
        What makes the features of photos: a pretrained network by name, ``timm:NAME``, ``patches`` of the photos,
        ``embeddings:NAME``, which were made elsewhere, or ``auto``, which is ``lite0``, or patches if `pretrained` is
        False or its weights are not installed. Several are joined by ``+``. Not for single models.

    Raises
    ------
    InputError
        If a value is out of range, or two values contradict each other.

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
    precision: str = "auto"
    threads: int | None = None
    features: str = AUTO

    def __post_init__(self) -> None:
        """Refuse values of other types and out of range."""
        check_types(type(self).__annotations__, vars(self))
        # JSON has no tuples
        try:
            steps = tuple((int(step), float(rate)) for step, rate in self.lr_steps)
        except (TypeError, ValueError):
            what, wanted = "the learning rates by iteration can't be read", "pairs, e.g. ((20000, 1e-6),)"
            raise InputError(what, got=short_repr(self.lr_steps), wanted=wanted, parameter="lr_steps") from None
        object.__setattr__(self, "lr_steps", steps)
        check_choice("optimizer", "optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", "schedule", self.schedule, SCHEDULES)
        check_choice("balance", "way to balance", self.balance, BALANCES)
        check_choice("augment", "way to augment", self.augment, AUGMENTS)
        check_choice("target", "target", self.target, TARGETS)
        check_choice("loss", "loss", self.loss, LOSSES)
        check_choice("precision", "precision", self.precision, PRECISIONS)
        check_range("threads", "number of threads", self.threads, 1, 1024)
        check_range("image_size", "image size", self.size, 16, 2048)
        check_range("epochs", "number of epochs", self.epochs, 0, 100_000)
        check_range("iterations", "number of iterations", self.iterations, 1, 10**8)
        check_range("early_stop", "number of epochs without progress", self.early_stop, 1, 100_000)
        check_range("batch_size", "batch size", self.batch_size, 2, 65_536)
        check_range("learning_rate", "learning rate", self.rate, 1e-12, 100)
        check_range("label_smoothing", "label smoothing", self.label_smoothing, 0, 0.999)
        check_range("weight_decay", "weight decay", self.decay, 0, 1e6)
        self._check_lr_steps()
        if self.iterations is not None and self.epochs is not None:
            fix = "Leave one of them out."
            raise InputError("epochs and iterations can't both be given", fix=fix, parameter="iterations")
        if self.target == "price":
            what, fix = "has no effect on a price model", "Leave it out, or predict labels instead."
            if self.use_price:
                raise InputError(f"the price beside the photo {what}", fix=fix, parameter="use_price")
            if self.balance != "none":
                raise InputError(f"balancing classes {what}", fix=fix, parameter="balance")

    def _check_lr_steps(self) -> None:
        if self.lr_steps and self.schedule != "constant":
            what, fix = "learning rates by iteration need a constant schedule", "Leave the schedule out."
            raise InputError(what, got=self.schedule, fix=fix, parameter="schedule")
        begins = [step for step, _ in self.lr_steps]
        if begins != sorted(set(begins)) or any(step < 1 for step in begins):
            what = "the iterations of the learning rates must rise, from 1 on"
            raise InputError(what, got=", ".join(map(str, begins)), parameter="lr_steps")
        for rate in (rate for _, rate in self.lr_steps if not 0 < rate <= 100):
            wanted = "above 0, at most 100"
            raise InputError("a learning rate is out of range", got=str(rate), wanted=wanted, parameter="lr_steps")

    @property
    def has_network(self) -> bool:
        """Whether a network is trained; otherwise only linear models on features are."""
        return self.iterations is not None or self.epochs != 0

    @property
    def is_tuned(self) -> bool:
        """Whether a network is fine-tuned, last block first: not with a schedule that someone chose instead."""
        return self.pretrained and self.schedule == "one-cycle"

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
        steps, fewest, most = _TUNED if self.is_tuned else _FROM_SCRATCH
        return min(most, max(fewest, round(steps / max(1, photos // self.batch_size))))

    def batches(self, photos: int) -> int:
        """Return the optimizer steps of one epoch of `photos` training photos."""
        # a last batch of one photo has no variance for batch norm and is left out of that epoch
        return max(1, (photos + self.batch_size - 2) // self.batch_size)

    def steps_for(self, photos: int) -> int:
        """Return the optimizer steps that training on `photos` photos takes."""
        return self.iterations or self.epochs_for(photos) * self.batches(photos)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as a dictionary for run.json and checkpoints."""
        # JSON has lists: a record that was written and read again must be equal
        content = {**asdict(self), "lr_steps": [list(step) for step in self.lr_steps]}
        return _without(content, precision="auto", threads=None, features=AUTO)

    def resolved(self) -> dict[str, Any]:
        """Return the recipe with all defaults filled in: equal for two recipes that train the same model on a photo."""
        defaults = {"image_size": self.size, "learning_rate": self.rate, "weight_decay": self.decay}
        return {name: value for name, value in {**self.to_dict(), **defaults}.items() if name != "features"}


@dataclass(frozen=True)
class Preset:
    """How much time training takes.

    Attributes
    ----------
    image_size : int
        Side of the photos in pixels.
    pretrained_size : int
        Side of the photos that a pretrained network makes features of. It learned from photos of 224 pixels, and at 48
        its features are worse than patches (docs/benchmarks.md).
    network : bool
        Whether each fold also trains a network, beside the linear model on features.
    help : str
        What the preset does, for a person.
    """

    image_size: int
    pretrained_size: int
    network: bool
    help: str


#: Networks only in `resnet`: trained from scratch on a few thousand photos for minutes, they rank wrong labels worse
#: than the linear models (docs/benchmarks.md).
PRESETS = {
    "quick": Preset(32, 160, False, "linear models on features of small photos"),
    "standard": Preset(48, 224, False, "linear models on features"),
    "resnet": Preset(64, 224, True, "a network per fold as well, ResNet-18 unless another model is named"),
}
#: What the preset ``auto`` stands for.
STANDARD = "standard"
#: What it stands for where there is time for networks.
WITH_NETWORKS = "resnet"
#: Seconds that a run with networks must be expected to stay under, for ``auto`` to stand for them.
_TIME_FOR_NETWORKS = 600
#: Side of the photos that a pretrained network is fine-tuned on, in pixels, unless the recipe says otherwise: it learns
#: to see in them, and a pixel costs many times as much as in features.
TUNED_SIZE = 96
#: What presets were called in earlier versions, by that name.
_FORMER = {"thorough": "resnet"}
#: What others call presets that spend as much time.
_MEANT = {
    "fast": "quick",
    "fastest": "quick",
    "default": STANDARD,
    "normal": STANDARD,
    "medium": STANDARD,
    "slow": "resnet",
    "best": "resnet",
}


@dataclass(frozen=True)
class Execution:
    """Where a model is trained, and how long that may take.

    Parameters
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    time_limit : float, optional
        Seconds that training may take; networks get fewer epochs, or none, to keep it.
    preset : str
        ``quick``, ``standard`` or ``resnet``: decides what the recipe leaves open. ``auto``, the default, is
        ``standard``; on a CUDA GPU, where the recipe leaves the number of epochs open, :func:`preset_for` decides.
    workers : int, optional
        Networks that train at a time: changes how long that takes, and how much memory, but no result. By default as
        many as are fastest here.

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
    preset: str = AUTO
    workers: int | None = None

    def __post_init__(self) -> None:
        """Refuse values of other types and out of range."""
        check_types(type(self).__annotations__, vars(self))
        if now := _FORMER.get(self.preset):
            what, fix = "a preset has another name now", f"Use `preset={now!r}`."
            raise InputError(what, got=self.preset, wanted=now, fix=fix, parameter="preset")
        check_choice("preset", "preset", self.preset, (AUTO, *PRESETS), _MEANT)
        check_range("time_limit", "time limit in seconds", self.time_limit, 1, 10**8)
        check_range("workers", "number of workers", self.workers, 1, 1024)

    @property
    def fills_in(self) -> Preset:
        """The preset that decides what is left open: `standard` until ``auto`` is settled."""
        return PRESETS[STANDARD if self.preset == AUTO else self.preset]

    def complete(self, recipe: Recipe) -> Recipe:
        """Return a recipe with the photo size, and whether there is a network, taken from the preset if left open."""
        preset = self.fills_in
        if recipe.image_size is None:
            recipe = replace(recipe, image_size=preset.image_size)
        if recipe.epochs is None and recipe.iterations is None and not preset.network:
            recipe = replace(recipe, epochs=0)
        return recipe

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dictionary for run.json."""
        return _without(asdict(self), workers=None, preset=AUTO)


def _without(content: dict[str, Any], **defaults: object) -> dict[str, Any]:
    """Leave out what is as it always was: a run that began before there was the setting is equal, and resumes."""
    return {name: value for name, value in content.items() if name not in defaults or value != defaults[name]}


def preset_for(device: str, seconds: float, *, limit: float | None = None) -> str:
    """Return what the preset ``auto`` stands for.

    Parameters
    ----------
    device : str
        The kind of device: ``cpu``, ``cuda``, ``mps``.
    seconds : float
        Expected time of a run with networks.
    limit : float, optional
        The time limit that was asked for, in seconds.

    Returns
    -------
    str
        ``resnet`` on a CUDA GPU, if that is expected to take less than ten minutes and keeps the limit; else
        ``standard``.

    Examples
    --------
    >>> preset_for("cuda", 599), preset_for("cuda", 600), preset_for("cpu", 1)
    ('resnet', 'standard', 'standard')
    """
    in_time = seconds < _TIME_FOR_NETWORKS and (limit is None or seconds <= limit)
    return WITH_NETWORKS if device == "cuda" and in_time else STANDARD


def preset_today(name: str) -> str:
    """Return what a preset is called today that an earlier version may have recorded by another name.

    Examples
    --------
    >>> preset_today("thorough"), preset_today("quick")
    ('resnet', 'quick')
    """
    return _FORMER.get(name, name)


def read_settings(content: Mapping[str, Any]) -> tuple[Recipe, Execution]:
    """Read a recipe and its execution from one dictionary, as run.json holds them.

    Raises
    ------
    InputError
        If a value is out of range, or of something that is no setting.
    """
    known = [field.name for kind in (Recipe, Execution) for field in fields(kind)]
    if unknown := sorted(content.keys() - set(known)):
        raise InputError("unknown setting", got=unknown[0], fix=closest(unknown[0], known))
    ours = {field.name for field in fields(Execution)} & content.keys()
    execution = Execution(**{name: content[name] for name in ours})
    return Recipe(**{name: content[name] for name in content.keys() - ours}), execution
