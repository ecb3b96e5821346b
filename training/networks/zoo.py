"""Torchvision classifiers, EfficientNet-Lites and LeNet by name, with as many outputs as there are classes."""

from __future__ import annotations

import io
import socket
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import cast
from urllib.error import URLError
from urllib.parse import urlsplit

import torch
from torch import nn

from training.errors import CurateError, InputError, closest
from training.networks.embedded import PACKAGES, has_weights
from training.networks.lenet import LeNet
from training.networks.lite import SCALES, EfficientNetLite, embedded_state

__all__ = [
    "AUXILIARY",
    "PRETRAINED",
    "are_here",
    "build_model",
    "has_last_layer",
    "initial_weights",
    "is_depthwise",
    "least_size",
    "logits_of",
    "model_name",
    "model_names",
    "nearest",
    "pretrained_size",
    "takes_size",
]

#: Networks with auxiliary outputs, and the weight of these in the loss: that of torchvision's reference training of
#: Inception-v3, and of Szegedy et al., "Going deeper with convolutions", CVPR 2015.
AUXILIARY = {"inception_v3": 0.4, "googlenet": 0.3}

#: The origin of a network that starts from weights that were trained on ImageNet.
PRETRAINED = "pretrained"

#: Networks that are not from torchvision.
_OWN = ("lenet", *SCALES)
_DOWNLOAD_TIMEOUT = 10.0
_WANTED = "lite0, lite2, lenet or a torchvision classifier, e.g. resnet18"


@cache
def model_names() -> tuple[str, ...]:
    """Return the names of all torchvision classifiers, ``lenet``, ``lite0`` and ``lite2``."""
    models = _torchvision()
    return (*_OWN, *models.list_models(module=models))


def _torchvision() -> ModuleType:
    # more than a second and 150 MB, for a run that needs none of it
    from torchvision import models

    return cast(ModuleType, models)


def model_name(name: str) -> str:
    """Return `name` if there is a classifier of that name.

    Raises
    ------
    InputError
        If not; it suggests the nearest name, or `features` for a network of timm.
    """
    if name.lower().startswith("timm:"):
        raise InputError(
            "networks of timm make features, and can't be trained here",
            got=name,
            wanted=_WANTED,
            fix=f"Name it with `features={name.lower()!r}`, or train another.",
            parameter="model",
        )
    if name not in _OWN and name not in model_names():
        raise InputError(
            "unknown model",
            got=name,
            wanted=_WANTED,
            fix=nearest(name),
        )
    return name


def nearest(name: str, others: Sequence[str] = ()) -> str:
    """Return ``"Did you mean 'x'?"`` for the network, or one of `others`, that is nearest to a name; or nothing.

    Examples
    --------
    >>> nearest("EfficientNet-Lite0"), nearest("resnet_18")
    ("Did you mean 'lite0'?", "Did you mean 'resnet18'?")
    """
    # as papers and packages call them, e.g. efficientnet_lite0
    embedded = next((each for each in PACKAGES if name.lower().startswith("eff") and each in name.lower()), None)
    return f"Did you mean '{embedded}'?" if embedded else closest(name, (*others, *model_names()))


def build_model(name: str, *, classes: int, image_size: int, pretrained: bool) -> nn.Module:
    """Build a classifier; its initial weights come from torch's global generator.

    Parameters
    ----------
    name : str
        Any torchvision classifier, ``lite0``, ``lite2`` or ``lenet``.
    classes : int
        Number of outputs K.
    image_size : int
        Side of the photos in pixels.
    pretrained : bool
        Load the weights of torchvision, or those of an installed package for ``lite0`` and ``lite2``,
        except for the head.

    Returns
    -------
    Module
        In training mode, on the CPU; :func:`initial_weights` says where it starts.

    Raises
    ------
    InputError
        If the model is unknown or can't take photos of this size, or installed weights are damaged.
    CurateError
        If its weights can't be fetched, which :func:`initial_weights` says beforehand.
    """
    if not _takes(model_name(name), image_size, training=False):
        raise InputError(
            f"{name} can't take photos of {image_size} pixels",
            wanted=f"an `image_size` of {least_size(name)}"
            + (", or another that it can divide" if name.startswith(_MADE_FOR_ONE_SIZE) else " pixels or more"),
        )
    weights, origin = _weights(name) if pretrained else (None, "")
    if pretrained and weights is None:
        raise CurateError(f"{name} should start from pretrained weights, but now starts {origin}; try again later")
    options: dict[str, object] = {}
    if name in AUXILIARY:
        # torchvision trained these on inputs that were scaled differently; from scratch the scale does not matter
        options["transform_input"] = True
        options["init_weights"] = True
        # the auxiliary head needs more pixels than the network
        options["aux_logits"] = _takes(name, image_size, training=True)
    model = _build(name, classes, image_size, **options)
    if weights is not None:
        own = model.state_dict()
        fitting = {key: value for key, value in weights.items() if key in own and own[key].shape == value.shape}
        model.load_state_dict(fitting, strict=False)
    return model.train()


