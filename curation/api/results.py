"""Results of models: their JSON is a file in their folder, their fields are what people ask for first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from curation.rendering.results import Result
from training.settings import Recipe

__all__ = ["Export", "ModelComparison", "Predictions", "TuneResult"]


@dataclass(frozen=True)
class _Stored(Result):
    """A result whose JSON is a file in its folder."""

    _content: Mapping[str, Any] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the file, which is also the JSON of the command."""
        return dict(self._content)


@dataclass(frozen=True)
class Predictions(_Stored):
    """What a model predicts of N listings.

    Attributes
    ----------
    folder : Path
        Where they were written.
    table : DataFrame
        A row per listing: ``id``, ``image``; ``predicted_label`` and ``confidence`` (0 to 1), or ``predicted_price``;
        ``trained`` (whether the photo trained the model: then its prediction is not held-out); ``why`` there is none.
    agreement : dict or None
        Scores against the labels, or prices, that the listings have; None if they have none.
    """

    folder: Path
    table: pd.DataFrame
    agreement: dict[str, Any] | None
    _photos: Path | None = None

    def _photo_root(self) -> Path | None:
        return self._photos


@dataclass(frozen=True)
class Export(_Stored):
    """A model as ONNX.

    Attributes
    ----------
    file : Path
        The ONNX file.
    bytes : int
        Its size.
    largest_difference : float
        From torch, over the photos that it was checked with: of a probability, or of a price relative to it.
    photos : dict of str to int
        How many ``real`` and ``random`` photos it was checked with.
    """

    file: Path
    bytes: int
    largest_difference: float
    photos: dict[str, int]


@dataclass(frozen=True)
class ModelComparison(_Stored):
    """Models with optimizers, cross-validated on the same folds.

    Attributes
    ----------
    folder : Path
        Of the study.
    sentence : str
        Which one won, and whether these listings can tell it from the next.
    table : DataFrame
        A row per candidate, best first: scores pooled over all folds, mean and standard deviation of the folds, how far
        behind the best with a 95 % interval, seconds.
    """

    folder: Path
    sentence: str
    table: pd.DataFrame

    def to_markdown(self) -> str:
        """Return the comparison as Markdown, for a pull request."""
        from curation.models.compare_words import markdown

        return markdown(self._content)


@dataclass(frozen=True)
class TuneResult(_Stored):
    """A search for better settings.

    Attributes
    ----------
    folder : Path
        Of the study.
    trials : DataFrame
        Best first: ``number``, ``state``, ``mean`` and ``sd`` of the score over the folds, and the parameters.
    best : Recipe or None
        The best settings, for :func:`train`; None if no trial is complete.
    gain : dict or None
        ``mean`` and ``sd`` over the folds of how much better it is than the first trial.
    """

    folder: Path
    trials: pd.DataFrame
    best: Recipe | None
    gain: dict[str, float] | None
