"""A trained model: loaded, used on other listings, exported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from curation.errors import InputError, about, checked
from curation.listings import Listings
from curation.listings.price_cells import known_decimal
from curation.models.export import Export, export_model
from curation.models.predict import Predictions, predict_listings
from curation.models.scores import METRICS, Metrics
from curation.rendering.results import Result
from training.images.cache import PhotoCache
from training.networks.onnx import TOLERANCE
from training.networks.saved import SavedModel, model_file
from training.networks.saved import load_model as load
from training.settings import Recipe
from training.utils.files import read_json
from training.utils.progress import SILENT, Reporter

__all__ = ["Model", "load_model"]


@dataclass(frozen=True, eq=False)
class Model(Result):
    """A trained network.

    Made by :func:`curation.train` and :func:`load_model`.

    Attributes
    ----------
    file : Path
        ``model.pt``.
    target : str
        ``label`` or ``price``.
    classes : tuple of str
        The K classes, in the order of its outputs.
    recipe : Recipe
        How it was trained.
    metrics : Metrics or None
        Scores of its training part and its test set; None if ``metrics.json`` does not lie beside the file.
    """

    file: Path
    target: str
    classes: tuple[str, ...]
    recipe: Recipe
    metrics: Metrics | None
    _saved: SavedModel = field(repr=False)

    @property
    def decimal(self) -> str | None:
        """What marked the decimals of the prices that it was trained on, e.g. ``","``; None if nothing says it."""
        return known_decimal(self._saved.facts.get("decimal"))

    @property
    def scores(self) -> pd.DataFrame | None:
        """A row per class of the test set; None without `metrics`."""
        if self.metrics is None:
            return None
        return pd.DataFrame([{"class": name, **row} for name, row in self.metrics.test["per_class"].items()])

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``metrics.json``; without it, what the file itself says."""
        return super().to_dict() if self.metrics is None else dict(vars(self.metrics))

    def _shown(self) -> Iterator[tuple[str, Any]]:
        yield from ((name, value) for name, value in super()._shown() if name != "metrics")
        yield "scores", self.scores

    @checked
    def predict(
        self,
        listings: Listings,
        *,
        output: str | Path | None = None,
        raw: bool = False,
        device: str = "auto",
        cache: str | Path | PhotoCache | None = None,
        reporter: Reporter = SILENT,
    ) -> Predictions:
        """Predict the label, or the price, of every listing.

        Parameters
        ----------
        listings : Listings
            They need no labels; see `needs_label` of :func:`curation.read_listings`.
        output : str or Path, optional
            A new or empty folder; by default ``predictions/<dataset>/<number>``. It is written whole or not at all.
        raw : bool
            Whether ``predictions.csv`` is for a program: texts as they are. By default, those that a spreadsheet would
            take for formulas get an apostrophe.
        device : str
            ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        cache : str, Path or PhotoCache, optional
            Where decoded photos are kept; by default the user's.
        reporter : Reporter, optional
            Shows messages and progress.

        Raises
        ------
        InputError
            If the model can't be used on these listings, or the folder can't be written.
        """
        return predict_listings(
            self._saved, listings, output=output, raw=raw, device=device, cache=cache, reporter=reporter
        )

    @checked
    def export(
        self, output: str | Path | None = None, *, tolerance: float = TOLERANCE, reporter: Reporter = SILENT
    ) -> Export:
        """Write the model as ONNX, and check that it predicts the same.

        Parameters
        ----------
        output : str or Path, optional
            The file; by default ``model.onnx`` beside ``model.pt``.
        tolerance : float
            Largest accepted difference from torch: of a probability, or of a price relative to it.
        reporter : Reporter, optional
            Shows messages.

        Raises
        ------
        CurateError
            If the ONNX file predicts something else, or a package for ONNX is missing.
        InputError
            If the file can't be written.
        """
        return export_model(self._saved, self.file, output, tolerance=tolerance, reporter=reporter)


@checked
def load_model(path: str | Path) -> Model:
    """Load a model that :func:`curation.train` has written.

    Parameters
    ----------
    path : str or Path
        Its folder, or its ``model.pt``.

    Raises
    ------
    InputError
        If there is none, it or its ``metrics.json`` is damaged, or another version of curate made it.

    Examples
    --------
    >>> import curation
    >>> curation.load_model("models/shop/1")
    Traceback (most recent call last):
    ...
    training.errors.InputError: there is no such model: got models/shop/1; wanted a folder with model.pt, or that \
file. Train one with `train()`.
    """
    with about("path"):
        file = model_file(Path(path))
        saved, metrics_file = load(file), file.parent / METRICS
    try:
        metrics = Metrics(**read_json(metrics_file)) if metrics_file.is_file() else None
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{metrics_file} is damaged", got=str(error), fix="Move it away: the model can be used without it."
        ) from error
    return Model(file, saved.recipe.target, saved.classes, saved.recipe, metrics, saved)
