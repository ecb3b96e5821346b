"""`curate train`: one model of a dataset, its scores on both parts, and the file that `curate predict` reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from curation import __version__
from curation.listings import Listings
from curation.models.dataset import Prepared, prepared_dataset
from curation.models.model import Model, load_model
from curation.models.outputs import predict_rows, prediction_columns
from curation.models.scores import METRICS, Metrics, log_confusion, scores_of
from training.crossval.checkpoint import Checkpoint, read_checkpoint, remove_checkpoint
from training.crossval.jobs import Job
from training.crossval.plan import measure_once, seconds_of_jobs, with_weights
from training.crossval.workers import run_jobs
from training.errors import checked
from training.fit.optim import check_steps
from training.fit.sampling import epoch_size
from training.images.cache import PhotoCache
from training.networks.network import build_net
from training.networks.saved import MODEL_FILE, SavedModel, photo_keys, save_model
from training.networks.zoo import initial_weights
from training.settings import Recipe
from training.utils.arrays import Float32
from training.utils.csv_files import write_csv
from training.utils.devices import Device, find_device
from training.utils.files import write_json
from training.utils.progress import SILENT, Reporter
from training.utils.units import duration, now

__all__ = ["train"]

#: They stand in listings.parquet; the model is trained on all of them.
_FOLDS = 5


@checked
def train(
    listings: Listings,
    recipe: Recipe = Recipe(),  # noqa: B008 (frozen)
    *,
    device: str = "auto",
    output: str | Path | None = None,
    cache: str | Path | PhotoCache | None = None,
    command: Sequence[str] = (),
    wait: bool | float = False,
    reporter: Reporter = SILENT,
) -> Model:
    """Train one network on the training part of the listings, and score it on the test set.

    The test set is the rows whose ``split`` is ``test``, or else a stratified fifth; reposts and groups stay on one
    side. An interrupted training is continued by the same call. The folder gets ``model.pt``, ``metrics.json``,
    ``predictions.csv`` and a TensorBoard log.

    Parameters
    ----------
    listings : Listings
        Of :func:`read_listings`.
    recipe : Recipe
        How; ``Recipe(target="price")`` trains a model of prices.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
    output : str or Path, optional
        Folder of the model; by default ``models/<dataset>/<number>``.
    cache : str, Path or PhotoCache, optional
        Where decoded photos are kept; by default the user's.
    command : sequence of str
        The command line, for the record.
    wait : bool or float
        Whether to wait while another command works in `output`, or for how many seconds; by default that is an error.
    reporter : Reporter, optional
        Shows messages and progress; silent by default.

    Raises
    ------
    InputError
        If the recipe does not fit the listings.
    DivergedError
        If the loss becomes NaN or infinite.

    Examples
    --------
    >>> import curation
    >>> demo = curation.demo("shop", listings=120)
    >>> recipe = curation.Recipe(model="lenet", image_size=32, epochs=1)
    >>> model = curation.train(curation.read_listings("shop"), recipe, device="cpu")
    >>> model.file.as_posix(), len(model.classes)
    ('models/demo/1/model.pt', 12)
    """
    computer = find_device(device)
    with prepared_dataset(
        listings,
        [recipe],
        by="train",
        what="model",
        settings={"train": {**recipe.to_dict(), "device": device}},
        folds=_FOLDS,
        output=output,
        cache=cache,
        command=command,
        wait=wait,
        reporter=reporter,
    ) as prepared:
        run = prepared.run
        with run.stage("train"):
            job, checkpoint, warnings = _train(prepared, with_weights(recipe, reporter), computer, reporter)
        with run.stage("score"):
            model = _saved(prepared, recipe, job, checkpoint)
            rows, prices = np.concatenate([prepared.train, prepared.test]), prepared.data.prices
            predictions = predict_rows(
                model.net, prepared.data.photos, prices, rows, computer, reporter, what="scoring"
            )
            metrics = _metrics(prepared, recipe, checkpoint, predictions, warnings)
            log_confusion(metrics, job.folder)
            _write_predictions(prepared, recipe, predictions)
            save_model(run.folder / MODEL_FILE, model)
            write_json(run.folder / METRICS, vars(metrics))
        # all of it is in model.pt
        remove_checkpoint(job.folder)
    return load_model(run.folder)


def _train(
    prepared: Prepared, recipe: Recipe, device: Device, reporter: Reporter
) -> tuple[Job, Checkpoint, tuple[str, ...]]:
    """Train, or load the trained model; return the job, its checkpoint and its warnings."""
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
    arrangement = measure_once(recipe, device, file, classes=len(prepared.classes), jobs=1, reporter=reporter)
    prepared.run.update(computed=arrangement.computed)
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
        # a dot is not recorded
        **({"decimal": record["dataset"].get("decimal", ".")} if prepared.table["price"].notna().any() else {}),
        "created": now(),
        "versions": record["versions"],
        "curate": __version__,
    }
    trained = prepared.table["sha256"].iloc[np.concatenate([job.rows, job.validation])]
    return SavedModel(net.eval(), recipe, prepared.classes, facts, photo_keys(trained.tolist()))


def _metrics(
    prepared: Prepared,
    recipe: Recipe,
    checkpoint: Checkpoint,
    predictions: Float32,
    warnings: Sequence[str],
) -> Metrics:
    folder = prepared.run.folder
    return Metrics(
        folder=str(folder),
        model=str(folder / MODEL_FILE),
        target=recipe.target,
        currency=prepared.currency,
        settings=recipe.to_dict(),
        initial_weights=initial_weights(recipe.model, pretrained=recipe.pretrained),
        epochs=len(checkpoint.history),
        best_epoch=checkpoint.best_epoch,
        iterations=checkpoint.history[-1].step,
        listings={"train": len(prepared.train), "test": len(prepared.test), "all": len(prepared.table)},
        train=scores_of(prepared, recipe, prepared.train, predictions),
        test=scores_of(prepared, recipe, prepared.test, predictions),
        warnings=[*prepared.warnings, *warnings],
    )


def _write_predictions(prepared: Prepared, recipe: Recipe, predictions: Float32) -> None:
    table, target = prepared.table, recipe.target
    listings = table[["id", "image", "split"]].assign(**{f"given_{target}": table[target]}).reset_index(drop=True)
    listings = listings.join(prediction_columns(predictions, prepared.classes, target))
    write_csv(prepared.run.folder / "predictions.csv", listings.iloc[prepared.run.input_order(listings["id"])])
