"""Out-of-fold probabilities of a run's listings, by training one model per fold."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import some
from curation.evidence.evidence import Evidence
from curation.evidence.fitted_heads import fitted_heads
from curation.evidence.kept_embeddings import kept_embeddings
from curation.evidence.split import open_photos
from curation.listings import Listings
from curation.listings.columns import class_numbers, groups_of
from curation.listings.splits import TEST_SHARE
from curation.run.folder import RunFolder
from training.crossval.cross_validate import FoldPlan, cross_validate
from training.crossval.jobs import prepare_data
from training.crossval.plan import Plan, Work, make_plan, with_weights
from training.engine.contract import LOCAL, Engine
from training.features.choice import check_size, sized, with_features
from training.features.kept import kept_folder, kept_share
from training.features.names import networks_in
from training.fit.throughput import settled
from training.images import decode
from training.images.cache import PhotoCache
from training.images.reading import photo_content
from training.images.shards import CachedPhotos, shards_in
from training.networks.zoo import build_model
from training.settings import AUTO, STANDARD, WITH_NETWORKS, Execution, Recipe, preset_for
from training.utils.arrays import Bool, Int64
from training.utils.devices import Device, find_device
from training.utils.files import photo_path
from training.utils.parallel import cores
from training.utils.progress import SILENT, Reporter
from training.utils.units import duration

__all__ = ["FoldTrainer", "fold_plan", "settled_later", "trained_classes"]


#: Number of photos that are read to measure how long that takes.
_READ = 16


@dataclass(frozen=True)
class FoldTrainer:
    """Trains one model per fold. It is made before the run's folder, so that bad settings leave nothing behind.

    Attributes
    ----------
    recipe : Recipe
        How to train; pretrained weights, and what makes the features, are settled.
    photo_size : int
        Side of the decoded photos, which features are made of, in pixels.
    execution : Execution
        Where to train, and how long that may take.
    classes : sequence of str
        The K classes.
    device : Device
        Where to train.
    cache : PhotoCache
        Where decoded photos are kept.
    with_networks : FoldTrainer or None
        The trainer to take instead, if it is fast enough: of the preset ``auto`` on a GPU.
    """

    recipe: Recipe
    photo_size: int
    execution: Execution
    classes: Sequence[str]
    device: Device
    cache: PhotoCache
    with_networks: FoldTrainer | None = None

    @classmethod
    def checked(
        cls, recipe: Recipe, execution: Execution, classes: Sequence[str], cache: PhotoCache, reporter: Reporter
    ) -> FoldTrainer:
        """Return a trainer if there is such a device, model and features, and both take photos of their size.

        Parameters
        ----------
        recipe : Recipe
            As the user has it. Weights, features and the sizes of photos are settled here.
        execution : Execution
            Where to train, how long, and with which preset.
        classes : sequence of str
            The K classes.
        cache : PhotoCache
            Where decoded photos are kept.
        reporter : Reporter
            Gets a message where there are no pretrained weights.

        Raises
        ------
        InputError
            Otherwise.
        """
        # features first: they can have weights where the network has none
        recipe = with_features(recipe, reporter)

        def made(preset: str, *, fetch: bool = True) -> FoldTrainer:
            wanted = replace(execution, preset=preset)
            # and whether the preset trains a network: where none does, nothing "starts from scratch"
            own = replace(recipe, epochs=wanted.complete(recipe).epochs)
            own, size = sized(with_weights(own, reporter, fetch=fetch), wanted)
            # what is left as it is needs no check where nothing is trained with it
            if own.has_network or own.model != Recipe().model:
                build_model(own.model, classes=len(classes), image_size=own.size, pretrained=False)
            for name in networks_in(own.features):
                check_size(name, size, len(classes))
            return cls(own, size, wanted, classes, find_device(execution.device), cache)

        trainer = made(execution.preset)
        if not settled_later(recipe, execution):
            return trainer
        # nobody asked for these networks, so nothing is downloaded for them
        return replace(trainer, with_networks=made(WITH_NETWORKS, fetch=False))

    def plan(self, listings: Listings, folds: int, reporter: Reporter) -> Plan:
        """Decide how to train, and say how long it will take.

        Parameters
        ----------
        listings : Listings
            The checked table.
        folds : int
            Number of folds.
        reporter : Reporter
            Shows messages and progress.

        Returns
        -------
        Plan

        Raises
        ------
        InputError
            If the time limit is too short.
        """
        if self.with_networks is None:
            return self._plan(listings, folds, self.execution.time_limit, reporter)
        limit = self.execution.time_limit
        richer = self.with_networks._plan(listings, folds, None, SILENT)
        seconds = sum(richer.seconds.values())
        preset = preset_for(self.device.device.type, seconds, limit=limit)
        reporter.say(f'`preset="{preset}"` was chosen: with networks, {duration(seconds)} are expected')
        if preset == STANDARD:
            return replace(self._plan(listings, folds, limit, reporter), preset=preset)
        for line in richer.lines():
            reporter.say(line)
        return replace(richer, preset=preset)

    def _plan(self, listings: Listings, folds: int, time_limit: float | None, reporter: Reporter) -> Plan:
        photos = int(listings.table["image"].notna().sum())
        # a fifth of the listings is the test set, which trains nothing
        rows = round(photos * (1 - TEST_SHARE) * (folds - 1) / folds)
        seconds, hashes = _read_some(
            listings, CachedPhotos(shards_in(self.cache.folder_of(self.photo_size))), self.photo_size
        )
        scored = photos // folds
        work = Work(
            photos,
            rows,
            scored,
            len(self.classes),
            folds,
            watched=photos,
            seconds_before=seconds * photos,
            photo_size=self.photo_size,
            kept={name: kept_share(self._kept(name), hashes) for name in networks_in(self.recipe.features)},
        )
        return make_plan(
            self.recipe,
            work,
            self.device,
            time_limit=time_limit,
            workers=self.execution.workers,
            reporter=reporter,
        )

    def _kept(self, name: str) -> Path:
        """Return the folder of the features that earlier runs made with a network."""
        _, device = settled(self.recipe, self.device, jobs=1)
        return kept_folder(self.cache.features_root, name, self.photo_size, device)

    def train(
        self,
        plan: Plan,
        run: RunFolder,
        table: pd.DataFrame,
        currency: str | None,
        reporter: Reporter,
        engine: Engine = LOCAL,
    ) -> Evidence:
        """Score every listing with a photo by the model that was not trained on it or its group, and by the others.

        Parameters
        ----------
        plan : Plan
            From :meth:`plan`.
        run : RunFolder
            Gets a checkpoint and a TensorBoard log per fold.
        table : DataFrame
            From :func:`curation.evidence.split.prepare`.
        currency : str or None
            Of the prices.
        reporter : Reporter
            Shows messages and progress.
        engine : Engine
            Where features are computed and models are trained.

        Returns
        -------
        Evidence
            NaN rows for listings without a readable photo.
        """
        labels = class_numbers(table["label"], self.classes)
        folds = fold_plan(table)
        _say_rare_classes(table, folds.folds, reporter)
        data = prepare_data(
            open_photos(run, self.cache, reporter, engine),
            folds.has_photo,
            folds.groups,
            classes=len(self.classes),
            recipe=plan.recipe,
            device=plan.arrangement.device,
            folder=run.training_folder,
            kept=self.cache.features_root,
            photos_key=run.record()["sha256"]["images"],
            given=kept_embeddings(run),
            engine=engine,
            reporter=reporter,
        )
        run.update(features=data.features and data.features.name)
        scores = cross_validate(
            data,
            labels,
            folds,
            recipe=plan.recipe,
            arrangement=plan.arrangement,
            folder=run.training_folder,
            engine=engine,
            reporter=reporter,
        )
        trained = trained_classes(labels, folds, len(self.classes))
        return Evidence(
            table,
            tuple(self.classes),
            scores.probs.astype(np.float64),
            trained,
            currency,
            scores.in_fold,
            scores.neighbours,
            run.features(),
            refitted=scores.refitted,
            fitted=fitted_heads(run, scores, folds, labels, trained),
        )


def _read_some(listings: Listings, cached: CachedPhotos, size: int) -> tuple[float, list[bytes]]:
    """Read a few photos, and decode those not in the cache; return the seconds of one, and the hashes of the files."""
    images = listings.table["image"].dropna()
    few = images.iloc[:: max(1, len(images) // _READ)][:_READ]
    paths = [photo_path(listings.source.root, image) for image in few]
    start = time.perf_counter()
    with ThreadPoolExecutor(cores()) as pool:
        hashes = list(pool.map(lambda path: _try_to_read(path, cached, size), paths))
    return (time.perf_counter() - start) / max(1, len(paths)), [digest for digest in hashes if digest is not None]


def _try_to_read(path: Path, cached: CachedPhotos, size: int) -> bytes | None:
    digest = None
    # a decoder may raise anything for a damaged photo, which becomes an issue later
    with suppress(Exception), photo_content(path) as content:
        digest = hashlib.sha256(content).digest()
        if cached.find(digest) < 0:
            decode(content, size)
    return digest


def settled_later(recipe: Recipe, execution: Execution) -> bool:
    """Return whether a measurement decides what the preset ``auto`` stands for: only where a GPU may train networks.

    Parameters
    ----------
    recipe : Recipe
        As the user has it; with a number of epochs, it says itself whether a network is trained.
    execution : Execution
        As the user has it.

    Raises
    ------
    InputError
        If there is no such device.
    """
    left_open = recipe.epochs is None and recipe.iterations is None
    return execution.preset == AUTO and left_open and find_device(execution.device).is_cuda


def fold_plan(table: pd.DataFrame) -> FoldPlan:
    """Return which rows of a table train which model: labelled ones that are no test listings and have a photo."""
    # the test set judges the cleaning, so its labels must not help to find what is cleaned
    may_train = (table["split"] == "train") & table["label"].notna()
    return FoldPlan(
        fold=table["fold"].to_numpy(dtype=np.int64),
        groups=groups_of(table),
        may_train=may_train.to_numpy(dtype=bool),
        has_photo=table["unreadable"].isna().to_numpy(),
    )


def trained_classes(labels: Int64, plan: FoldPlan, classes: int) -> Bool:
    """Return which classes the model that scores each listing is trained on, shape (N, K).

    Parameters
    ----------
    labels : ndarray of int64, shape (N,)
        Given class numbers; -1 where there is none.
    plan : FoldPlan
        Which rows train which model.
    classes : int
        K.
    """
    trained = np.zeros((plan.folds, classes), dtype=bool)
    for fold in range(plan.folds):
        trained[fold, labels[plan.training_rows(fold)]] = True
    return np.asarray(trained[plan.fold], dtype=bool)


def _say_rare_classes(table: pd.DataFrame, folds: int, reporter: Reporter) -> None:
    counts = table["label"].value_counts()
    rare = counts[counts < folds]
    if len(rare):
        named = some(f"{name} ({count})" for name, count in rare.items())
        reporter.say(
            f"fewer listings than the {folds} folds: {named}. Such classes are spread over the folds together; a "
            "listing whose model never saw its class gets no label score."
        )
