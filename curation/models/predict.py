"""`curate predict`: what a saved model tells of listings, rows in = rows out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.errors import InputError, closest, some
from curation.evidence.probabilities import Probabilities
from curation.listings import Listings
from curation.listings.columns import class_numbers, prices_of
from curation.listings.problems import say_problems
from curation.listings.sources import COLUMNS
from curation.models.outputs import tell, told_columns
from curation.run.lookup import next_number
from training.evaluation.metrics import classification_scores, price_scores
from training.images import RECIPE, PhotoFacts
from training.images.cache import PhotoCache
from training.images.ingest import store_photos
from training.networks.saved import SavedModel, photo_keys
from training.utils.arrays import Bool, Float32
from training.utils.devices import Device, find_device
from training.utils.files import whole_folder, write_json
from training.utils.progress import Reporter

__all__ = ["PREDICTIONS", "predict_listings"]

#: Below the current folder: what models told.
PREDICTIONS = Path("predictions")


@dataclass(frozen=True)
class _Told:
    """What a model tells of N listings.

    Attributes
    ----------
    table : DataFrame
        The checked listings.
    told : ndarray of float32, shape (N, K) or (N, 1)
        NaN without a readable photo.
    why : list of str or None, length N
        Why nothing is told.
    trained : ndarray of bool, shape (N,)
        Whether the photo is one that trained the model.
    """

    table: pd.DataFrame
    told: Float32
    why: list[str | None]
    trained: Bool

    @property
    def known(self) -> Bool:
        """Whether something is told, shape (N,)."""
        return np.array([reason is None for reason in self.why], dtype=bool)


def predict_listings(
    model: SavedModel, listings: Listings, *, output: Path | None, device: str, cache: PhotoCache, reporter: Reporter
) -> dict[str, Any]:
    """Let a model tell the label, or the price, of every listing.

    Parameters
    ----------
    model : SavedModel
        As :func:`training.networks.saved.load_model` gives it.
    listings : Listings
        The checked table; labels and prices may be missing.
    output : Path or None
        A new or empty folder; by default ``predictions/<dataset>/<number>``. It is written whole or not at all.
    device : str
        Where to compute.
    cache : PhotoCache
        Where decoded photos are kept.
    reporter : Reporter
        Shows messages and progress.

    Returns
    -------
    dict
        The content of ``summary.json``. Beside it are ``predictions.csv`` and, of a model for labels,
        ``probabilities.npz``.

    Raises
    ------
    InputError
        If the model can't be used on these listings, or the folder can't be written to.
    """
    found = find_device(device)
    _check(model, listings)
    folder = output or _next(listings.source.name)
    _check_output(folder)
    say_problems(listings, reporter)
    if model.decoding != RECIPE:
        reporter.say(
            f"warning: the model's photos were decoded in another way ({model.decoding}; here {RECIPE}); "
            "pixels may differ a little"
        )
    with whole_folder(folder) as built:
        told = _tell(model, listings, found, cache, built.with_name("photos"), reporter)
        summary = _summary(model, listings, told, folder)
        _write(model, told, built)
        write_json(built / "summary.json", summary)
    return summary


def _check(model: SavedModel, listings: Listings) -> None:
    """Refuse listings that the model can't be used on."""
    source, prices = listings.source, listings.table["price"]
    if model.recipe.use_price and not (prices > 0).any():
        others = [name for name in listings.table.columns if name not in COLUMNS]
        known = int(prices.notna().sum())
        raise InputError(
            f"the model looks at the price beside the photo, and {source.name} has none",
            got=f"{known} prices, none above 0" if known else "no column price, or an empty one",
            wanted="prices; single ones may be missing",
            fix=closest("price", others) or 'Map the column with `columns={"price": "NAME"}`.',
        )
    theirs, ours = model.facts.get("currency"), source.currency
    about_prices = model.recipe.use_price or model.recipe.target == "price"
    if about_prices and theirs and ours and theirs.strip().upper() != ours.strip().upper():
        raise InputError(
            f"the model was trained on prices in {theirs}",
            got=f"{source.name} in {ours}",
            wanted=theirs,
            fix="Convert the prices, or use a model of that currency.",
        )


def _next(name: str) -> Path:
    return PREDICTIONS / name / str(next_number(PREDICTIONS / name))


