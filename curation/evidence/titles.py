"""How likely each title, or text in a photo, is in each class: out-of-fold naive Bayes on words and their parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curation.evidence.fitted import Fitted, keep_vocabulary, known_vocabulary
from curation.evidence.naive_bayes import by_known, out_of_fold
from curation.evidence.text_features import scaled_rows, tf_idf
from training.utils.arrays import Bool, Float32, Int64

__all__ = ["text_likelihoods", "title_likelihoods"]


#: The name of a class counts as this many of its titles: "laptop" in a title speaks for Laptops.
_NAME_COUNTS = 5.0
#: What is kept of texts in photos, by this name.
_TEXTS = "texts"


def title_likelihoods(
    titles: Sequence[str | None],
    labels: Int64,
    fold: Int64,
    may_train: Bool,
    classes: Sequence[str],
    fitted: Fitted | None = None,
    *,
    name: str = "titles",
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
    fitted : Fitted, optional
        Keeps what was learned; or has that of an earlier run, which judges the titles.
    name : str
        Under which it does.

    Returns
    -------
    ndarray of float32, shape (N, K)
        Log-likelihoods up to a constant per row, which makes their exponentials sum to 1; NaN rows without a title.
    """
    words = ["" if title is None else str(title).lower() for title in titles]
    present = np.array([bool(title.strip()) for title in words], dtype=bool)
    if not present.any():
        return np.full((len(words), len(classes)), np.nan, dtype=np.float32)
    if fitted is not None and fitted.applied:
        return by_known(known_vocabulary(fitted, name).tf_idf(words), fold, present, fitted, name)
    names = [each.replace("_", " ").lower() for each in classes]
    # counting needs no label, so all folds share the counts
    counts, vocabulary = tf_idf([*words, *names])
    if fitted is not None:
        keep_vocabulary(fitted, name, vocabulary)
    examples = [_NAME_COUNTS * scaled_rows(part[len(words) :]) for part in counts]
    titles = [part[: len(words)] for part in counts]
    trains = may_train & present
    return out_of_fold(titles, examples, labels, fold, trains, scored=present, fitted=fitted, name=name)


def text_likelihoods(
    texts: Sequence[str | None],
    titles: Sequence[str | None],
    labels: Int64,
    fold: Int64,
    may_train: Bool,
    classes: Sequence[str],
    fitted: Fitted | None = None,
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
    fitted : Fitted, optional
        As for :func:`title_likelihoods`.

    Returns
    -------
    ndarray of float32, shape (N, K)
        As of :func:`title_likelihoods`; NaN rows without a text.
    """
    if fitted is not None and fitted.applied:
        return title_likelihoods(texts, labels, fold, may_train, classes, fitted, name=_TEXTS)
    twice = (np.tile(labels, 2), np.tile(fold, 2), np.tile(may_train, 2))
    return title_likelihoods([*texts, *titles], *twice, classes, fitted, name=_TEXTS)[: len(texts)]
