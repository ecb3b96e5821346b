"""Out-of-fold ridge regression of a number on titles, photos and classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, hstack

from curation.evidence.fitted import Fitted, Values, keep_vocabulary, known_vocabulary, unkept
from curation.evidence.text_features import scaled_rows, tf_idf
from curation.issues.price.ridge import Ridges
from training.utils.arrays import Float32, Float64, Int64

__all__ = ["Regression"]


#: What is kept, by this name.
_NAME = "regression of prices"
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
    fitted : Fitted, optional
        Keeps what the columns are; or has those of an earlier run, to predict by.
    """

    def __init__(
        self,
        titles: Sequence[str | None],
        features: Float32 | None,
        labels: Int64,
        penalties: Sequence[float],
        fitted: Fitted | None = None,
    ) -> None:
        self._fit = unkept if fitted is None else fitted
        words = ["" if title is None else title.lower() for title in titles]
        columns = self._fit(f"columns of the {_NAME}", lambda: _columns(words, features, labels))
        parts = [scaled_rows(kind) for kind in _kinds(words, fitted) if kind.shape[1]] if columns["titles"] else []
        if features is not None and columns["photos"]:
            parts.append(_of_photos(features, columns["centre"]))
        self._penalties = np.array(penalties, dtype=np.float32)
        self._design = csr_matrix(hstack([*parts, _one_of(labels, int(columns["classes"]))])) if parts else None
        self._transposed: csr_matrix | None = None
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
        if self._design is None:
            return predictions
        design = self._design
        model = self._fit(_NAME, lambda: self._learn(design, target, weight, fold))
        for number in np.unique(fold):
            place = int(np.searchsorted(model["folds"], number))
            own = slice(place * penalties, (place + 1) * penalties)
            rows = np.flatnonzero(fold == number)
            predictions[rows] = design[rows] @ model["coefficients"][:, own] + model["intercepts"][own]
        return predictions

    def _learn(self, design: csr_matrix, target: Float64, weight: Float64, fold: Int64) -> Values:
        """Return the folds, and the coefficients and intercepts of each, with all penalties, by the others."""
        if self._transposed is None:
            self._transposed = csr_matrix(design.T)
        folds = np.unique(fold)
        weights = np.repeat(np.where(fold[:, None] == folds, 0, weight[:, None]), len(self._penalties), axis=1)
        ridges = Ridges.of(design, self._transposed, weights, np.tile(self._penalties, len(folds)))
        if self._found is None:
            self._found = np.zeros((design.shape[1], weights.shape[1]), dtype=np.float32)
        self._found, intercepts = ridges.solve(np.where(weight > 0, target, 0), self._found)
        return {"folds": folds, "coefficients": self._found, "intercepts": intercepts}


def _columns(words: Sequence[str], features: Float32 | None, labels: Int64) -> Values:
    """Return whether there are titles and photos, the mean of the features, and the number of classes."""
    photos = features is not None and bool(features.any())
    centre = _leading(features).mean(axis=0) if features is not None and photos else np.empty(0)
    return {
        "titles": np.array(any(words)),
        "photos": np.array(photos),
        "centre": centre,
        "classes": np.array(int(labels.max(initial=0)) + 1),
    }


def _kinds(words: Sequence[str], fitted: Fitted | None) -> tuple[csr_matrix, csr_matrix]:
    """Return TF-IDF of titles, by the columns of an earlier run where there is one."""
    if fitted is not None and fitted.applied:
        return known_vocabulary(fitted, _NAME).tf_idf(words)
    kinds, vocabulary = tf_idf(words, rare=2)
    if fitted is not None:
        keep_vocabulary(fitted, _NAME, vocabulary)
    return kinds


def _leading(features: Float32) -> Float64:
    return np.asarray(features[:, :_DIRECTIONS], dtype=np.float64)


def _of_photos(features: Float32, centre: Float64) -> csr_matrix:
    # around 0: differences of large numbers would be lost
    return csr_matrix((_FEATURES_COUNT * (_leading(features) - centre)).astype(np.float32))


def _one_of(labels: Int64, classes: int) -> csr_matrix:
    rows = np.flatnonzero((labels >= 0) & (labels < classes))
    shape = (len(labels), classes)
    return csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, labels[rows])), shape=shape)
