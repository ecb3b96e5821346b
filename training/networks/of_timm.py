"""Networks of the package timm, an extra: their weights come from Hugging Face's cache or hub, as safetensors."""

from __future__ import annotations

import difflib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import torch
from torch import nn

from training.errors import InputError
from training.images.normalize import MEAN, SD
from training.utils.units import home_as_tilde

__all__ = ["check_timm", "timm_network", "timm_size"]

_WEIGHTS = "model.safetensors"
#: Seconds until a network that drops packets counts as none.
_TIMEOUT = 10
_FIX = 'Choose `features="lite0"`, whose weights are installed.'


def check_timm(name: str) -> None:
    """Refuse a network that makes no features, or whose weights can't be had; fetch these if need be.

    Parameters
    ----------
    name : str
        As timm calls it, e.g. ``resnet10t`` or ``vit_small_patch14_dinov2.lvd142m``.

    Raises
    ------
    InputError
        If timm is not installed, or the network is unknown, without weights, or makes no features.
    """
    timm_network(name)


def timm_size(name: str, size: int | None = None) -> int:
    """Return the side of photos that a network was made for, in pixels.

    Parameters
    ----------
    name : str
        As timm calls it.
    size : int, optional
        What it is to be used with: an error if it takes no other than its own.

    Raises
    ------
    InputError
        If it is unknown, or can't take photos of `size` pixels.
    """
    config = _config(name)
    own = int(config.input_size[-1])
    if size is not None and size != own and config.fixed_input_size:
        raise InputError(f"{name} can't take photos of {size} pixels", wanted=f"an `image_size` of {own}")
    return own


def timm_network(name: str) -> tuple[nn.Module, int]:
    """Load a pretrained network without its classifier.

    Parameters
    ----------
    name : str
        As timm calls it.

    Returns
    -------
    network : Module
        Takes photos that are normalised as torchvision's networks want them; in evaluation mode, on the CPU.
    width : int
        The number of its features.

    Raises
    ------
    InputError
        As :func:`check_timm`.
    """
    # first whether there is timm at all
    config = _config(name)
    file = _weights(name, config)
    import timm
    from safetensors import SafetensorError

    try:
        network = timm.create_model(name, pretrained=True, num_classes=0, pretrained_cfg_overlay={"file": str(file)})
    except (SafetensorError, RuntimeError, ValueError, OSError, KeyError) as error:
        raise _error(f"the weights of {name} can't be loaded", got=str(error).splitlines()[0]) from error
    scaled = nn.Sequential(_Scaled(config.mean, config.std), network).eval()
    with torch.inference_mode():
        features = scaled(torch.zeros(1, 3, timm_size(name), timm_size(name)))
    if not isinstance(features, torch.Tensor) or features.ndim != 2 or features.shape[1] < 2:
        raise _error(f"{name} makes no features", got="something else than one vector for each photo")
    return scaled, features.shape[1]


class _Scaled(nn.Module):
    """Photos that are normalised as torchvision's networks want them, as another network does."""

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(self, mean: tuple[float, ...], sd: tuple[float, ...]) -> None:
        super().__init__()
        theirs, own = torch.tensor(mean).view(3, 1, 1), torch.tensor(MEAN).view(3, 1, 1)
        spread = torch.tensor(sd).view(3, 1, 1)
        self.register_buffer("scale", torch.tensor(SD).view(3, 1, 1) / spread)
        self.register_buffer("shift", (own - theirs) / spread)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Normalise photos (B, 3, S, S) for the other network."""
        return photos * self.scale + self.shift


@cache
def _config(name: str) -> Any:
    """Return what timm knows of a pretrained network."""
    if importlib.util.find_spec("timm") is None:
        raise InputError(
            f"no features of {name} without timm, which is not installed",
            fix="Install it with pip install 'curate-listings[timm]'.",
            parameter="features",
        )
    try:
        import timm
    # whatever is wrong with what is installed
    except (Exception, SystemExit) as error:
        raise _error(f"no features of {name} without timm, which does not work here", got=repr(error)) from error

    if not name or not timm.is_model(name):
        raise InputError(
            "unknown network of timm",
            got=name or "nothing",
            wanted="one of timm.list_models(pretrained=True)",
            fix=_nearest(name),
            parameter="features",
        )
    config = timm.get_pretrained_cfg(name, allow_unregistered=False)
    if config is None or not config.hf_hub_id:
        raise _error(f"no features of {name} without its weights", got="no weights that timm knows")
    if len(config.input_size) != 3 or config.input_size[0] != 3 or len(config.mean) != 3:
        raise _error(f"{name} makes no features of photos", got=f"inputs of shape {tuple(config.input_size)}")
    return config


def _nearest(name: str) -> str:
    """Return the networks that are nearest to a name, as they are asked for."""
    names = {each.lower(): each for each in _names(name)}
    found = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.4)
    return f"Did you mean {' or '.join(repr('timm:' + names[each]) for each in found)}?" if found else _FIX


def _names(name: str) -> list[str]:
    """Return the names of networks with weights; without those of the weights, if `name` has none."""
    import timm

    names: list[str] = timm.list_models(pretrained=True)
    return names if "." in name else list(dict.fromkeys(each.partition(".")[0] for each in names))


def _weights(name: str, config: Any) -> Path:
    """Return the file of a network's weights, from the cache or the hub."""
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository, file = config.hf_hub_id, config.hf_hub_filename or _WEIGHTS
    wanted = f"{file} of {repository}, in {home_as_tilde(Path(constants.HF_HUB_CACHE))} or from {constants.ENDPOINT}"
    if not file.endswith(".safetensors"):
        # others are pickles, which may run code
        raise _error(f"no features of {name} without its weights", got=f"{file} alone, which is no safetensors")
    # any revision will do: safetensors hold only numbers, so nothing in them can run
    try:
        return Path(hf_hub_download(repository, file, local_files_only=True))  # nosec B615
    except LocalEntryNotFoundError:
        pass
    try:
        _require_answer(constants.ENDPOINT)
        return Path(hf_hub_download(repository, file, etag_timeout=_TIMEOUT))  # nosec B615
    # the hub's own errors are of these kinds, too
    except (HfHubHTTPError, URLError, OSError) as error:
        reason = str(getattr(error, "reason", error)).splitlines()[0]
        raise _error(f"no features of {name} without its weights", got=reason, wanted=wanted) from error


def _require_answer(endpoint: str) -> None:
    """Raise URLError if nobody answers: the hub's own client would try for three quarters of a minute."""
    try:
        with urlopen(Request(endpoint, method="HEAD"), timeout=_TIMEOUT):  # noqa: S310  # nosec B310
            pass
    except HTTPError:
        # an answer, too
        return


def _error(what: str, *, got: str, wanted: str = "") -> InputError:
    return InputError(what, got=got, wanted=wanted, fix=_FIX, parameter="features")