def _check_output(folder: Path) -> None:
    inside = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if inside or (folder.exists() and not folder.is_dir()):
        raise InputError(
            f"can't write to {folder}",
            got=f"a folder that holds {some(inside, 3)}" if inside else "a file",
            wanted="a new or empty folder",
            fix="Name another one with `output`.",
        )


def _tell(
    model: SavedModel, listings: Listings, device: Device, cache: PhotoCache, spare: Path, reporter: Reporter
) -> _Told:
    table, root = listings.table, listings.source.root
    paths = [None if pd.isna(image) else root / image for image in table["image"]]
    with reporter.bar("reading photos") as progress:
        photos, facts = store_photos(
            paths, size=model.recipe.size, cache=cache, spare=spare, progress=progress, say=reporter.say
        )
    why = [fact.error for fact in facts]
    if None not in why:
        raise InputError(
            f"no photo of {listings.source.name} can be read",
            got=some(sorted({str(reason) for reason in why}), 3),
            fix="Check that the image column names the photos of this table.",
        )
    rows = np.array([row for row, reason in enumerate(why) if reason is None], dtype=np.int64)
    prices = prices_of(table) if model.recipe.use_price else None
    told = tell(model.net, photos, prices, rows, device, reporter, what="predicting")
    return _Told(table, told, why, _trained(model, facts))


def _trained(model: SavedModel, facts: list[PhotoFacts]) -> Bool:
    # an empty hash is that of no photo
    known = np.array([fact.sha256 is not None for fact in facts], dtype=bool)
    keys = photo_keys([fact.sha256 or "0" for fact in facts])
    return np.asarray(known & np.isin(keys, model.photos), dtype=bool)


def _write(model: SavedModel, told: _Told, folder: Path) -> None:
    table = told.table
    said = table[["id", "image"]].reset_index(drop=True)
    said = said.join(told_columns(told.told, model.classes, model.recipe.target))
    if model.recipe.target == "label":
        ids = table["id"].to_numpy(dtype=np.str_)
        unknown = np.full(len(ids), -1, dtype=np.int64)
        probabilities = Probabilities(ids, model.classes, told.told.astype(np.float64), unknown)
        probabilities.save(folder / "probabilities.npz")
    said["trained"] = told.trained
    said["why"] = pd.Series(told.why, index=said.index, dtype="string")
    said.to_csv(folder / "predictions.csv", index=False)


def _summary(model: SavedModel, listings: Listings, told: _Told, folder: Path) -> dict[str, Any]:
    table, known = told.table, told.known
    prices = model.recipe.target == "price"
    # float32 does not have all cents of a large price
    given = np.asarray(table["price"].to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    labels = table["label"]
    numbers = class_numbers(labels.where(labels.isin(model.classes)), model.classes)
    comparable = known & (given > 0 if prices else numbers >= 0)

    def agreement(rows: Bool) -> dict[str, Any] | None:
        if not rows.any():
            return None
        if prices:
            return {"listings": int(rows.sum()), **price_scores(given[rows], told.told[rows, 0])}
        return {"listings": int(rows.sum()), **classification_scores(numbers[rows], told.told[rows].argmax(axis=1))}

    unknown = labels[~labels.isin(model.classes)].value_counts().sort_index()
    return {
        "folder": str(folder),
        "predictions": str(folder / "predictions.csv"),
        "dataset": listings.source.name,
        "target": model.recipe.target,
        "currency": model.facts.get("currency") or listings.source.currency,
        "listings": len(table),
        "predicted": int(known.sum()),
        "not_predicted": {reason: told.why.count(reason) for reason in sorted({why for why in told.why if why})},
        "told": _counts(model, told),
        "trained": int(told.trained.sum()),
        "agreement": agreement(comparable),
        "agreement_untrained": agreement(comparable & ~told.trained),
        "unknown_labels": {} if prices else {str(name): int(count) for name, count in unknown.items()},
    }


def _counts(model: SavedModel, told: _Told) -> dict[str, Any]:
    """Return what was told altogether: listings of each class, or the range of prices."""
    said = told.told[told.known]
    if model.recipe.target == "price":
        low, median, high = np.quantile(said[:, 0].astype(np.float64), [0.05, 0.5, 0.95])
        return {"p5": round(low, 2), "median": round(median, 2), "p95": round(high, 2)}
    counts = np.bincount(said.argmax(axis=1), minlength=len(model.classes))
    return dict(zip(model.classes, counts.tolist(), strict=True))
