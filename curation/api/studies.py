"""Studies: several models compared, and better settings searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from curation.api.results import ModelComparison, TuneResult
from curation.errors import InputError
from curation.listings import Listings
from training.images.cache import PhotoCache, default_cache
from training.settings import OPTIMIZERS, Recipe
from training.utils.progress import SILENT, Reporter

__all__ = ["compare_models", "tune"]

_MODELS = ("resnet18", "inception_v3", "lenet")


def compare_models(
    listings: Listings,
    *,
    models: Sequence[str] = _MODELS,
    optimizers: Sequence[str] = OPTIMIZERS[:1],
    folds: int = 5,
    recipe: Recipe = Recipe(),  # noqa: B008 (frozen)
    device: str = "auto",
    output: str | Path | None = None,
    cache: PhotoCache | None = None,
    command: Sequence[str] = (),
    dataset: Sequence[str] = (),
    reporter: Reporter = SILENT,
) -> ModelComparison:
    """Train every model with every optimizer on the same folds of the training listings, and compare their scores.

    The test set has no part, so that it can still judge the one that you choose.

    Parameters
    ----------
    listings : Listings
        Of :func:`read_listings`.
    models : sequence of str
        Torchvision classifiers, or ``lenet``.
    optimizers : sequence of str
        ``adamw``, ``adam``, ``sgd``; every model is trained with each.
    folds : int
        Number of folds, at least 2.
    recipe : Recipe
        What all share; its model and optimizer are not used.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
    output : str or Path, optional
        Folder of the study; by default ``studies/<dataset>/<number>``.
    cache : PhotoCache, optional
        Where decoded photos are kept; by default the user's.
    command : sequence of str
        What was typed, for the record.
    dataset : sequence of str
        The listings as they are typed, for the suggested command; by default their path.
    reporter : Reporter, optional
        Shows messages and progress; silent by default.

    Raises
    ------
    InputError
        If a model or optimizer is unknown, or the recipe does not fit the listings.
    DivergedError
        If all candidates diverge.

    Examples
    --------
    >>> import curation
    >>> demo = curation.demo("shop", listings=120)
    >>> recipe = curation.Recipe(image_size=32, epochs=1)
    >>> listings = curation.read_listings("shop")
    >>> comparison = curation.compare_models(listings, models=["lenet"], folds=2, recipe=recipe, device="cpu")
    >>> comparison.table["model"].tolist()
    ['lenet']
    """
    from curation.models.candidates import candidates_of
    from curation.models.compare import compare_models as compare

    content = compare(
        listings,
        candidates_of(recipe, models, optimizers),
        device=device,
        dataset=dataset or [str(listings.source.path)],
        folds=folds,
        output=_path(output),
        cache=cache or default_cache(),
        command=command,
        reporter=reporter,
    )
    return ModelComparison(content, Path(content["folder"]), content["sentence"], _candidates(content))


def tune(
    listings: Listings,
    *,
    trials: int = 30,
    time_limit: float | None = None,
    folds: int = 3,
    recipe: Recipe = Recipe(),  # noqa: B008 (frozen)
    device: str = "auto",
    output: str | Path | None = None,
    cache: PhotoCache | None = None,
    command: Sequence[str] = (),
    dataset: Sequence[str] = (),
    reporter: Reporter = SILENT,
) -> TuneResult:
    """Search for better training settings with Optuna, by cross-validation within the training listings.

    Learning rate, schedule, augmentation and weight decay are searched. The same call goes on with its study.

    Parameters
    ----------
    listings : Listings
        Of :func:`read_listings`. The test set has no part.
    trials : int
        How many settings are tried, those of earlier calls included; at least 1.
    time_limit : float, optional
        Seconds after which no training begins; at least 1.
    folds : int
        Number of folds that judge a trial, at least 2.
    recipe : Recipe
        Where the search starts, and the first trial.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
    output : str or Path, optional
        Folder of the study; by default ``studies/<dataset>/<number>``.
    cache : PhotoCache, optional
        Where decoded photos are kept; by default the user's.
    command : sequence of str
        What was typed, for the record.
    dataset : sequence of str
        The listings as they are typed, for the suggested command; by default their path.
    reporter : Reporter, optional
        Shows messages and progress; silent by default.

    Raises
    ------
    InputError
        If Optuna is missing, or the recipe does not fit the listings.

    Examples
    --------
    >>> import curation
    >>> demo = curation.demo("shop", listings=120)
    >>> recipe = curation.Recipe(model="lenet", image_size=32, epochs=1)
    >>> listings = curation.read_listings("shop")
    >>> result = curation.tune(listings, trials=1, folds=2, recipe=recipe, device="cpu")
    >>> result.trials["state"].tolist()
    ['complete']
    """
    _require_optuna()
    from curation.models.tune import SearchSettings
    from curation.models.tune import tune as search

    content = search(
        listings,
        recipe,
        SearchSettings(trials, time_limit, folds),
        device=device,
        output=_path(output),
        cache=cache or default_cache(),
        command=command,
        dataset=dataset or [str(listings.source.path)],
        reporter=reporter,
    )
    rows = [
        {**{name: trial[name] for name in ("number", "state", "mean", "sd")}, **trial["parameters"]}
        for trial in content["trials"]
    ]
    best = content["best_settings"]
    return TuneResult(
        content, Path(content["folder"]), pd.DataFrame(rows), None if best is None else Recipe(**best), content["gain"]
    )


def _require_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise InputError("`tune()` needs Optuna", fix="Install it with: pip install 'curate[tune]'") from None


def _candidates(content: Mapping[str, Any]) -> pd.DataFrame:
    rows = []
    for each in content["candidates"]:
        behind = each["behind"] or {"mean": 0.0, "low": 0.0, "high": 0.0}
        row: dict[str, Any] = {"model": each["model"], "optimizer": each["optimizer"]}
        for score in content["scores"]:
            row |= {
                score: each["pooled"][score],
                f"{score}_mean": each["mean"][score],
                f"{score}_sd": each["sd"][score],
            }
        row |= {f"behind_{name}": behind[name] for name in ("mean", "low", "high")}
        rows.append({**row, "parameters": each["parameters"], "seconds_per_fold": each["seconds_per_fold"]})
    return pd.DataFrame(rows)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
