"""Which of several recipes is best, and whether the listings can show a difference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from curation.models.cross_validate import FoldScores
from curation.models.dataset import Prepared
from curation.models.scores import SCORES
from training.evaluation.bootstrap import Difference, resample
from training.settings import Recipe
from training.utils.arrays import Float64, Int64

__all__ = ["behind", "ranked"]

_RESAMPLES, _AT_ONCE = 2000, 100


def ranked(scores: Mapping[str, FoldScores], target: str) -> list[str]:
    """Return the names, best first, by the score over the held-out listings of all folds.

    Parameters
    ----------
    scores : mapping of str to FoldScores
        Scores by name.
    target : str
        ``"label"`` or ``"price"``.
    """
    sign = -1 if target == "label" else 1
    return sorted(scores, key=lambda name: sign * scores[name].pooled[SCORES[target][0]])


def behind(prepared: Prepared, recipe: Recipe, scores: Mapping[str, FoldScores]) -> dict[str, Difference]:
    """Return how far each recipe is behind the best, in macro-F1 or in the mean absolute error of prices.

    Parameters
    ----------
    prepared : Prepared
        The listings.
    recipe : Recipe
        Target, and the seed of the resampling.
    scores : mapping of str to FoldScores
        All on the same rows.

    Returns
    -------
    dict
        Name → difference, without the best; above 0: worse.

    Notes
    -----
    Percentile bootstrap, paired and clustered, as in :func:`training.evaluation.bootstrap.resample`: groups of the
    scored listings are drawn with replacement, and the out-of-fold predictions of both are scored on the same draw. The
    interval covers the choice of listings. It does not cover the randomness of training: one model per fold and recipe
    was trained, and another seed would give others. Nor does it correct for the choice of the best among many, which
    flatters the first.
    """
    best, *others = ranked(scores, recipe.target)
    rows = scores[best].rows
    groups, labels = prepared.data.groups[rows], prepared.labels[rows]
    if recipe.target == "price":
        errors = {name: np.abs(labels.astype(np.float64) - each.predictions[:, 0]) for name, each in scores.items()}
        return {name: _mean(errors[name] - errors[best], groups, recipe.seed) for name in others}
    predicted = {name: each.predictions.argmax(axis=1)[None].astype(np.int64) for name, each in scores.items()}
    drawn = resample(
        labels.astype(np.int64),
        predicted,
        groups,
        classes=len(prepared.classes),
        seed=recipe.seed,
        resamples=_RESAMPLES,
    )
    return {name: drawn.macro_f1(best, name) for name in others}


def _mean(values: Float64, groups: Int64, seed: int) -> Difference:
    """Return the mean of values (n,), with its interval over resamples of whole groups."""
    generator = np.random.default_rng(seed)
    _, group = np.unique(groups, return_inverse=True)
    total, size = np.bincount(group, weights=values), np.bincount(group)
    even = np.full(len(size), 1 / len(size))
    means = []
    for _ in range(0, _RESAMPLES, _AT_ONCE):
        drawn = generator.multinomial(len(size), even, size=_AT_ONCE)
        means.append((drawn @ total) / (drawn @ size))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Difference(float(values.mean()), float(low), float(high))
