"""`curate train`: one model of a dataset, its scores on both parts, and the file that `curate predict` reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from curation import __version__
from curation.listings import Listings
from curation.models.dataset import Prepared, check_settings, prepare_dataset, start
from curation.models.outputs import tell, told_columns
from curation.models.scores import log_confusion, scores_of
from curation.run.folder import MODELS
from curation.run.record import recorded
from training.crossval.checkpoint import Checkpoint, read_checkpoint, remove_checkpoint
from training.crossval.jobs import Job
from training.crossval.plan import measure_once, seconds_of_jobs, with_weights
from training.crossval.workers import run_jobs
from training.fit.loop import epoch_size
from training.fit.optim import check_steps
from training.images.cache import PhotoCache
from training.networks.network import build_net
from training.networks.saved import MODEL_FILE, SavedModel, photo_keys, save_model
from training.networks.zoo import initial_weights
from training.settings import Recipe
from training.utils.arrays import Float32
from training.utils.devices import Device, find_device
from training.utils.files import locked, whole_file, write_json
from training.utils.progress import Reporter
from training.utils.units import duration, now

__all__ = ["METRICS", "train_model"]

#: Scores of a model, in its folder.
METRICS = "metrics.json"
_FOLDS = 5


def train_model(
    listings: Listings,
    recipe: Recipe,
    *,
    device: str,
    output: Path | None,
    cache: PhotoCache,
    command: Sequence[str],
    reporter: Reporter,
) -> dict[str, Any]:
    """Train a model on the training part of a dataset, and score it on both parts.

    Parameters
    ----------
    listings : Listings
        The checked table; its ``split``, or a stratified fifth of it, groups kept whole, is the test set.
    recipe : Recipe
        How.
    device : str
        Where, as in :class:`training.settings.Execution`.
    output : Path or None
        Where; by default ``models/<dataset>/<number>``.
    cache : PhotoCache
        Where decoded photos are kept.
    command : sequence of str
        What was typed.
    reporter : Reporter
        Shows messages and progress.

    Returns
    -------
    dict
        The content of ``metrics.json``. Beside it are ``model.pt``, ``predictions.csv`` and a TensorBoard log.
    """
    check_settings(listings, recipe)
    computer = find_device(device)
    settings: dict[str, object] = {"train": {**recipe.to_dict(), "device": device}}
    run = start(listings, output, root=MODELS, command=list(command), settings=settings, seed=recipe.seed)
    reporter.say(f"model folder: {run.folder}")
    with locked(run.folder), recorded(run, reporter):
        with run.stage("photos"):
            prepared = prepare_dataset(
                run, listings, recipe, models=[recipe.model], folds=_FOLDS, cache=cache, reporter=reporter
            )
        with run.stage("train"):
            job, checkpoint, warnings = _train(prepared, with_weights(recipe, reporter), computer, reporter)
        with run.stage("score"):
            model = _saved(prepared, recipe, job, checkpoint)
            rows, prices = np.concatenate([prepared.train, prepared.test]), prepared.data.prices
            told = tell(model.net, prepared.data.photos, prices, rows, computer, reporter, what="scoring")
            result = _result(prepared, recipe, checkpoint, told, warnings)
            log_confusion(result, job.folder)
            _write(prepared, recipe, model, told, result)
        # all of it is in model.pt
        remove_checkpoint(job.folder)
    return result


def _train(
    prepared: Prepared, recipe: Recipe, device: Device, reporter: Reporter
) -> tuple[Job, Checkpoint, tuple[str, ...]]:
    """Train, or read back what was trained; return the job, its checkpoint, and what a person should know."""
    rows, validation = prepared.divided(prepared.train, recipe)
    check_steps(recipe, epoch_size(prepared.labels[rows], recipe))
    folder = prepared.run.training_folder
    job = Job(
        name=recipe.model,
        folder=folder / "log",
        labels=prepared.labels,
        rows=rows,
        scored=prepared.test,
        seed=recipe.seed,
        validation=validation,
    )
    file = folder / "arrangement.json"
    resumed = file.exists()
    arrangement = measure_once(recipe, device, file, classes=len(prepared.classes), jobs=1)
    if not resumed:
        time, steps = duration(seconds_of_jobs(recipe, [job], arrangement)), job.steps(recipe)
        reporter.say(f"expected: {time} at most ({arrangement}; {steps:,} steps of {recipe.model})")
    done = run_jobs([job], prepared.data, recipe, arrangement, reporter=reporter)
    return job, read_checkpoint(job.folder), done[0].warnings


def _saved(prepared: Prepared, recipe: Recipe, job: Job, checkpoint: Checkpoint) -> SavedModel:
    prices = None if prepared.data.prices is None else prepared.data.prices[job.rows]
    net = build_net(replace(recipe, pretrained=False), len(prepared.classes), job.labels[job.rows], prices)
    if checkpoint.weights is None:
        raise ValueError(f"the checkpoint of {job.name} has no network")
    net.load_state_dict(checkpoint.weights)
    record = prepared.run.record()
    facts = {
        "dataset": record["dataset"]["name"],
        "sha256": record["sha256"],
        "currency": prepared.currency,
        "created": now(),
        "versions": record["versions"],
        "curate": __version__,
    }
    trained = prepared.table["sha256"].iloc[np.concatenate([job.rows, job.validation])]
    return SavedModel(net.eval(), recipe, prepared.classes, facts, photo_keys(trained.tolist()))


def _result(
    prepared: Prepared,
    recipe: Recipe,
    checkpoint: Checkpoint,
    told: Float32,
    warnings: Sequence[str],
) -> dict[str, Any]:
    return {
        "folder": str(prepared.run.folder),
        "model": str(prepared.run.folder / MODEL_FILE),
        "target": recipe.target,
        "currency": prepared.currency,
        "settings": recipe.to_dict(),
        "initial_weights": initial_weights(recipe.model, pretrained=recipe.pretrained),
        "epochs": len(checkpoint.history),
        "best_epoch": checkpoint.best_epoch,
        "iterations": checkpoint.history[-1].step,
        "listings": {"train": len(prepared.train), "test": len(prepared.test), "all": len(prepared.table)},
        "train": scores_of(prepared, recipe, prepared.train, told),
        "test": scores_of(prepared, recipe, prepared.test, told),
        "warnings": [*prepared.warnings, *warnings],
    }


def _write(
    prepared: Prepared,
    recipe: Recipe,
    model: SavedModel,
    told: Float32,
    result: dict[str, Any],
) -> None:
    table, folder = prepared.table, prepared.run.folder
    given = recipe.target
    said = table[["id", "image", "split"]].assign(**{f"given_{given}": table[given]}).reset_index(drop=True)
    said = said.join(told_columns(told, prepared.classes, recipe.target))
    with whole_file(folder / "predictions.csv") as temporary:
        said.to_csv(temporary, index=False)
    save_model(folder / MODEL_FILE, model)
    write_json(folder / METRICS, result)
