"""The checkpoint of a trained model: the only module that knows its file format."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from training.errors import InputError
from training.features.linear import Head
from training.fit.loop import EpochResult
from training.settings import Recipe
from training.utils.arrays import Float32
from training.utils.files import DamagedError, sound, whole_file
from training.utils.tensor_files import read_tensors

__all__ = [
    "CHECKPOINT",
    "Checkpoint",
    "drop_weights",
    "has_checkpoint",
    "read_checkpoint",
    "remove_checkpoint",
    "remove_models",
    "remove_outdated",
    "snapshot_file",
    "write_checkpoint",
]

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and its predictions.

    Attributes
    ----------
    key : str
        Hash of everything it depends on; see :meth:`training.crossval.jobs.Job.key`.
    recipe : Recipe
        How it was trained.
    head : Head or None
        The linear model; None without features.
    weights : dict or None
        The state of the network; None if none was trained, or if they were dropped.
    best_epoch : int or None
        The epoch whose weights these are, if training could stop early.
    head_probs, network_probs : ndarray of float32, shape (n, K), or None
        Predictions for the scored rows.
    history : tuple of EpochResult
        The epochs of the network.
    """

    key: str
    recipe: Recipe
    head: Head | None = None
    weights: dict[str, torch.Tensor] | None = None
    best_epoch: int | None = None
    head_probs: Float32 | None = None
    network_probs: Float32 | None = None
    history: tuple[EpochResult, ...] = ()


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` into a model's `folder`, completely or not at all."""
    head = checkpoint.head
    content = {
        "key": checkpoint.key,
        "settings": checkpoint.recipe.to_dict(),
        "head": {"weight": head.weight.cpu(), "bias": head.bias.cpu(), "strength": head.strength} if head else None,
        "model": checkpoint.weights,
        "best_epoch": checkpoint.best_epoch,
        "head_probs": _tensor(checkpoint.head_probs),
        "network_probs": _tensor(checkpoint.network_probs),
        "history": [asdict(epoch) for epoch in checkpoint.history],
    }
    with whole_file(folder / CHECKPOINT) as temporary, temporary.open("wb") as stream:
        torch.save(content, stream)


def snapshot_file(folder: Path, key: str) -> Path:
    """Return the file in a model's `folder` for the state of an unfinished training with this `key`."""
    # the key is in the name, so that a snapshot made with other settings is never used
    return folder / f"unfinished-{key[:16]}.pt"


def has_checkpoint(folder: Path) -> bool:
    """Return whether a model's folder holds a checkpoint."""
    return (folder / CHECKPOINT).exists()


def read_checkpoint(folder: Path, key: str | None = None) -> Checkpoint:
    """Read the checkpoint in a model's `folder`; if `key` is given, it must have that key.

    Raises
    ------
    DamagedError
        If it is no checkpoint any more.
    InputError
        If it has another key.
    """
    path = folder / CHECKPOINT
    with sound(path):
        content = read_tensors(path)
        head = content["head"]
        checkpoint = Checkpoint(
            content["key"],
            Recipe(**content["settings"]),
            Head(**head) if head else None,
            content["model"],
            content["best_epoch"],
            _array(content["head_probs"]),
            _array(content["network_probs"]),
            tuple(EpochResult(**epoch) for epoch in content["history"]),
        )
    if key is not None and checkpoint.key != key:
        raise InputError(
            f"{path} was made with other settings or data",
            wanted="a checkpoint of this run",
            fix="Remove it, or start a new run.",
        )
    return checkpoint


def remove_checkpoint(folder: Path) -> None:
    """Remove the checkpoint from a model's folder; everything else stays."""
    (folder / CHECKPOINT).unlink()


def remove_models(folder: Path) -> None:
    """Remove the checkpoint and the snapshots of unfinished trainings from a model's folder; its log stays."""
    for file in folder.glob("*.pt"):
        file.unlink()


def remove_outdated(folder: Path, key: str) -> None:
    """Remove a model's `folder` if its checkpoint has another key than `key`, or is damaged."""
    try:
        outdated = has_checkpoint(folder) and read_checkpoint(folder).key != key
    except DamagedError:
        outdated = True
    if outdated:
        shutil.rmtree(folder)


def drop_weights(folder: Path) -> Checkpoint:
    """Remove the weights, which are large, from a checkpoint; everything needed to resume stays."""
    checkpoint = read_checkpoint(folder)
    if checkpoint.weights is None:
        return checkpoint
    lighter = replace(checkpoint, weights=None)
    write_checkpoint(folder, lighter)
    return lighter


def _array(tensor: torch.Tensor | None) -> Float32 | None:
    if tensor is not None and (tensor.dtype != torch.float32 or tensor.ndim != 2):
        raise ValueError(f"predictions of {tensor.dtype} and shape {tuple(tensor.shape)}")
    return None if tensor is None else tensor.numpy()


def _tensor(array: Float32 | None) -> torch.Tensor | None:
    return None if array is None else torch.from_numpy(array)
