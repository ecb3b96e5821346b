"""`curate predict`: the predictions of a saved model for listings, rows in = rows out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.errors import InputError, closest, some
from curation.evidence.probabilities import Probabilities
from curation.listings import Listings
from curation.listings.columns import class_numbers, prices_of
from curation.listings.currencies import may_be
from curation.listings.faults import refuse_faults
from curation.listings.problems import say_problems, why_no_prices
from curation.listings.sources import COLUMNS
from curation.listings.twins import match_spellings
from curation.models.outputs import predict_rows, prediction_columns
from curation.rendering.results import Result
from curation.run.lookup import next_number
from training.evaluation.metrics import classification_scores, price_scores
from training.images import RECIPE
from training.images.cache import PhotoCache, open_cache
from training.images.ingest import store_photos
from training.networks.saved import SavedModel, photo_keys
from training.utils.arrays import Bool, Float32
from training.utils.csv_files import restored_cells, write_csv
from training.utils.devices import Device, find_device
from training.utils.files import photo_path, whole_folder, write_json
from training.utils.flock import sweep
from training.utils.noise import noise_to
from training.utils.progress import Reporter

__all__ = ["PREDICTIONS", "Predictions", "predict_listings"]

#: Below the current folder.
PREDICTIONS = Path("predictions")


@dataclass(frozen=True)
class Predictions(Result):
    """What a model predicts for N listings; all but the table is the content of ``summary.json``.

    Attributes
    ----------
    folder, predictions : Path
        Where they were written, and ``predictions.csv`` in it.
    dataset, target : str
        Name of the listings; ``label`` or ``price``.
    currency : str or None
        Of predicted prices.
    listings, predicted : int
        N, and how many of them have a prediction.
    not_predicted : dict of str to int
        How many listings have none, by reason.
    distribution : dict of str to float
        Listings by predicted class; or ``p5``, ``median`` and ``p95`` of the predicted prices.
    trained : int
        Listings whose photo trained the model: their predictions are not held-out.
    agreement, agreement_untrained : dict of str to float, or None
        Scores against the labels, or prices, that the listings have, and how many ``listings`` those are; the same
        without those that trained the model. None where there is nothing to compare with.
    unknown_labels : dict of str to int
        Listings by given label, of labels that the model does not know.
    """

    folder: Path
    predictions: Path
    dataset: str
    target: str
    currency: str | None
    listings: int
    predicted: int
    not_predicted: dict[str, int]
    distribution: dict[str, float]
    trained: int
    agreement: dict[str, float] | None
    agreement_untrained: dict[str, float] | None
    unknown_labels: dict[str, int]
    _photos: Path | None = None
    _raw: bool = False

    @property
    def table(self) -> pd.DataFrame:
        """A row per listing, in the order of the input.

        Columns: ``id``, ``image``; ``predicted_label`` and ``confidence`` (0 to 1), or ``predicted_price``;
        ``trained`` (whether the photo trained the model); ``why`` there is no prediction.
        """
        table = pd.read_csv(self.predictions, dtype={"id": str, "image": str, "why": str})
        return table if self._raw else restored_cells(table)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``summary.json``, which calls the distribution ``told``."""
        content = super().to_dict()
        content["told"] = content.pop("distribution")
        return content

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("table", self.table)]

    def _photo_root(self) -> Path | None:
        return self._photos


def predict_listings(
    model: SavedModel,
    listings: Listings,
    *,
    output: str | Path | None,
    raw: bool,
    device: str,
    cache: str | Path | PhotoCache | None,
    reporter: Reporter,
) -> Predictions:
    """Predict the label, or the price, of every listing.

    Parameters and errors as of :func:`curation.models.model.Model.predict`.
    """
    computer = find_device(device)
    _check(model, listings)
    folder = _next(listings.source.name) if output is None else Path(output)
    _check_output(folder)
    say_problems(listings, reporter)
    if model.decoding != RECIPE:
        reporter.say(
            f"warning: the model's photos were decoded in another way ({model.decoding}; here {RECIPE}); "
            "pixels may differ a little"
        )
    with whole_folder(folder) as built:
        table, values = _predict(model, listings, computer, open_cache(cache), built.with_name("photos"), reporter)
        write_csv(built / "predictions.csv", table, raw=raw)
        if model.recipe.target == "label":
            ids, no_fold = table["id"].to_numpy(dtype=np.str_), np.full(len(table), -1, dtype=np.int64)
            probabilities = Probabilities(ids, model.classes, values.astype(np.float64), no_fold)
            probabilities.save(built / "probabilities.npz")
        predictions = replace(_summary(model, listings, table, values, folder), _raw=raw)
        write_json(built / "summary.json", predictions.to_dict())
    return predictions


