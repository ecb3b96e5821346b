"""How likely each title, or text in a photo, is in each class: out-of-fold naive Bayes on words and their parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.preprocessing import normalize

from training.utils.arrays import Bool, Float32, Int64

__all__ = ["text_likelihoods", "title_likelihoods", "vectorizers"]


#: Additive smoothing. It is small, because titles are short and their informative words rare.
_SMOOTHING = 0.01
#: The name of a class counts as this many of its titles: "laptop" in a title speaks for Laptops.
_NAME_COUNTS = 5.0
#: At most this many distinct words, and parts of words: a model holds K numbers for each.
_VOCABULARY = 100_000


def title_likelihoods(
    titles: Sequence[str | None],
    labels: Int64,
    fold: Int64,
    may_train: Bool,
    classes: Sequence[str],
) -> Float32:
    """Return how likely each title is in each class, learned from the titles of *other* folds.

    Multinomial naive Bayes (Manning, Raghavan and Schütze, *Introduction to Information Retrieval*, 2008, chapter 13)
    on TF-IDF of words, pairs of words, and parts of words of three to five letters. The name of each class counts as
    five of its titles. No class is more likely a priori, whatever its size.

    Parameters
    ----------
    titles : sequence of str or None, length N
        None or blank for missing.
    labels, fold : ndarray of int64, shape (N,)
        Given class numbers, and folds.
    may_train : ndarray of bool, shape (N,)
        Rows whose label may be used for training.
    classes : sequence of str, length K
        The names of the classes.

    Returns
    -------
    ndarray of float32, shape (N, K)
        Log-likelihoods up to a constant per row, which makes their exponentials sum to 1; NaN rows without a title.
    """
    words = ["" if title is None else str(title).lower() for title in titles]
    present = np.array([bool(title.strip()) for title in words], dtype=bool)
    logs = np.full((len(words), len(classes)), np.nan, dtype=np.float32)
    if not present.any():
        return logs
    names = [name.replace("_", " ").lower() for name in classes]
    # counting needs no label, so all folds share the counts
    counts = [vectorizer.fit_transform([*words, *names]) for vectorizer in vectorizers(norm=None)]
    of_names = np.arange(len(words), len(words) + len(names))
    for number in np.unique(fold):
        rows = np.concatenate([np.flatnonzero((fold != number) & may_train & present), of_names])
        scored = np.flatnonzero((fold == number) & present)
        if not len(scored):
            continue
        training, scoring = _with_shared_vocabulary(counts, rows, scored)
        targets = np.concatenate([labels, np.arange(len(names))])[rows]
        model = MultinomialNB(alpha=_SMOOTHING, fit_prior=False)
        model.fit(training, targets, np.where(rows < len(words), 1.0, _NAME_COUNTS))
        logs[scored] = model.predict_log_proba(scoring)
    return logs


def text_likelihoods(
    texts: Sequence[str | None],
    titles: Sequence[str | None],
    labels: Int64,
    fold: Int64,
    may_train: Bool,
    classes: Sequence[str],
) -> Float32:
    """Return how likely each text is in each class, learned from the texts and the titles of *other* folds.

    Few photos show words, and titles teach what many of them mean. See :func:`title_likelihoods` for the model.

    Parameters
    ----------
    texts, titles : sequence of str or None, length N
        What is written in each photo, and its listing's title; None or blank for missing.
    labels, fold : ndarray of int64, shape (N,)
        Given class numbers, and folds.
    may_train : ndarray of bool, shape (N,)
        Rows whose label may be used for training.
    classes : sequence of str, length K
        The names of the classes.

    Returns
    -------
    ndarray of float32, shape (N, K)
        As of :func:`title_likelihoods`; NaN rows without a text.
    """
    twice = (np.tile(labels, 2), np.tile(fold, 2), np.tile(may_train, 2))
    return title_likelihoods([*texts, *titles], *twice, classes=classes)[: len(texts)]


def vectorizers(**options: Any) -> list[TfidfVectorizer]:
    """Return TF-IDF of words and pairs of words, and of parts of words of three to five letters."""
    shared = {"sublinear_tf": True, "max_features": _VOCABULARY, **options}
    return [
        # a token is a word here, no password
        TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\w+|[^\w\s]+", **shared),  # noqa: S106  # nosec B106
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared),
    ]


def _with_shared_vocabulary(counts: list[csr_matrix], rows: Int64, scored: Int64) -> tuple[csr_matrix, csr_matrix]:
    """Return training and scored rows, on the words of the former: new words would favour the smallest class."""
    training, scoring = [], []
    for kind in counts:
        words = np.flatnonzero(kind[rows].getnnz(axis=0))
        training.append(normalize(kind[rows][:, words]))
        scoring.append(normalize(kind[scored][:, words]))
    return csr_matrix(hstack(training)), csr_matrix(hstack(scoring))
