"""Features of all photos, computed once and stored on disk; the heads of all folds read them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from training.engine.contract import LOCAL, Engine, Piece, Steps
from training.features.names import TIMM, is_given
from training.features.patches import PatchBank
from training.features.projection import Projection, projection_file
from training.features.source import Source
from training.images import Photos, Pixels
from training.images.normalize import normalize
from training.networks.folding import fold
from training.networks.of_timm import timm_network
from training.networks.zoo import build_model, logits_of
from training.settings import AUTO, PATCHES, Recipe
from training.utils.array_files import map_array
from training.utils.arrays import Float32, Int64
from training.utils.devices import Device, each_on_one_core, threads
from training.utils.files import DamagedError, NotReadableError, allocate, read_json, sync_folder, write_json
from training.utils.progress import SILENT, Reporter

__all__ = [
    "SAMPLE",
    "NetworkFeatures",
    "choose_extractor",
    "compute_features",
    "has_features",
    "kept_extractor",
]

#: Most photos that the projection is estimated from.
SAMPLE = 4_000
_BLOCK = 128
#: Pixels in one batch of a network: with so many, ResNet-18 takes about 100 MB on each core of a CPU.
_PIXELS_AT_ONCE, _PIXELS_AT_ONCE_ON_GPU = 1 << 18, 1 << 23
#: Of a photo, on one core and on a graphics card.
_SECONDS, _SECONDS_ON_GPU = 0.017, 0.0005
#: Seconds between two flushes to disk.
_EVERY = 20.0


def choose_extractor(
    photos: Photos, rows: Int64, recipe: Recipe, device: Device
) -> tuple[PatchBank | NetworkFeatures, str]:
    """Return the extractor that the recipe names: a pretrained network, or patches of the photos.

    Parameters
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
    rows : ndarray of int64
        The readable ones.
    recipe : Recipe
        Names what makes the features (settled by :func:`training.features.choice.with_features`; one part of them),
        the precision of a network, and the seed.
    device : Device
        Where to compute.

    Returns
    -------
    extract : PatchBank or NetworkFeatures
        Turns photos (n, S, S, 3) into features (n, W); called by several threads.
    origin : str
        The kind of features, for a person.
    """
    name = recipe.features
    if name == AUTO or is_given(name):
        raise ValueError(f"{name} makes no features of photos")
    if name == PATCHES:
        with threads(1):
            return PatchBank(photos, rows, seed=recipe.seed, device=device.device), "patches of the photos"
    size = photos.shape[1]
    # on a CPU channels last is 1.2 to 2.5 times as fast, and bfloat16, where supported, twice as fast again
    extract = _of_network(name, size, device.computing(recipe.precision))
    return extract, f"pretrained {name}, photos of {size} pixels"


def _of_network(name: str, size: int, device: Device, at_once: int | None = None) -> NetworkFeatures:
    width = None
    if name.startswith(TIMM):
        network, width = timm_network(name.removeprefix(TIMM))
    else:
        network = build_model(name, classes=2, image_size=size, pretrained=True)
    return NetworkFeatures(network, device, width, at_once, again=(name, size, device, at_once))


@lru_cache(2)
def _of_network_again(name: str, size: int, device: Device, at_once: int | None) -> NetworkFeatures:
    """Build a network in another process, once for all parts that this computes."""
    return _of_network(name, size, device, at_once)


def _without_last(network: nn.Module) -> int:
    """Take the last linear layer off the network; return the number of its inputs."""
    *_, (last, layer) = ((name, each) for name, each in network.named_modules() if isinstance(each, nn.Linear))
    parent, _, name = last.rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Identity())
    return layer.in_features


def kept_extractor(recipe: Recipe, size: int, patches: Path, device: Device) -> PatchBank | NetworkFeatures:
    """Return what made the features of an earlier run, to make them of new photos.

    Parameters
    ----------
    recipe : Recipe
        Names what made them: one part.
    size : int
        Side of the photos in pixels.
    patches : Path
        Where patches were kept.
    device : Device
        Where to compute.

    Raises
    ------
    ValueError
        If the patches are damaged.
    OSError
        If they can't be read.
    """
    if recipe.features == PATCHES:
        return PatchBank.load(patches, device.device)
    return _of_network(recipe.features, size, device.computing(recipe.precision), at_once=1)


class NetworkFeatures:
    """The input of a classifier's last layer, the mean over a photo and its mirror image.

    Those of a photo are the same whatever photos are beside it: batches that are not full are filled up, because a
    processor may sum in another order in a batch of another size.

    Parameters
    ----------
    network : Module
        The classifier; is changed.
    device : Device
        Where to compute, and in which precision.
    width : int, optional
        The number of features of a network that has no classifier at its end.
    at_once : int, optional
        Photos in a batch; by default as many as a processor likes. A single photo takes less time alone.
    again : tuple, optional
        Name, side of the photos, device and photos in a batch, by which another process builds the network again;
        without them, this can't be pickled.

    Attributes
    ----------
    width : int
        Number of features W.
    device : Device
        That device.
    """

    def __init__(
        self,
        network: nn.Module,
        device: Device,
        width: int | None = None,
        at_once: int | None = None,
        again: tuple[str, int, Device, int | None] | None = None,
    ) -> None:
        self._again = again
        self.device, self.width = device, _without_last(network) if width is None else width
        fold(network.eval())
        self._network = device.place(network)
        self._pixels = _PIXELS_AT_ONCE_ON_GPU if device.is_cuda else _PIXELS_AT_ONCE
        self._at_once = at_once

    def at_once(self, size: int) -> int:
        """Return how many photos with sides of `size` pixels are in a batch."""
        return self._at_once or max(1, self._pixels // size**2)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._again is None:
            raise TypeError("this network has no name by which another process could build it")
        return _of_network_again, self._again

    @torch.inference_mode()
    def __call__(self, pixels: Pixels) -> torch.Tensor:
        """Return the features of photos (n, S, S, 3), float32 of shape (n, W); called by several threads."""
        parts, count = [], self.at_once(pixels.shape[1])
        for at in range(0, len(pixels), count):
            part = pixels[at : at + count]
            full = np.concatenate([part, np.zeros((count - len(part), *part.shape[1:]), part.dtype)])
            batch = self.device.arrange(normalize(self.device.send(full)))
            with self.device.autocast():
                features = logits_of(self._network(torch.cat([batch, batch.flip(3)])))
            parts.append(features.float().view(2, count, -1).mean(0)[: len(part)])
        return torch.cat(parts)


def compute_features(
    source: Source,
    rows: Int64,
    path: Path,
    *,
    total: int,
    key: str,
    seed: int,
    device: torch.device,
    evened: float = 0.5,
    engine: Engine = LOCAL,
    reporter: Reporter = SILENT,
) -> None:
    """Compute the features of all readable photos, projected to their main directions.

    No label is used, so all folds may share them. The projection (principal components, each divided by a power of its
    spread) is estimated from at most 4,000 photos. If the source has several parts, all have the same total variance
    before it, however wide they are.

    Parameters
    ----------
    source : Source
        Makes the features of rows.
    rows : ndarray of int64
        The readable ones.
    path : Path
        The ``.npy`` file to write: float32, shape (N, D), D at most 512; zeros for unreadable photos.
    total : int
        All rows N.
    key : str
        Names the photos and the settings that the features depend on.
    seed : int
        Seed of the choice of photos.
    device : torch.device
        Where `source` computes.
    evened : float
        The power: 0 leaves the spreads as they are, 1 makes them equal, which is whitening. Half-way is best for
        patches; in features of a network, small spreads are noise (docs/benchmarks.md).
    engine : Engine
        Where they are computed.
    reporter : Reporter
        Shows how many photos are done.
    """
    path.with_suffix(".json").unlink(missing_ok=True)
    chosen = np.sort(np.random.default_rng(seed).choice(rows, min(len(rows), SAMPLE), replace=False))
    others = np.setdiff1d(rows, chosen)
    with reporter.bar("features") as progress:
        done = 0

        def computed(parts: list[Int64], project: Projection | None = None) -> Iterator[Float32]:
            def on_step(units: int) -> None:
                nonlocal done
                done = min(done + units * _BLOCK, len(rows))
                progress(done, len(rows))

            blocks = _Blocks(source, parts, project, device)
            for piece in engine.run(blocks, folder=path.parent, on_step=on_step, reporter=reporter):
                yield piece["features"]

        sample = torch.from_numpy(np.concatenate(list(computed(_parts(chosen)))))
        # it takes seconds, and must not depend on the number of threads
        with threads(1):
            project = Projection.of(sample, source.widths, seed, evened)
            projected = project(sample)
        unfinished = _Unfinished(path, key, shape=(total, project.width))
        project.save(projection_file(path))
        unfinished.array[chosen] = projected
        left = _parts(others)[unfinished.done :]
        done = len(rows) - sum(map(len, left))
        for part, features in zip(left, computed(left, project), strict=True):
            unfinished.array[part] = features
            unfinished.part_done()
    unfinished.finish()


@dataclass(frozen=True)
class _Blocks:
    """The task of making features of blocks of rows, in one piece for each, and of projecting them."""

    source: Source
    parts: Sequence[Int64]
    project: Projection | None
    device: torch.device
    cores: int = 1

    @property
    def count(self) -> int:
        """Number of blocks."""
        return len(self.parts)

    @property
    def seconds(self) -> float:
        """For EfficientNet-Lite0."""
        return _BLOCK * (_SECONDS_ON_GPU if self.gpus else _SECONDS)

    @property
    def gpus(self) -> int:
        """One, if there are any to compute on."""
        return int(self.device.type == "cuda")

    def part(self, units: range) -> _Blocks:
        """Return the task of some blocks."""
        parts = self.parts[units.start : units.stop]
        edges = np.cumsum([0, *map(len, parts)])
        numbered = [np.arange(start, stop) for start, stop in itertools.pairwise(edges)]
        return replace(self, source=self.source.part(np.concatenate(parts)), parts=numbered)

    def __call__(self, on_step: Steps, reporter: Reporter) -> Iterator[Piece]:
        """Make the features."""
        try:
            for features in each_on_one_core(self._made, self.parts, device=self.device):
                yield {"features": features}
                on_step(1)
        finally:
            self.source.flush()

    def _made(self, rows: Int64) -> Float32:
        features = self.source(rows).cpu()
        return features.numpy() if self.project is None else self.project(features)


class _Unfinished:
    """Features that are being computed; those of a killed process are reused.

    Attributes
    ----------
    array : ndarray of float32, shape (N, D)
        Memory-mapped.
    done : int
        Number of finished parts.
    """

    def __init__(self, path: Path, key: str, *, shape: tuple[int, int]) -> None:
        self._path, self._key = path, key
        self._file = path.with_name(f"unfinished-{path.name}")
        self._note = self._file.with_suffix(".json")
        note = _note(self._note)
        done = note.get("done") if isinstance(note, dict) and note.get("key") == key else None
        self.done = done if isinstance(done, int) and _rows(self._file, shape[1]) == shape[0] else 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self.array: Float32 = np.lib.format.open_memmap(
            self._file, mode="r+" if self.done else "w+", dtype=np.float32, shape=shape
        )
        if not self.done:
            allocate(self._file)
        self._on_disk = time.monotonic()

    def part_done(self) -> None:
        """Count one more part; every 20 seconds, flush to disk and note how many there are."""
        self.done += 1
        if time.monotonic() - self._on_disk >= _EVERY:
            self._flush()
            write_json(self._note, {"key": self._key, "done": self.done})
            self._on_disk = time.monotonic()

    def finish(self) -> None:
        """Flush the complete file to disk, and give it its final name."""
        self._flush()
        self._file.replace(self._path)
        sync_folder(self._path.parent)
        write_json(self._path.with_suffix(".json"), {"key": self._key})
        self._note.unlink(missing_ok=True)

    def _flush(self) -> None:
        # for a memory map, flush is fsync
        self.array.flush()  # type: ignore[attr-defined]


def has_features(path: Path, key: str, rows: int) -> bool:
    """Return whether the features at `path` are complete, of so many photos, and have this `key`."""
    return _note(path.with_suffix(".json")) == {"key": key} and _rows(path) == rows


def _note(path: Path) -> Any:
    """Return what is noted beside features; nothing if it is missing or damaged."""
    try:
        return read_json(path)
    except (FileNotFoundError, DamagedError, NotReadableError):
        return {}


def _rows(path: Path, width: int | None = None) -> int:
    """Return the number of photos in a file of features; -1 if it is missing, damaged, or of another width."""
    try:
        features = map_array(path)
    except (FileNotFoundError, DamagedError, NotReadableError):
        return -1
    fits = features.ndim == 2 and features.dtype == np.float32 and width in (None, features.shape[-1])
    return len(features) if fits else -1


def _parts(rows: Int64) -> list[Int64]:
    return [rows[at : at + _BLOCK] for at in range(0, len(rows), _BLOCK)]
