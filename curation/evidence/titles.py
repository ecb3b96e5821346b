"""What the words of a title say of the class: naive Bayes on words and their parts, out-of-fold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.preprocessing import normalize

__all__ = ["title_likelihoods"]

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

#: Additive smoothing. Titles are short and their telling words rare, so it is small.
_SMOOTHING = 0.01
#: How many titles the name of a class is worth: "laptop" in a title speaks for Laptops.
_NAME_COUNTS = 5.0
#: Most words, and most parts of words, that are told apart: memory is K times as many numbers.
_VOCABULARY = 100_000


def title_likelihoods(
    titles: Sequence[str | None],
    labels: Integers,
    fold: Integers,
    may_train: npt.NDArray[np.bool_],
    classes: Sequence[str],
) -> Floats:
    """Return how likely each title is in each class, told by the titles of *other* folds.

    Multinomial naive Bayes (Manning, Raghavan and Schütze, *Introduction to Information Retrieval*, 2008, chapter 13)
    on TF-IDF of words, pairs of words, and parts of words of three to five letters. The name of each class counts as
    five titles of it. No class is more likely beforehand, whatever its size.

    Parameters
    ----------
    titles : sequence of str or None, length N
        The sellers' words; None or blank for missing.
    labels, fold : ndarray of int64, shape (N,)
        Given class numbers, and folds.
    may_train : ndarray of bool, shape (N,)
        Rows whose label may be used.
    classes : sequence of str, length K
        The names of the classes.

    Returns
    -------
    ndarray of float32, shape (N, K)
        Log-likelihoods up to a number per row, which makes their exponentials sum to 1; NaN rows for missing titles.
    """
    words = ["" if title is None else str(title).lower() for title in titles]
    known = np.array([bool(title.strip()) for title in words], dtype=bool)
    found = np.full((len(words), len(classes)), np.nan, dtype=np.float32)
    if not known.any():
        return found
    names = [name.replace("_", " ").lower() for name in classes]
    counts = [kind.fit_transform([*words, *names]) for kind in _kinds()]
    of_names = np.arange(len(words), len(words) + len(names))
    for number in np.unique(fold):
        rows = np.concatenate([np.flatnonzero((fold != number) & may_train & known), of_names])
        asked = np.flatnonzero((fold == number) & known)
        if not len(asked):
            continue
        learnt, question = _of_known_words(counts, rows, asked)
        targets = np.concatenate([labels, np.arange(len(names))])[rows]
        model = MultinomialNB(alpha=_SMOOTHING, fit_prior=False)
        model.fit(learnt, targets, np.where(rows < len(words), 1.0, _NAME_COUNTS))
        found[asked] = model.predict_log_proba(question)
    return found


def _kinds() -> list[TfidfVectorizer]:
    # what is counted needs no label, so all folds share it
    return [
        TfidfVectorizer(
            ngram_range=(1, 2),
            token_pattern=r"(?u)\w+|[^\w\s]+",
            sublinear_tf=True,
            max_features=_VOCABULARY,
            norm=None,
        ),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, max_features=_VOCABULARY, norm=None),
    ]


def _of_known_words(counts: list[csr_matrix], rows: Integers, asked: Integers) -> tuple[csr_matrix, csr_matrix]:
    """Return what is learnt from and what is asked; unknown words would speak for the class with the fewest."""
    learnt, question = [], []
    for kind in counts:
        seen = np.flatnonzero(kind[rows].getnnz(axis=0))
        learnt.append(normalize(kind[rows][:, seen]))
        question.append(normalize(kind[asked][:, seen]))
    return csr_matrix(hstack(learnt)), csr_matrix(hstack(question))
