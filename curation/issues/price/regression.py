"""Out-of-fold ridge regression of a number on titles, photos and classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from curation.evidence.titles import vectorizers
from training.utils.arrays import Float32, Float64, Int64

__all__ = ["Regression"]


#: Number of leading directions of the features that are used.
_DIRECTIONS = 64
#: Scale of the features beside the words of a title.
_FEATURES_COUNT = 0.02
#: Relative tolerance of conjugate gradients: on prices, hundreds of further steps hardly changed a flag.
_TOLERANCE = 0.03


class Regression:
    """Ridge regression (Hoerl and Kennard, "Ridge Regression", Technometrics 1970) on titles, photos and classes.

    Titles count as TF-IDF of words and pairs of words, and of parts of words of three to five letters, that occur in at
    least two titles. Each of the two parts has length 1.

    Parameters
    ----------
    titles : sequence of str or None, length N
        None or blank for missing.
    features : ndarray of float32, shape (N, D), or None
        Of the photos; zeros for unreadable ones. See :func:`training.features.extract.compute_features`.
    labels : ndarray of int64, shape (N,)
        Given class numbers, -1 for none. They are not enough for a regression by themselves.
    """

    def __init__(self, titles: Sequence[str | None], features: Float32 | None, labels: Int64) -> None:
        words = ["" if title is None else title.lower() for title in titles]
        counts = [_counted(vectorizer, words) for vectorizer in vectorizers(min_df=2)] if any(words) else []
        parts = [count for count in counts if count is not None]
        if features is not None and features.any():
            parts.append(csr_matrix(_FEATURES_COUNT * np.asarray(features[:, :_DIRECTIONS], dtype=np.float64)))
        self._design = csr_matrix(hstack([*parts, _one_of(labels)])) if parts else None

    @property
    def informative(self) -> bool:
        """Whether there is any title or photo to learn from."""
        return self._design is not None

    def predict(self, target: Float64, weight: Float64, fold: Int64, *, penalty: float) -> Float64:
        """Predict each row's target from the rows of other folds.

        Parameters
        ----------
        target : ndarray of float64, shape (N,)
            Finite where `weight` is positive.
        weight : ndarray of float64, shape (N,)
            Weight of each row, 0 or more.
        fold : ndarray of int64, shape (N,)
        penalty : float
            Above 0. A small one trusts the words of single listings, a large one only what many have in common.

        Returns
        -------
        ndarray of float64, shape (N,)
            0 if there is nothing to learn from.
        """
        predictions = np.zeros(len(target))
        for number in np.unique(fold):
            rows, scored = np.flatnonzero((fold != number) & (weight > 0)), np.flatnonzero(fold == number)
            if self._design is None or not len(rows):
                continue
            model = Ridge(alpha=penalty, solver="sparse_cg", tol=_TOLERANCE)
            model.fit(self._design[rows], target[rows], sample_weight=weight[rows])
            predictions[scored] = model.predict(self._design[scored])
        return predictions


def _one_of(labels: Int64) -> csr_matrix:
    rows = np.flatnonzero(labels >= 0)
    shape = (len(labels), int(labels.max(initial=0)) + 1)
    return csr_matrix((np.ones(len(rows)), (rows, labels[rows])), shape=shape)


def _counted(vectorizer: TfidfVectorizer, words: Sequence[str]) -> csr_matrix | None:
    try:
        return vectorizer.fit_transform(words)
    except ValueError:
        # no word occurs twice
        return None
