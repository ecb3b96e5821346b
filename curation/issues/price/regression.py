"""A number told by titles, photos and classes, out-of-fold: ridge regression on words, their parts, and features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

__all__ = ["Regression"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Most words, and most parts of words, that are told apart.
_VOCABULARY = 100_000
#: Directions of the features that are used, the widest ones, and how much they count beside the words of a title.
_DIRECTIONS, _FEATURES_COUNT = 64, 0.02

#: Where conjugate gradients stop, relative to the beginning: on prices, hundreds of steps more hardly changed a flag.
_TOLERANCE = 0.03


class Regression:
    """Ridge regression (Hoerl and Kennard, "Ridge Regression", Technometrics 1970) on titles, photos and classes.

    Titles count as TF-IDF of words, pairs of words and parts of words of three to five letters that occur in two titles
    at least, each title of length 1 in either.

    Parameters
    ----------
    titles : sequence of str or None, length N
        None or blank for missing.
    features : ndarray of float32, shape (N, D), or None
        Of the photos; zeros for unreadable ones. See :func:`training.features.extract.compute_features`.
    labels : ndarray of int64, shape (N,)
        Given class numbers, -1 for none. They alone make no regression.
    """

    def __init__(
        self, titles: Sequence[str | None], features: npt.NDArray[np.float32] | None, labels: Integers
    ) -> None:
        words = ["" if title is None else title.lower() for title in titles]
        parts = [counted for kind in _kinds() if (counted := _counted(kind, words)) is not None]
        if features is not None and features.any():
            parts.append(csr_matrix(_FEATURES_COUNT * np.asarray(features[:, :_DIRECTIONS], dtype=np.float64)))
        self._design = csr_matrix(hstack([*parts, _one_of(labels)])) if parts else None

    @property
    def knows(self) -> bool:
        """Whether any title or photo says anything."""
        return self._design is not None

    def predict(self, target: Floats, weight: Floats, fold: Integers, *, penalty: float) -> Floats:
        """Tell each row's target by the rows of other folds.

        Parameters
        ----------
        target : ndarray of float64, shape (N,)
            Finite where `weight` is positive.
        weight : ndarray of float64, shape (N,)
            How much each row counts, 0 or more.
        fold : ndarray of int64, shape (N,)
        penalty : float
            Above 0. With less, the words of a single listing are believed; with more, only what many have in common.

        Returns
        -------
        ndarray of float64, shape (N,)
            0 where there is nothing to learn from.
        """
        found = np.zeros(len(target))
        for number in np.unique(fold):
            rows, asked = np.flatnonzero((fold != number) & (weight > 0)), np.flatnonzero(fold == number)
            if self._design is None or not len(rows):
                continue
            model = Ridge(alpha=penalty, solver="sparse_cg", tol=_TOLERANCE)
            model.fit(self._design[rows], target[rows], sample_weight=weight[rows])
            found[asked] = model.predict(self._design[asked])
        return found


def _one_of(labels: Integers) -> csr_matrix:
    rows = np.flatnonzero(labels >= 0)
    shape = (len(labels), int(labels.max(initial=0)) + 1)
    return csr_matrix((np.ones(len(rows)), (rows, labels[rows])), shape=shape)


def _kinds() -> list[TfidfVectorizer]:
    shared = {"sublinear_tf": True, "max_features": _VOCABULARY, "min_df": 2}
    return [
        TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\w+|[^\w\s]+", **shared),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared),
    ]


def _counted(kind: TfidfVectorizer, words: Sequence[str]) -> csr_matrix | None:
    try:
        return kind.fit_transform(words)
    except ValueError:
        # no word occurs twice
        return None