def _build(name: str, classes: int, image_size: int, **options: object) -> nn.Module:
    if name == "lenet":
        return LeNet(classes)
    if name in SCALES:
        return EfficientNetLite(name, classes)
    if name.startswith("vit_"):
        # a vision transformer's position embedding is made for one size
        options["image_size"] = image_size
    model: nn.Module = _torchvision().get_model_builder(name)(weights=None, num_classes=classes, **options)
    return model


@cache
def has_last_layer(name: str) -> bool:
    """Return whether a network ends with a linear layer, whose input can serve as features."""
    return any(isinstance(module, nn.Linear) for module in _shapes(name).modules())


@cache
def is_depthwise(name: str) -> bool:
    """Return whether a network has convolutions of one channel each, as those for mobile phones have."""
    return any(
        isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1 for module in _shapes(name).modules()
    )


def _shapes(name: str) -> nn.Module:
    """Return a network with nothing but shapes: nothing is computed."""
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        return _build(name, 2, least_size(name), **_UNTRAINED if name in AUXILIARY else {})


def initial_weights(name: str, *, pretrained: bool) -> str:
    """Return `PRETRAINED`, or why the network `name` starts from scratch; without `pretrained`, it does so as asked."""
    return _weights(model_name(name))[1] if pretrained else "from scratch, as asked"


def are_here(name: str) -> bool:
    """Return whether the pretrained weights of a network are on this machine, so that nothing would be downloaded."""
    if name in PACKAGES:
        return has_weights(name)
    if name == "lenet":
        return False
    url: str = _torchvision().get_model_weights(model_name(name)).DEFAULT.url
    return Path(torch.hub.get_dir(), "checkpoints", Path(urlsplit(url).path).name).is_file()


def pretrained_size(name: str, preferred: int) -> int:
    """Return the side of photos for a pretrained network: `preferred` pixels, unless it is made for a single size."""
    if not name.startswith(_MADE_FOR_ONE_SIZE):
        return preferred
    size: int = _torchvision().get_model_weights(name).DEFAULT.transforms().crop_size[0]
    return size


@cache
def _weights(name: str) -> tuple[dict[str, torch.Tensor] | None, str]:
    if name == "lenet":
        return None, "from scratch: there are no weights for it"
    if name in PACKAGES:
        if has_weights(name):
            return embedded_state(name), PRETRAINED
        return None, f"from scratch: {PACKAGES[name].requirement} is not installed"
    default = _torchvision().get_model_weights(name).DEFAULT
    before = socket.getdefaulttimeout()
    # without it, torch's download waits forever on a network that drops packets
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT)
    try:
        # torch announces a download even when there is none
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return dict(default.get_state_dict(progress=False, check_hash=True)), PRETRAINED
    except (URLError, OSError, RuntimeError) as error:
        reason = getattr(error, "reason", error)
        return None, f"from scratch: torchvision's weights can't be fetched ({reason})"
    finally:
        socket.setdefaulttimeout(before)


#: Options of networks with auxiliary outputs that are built for their shapes alone.
_UNTRAINED: dict[str, object] = {"init_weights": False}
#: Least sides of photos that are tried: smaller photos show too little, and every network takes larger ones.
_LEAST, _MOST = 16, 1024
_MADE_FOR_ONE_SIZE = ("vit_", "swin", "maxvit")


@cache
def _takes(name: str, image_size: int, *, training: bool) -> bool:
    """Return whether a network takes photos of a size; in training, it has its auxiliary outputs."""
    options = _UNTRAINED if name in AUXILIARY else {}
    # shapes alone: nothing is computed
    with torch.device("meta"), torch.random.fork_rng(devices=[]), torch.inference_mode():
        try:
            model = _build(name, 2, image_size, **options).train(training)
            model(torch.zeros(2, 3, image_size, image_size))
        except (RuntimeError, ValueError, AssertionError):
            return False
    return True


@cache
def least_size(name: str) -> int:
    """Return the least side of photos that a network takes, in pixels."""
    if name.startswith(_MADE_FOR_ONE_SIZE):
        # a larger size may fail, as photos are divided into patches
        return next(size for size in range(_LEAST, _MOST, 16) if _takes(name, size, training=False))
    low, high = _LEAST, _MOST
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _takes(name, middle, training=False) else (middle + 1, high)
    return low


def takes_size(name: str, image_size: int, made_for: int) -> bool:
    """Return whether a network `name`, built for photos `made_for` a side, can be trained on `image_size` pixels."""
    if name.startswith(_MADE_FOR_ONE_SIZE):
        return False
    # built without its auxiliary head, it needs no more pixels than for predictions
    return _takes(name, image_size, training=name not in AUXILIARY or _takes(name, made_for, training=True))


def logits_of(output: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Return the main output: in training, Inception and GoogLeNet also have auxiliary ones."""
    return output if isinstance(output, torch.Tensor) else output[0]
