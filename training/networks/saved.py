"""A trained model as one file: everything needed to predict with it, and no code that could run."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from training.errors import InputError, closest, some
from training.images import RECIPE
from training.images.normalize import MEAN, SD
from training.networks.network import Net, build_net
from training.settings import Recipe
from training.utils.files import whole_file
from training.utils.tensor_files import OtherFileError, read_tensors

__all__ = ["FORMAT", "MODEL_FILE", "SavedModel", "load_model", "model_file", "photo_keys", "save_model"]

#: Count up when an older version of curate could no longer read the file.
FORMAT = 1
#: The name of a model in its folder.
MODEL_FILE = "model.pt"

_KEYS = ("format", "settings", "classes", "preprocessing", "facts", "photos", "state")


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A trained network, and the facts needed to use it.

    Attributes
    ----------
    net : Net
        In evaluation mode, on the CPU.
    recipe : Recipe
        How it was trained.
    classes : tuple of str
        The K classes, in the order of the outputs; of a price model, those of its training listings, if they had any.
    facts : dict
        Other facts, as JSON values: currency, name of the dataset, hashes, versions.
    photos : ndarray of uint64, sorted
        The photos it was trained on; see :func:`photo_keys`.
    decoding : str
        How these were decoded (:data:`training.images.RECIPE`).
    """

    net: Net
    recipe: Recipe
    classes: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    photos: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    decoding: str = RECIPE


def photo_keys(sha256: list[str]) -> npt.NDArray[np.uint64]:
    """Return the first 8 bytes of hexadecimal SHA-256 hashes as numbers, in the order given.

    Examples
    --------
    >>> photo_keys(["00000000000000ff" + 48 * "0"])
    array([255], dtype=uint64)
    """
    return np.array([int(digest[:16], 16) for digest in sha256], dtype=np.uint64)


def model_file(path: Path) -> Path:
    """Return the file of a model, given that file or its folder.

    Raises
    ------
    InputError
        If there is none.
    """
    if path.is_dir():
        if (path / MODEL_FILE).is_file():
            return path / MODEL_FILE
        raise InputError(
            f"there is no model in {path}", wanted=f"a folder with {MODEL_FILE}", fix="Train one with `train()`."
        )
    if not path.is_file():
        neighbours = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(
            "there is no such model",
            got=str(path),
            wanted=f"a folder with {MODEL_FILE}, or that file",
            fix=closest(path.name, neighbours) or "Train one with `train()`.",
        )
    return path


def save_model(path: Path, model: SavedModel) -> None:
    """Write a model, completely or not at all.

    Parameters
    ----------
    path : Path
        The file, usually ``model.pt``.
    model : SavedModel
        Stays as it is.
    """
    described = {
        "settings": model.recipe.to_dict(),
        "classes": list(model.classes),
        "preprocessing": {
            "size": model.recipe.size,
            "mean": list(MEAN),
            "sd": list(SD),
            "decoding": model.decoding,
        },
        "facts": model.facts,
    }
    content = {
        "format": FORMAT,
        # plain values only: others could not be loaded without running code
        **json.loads(json.dumps(described, allow_nan=False)),
        "photos": torch.from_numpy(np.sort(model.photos).astype(np.uint64).view(np.int64)),
        "state": {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in model.net.state_dict().items()
        },
    }
    with whole_file(path) as temporary, temporary.open("wb") as stream:
        torch.save(content, stream)


def load_model(path: Path) -> SavedModel:
    """Read a model; code in the file is never run.

    Parameters
    ----------
    path : Path
        A file of :func:`save_model`.

    Returns
    -------
    SavedModel
        On the same machine it predicts exactly what the saved one does.

    Raises
    ------
    InputError
        If the file is not a model of curate, is damaged, or was made by a later version.
    """
    content = _read(path)
    try:
        number = int(content["format"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise _no_model(path, f"entries {some(map(str, content))}" if content else "no entries") from None
    if number > FORMAT:
        raise InputError(
            f"{path} was made by a later version of curate",
            got=f"format {number}",
            wanted=f"format {FORMAT} or earlier",
            fix="Update curate.",
        )
    if missing := [key for key in _KEYS if key not in content]:
        raise _damaged(path, f"no {some(missing)}")
    try:
        recipe = Recipe(**content["settings"])
        prepared, facts = dict(content["preprocessing"]), dict(content["facts"])
        size, decoding = int(prepared["size"]), str(prepared["decoding"])
        classes = tuple(str(name) for name in content["classes"])
        photos = content["photos"].numpy().view(np.uint64)
        if photos.ndim != 1:
            raise ValueError(f"photos of shape {photos.shape}")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError, InputError) as error:
        raise _damaged(path, f"entries that can't be used ({error})") from None
    if (prepared.get("mean"), prepared.get("sd")) != (list(MEAN), list(SD)):
        raise InputError(
            f"{path} needs photos that are normalized differently",
            got=f"mean {prepared.get('mean')}, standard deviation {prepared.get('sd')}",
            wanted=f"{list(MEAN)} and {list(SD)}",
            fix="Use the version of curate that made it, or train it again.",
        )
    # the default size of photos may have changed since
    recipe = recipe if recipe.size == size else replace(recipe, image_size=size)
    net = _rebuilt(path, recipe, len(classes), content["state"])
    return SavedModel(net.eval(), recipe, classes, facts, photos, decoding)


def _read(path: Path) -> dict[str, Any]:
    """Return the content of a file of `torch.save`."""
    try:
        return read_tensors(path)
    except OtherFileError as error:
        raise _no_model(path, str(error)) from None
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    except OSError as error:
        raise InputError(f"{path} can't be read", got=error.strerror or str(error)) from None


def _rebuilt(path: Path, recipe: Recipe, classes: int, state: Any) -> Net:
    """Return the network of a recipe with the weights of a file."""
    # the scale of prices is loaded with the weights, so it may be built with any prices
    labels = np.arange(classes) if recipe.target == "label" else np.ones(1)

    def build() -> Net:
        return build_net(replace(recipe, pretrained=False), classes, labels, np.ones(1, dtype=np.float32))

    try:
        with torch.device("meta"):
            # takes no memory: the network that a small file names may be larger than the file and all memory
            net = build()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "for .*: copying from a non-meta parameter")
            net.load_state_dict(state)
        with torch.random.fork_rng(devices=[]):
            net = build()
        net.load_state_dict(state)
    except InputError as error:
        raise InputError(
            f"the network of {path} can't be built here", got=str(error), fix="Update curate and torchvision."
        ) from None
    except (RuntimeError, TypeError, AttributeError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise InputError(
            f"the weights of {path} don't fit its network",
            got=(lines[1] if len(lines) > 1 else lines[0])[:200].rstrip(". "),
            wanted=f"those of {recipe.model} with {net.task.outputs} outputs",
            fix="Update curate and torchvision, or train it again.",
        ) from None
    return net


def _no_model(path: Path, got: str) -> InputError:
    return InputError(f"{path} is not a model of curate", got=got, wanted=f"a {MODEL_FILE} that `train()` wrote")


def _damaged(path: Path, got: str) -> InputError:
    return InputError(f"{path} is damaged", got=got, fix="Copy it again, or train it again.")
