"""How likely each title, or text in a photo, is in each class: out-of-fold naive Bayes on words and their parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curation.evidence.naive_bayes import out_of_fold
from curation.evidence.text_features import scaled_rows, tf_idf
from training.utils.arrays import Bool, Float32, Int64

__all__ = ["text_likelihoods", "title_likelihoods"]


#: The name of a class counts as this many of its titles: "laptop" in a title speaks for Laptops.
_NAME_COUNTS = 5.0


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
    if not present.any():
        return np.full((len(words), len(classes)), np.nan, dtype=np.float32)
    names = [name.replace("_", " ").lower() for name in classes]
    # counting needs no label, so all folds share the counts
    counts = tf_idf([*words, *names])
    examples = [_NAME_COUNTS * scaled_rows(part[len(words) :]) for part in counts]
    titles = [part[: len(words)] for part in counts]
    return out_of_fold(titles, examples, labels, fold, may_train & present, scored=present)


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
