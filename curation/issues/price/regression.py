"""Out-of-fold ridge regression of a number on titles, photos and classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, hstack

from curation.evidence.text_features import scaled_rows, tf_idf
from curation.issues.price.ridge import Ridges
from training.utils.arrays import Float32, Float64, Int64

__all__ = ["Regression"]


#: Number of leading directions of the features that are used.
_DIRECTIONS = 64
#: Scale of the features beside the words of a title.
_FEATURES_COUNT = 0.02


class Regression:
    """Ridge regression (Hoerl and Kennard, "Ridge Regression", Technometrics 1970) on titles, photos and classes.

    Titles count as TF-IDF of words and pairs of words, and of parts of words of three to five letters, that occur in at
    least two titles. Each of the two parts has length 1. All regressions are solved together, and
    begin where the last ones ended: from one call to the next, few weights change.

    Parameters
    ----------
    titles : sequence of str or None, length N
        None or blank for missing.
    features : ndarray of float32, shape (N, D), or None
        Of the photos; zeros for unreadable ones. See :func:`training.features.extract.compute_features`.
    labels : ndarray of int64, shape (N,)
        Given class numbers, -1 for none. They are not enough for a regression by themselves.
    penalties : sequence of float, length V
        Above 0. A small one trusts the words of single listings, a large one only what many have in common.
    """

    def __init__(
        self, titles: Sequence[str | None], features: Float32 | None, labels: Int64, penalties: Sequence[float]
    ) -> None:
        words = ["" if title is None else title.lower() for title in titles]
        parts = [scaled_rows(part) for part in tf_idf(words, rare=2) if part.shape[1]] if any(words) else []
        if features is not None and features.any():
            parts.append(_of_photos(features))
        self._penalties = np.array(penalties, dtype=np.float32)
        self._design = csr_matrix(hstack([*parts, _one_of(labels)])) if parts else None
        self._transposed = None if self._design is None else csr_matrix(self._design.T)
        self._found: Float32 | None = None

    @property
    def informative(self) -> bool:
        """Whether there is any title or photo to learn from."""
        return self._design is not None

    def predict(self, target: Float64, weight: Float64, fold: Int64) -> Float64:
        """Predict each row's target from the rows of other folds.

        Parameters
        ----------
        target : ndarray of float64, shape (N,)
            Finite where `weight` is positive.
        weight : ndarray of float64, shape (N,)
            Weight of each row, 0 or more.
        fold : ndarray of int64, shape (N,)
            The same in every call.

        Returns
        -------
        ndarray of float64, shape (N, V)
            For each penalty; 0 if there is nothing to learn from.
        """
        penalties = len(self._penalties)
        predictions = np.zeros((len(target), penalties))
        if self._design is None or self._transposed is None:
            return predictions
        folds = np.unique(fold)
        weights = np.repeat(np.where(fold[:, None] == folds, 0, weight[:, None]), penalties, axis=1)
        ridges = Ridges.of(self._design, self._transposed, weights, np.tile(self._penalties, len(folds)))
        if self._found is None:
            self._found = np.zeros((self._design.shape[1], weights.shape[1]), dtype=np.float32)
        self._found, intercepts = ridges.solve(np.where(weight > 0, target, 0), self._found)
        for place, number in enumerate(folds):
            own = slice(place * penalties, (place + 1) * penalties)
            rows = np.flatnonzero(fold == number)
            predictions[rows] = self._design[rows] @ self._found[:, own] + intercepts[own]
        return predictions


def _of_photos(features: Float32) -> csr_matrix:
    # around 0: differences of large numbers would be lost
    values = np.asarray(features[:, :_DIRECTIONS], dtype=np.float64)
    return csr_matrix((_FEATURES_COUNT * (values - values.mean(axis=0))).astype(np.float32))


def _one_of(labels: Int64) -> csr_matrix:
    rows = np.flatnonzero(labels >= 0)
    shape = (len(labels), int(labels.max(initial=0)) + 1)
    return csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, labels[rows])), shape=shape)
