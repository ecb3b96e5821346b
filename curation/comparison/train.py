"""One model for each version and seed, all trained in the same way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from curation.comparison.versions import AFTER, Versions
from curation.errors import InputError, some
from curation.evidence.kept_embeddings import kept_embeddings
from curation.evidence.split import open_photos
from curation.rendering.words import many
from curation.run.folder import RunFolder
from training.crossval.checkpoint import remove_outdated
from training.crossval.jobs import Data, Done, Job, prepare_data
from training.crossval.plan import Work, make_plan, with_weights
from training.crossval.workers import run_jobs
from training.features.choice import sized, with_features
from training.features.names import patches_in
from training.images.cache import PhotoCache
from training.networks.zoo import build_model
from training.settings import PATCHES, Execution, Recipe, read_settings
from training.utils.arrays import Int64
from training.utils.devices import find_device
from training.utils.progress import SILENT, Reporter

__all__ = ["Trainer", "settings_of"]


#: Settings of networks alone.
_OF_NETWORKS = {
    "model",
    "pretrained",
    "batch_size",
    "optimizer",
    "learning_rate",
    "weight_decay",
    "label_smoothing",
    "threads",
    "workers",
}


def settings_of(run: RunFolder, changes: dict[str, Any], reporter: Reporter = SILENT) -> tuple[Recipe, Execution]:
    """Return how the models of a comparison are trained: as those of the run, but for `changes`.

    The features are always those of the run.

    Raises
    ------
    InputError
        If a value is out of range, there is no such model, or it can't take the run's photos, or what made the run's
        features is no longer there.
    """
    if "features" in changes:
        raise InputError(
            "a comparison makes features as its run did",
            got=f"`features={changes['features']!r}`",
            fix="Start a new run with `find_issues(listings)`, or leave it out.",
            parameter="features",
        )
    record = run.require({"image_size": int, "computed?": dict, "pretrained?": bool, "features_of?": str})
    # precision and preset are the run's, also where this machine would choose others
    computed = record.get("computed") or {}
    settled = {name: computed[name] for name in ("precision", "preset") if name in computed}
    recipe, execution = read_settings({**settled, **record["settings"]["train"], **changes})
    no_epochs = recipe.epochs == 0
    recipe = replace(recipe, epochs=execution.complete(recipe).epochs)
    # nobody asked for the networks of a preset that was chosen, so nothing is downloaded for them
    recipe = with_weights(recipe, reporter, fetch="preset" not in computed)
    # the photos of a run are decoded at its size
    largest = record["image_size"]
    features = record.get("features_of")
    if features is None:
        # earlier versions made features with the model, where it had weights, of photos as networks got them
        features = read_settings(record["settings"]["train"])[0].model if record.get("pretrained") else PATCHES
        recipe = replace(recipe, image_size=largest)
    recipe, _ = sized(with_features(replace(recipe, features=features), reporter), execution)
    recipe = replace(recipe, image_size=min(recipe.size, largest))
    if recipe.has_network:
        build_model(recipe.model, classes=len(run.classes), image_size=recipe.size, pretrained=False)
    elif unused := _OF_NETWORKS & set(changes):
        raise InputError(
            f"{some(f'`{name}`' for name in sorted(unused))} would have no effect, because no network is trained",
            got="`epochs=0`" if no_epochs else f"a run with `preset={execution.preset!r}`",
            fix="Say how long networks train with `epochs`, or leave the others out.",
        )
    return recipe, execution


class Trainer:
    """Trains one model per version and seed; an existing model is loaded.

    Parameters
    ----------
    run : RunFolder
        Finished.
    versions : Versions
        What trains each of them.
    recipe, execution
        How, for all of them.
    seeds : int
        S, the models of each version.
    cache : PhotoCache
        Where decoded photos are kept.
    reporter : Reporter
        Shows messages and progress.

    Attributes
    ----------
    recipe : Recipe
        With the number of epochs, which must not depend on how many listings were deleted.
    """

    def __init__(
        self,
        run: RunFolder,
        versions: Versions,
        recipe: Recipe,
        execution: Execution,
        seeds: int,
        cache: PhotoCache,
        reporter: Reporter,
    ) -> None:
        self.folder = run.training_folder / "retrain"
        self.versions, self.seeds, self.reporter = versions, seeds, reporter
        self.photos, self.kept = open_photos(run, cache, reporter), cache.features_root
        self.photos_key, self.embeddings = str(run.record()["sha256"]["images"]), kept_embeddings(run)
        rows, classes = int((versions.before >= 0).sum()), len(versions.classes)
        self.plan = make_plan(
            recipe,
            Work(
                # features that the run has are taken from there, but patches are others for each seed
                0 if not patches_in(recipe.features) and run.features() is not None else len(self.photos),
                rows,
                len(versions.test),
                classes,
                len(versions.names),
                repeats=seeds,
                photo_size=self.photos.shape[1],
            ),
            find_device(execution.device),
            time_limit=execution.time_limit,
            workers=execution.workers,
            reporter=reporter,
        )
        self.recipe = self.plan.recipe

    @property
    def model(self) -> str:
        """What is trained, in plain words."""
        if not self.plan.epochs:
            return "linear models on features of the photos"
        recipe = self.recipe
        return f"{recipe.model}, {many(self.plan.epochs, 'epoch')}, photos of {recipe.size} pixels"

    def train(self) -> dict[str, Int64]:
        """Return the predictions of each version's models for the test set: class numbers, shape (S, n)."""
        predictions: dict[str, list[Int64]] = {name: [] for name in self.versions.names}
        for seed in range(self.recipe.seed, self.recipe.seed + self.seeds):
            recipe = replace(self.recipe, seed=seed)
            data = self._data(recipe)
            jobs = [self._job(name, seed) for name in self.versions.names]
            for job in jobs:
                # the fixes may have changed since; then the model before them is still good, and the one after is not
                remove_outdated(job.folder, job.key(data, recipe))
            what = f"training {len(jobs)} versions, seed {seed}"
            done = run_jobs(jobs, data, recipe, self.plan.arrangement, what=what, reporter=self.reporter)
            for name, result in zip(self.versions.names, done, strict=True):
                predictions[name].append(_predicted(result))
        return {name: np.stack(by_seed) for name, by_seed in predictions.items()}

    def _data(self, recipe: Recipe) -> Data:
        # features are of all photos, so that all versions and the folds share them; they use no label
        return prepare_data(
            self.photos,
            self.versions.readable,
            self.versions.groups,
            classes=len(self.versions.classes),
            recipe=recipe,
            device=self.plan.arrangement.device,
            folder=self.folder,
            shared=self.folder.parent,
            kept=self.kept,
            photos_key=self.photos_key,
            given=self.embeddings,
            reporter=self.reporter,
        )

    def _job(self, name: str, seed: int) -> Job:
        labels = self.versions.labels(name, seed)
        # test listings train no version; their given labels are for the learning curve
        shown = labels.copy()
        shown[self.versions.test] = self.versions.given
        return Job(
            name=f"{name}, seed {seed}",
            folder=self.folder / f"{name}-{seed}",
            labels=shown,
            rows=np.flatnonzero(labels >= 0),
            scored=self.versions.test,
            seed=seed,
            soft=self.versions.soft if name == AFTER else None,
        )


def _predicted(done: Done) -> Int64:
    # the network alone, as a person would train it: blended with the linear model it would hide the effect of noise
    return np.asarray(done.predictions.argmax(axis=1), dtype=np.int64)
