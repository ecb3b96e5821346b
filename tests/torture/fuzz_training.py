"""What a training keeps: checkpoints, plans, features and where decoded photos lie; and models."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from tests.torture.fuzz_reader import Reader
from training.crossval.checkpoint import CHECKPOINT, Checkpoint, read_checkpoint, write_checkpoint
from training.crossval.plan import Plan, measure_once
from training.errors import InputError
from training.features.linear import Head
from training.fit.loop import EpochResult
from training.fit.throughput import Arrangement
from training.images.shards import ShardIndex, write_shard
from training.images.store import PhotoStore
from training.networks.network import build_net
from training.networks.saved import SavedModel, load_model, save_model
from training.settings import Recipe, read_settings
from training.utils.array_files import map_array
from training.utils.devices import find_device
from training.utils.files import write_json

__all__ = ["DRAWN", "READERS"]

_CPU = find_device("cpu")
_RECIPE = Recipe(model="lenet", image_size=32, epochs=1, pretrained=False)


def _file(name: str, write: Callable[[Path], object], read: Callable[[Path], object]) -> Any:
    """Return what makes the reader of a file."""

    def make(folder: Path) -> Reader:
        folder.mkdir(parents=True)
        path = folder / name.split()[-1]
        write(path)

        def read_content(content: bytes) -> object:
            path.write_bytes(content)
            return read(path)

        return Reader(name, [path.read_bytes()], read_content)

    return make


def _model(path: Path) -> None:
    net = build_net(_RECIPE, 3, np.arange(3), np.ones(1, dtype=np.float32))
    save_model(path, SavedModel(net, _RECIPE, ("a", "b", "c"), {"currency": "SGD"}))


def _checkpoint(path: Path) -> None:
    probs, epoch = np.full((4, 3), 1 / 3, dtype=np.float32), EpochResult(0, 5, 0.5, {"accuracy": 1.0}, {}, 1e-3)
    head = Head(torch.ones(2, 3), torch.zeros(3), 0.5)
    write_checkpoint(path.parent, Checkpoint("key", _RECIPE, head, {"a": torch.ones(2)}, None, probs, probs, (epoch,)))


def _photos(path: Path) -> None:
    index = ShardIndex(np.zeros((2, 32), dtype=np.uint8), np.full((2, 2), 8))
    shard = write_shard(path.parent, index, np.zeros((2, 8, 8, 3), dtype=np.uint8))
    PhotoStore([shard.pixels], np.array([0, 0], dtype=np.int32), np.array([0, 1], dtype=np.int32), 8).save(path)


def _settings(path: Path) -> object:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise InputError("what run.json holds is JSON") from None
    # as a run's record is checked before
    return read_settings(content if isinstance(content, dict) else {})


_PLAN = Plan(_RECIPE, Arrangement(_CPU), {"photos": 1.0})
READERS: dict[str, Callable[[Path], Reader]] = {
    "model.pt": _file("model.pt", _model, load_model),
    "checkpoint.pt": _file(CHECKPOINT, _checkpoint, lambda path: read_checkpoint(path.parent)),
    "plan.json": _file("plan.json", _PLAN.save, Plan.load),
    "arrangement.json": _file(
        "arrangement.json",
        lambda path: write_json(path, Arrangement(_CPU).to_dict()),
        lambda path: measure_once(_RECIPE, _CPU, path, classes=3, jobs=1),
    ),
    "features.npy": _file("features.npy", lambda path: np.save(path, np.ones((4, 2), np.float32)), map_array),
    "photos.npz": _file("photos.npz", _photos, lambda path: PhotoStore.load(path)[np.array([0, 1])]),
    "settings.json": _file("settings.json", lambda path: write_json(path, _RECIPE.to_dict()), _settings),
}


def _honest(reader: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        content = READERS[reader](Path(folder) / "made").honest[0]
    return torch.load(io.BytesIO(content), weights_only=True) if reader.endswith(".pt") else json.loads(content)


def _saved(content: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


_ODD = st.sampled_from(
    [None, True, -1, 0, 3, 1 << 70, 2.5, float("nan"), float("inf"), "", "resnet81", "x" * 3000, [], {}, [[]], {"a": 1}]
)
_TENSORS = st.sampled_from(
    [
        *(torch.ones(2), torch.zeros(2, 2, dtype=torch.int64), torch.ones(1, 1).expand(1 << 40, 3), torch.ones(())),
        *(torch.zeros(4, 3, dtype=torch.complex64), torch.eye(2).to_sparse(), torch.empty(0, 3), torch.ones(4, 3) * 2),
    ]
)


@st.composite
def _tensors(draw: Any, reader: str) -> bytes:
    """A file of torch of which some entries are others."""
    content = dict(draw(st.deferred(lambda: st.just(_honest(reader)))))
    for _ in range(draw(st.integers(1, 2))):
        key = draw(st.sampled_from(sorted(content)))
        inner = content[key]
        if isinstance(inner, dict) and inner and draw(st.booleans()):
            content[key] = {**inner, draw(st.sampled_from(sorted(inner))): draw(_ODD | _TENSORS)}
        else:
            content[key] = draw(_ODD | _TENSORS)
    return _saved(content)


@st.composite
def _values(draw: Any, reader: str) -> bytes:
    """A JSON object of which some values are others."""
    content = draw(st.deferred(lambda: st.just(_honest(reader))))
    for _ in range(draw(st.integers(1, 2))):
        key = draw(st.sampled_from(sorted(content)))
        content = {**content, key: draw(_ODD)}
    return json.dumps(content).encode()


DRAWN: dict[str, st.SearchStrategy[bytes]] = {
    **{name: _tensors(name) for name in ("model.pt", "checkpoint.pt")},
    **{name: _values(name) for name in ("plan.json", "arrangement.json", "settings.json")},
}
