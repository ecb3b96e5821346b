"""The combination of sources; the weight of each is learned from how well it predicts given labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from curation.evidence.calibration import some_rows
from curation.evidence.log_odds import softmax
from curation.evidence.rows import Rows
from curation.evidence.sources import Source
from training.utils.arrays import Float64, Int64

__all__ = ["fuse", "learn_weights"]


#: Share of given labels that are assumed wrong at random when weights are learned.
NOISE = 0.05
#: Share of the log class sizes that is left out of the belief. 1 is right if wrong labels are distributed like the
#: classes, 0 if evenly.
SIZES_FORGOTTEN = 0.5
_RIDGE = 1e-3


def fuse(sources: Sequence[Source], sizes: Float64, weights: Float64, fold: Int64, *, provided: bool) -> Rows:
    """Add the log-likelihoods of the sources, each with its weight.

    Parameters
    ----------
    sources : sequence of Source, length E
        Of N listings.
    sizes : ndarray of float64, shape (K,)
        Log share of each class.
    weights : ndarray of float64, shape (F, E + 1)
        For each fold, those of the sources and of the sizes; see :func:`learn_weights`.
    fold : ndarray of int64, shape (N,)
        Fold of every listing.
    provided : bool
        Whether the probabilities are the user's own. They include the class sizes already.

    Returns
    -------
    Rows of shape (N, K)
        Log-beliefs, up to a constant per listing.
    """

    def fused(rows: slice | Int64) -> Float64:
        own = weights[fold[rows]]
        belief = np.zeros((len(own), len(sizes)))
        for e, source in enumerate(sources):
            belief += own[:, [e]] * source.log_likelihood[rows]
        if not provided:
            belief += (1 - SIZES_FORGOTTEN) * own[:, [-1]] * sizes
        return belief

    return Rows((len(fold), len(sizes)), fused)


def learn_weights(sources: Sequence[Source], sizes: Float64, labels: Int64, fold: Int64, rows: Int64) -> Float64:
    """Learn the weight of each source for every fold, from the listings of the *other* folds.

    The weights of a logarithmic opinion pool (Genest and Zidek, "Combining Probability Distributions", Statistical
    Science 1986) that predict the given labels best (stacking: Wolpert, "Stacked generalization", 1992), assuming that
    5 % of them are wrong at random. Uninformative sources get 0, and redundant ones share their weight.

    Parameters
    ----------
    sources : sequence of Source, length E
    sizes : ndarray of float64, shape (K,)
        Log share of each class: a source like the others, half of which is left out later.
    labels, fold : ndarray of int64, shape (N,)
        Given class numbers, and folds.
    rows : ndarray of int64
        Listings whose label may be used for training, in an order that does not depend on that of the table.

    Returns
    -------
    ndarray of float64, shape (folds, E + 1)
        Weights, 0 to 1: no source counts more than its own likelihood.
    """
    folds = int(fold.max()) + 1
    start = np.array([*(1.0 if source.weight is None else source.weight for source in sources), 1.0])
    if len(sources) == 1:
        return np.tile(start, (folds, 1))
    rows = some_rows(rows, len(sizes))
    terms = np.stack(
        [*(source.log_likelihood[rows] for source in sources), np.broadcast_to(sizes, (len(rows), len(sizes)))]
    )
    learned = [e for e, weight in enumerate([*(source.weight for source in sources), None]) if weight is None]
    return np.stack(
        [
            _learn(terms[:, fold[rows] != number], labels[rows][fold[rows] != number], start, learned)
            for number in range(folds)
        ]
    )


def _learn(terms: Float64, labels: Int64, start: Float64, learned: list[int]) -> Float64:
    weights = start.copy()
    if not len(labels):
        return weights
    fixed = np.setdiff1d(np.arange(len(start)), learned)
    offset = np.tensordot(start[fixed], terms[fixed], 1)
    terms, each = terms[learned], np.arange(len(labels))
    of_given = terms[:, each, labels]

    def loss(candidate: Float64) -> tuple[float, Float64]:
        probs = softmax(offset + np.tensordot(candidate, terms, 1))
        right = (1 - NOISE) * probs[each, labels]
        likelihood = right + NOISE / probs.shape[1]
        slope = of_given - np.einsum("enk,nk->en", terms, probs)
        gradient = -(slope * (right / likelihood)).mean(axis=1)
        return float(-np.log(likelihood).mean() + _RIDGE * (candidate**2).sum()), gradient + 2 * _RIDGE * candidate

    best = minimize(loss, weights[learned], jac=True, method="L-BFGS-B", bounds=[(0, 1)] * len(learned))
    weights[learned] = best.x
    return weights
