"""Several sources, one belief: how much each source counts is learnt by how well it predicts given labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from curation.evidence.calibration import some_rows
from curation.evidence.log_odds import softmax
from curation.evidence.sources import Source

__all__ = ["fuse", "learn_weights"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Share of given labels that no source can be blamed for.
NOISE = 0.05
#: Half-way between "errors fall into classes by their size" (1: sizes say nothing) and "into all alike" (0).
SIZES_FORGOTTEN = 0.5
_RIDGE = 1e-3


def fuse(sources: Sequence[Source], sizes: Floats, weights: Floats, fold: Integers, *, brought: bool) -> Floats:
    """Add up what the sources say, each with its weight.

    Parameters
    ----------
    sources : sequence of Source, length E
        Of N listings.
    sizes : ndarray of float64, shape (K,)
        Log share of each class.
    weights : ndarray of float64, shape (F, E + 1)
        For each fold, those of the sources and that of the sizes; see :func:`learn_weights`.
    fold : ndarray of int64, shape (N,)
        Fold of every listing.
    brought : bool
        Whether the first source is a model that was trained elsewhere; it has the sizes in it already.

    Returns
    -------
    ndarray of float64, shape (N, K)
        Log-beliefs, up to a number per listing.
    """
    own = weights[fold]
    belief = sum((own[:, [place]] * source.says for place, source in enumerate(sources)), np.zeros((len(fold), 1)))
    if brought:
        return np.asarray(belief)
    return np.asarray(belief + (1 - SIZES_FORGOTTEN) * own[:, [-1]] * sizes)


def learn_weights(sources: Sequence[Source], sizes: Floats, labels: Integers, fold: Integers, rows: Integers) -> Floats:
    """Learn for every fold how much each source counts, from the listings of the *other* folds.

    The weights of a logarithmic opinion pool (Genest and Zidek, "Combining Probability Distributions", Statistical
    Science 1986), chosen to predict the given labels best (stacking: Wolpert, "Stacked generalization", 1992), when a
    share of 5 % of them is wrong at random. Sources that know nothing get 0, and sources that know the same share
    their weight.

    Parameters
    ----------
    sources : sequence of Source, length E
    sizes : ndarray of float64, shape (K,)
        Log share of each class: a source like the others, of which a part is forgotten later.
    labels, fold : ndarray of int64, shape (N,)
        Given class numbers, and folds.
    rows : ndarray of int64
        Listings whose label may be learnt from, in an order that does not depend on that of the table.

    Returns
    -------
    ndarray of float64, shape (folds, E + 1)
        Weights, 0 to 1: no source counts more than it claims.
    """
    folds = int(fold.max()) + 1
    start = np.array([*(1.0 if source.weight is None else source.weight for source in sources), 1.0])
    if len(sources) == 1:
        return np.tile(start, (folds, 1))
    rows = some_rows(rows, len(sizes))
    says = np.stack([*(source.says[rows] for source in sources), np.broadcast_to(sizes, (len(rows), len(sizes)))])
    learnt = [place for place, weight in enumerate([*(source.weight for source in sources), None]) if weight is None]
    return np.stack(
        [
            _learn(says[:, fold[rows] != number], labels[rows][fold[rows] != number], start, learnt)
            for number in range(folds)
        ]
    )


def _learn(says: Floats, labels: Integers, start: Floats, learnt: list[int]) -> Floats:
    weights = start.copy()
    if not len(labels):
        return weights
    fixed = np.setdiff1d(np.arange(len(start)), learnt)
    offset = np.tensordot(start[fixed], says[fixed], 1)
    says, each = says[learnt], np.arange(len(labels))
    of_given = says[:, each, labels]

    def loss(found: Floats) -> tuple[float, Floats]:
        probs = softmax(offset + np.tensordot(found, says, 1))
        right = (1 - NOISE) * probs[each, labels]
        likelihood = right + NOISE / probs.shape[1]
        slope = of_given - np.einsum("enk,nk->en", says, probs)
        gradient = -(slope * (right / likelihood)).mean(axis=1)
        return float(-np.log(likelihood).mean() + _RIDGE * (found**2).sum()), gradient + 2 * _RIDGE * found

    found = minimize(loss, weights[learnt], jac=True, method="L-BFGS-B", bounds=[(0, 1)] * len(learnt))
    weights[learnt] = found.x
    return weights
