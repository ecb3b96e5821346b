"""Cross-validation of a recipe within the training listings: the test set is not touched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curation.errors import InputError
from curation.models.dataset import Prepared
from training.crossval.jobs import Done, Job
from training.evaluation.metrics import classification_scores, price_scores
from training.settings import Recipe
from training.utils.arrays import Float32, Int64

__all__ = ["FoldScores", "fold_jobs", "score_folds"]


@dataclass(frozen=True)
class FoldScores:
    """Held-out scores of a recipe.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        The listings that were scored, each predicted by the model of the other folds.
    predictions : ndarray of float32, shape (n, K) or (n, 1)
        Out-of-fold probabilities, or prices.
    folds : list of dict
        Scores of each fold: ``accuracy`` and ``macro_f1``, or ``mae`` and ``median_ae``.
    pooled : dict
        The same over all rows at once.
    """

    rows: Int64
    predictions: Float32
    folds: list[dict[str, float]]
    pooled: dict[str, float]

    def mean(self, score: str) -> float:
        """Return the mean over the folds."""
        return float(np.mean([scores[score] for scores in self.folds]))

    def sd(self, score: str) -> float:
        """Return the standard deviation over the folds."""
        return float(np.std([scores[score] for scores in self.folds], ddof=1))


def fold_jobs(prepared: Prepared, recipe: Recipe, folder: Path, *, name: str, folds: int) -> list[Job]:
    """Return one job per fold: the same rows for every recipe.

    Parameters
    ----------
    prepared : Prepared
    recipe : Recipe
        How the models are trained.
    folder : Path
        Gets ``fold-<f>``, with a TensorBoard log each.
    name : str
        For messages.
    folds : int
        Number of folds.

    Raises
    ------
    InputError
        If there is too little to train on or to score.
    """
    jobs = []
    fold_of = prepared.table["fold"].to_numpy(dtype=np.int64)[prepared.train]
    for fold in range(folds):
        scored = prepared.train[fold_of == fold]
        rows, validation = prepared.divided(np.setdiff1d(prepared.train, scored), recipe)
        if len(rows) < 2 or not len(scored):
            raise InputError(
                f"fold {fold + 1} of {folds} has too few listings",
                got=f"{len(rows)} to train on, {len(scored)} to score",
                wanted="at least 2 and 1",
                fix="Choose fewer `folds`.",
            )
        jobs.append(
            Job(
                name=f"{name}, fold {fold + 1} of {folds}",
                folder=folder / f"fold-{fold}",
                labels=prepared.labels,
                rows=rows,
                scored=scored,
                seed=recipe.seed * 1009 + fold,
                validation=validation,
            )
        )
    return jobs


def score_folds(prepared: Prepared, recipe: Recipe, jobs: Iterable[Job], done: Iterable[Done]) -> FoldScores:
    """Score held-out predictions, fold by fold and pooled.

    Parameters
    ----------
    prepared : Prepared
        The dataset.
    recipe : Recipe
        How the models were trained.
    jobs : iterable of Job
        One for each fold.
    done : iterable of Done
        What each job predicted.
    """
    rows, predictions, folds = [], [], []
    for job, result in zip(jobs, done, strict=True):
        rows.append(job.scored)
        predictions.append(result.predictions)
        folds.append(_scores(prepared, recipe, job.scored, result.predictions))
    all_rows, all_predictions = np.concatenate(rows), np.concatenate(predictions)
    return FoldScores(all_rows, all_predictions, folds, _scores(prepared, recipe, all_rows, all_predictions))


def _scores(prepared: Prepared, recipe: Recipe, rows: Int64, predictions: Float32) -> dict[str, float]:
    labels = prepared.labels[rows]
    if recipe.target == "price":
        return price_scores(labels.astype(np.float64), predictions[:, 0])
    return classification_scores(labels.astype(np.int64), predictions.argmax(axis=1))
