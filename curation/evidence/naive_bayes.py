"""Out-of-fold multinomial naive Bayes on sparse counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import log_softmax

from curation.evidence.text_features import scaled_rows
from training.utils.arrays import Bool, Float32, Float64, Int64
from training.utils.blocks import row_blocks

__all__ = ["out_of_fold"]

#: Additive smoothing. It is small, because titles are short and their informative words rare.
_SMOOTHING = 0.01
#: Classes at a time: a model holds a number for each of them and each column.
_CLASSES = 64


def out_of_fold(
    parts: Sequence[csr_matrix],
    examples: Sequence[csr_matrix],
    labels: Int64,
    fold: Int64,
    trains: Bool,
    *,
    scored: Bool,
) -> Float32:
    """Return how likely each row is in each class, learned from the rows of *other* folds, and from examples.

    Each part of a row counts as much as any other, however long it is. Columns that no training row has say nothing:
    new words would favour the smallest class. No class is more likely a priori.

    Parameters
    ----------
    parts : sequence of csr_matrix of float32, shape (N, V)
        Counts, 0 or more, each part with columns of its own.
    examples : sequence of csr_matrix of float32, shape (K, V)
        The same of an example of each class, which counts as if it were in every fold.
    labels, fold : ndarray of int64, shape (N,)
        Class numbers, and folds.
    trains, scored : ndarray of bool, shape (N,)
        Rows to learn from, and rows to say something of.

    Returns
    -------
    ndarray of float32, shape (N, K)
        Log-likelihoods up to a constant per row, which makes their exponentials sum to 1; NaN rows that are not scored.
    """
    classes, folds = examples[0].shape[0], np.unique(fold)
    logs = np.full((len(labels), classes), np.nan, dtype=np.float32)
    counts = [
        [_counts(scaled_rows(part[rows]), labels[rows], classes) for rows in _training_rows(fold, trains, folds)]
        for part in parts
    ]
    for place, number in enumerate(folds):
        rows = np.flatnonzero((fold == number) & scored)
        if not len(rows):
            continue
        learned = [
            csr_matrix(sum((of_fold for other, of_fold in enumerate(each) if other != place), start=example.T.tocsr()))
            for each, example in zip(counts, examples, strict=True)
        ]
        known = [np.diff(each.indptr) > 0 for each in learned]
        total = np.log(sum(_totals(each, mask) for each, mask in zip(learned, known, strict=True)))
        shown = [_of_columns(part[rows], mask) for part, mask in zip(parts, known, strict=True)]
        says = np.zeros((len(rows), classes), dtype=np.float32)
        for first in range(0, classes, _CLASSES):
            some = slice(first, first + _CLASSES)
            for values, each in zip(shown, learned, strict=True):
                weights = np.log(each[:, some].toarray() + _SMOOTHING) - total[some]
                says[:, some] += values @ weights.astype(np.float32)
        for block in row_blocks(len(rows)):
            logs[rows[block]] = log_softmax(says[block].astype(np.float64), axis=1)
    return logs


def _training_rows(fold: Int64, trains: Bool, folds: Int64) -> list[Int64]:
    return [np.flatnonzero((fold == number) & trains) for number in folds]


def _counts(values: csr_matrix, labels: Int64, classes: int) -> csr_matrix:
    """Return the sum of the rows of each class, csr_matrix of float64, shape (V, K)."""
    of_class = csr_matrix((np.ones(len(labels)), (np.arange(len(labels)), labels)), shape=(len(labels), classes))
    return csr_matrix(values.T @ of_class)


def _totals(counts: csr_matrix, known: Bool) -> Float64:
    """Return the sum of each class with what smoothing adds, shape (K,)."""
    return np.asarray(counts.sum(axis=0), dtype=np.float64).ravel() + _SMOOTHING * int(known.sum())


def _of_columns(values: csr_matrix, known: Bool) -> csr_matrix:
    """Return rows of length 1 of these columns."""
    values.data *= known[values.indices]
    return scaled_rows(values)