def _check(model: SavedModel, listings: Listings) -> None:
    """Refuse listings that the model can't be used on."""
    refuse_faults(listings.faults)
    source, prices = listings.source, listings.table["price"]
    if model.recipe.use_price and not (prices > 0).any():
        others = [name for name in listings.table.columns if name not in COLUMNS]
        raise InputError(
            f"the model uses prices, but {source.name} has none",
            got=why_no_prices(prices),
            wanted="prices; single ones may be missing",
            fix=closest("price", others) or 'Map the column with `columns={"price": "NAME"}`.',
        )
    theirs, ours = model.facts.get("currency"), source.currency
    about_prices = model.recipe.use_price or model.recipe.target == "price"
    if about_prices and theirs and ours and not may_be(theirs.strip().upper(), ours.strip().upper()):
        raise InputError(
            f"the model was trained on prices in {theirs}",
            got=f"{source.name} in {ours}",
            wanted=theirs,
            fix="Convert the prices, or use a model of that currency.",
        )


def _next(name: str) -> Path:
    return PREDICTIONS / name / str(next_number(PREDICTIONS / name))


def _check_output(folder: Path) -> None:
    sweep(folder)
    inside = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if inside or (folder.exists() and not folder.is_dir()):
        raise InputError(
            f"can't write to {folder}",
            got=f"a folder that holds {some(inside, 3)}" if inside else "a file",
            wanted="a new or empty folder",
            fix="Name another one with `output`.",
        )


def _predict(
    model: SavedModel, listings: Listings, device: Device, cache: PhotoCache, spare: Path, reporter: Reporter
) -> tuple[pd.DataFrame, Float32]:
    """Return the content of ``predictions.csv``, and the outputs (N, K) or (N, 1), NaN without a readable photo."""
    root, table = listings.source.root, listings.table[["id", "image"]].reset_index(drop=True)
    paths = [None if pd.isna(image) else photo_path(root, image) for image in table["image"]]
    with noise_to():
        photos, facts = store_photos(
            paths,
            size=model.recipe.size,
            cache=cache,
            spare=spare,
            max_bytes=listings.limits.photo_bytes,
            reporter=reporter,
        )
    why = [fact.error for fact in facts]
    if None not in why:
        raise InputError(
            f"no photo of {listings.source.name} can be read",
            got=some(sorted({str(reason) for reason in why}), 3),
            fix="Check that the image column names the photos of this table.",
        )
    # in the order of the ids, so that a listing has the same neighbours in its batch, whatever the order of the rows
    by_id = np.argsort(table["id"].to_numpy(dtype=np.str_), kind="stable")
    rows = np.array([row for row in by_id if why[row] is None], dtype=np.int64)
    prices = prices_of(listings.table) if model.recipe.use_price else None
    values = predict_rows(model.net, photos, prices, rows, device, reporter, what="predicting")
    table = table.join(prediction_columns(values, model.classes, model.recipe.target))
    # an empty hash is that of no photo
    keys = photo_keys([fact.sha256 or "0" for fact in facts])
    table["trained"] = np.isin(keys, model.photos) & [fact.sha256 is not None for fact in facts]
    table["why"] = pd.Series(why, dtype="string")
    return table, values


def _summary(model: SavedModel, listings: Listings, table: pd.DataFrame, values: Float32, folder: Path) -> Predictions:
    prices = model.recipe.target == "price"
    labels = listings.table["label"]
    # a person who writes "mouse" means the model's "Mouse"
    labels = labels.replace(match_spellings(labels.dropna().unique(), model.classes))
    # float32 does not have all cents of a large price
    given = np.asarray(listings.table["price"].to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    numbers = class_numbers(labels.where(labels.isin(model.classes)), model.classes)
    predicted, trained = table["why"].isna().to_numpy(dtype=bool), table["trained"].to_numpy(dtype=bool)
    comparable = predicted & (given > 0 if prices else numbers >= 0)

    def agreement(rows: Bool) -> dict[str, float] | None:
        if not rows.any():
            return None
        if prices:
            scores = price_scores(given[rows], values[rows, 0])
        else:
            scores = classification_scores(numbers[rows], values[rows].argmax(axis=1))
        return {"listings": int(rows.sum()), **scores}

    unknown = labels[~labels.isin(model.classes)]
    return Predictions(
        folder=folder,
        predictions=folder / "predictions.csv",
        dataset=listings.source.name,
        target=model.recipe.target,
        currency=model.facts.get("currency") or listings.source.currency,
        listings=len(table),
        predicted=int(predicted.sum()),
        not_predicted=_counts(table["why"]),
        distribution=_distribution(model, values[predicted]),
        trained=int(trained.sum()),
        agreement=agreement(comparable),
        agreement_untrained=agreement(comparable & ~trained),
        unknown_labels={} if prices else _counts(unknown),
        _photos=listings.source.root,
    )


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(value): int(count) for value, count in values.value_counts().sort_index().items()}


def _distribution(model: SavedModel, values: Float32) -> dict[str, float]:
    """Return listings by predicted class, or the range of predicted prices."""
    if model.recipe.target == "price":
        low, median, high = np.quantile(values[:, 0].astype(np.float64), [0.05, 0.5, 0.95])
        return {"p5": round(low, 2), "median": round(median, 2), "p95": round(high, 2)}
    counts = np.bincount(values.argmax(axis=1), minlength=len(model.classes))
    return dict(zip(model.classes, counts.tolist(), strict=True))
