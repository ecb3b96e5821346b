"""A single model: trained, loaded, used on other listings, exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from curation.api.results import Export, Predictions
from curation.listings import Listings
from curation.rendering.results import Result
from training.images.cache import PhotoCache, default_cache
from training.settings import Recipe
from training.utils.files import read_json
from training.utils.progress import SILENT, Reporter

# torch takes seconds to import; it is imported where it is used
if TYPE_CHECKING:
    from training.networks.saved import SavedModel

__all__ = ["Model", "load_model", "train"]


@dataclass(frozen=True, eq=False)
class Model(Result):
    """A trained network.

    Made by :func:`train` and :func:`load_model`.

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
    scores : DataFrame or None
        A row per class of the test set; None if ``metrics.json`` does not lie beside the file.
    """

    file: Path
    target: str
    classes: tuple[str, ...]
    recipe: Recipe
    scores: pd.DataFrame | None
    _metrics: Mapping[str, Any] | None = field(repr=False)
    _saved: SavedModel = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``metrics.json``; without it, what the file itself says."""
        return super().to_dict() if self._metrics is None else dict(self._metrics)

    def predict(
        self,
        listings: Listings,
        *,
        output: str | Path | None = None,
        device: str = "auto",
        cache: PhotoCache | None = None,
        reporter: Reporter = SILENT,
    ) -> Predictions:
        """Predict the label, or the price, of every listing.

        Parameters
        ----------
        listings : Listings
            They need no labels; see `needs_label` of :func:`curation.read_listings`.
        output : str or Path, optional
            A new or empty folder; by default ``predictions/<dataset>/<number>``.
        device : str
            ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        cache : PhotoCache, optional
            Where decoded photos are kept; by default the user's.
        reporter : Reporter, optional
            Shows messages and progress.

        Raises
        ------
        InputError
            If the model can't be used on these listings, or the folder can't be written.
        """
        from curation.models.predict import predict_listings

        content = predict_listings(
            self._saved,
            listings,
            output=_path(output),
            device=device,
            cache=cache or default_cache(),
            reporter=reporter,
        )
        table = pd.read_csv(content["predictions"], dtype={"id": str, "image": str, "why": str})
        return Predictions(content, Path(content["folder"]), table, content["agreement"], listings.source.root)

    def export(
        self, output: str | Path | None = None, *, tolerance: float = 1e-4, reporter: Reporter = SILENT
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
        from curation.models.export import export_model

        content = export_model(self.file, _path(output), tolerance=tolerance, reporter=reporter)
        return Export(
            content, Path(content["file"]), content["bytes"], content["largest_difference"], content["photos"]
        )


def train(
    listings: Listings,
    recipe: Recipe = Recipe(),  # noqa: B008 (frozen)
    *,
    device: str = "auto",
    output: str | Path | None = None,
    cache: PhotoCache | None = None,
    command: Sequence[str] = (),
    reporter: Reporter = SILENT,
) -> Model:
    """Train one network on the training part of the listings, and score it on the test set.

    The test set is the rows whose ``split`` is ``test``, or else a stratified fifth; reposts and groups stay on one
    side. An interrupted training is continued by the same call.

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
    cache : PhotoCache, optional
        Where decoded photos are kept; by default the user's.
    command : sequence of str
        What was typed, for the record.
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
    from curation.models.train import train_model

    content = train_model(
        listings,
        recipe,
        device=device,
        output=_path(output),
        cache=cache or default_cache(),
        command=command,
        reporter=reporter,
    )
    return load_model(content["model"])


def load_model(path: str | Path) -> Model:
    """Load a model that :func:`train` has written.

    Parameters
    ----------
    path : str or Path
        Its folder, or its ``model.pt``.

    Raises
    ------
    InputError
        If there is none, it is damaged, or another version of curate made it.

    Examples
    --------
    >>> import curation
    >>> curation.load_model("models/shop/1")
    Traceback (most recent call last):
    ...
    training.errors.InputError: there is no such model: got models/shop/1; wanted a folder with model.pt, or that \
file. Train one with `train()`.
    """
    from curation.models.train import METRICS
    from training.networks.saved import load_model as load
    from training.networks.saved import model_file

    file = model_file(Path(path))
    saved, metrics_file = load(file), file.parent / METRICS
    metrics = read_json(metrics_file) if metrics_file.is_file() else None
    return Model(
        file,
        saved.recipe.target,
        saved.classes,
        saved.recipe,
        None if metrics is None else _by_class(metrics["test"]["per_class"]),
        metrics,
        saved,
    )


def _by_class(per_class: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    return pd.DataFrame([{"class": name, **scores} for name, scores in per_class.items()])


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
