"""What each model is trained on, which rows it predicts, and what it returns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from training.engine.contract import LOCAL, Engine
from training.features.extract import NetworkFeatures, choose_extractor, compute_features, has_features
from training.features.kept import KeptFeatures, kept_folder
from training.features.names import GIVEN, given_in, is_given, networks_in, parts_of, patches_in
from training.features.patches import PatchBank
from training.features.source import Joined, OfArray, OfPhotos, Source
from training.fit.loop import Examples
from training.fit.sampling import epoch_size
from training.images import Photos
from training.images.shrunk import shrunk_to
from training.images.store import PhotoStore
from training.settings import PATCHES, Recipe
from training.utils.arrays import Bool, Float32, Int64
from training.utils.devices import Device
from training.utils.progress import SILENT, Reporter
from training.utils.targets import SoftLabels

__all__ = ["Data", "Done", "Job", "Labels", "patches_file", "prepare_data"]

#: Class numbers, or prices.
Labels = Int64 | Float32

_NO_ROWS: Int64 = np.empty(0, dtype=np.int64)
#: Rows of an array in memory at a time.
_ROWS = 4_096


@dataclass(frozen=True)
class Data:
    """The input that all jobs share.

    Attributes
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
        As networks are trained on them.
    features : Path or None
        Of float32, shape (N, D); see :func:`training.features.extract.compute_features`. None: networks alone are
        trained.
    key : str
        Names the photos and features.
    groups : ndarray of int64, shape (N,)
        Rows of one group must stay together.
    classes : int
        K.
    prices : ndarray of float32, shape (N,), or None
        For networks with the price as an input; NaN where there is none.
    """

    photos: Photos
    features: Path | None
    key: str
    groups: Int64
    classes: int
    prices: Float32 | None = None

    def examples(self, labels: Labels, soft: SoftLabels | None = None) -> Examples:
        """Return the training data of networks with these labels."""
        return Examples(self.photos, labels, self.prices, soft)


def prepare_data(
    photos: Photos,
    has_photo: Bool,
    groups: Int64,
    *,
    classes: int,
    recipe: Recipe,
    device: Device,
    folder: Path,
    shared: Path | None = None,
    kept: Path | None = None,
    photos_key: str = "",
    given: Mapping[str, Float32] | None = None,
    engine: Engine = LOCAL,
    reporter: Reporter = SILENT,
) -> Data:
    """Compute the features that all jobs share, or load them.

    Parameters
    ----------
    photos : Photos of uint8, shape (N, S, S, 3)
        As features are made of them: no smaller than the recipe has them.
    has_photo : ndarray of bool, shape (N,)
        The readable ones.
    groups : ndarray of int64, shape (N,)
    classes : int
        K.
    recipe : Recipe
        How models are trained, and what makes the features.
    device : Device
        Where.
    folder : Path
        Gets ``features-<seed>.npy``; the seed is 0 where nothing is drawn at random, as patches are.
    shared : Path, optional
        A folder whose features are taken if they are the same, and stay as they are if not.
    kept : Path, optional
        The folder of the features that networks made in earlier runs; see :class:`training.features.kept.KeptFeatures`.
    photos_key : str
        Names the photos.
    given : mapping of str to ndarray of float32, shape (N, W), optional
        The embeddings among the recipe's features, which were made elsewhere, by the names of those parts; those of
        unreadable photos may be anything.
    engine : Engine
        Where features are computed.
    reporter : Reporter
        Shows the kind of features and how many are done.

    Returns
    -------
    Data
    """
    given, alone = given or {}, recipe.features == PATCHES
    # patches are drawn at random; all other features are the same for all seeds
    seed = recipe.seed if patches_in(recipe.features) else 0
    name, rows = f"features-{seed}.npy", np.flatnonzero(has_photo)
    hashes = "".join(f" {_sha256(given[part])}" for part in given_in(recipe.features))
    before = f"{photos_key} {photos.shape[1]} {seed} {not alone and recipe.features}{hashes}"
    # earlier versions took the precision of the hardware and did not note it; patches are float32 in any case
    noted = networks_in(recipe.features) and recipe.precision != "auto"
    key = f"{before} {recipe.precision}" if noted else before
    for path in (place / name for place in (shared, folder) if place is not None):
        if has_features(path, key, len(photos)) or has_features(path, before, len(photos)):
            break
    else:
        origins, sources = [], []
        for part in parts_of(recipe.features):
            if is_given(part):
                origin, source = _given(part, given[part], rows)
            else:
                bank = patches_file(path)
                origin, source = _made(photos, rows, replace(recipe, features=part), device, kept, bank, reporter)
            origins.append(origin)
            sources.append(source)
        reporter.say(f"features: {' + '.join(origins)}")
        compute_features(
            sources[0] if len(sources) == 1 else Joined(sources),
            rows,
            path,
            total=len(photos),
            key=key,
            seed=seed,
            device=device.device,
            evened=0.5 if alone else 0.0,
            engine=engine,
            reporter=reporter,
        )
    return Data(shrunk_to(photos, recipe.size), path, key, groups, classes)


def patches_file(features: Path) -> Path:
    """Return the file beside a file of features that keeps the patches that some of them were made with."""
    return features.with_name(f"{features.stem}-patches.npz")


def _given(part: str, values: Float32, rows: Int64) -> tuple[str, Source]:
    """Return embeddings in words for a person, and their source."""
    return f"{part.removeprefix(GIVEN)}, {values.shape[1]:,} numbers for each photo", OfArray(values, rows)


def _made(
    photos: Photos,
    rows: Int64,
    recipe: Recipe,
    device: Device,
    kept: Path | None,
    bank: Path,
    reporter: Reporter,
) -> tuple[str, Source]:
    """Return features of the photos in words for a person, and their source."""
    extract, origin = choose_extractor(photos, rows, recipe, device)
    if isinstance(extract, PatchBank):
        bank.parent.mkdir(parents=True, exist_ok=True)
        extract.save(bank)
    known = _kept(kept, photos, recipe.features, extract, reporter)
    return origin, OfPhotos(photos, extract, extract.width, known)


def _kept(
    root: Path | None, photos: Photos, name: str, extract: PatchBank | NetworkFeatures, reporter: Reporter
) -> KeptFeatures | None:
    """Return the features that were kept; None for patches, which are drawn from the photos of one dataset."""
    if root is None or not isinstance(photos, PhotoStore) or not isinstance(extract, NetworkFeatures):
        return None
    folder = kept_folder(root, name, photos.shape[1], extract.device)
    return KeptFeatures(folder, photos, extract.width, reporter)


def _sha256(values: Float32) -> str:
    digest = hashlib.sha256()
    for at in range(0, len(values), _ROWS):
        digest.update(np.ascontiguousarray(values[at : at + _ROWS]).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Job:
    """One model to train, and the rows that it scores.

    Attributes
    ----------
    name : str
        For messages, e.g. ``fold 1 of 5``.
    folder : Path
        Gets ``checkpoint.pt`` and a TensorBoard log.
    labels : ndarray, shape (N,)
        Class numbers (int64), or prices (float32); only those of `rows`, of `validation` and, for the learning curve,
        of `scored` are used. Below 0, or NaN, where there is none.
    rows, scored : ndarray of int64
        Training rows, and rows to score.
    seed : int
        Seed of everything random.
    watched : ndarray of int64
        Rows whose predictions are stored epoch by epoch.
    validation : ndarray of int64
        Rows that decide when training ends, if the recipe has an early stop.
    soft : SoftLabels or None
        How much the labels of the training rows count; None: all do fully.
    """

    name: str
    folder: Path
    labels: Labels
    rows: Int64
    scored: Int64
    seed: int
    watched: Int64 = field(default_factory=lambda: _NO_ROWS)
    validation: Int64 = field(default_factory=lambda: _NO_ROWS)
    soft: SoftLabels | None = None

    @property
    def head_predictions(self) -> Path:
        """The head's predictions for `watched`; see :class:`training.crossval.predictions.Predictions`."""
        return self.folder / "head-predictions.npy"

    @property
    def network_predictions(self) -> Path:
        """The network's predictions for `watched`, after each stored epoch."""
        return self.network_predictions_in(self.folder)

    @staticmethod
    def network_predictions_in(folder: Path) -> Path:
        """Return the file of the network's predictions in the folder of a job."""
        return folder / "network-predictions.npy"

    def steps(self, recipe: Recipe) -> int:
        """Return the optimizer steps of the network, or 1 for the head alone."""
        return max(1, recipe.steps_for(epoch_size(self.labels[self.rows], recipe)))

    def key(self, data: Data, recipe: Recipe) -> str:
        """Return a hash of everything the checkpoint depends on, so that no other one is used by mistake."""
        digest = hashlib.sha256(
            json.dumps([recipe.resolved(), data.classes, self.seed, data.key], sort_keys=True).encode()
        )
        arrays = [self.labels[self.rows], self.rows, self.scored, self.watched, data.groups]
        arrays += [self.validation, self.labels[self.validation]]
        arrays += [] if data.prices is None else [data.prices]
        arrays += [] if self.soft is None else [array[self.rows] for array in self.soft.arrays()]
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Done:
    """The result of a job.

    Attributes
    ----------
    head, network : ndarray of float32, shape (n, K), or None
        Probabilities of the scored rows; rows sum to 1. Of a price model, prices, shape (n, 1). `head` is None without
        features, `network` if none was trained.
    warnings : tuple of str
        Messages for a person.
    resumed : bool
        Whether the model was trained earlier and loaded from its checkpoint.
    strength : float or None
        Strength of the head's penalty.
    """

    head: Float32 | None
    network: Float32 | None = None
    warnings: tuple[str, ...] = ()
    resumed: bool = False
    strength: float | None = None

    @property
    def predictions(self) -> Float32:
        """The network's predictions; the head's, if there is no network."""
        predictions = self.head if self.network is None else self.network
        if predictions is None:
            raise ValueError("neither a head nor a network was trained")
        return predictions
