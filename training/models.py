"""Torchvision classifiers by name, with a head for our classes."""

from __future__ import annotations

import io
import socket
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from urllib.error import URLError

import torch
import torchvision
from torch import nn

from training.errors import InputError, closest

__all__ = ["PRETRAINED", "build_model", "known_models", "logits_of", "model_name", "takes_size", "weights_origin"]

#: Says of a network that it starts from torchvision's weights.
PRETRAINED = "pretrained"

_DOWNLOAD_TIMEOUT = 10.0


@cache
def known_models() -> tuple[str, ...]:
    """Return the names of all torchvision classifiers."""
    return tuple(torchvision.models.list_models(module=torchvision.models))


def model_name(name: str) -> str:
    """Return `name` if torchvision has a classifier of that name.

    Raises
    ------
    InputError
        If not, with the nearest name.
    """
    if name not in known_models():
        raise InputError(
            "unknown model",
            got=name,
            wanted="a torchvision classifier, e.g. resnet18",
            fix=closest(name, known_models()),
        )
    return name


def build_model(name: str, *, classes: int, image_size: int, pretrained: bool) -> tuple[nn.Module, str]:
    """Build a classifier; its initial weights come from torch's global generator.

    Parameters
    ----------
    name : str
        Any torchvision classifier.
    classes : int
        Number of outputs K.
    image_size : int
        Side of the photos in pixels.
    pretrained : bool
        Load torchvision's weights, except for the head, where they can be had.

    Returns
    -------
    model : Module
        In training mode, on the CPU.
    origin : str
        ``"pretrained"`` or why it starts from scratch.

    Raises
    ------
    InputError
        If the model is unknown or can't take photos of this size.
    """
    builder = torchvision.models.get_model_builder(model_name(name))
    # a vision transformer's position embedding is made for one size
    options: dict[str, object] = {"image_size": image_size} if name.startswith("vit_") else {}
    weights, origin = _weights(name) if pretrained else (None, "from scratch, as asked")
    if weights is not None and name in ("inception_v3", "googlenet"):
        # torchvision trained these on inputs scaled another way
        options["transform_input"] = True
    if name in ("inception_v3", "googlenet"):
        options["init_weights"] = True
    try:
        model: nn.Module = builder(weights=None, num_classes=classes, **options)
        _try_out(model, image_size)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"{name} can't take photos of {image_size} pixels",
            got=str(error).splitlines()[0],
            wanted="a larger --image-size",
            fix="224 suits every model.",
        ) from error
    if weights is not None:
        own = model.state_dict()
        fitting = {key: value for key, value in weights.items() if key in own and own[key].shape == value.shape}
        model.load_state_dict(fitting, strict=False)
    return model.train(), origin


def weights_origin(name: str) -> str:
    """Fetch the weights of a model, if they can be had; return where a network starts: `PRETRAINED`, or why not."""
    return _weights(model_name(name))[1]


@cache
def _weights(name: str) -> tuple[dict[str, torch.Tensor] | None, str]:
    default = torchvision.models.get_model_weights(name).DEFAULT
    before = socket.getdefaulttimeout()
    # torch's own download waits for ever on a network that swallows packets
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT)
    try:
        # it announces the download even when there is none
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return dict(default.get_state_dict(progress=False, check_hash=True)), PRETRAINED
    except (URLError, OSError, RuntimeError) as error:
        reason = getattr(error, "reason", error)
        return None, f"from scratch: torchvision's weights can't be fetched ({reason})"
    finally:
        socket.setdefaulttimeout(before)


def _try_out(model: nn.Module, image_size: int) -> None:
    model.eval()
    with torch.inference_mode():
        model(torch.zeros(1, 3, image_size, image_size))


@cache
def takes_size(name: str, image_size: int) -> bool:
    """Return whether a network takes photos of another size than the one it was made for."""
    if name.startswith(("vit_", "swin", "maxvit")):
        # made for one size
        return False
    model = torchvision.models.get_model_builder(name)(weights=None, num_classes=2)
    try:
        _try_out(model, image_size)
    except (RuntimeError, ValueError):
        return False
    return True


def logits_of(output: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Return the main output: Inception and GoogLeNet give auxiliary ones beside it while they train."""
    return output if isinstance(output, torch.Tensor) else output[0]
