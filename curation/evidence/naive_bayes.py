"""Out-of-fold multinomial naive Bayes on sparse counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import log_softmax

from curation.evidence.fitted import Fitted, sparse_from, sparse_values
from curation.evidence.text_features import scaled_rows
from training.utils.arrays import Bool, Float32, Float64, Int64
from training.utils.blocks import row_blocks

__all__ = ["by_known", "out_of_fold"]

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
    fitted: Fitted | None = None,
    name: str = "",
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
    fitted : Fitted, optional
        Keeps what was learned, for :func:`by_known`.
    name : str
        Under which it does.

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
    if fitted is not None:
        _keep(fitted, name, counts, examples, folds)
    for place, number in enumerate(folds):
        rows = np.flatnonzero((fold == number) & scored)
        if len(rows):
            logs[rows] = _Model.of(counts, examples, place)([part[rows] for part in parts])
    return logs


def by_known(parts: Sequence[csr_matrix], fold: Int64, scored: Bool, fitted: Fitted, name: str) -> Float32:
    """Return how likely each row is in each class by what an earlier run learned, see :func:`out_of_fold`.

    Parameters
    ----------
    parts : sequence of csr_matrix of float32, shape (n, V)
        Counts, by the columns of that run.
    fold : ndarray of int64, shape (n,)
        The fold that each row belongs to there.
    scored : ndarray of bool, shape (n,)
        Rows to say something of.
    fitted : Fitted
        Of that run.
    name : str
        Under which it has what was learned.

    Returns
    -------
    ndarray of float32, shape (n, K)
    """
    folds, classes = fitted[name]["folds"], int(fitted[name]["classes"])
    logs = np.full((len(fold), classes), np.nan, dtype=np.float32)
    for number in np.unique(fold[scored]):
        rows = np.flatnonzero((fold == number) & scored)
        place = int(np.searchsorted(folds, number))
        model = fitted.held(f"{name} without {number}", partial(_known, fitted, name, place, len(parts)))
        logs[rows] = model([part[rows] for part in parts])
    return logs


def _keep(
    fitted: Fitted, name: str, counts: Sequence[Sequence[csr_matrix]], examples: Sequence[csr_matrix], folds: Int64
) -> None:
    facts = {"folds": folds, "classes": np.array(examples[0].shape[0])}
    fitted(name, lambda: facts)
    for part, each in enumerate(counts):
        for place, of_fold in enumerate([*each, examples[part]]):
            fitted(f"{name}, {part} of {place}", partial(sparse_values, of_fold))


def _known(fitted: Fitted, name: str, place: int, parts: int) -> _Model:
    folds = len(fitted[name]["folds"])
    known = [[sparse_from(fitted[f"{name}, {part} of {at}"]) for at in range(folds + 1)] for part in range(parts)]
    return _Model.of([each[:-1] for each in known], [each[-1] for each in known], place)


@dataclass(frozen=True)
class _Model:
    """What the rows of all folds but one say.

    Attributes
    ----------
    learned : list of csr_matrix of float64, shape (V, K)
        How often each class has each column, of each part.
    known : list of ndarray of bool, shape (V,)
        Whether any class has it.
    total : ndarray of float64, shape (K,)
        The logarithm of all of a class.
    """

    learned: list[csr_matrix]
    known: list[Bool]
    total: Float64

    @classmethod
    def of(cls, counts: Sequence[Sequence[csr_matrix]], examples: Sequence[csr_matrix], place: int) -> _Model:
        """Add up the counts, of each part and fold, of all folds but that at `place`."""
        learned = [
            csr_matrix(sum((of_fold for other, of_fold in enumerate(each) if other != place), start=example.T.tocsr()))
            for each, example in zip(counts, examples, strict=True)
        ]
        known = [np.diff(each.indptr) > 0 for each in learned]
        return cls(learned, known, np.log(sum(_totals(each, mask) for each, mask in zip(learned, known, strict=True))))

    def __call__(self, parts: Sequence[csr_matrix]) -> Float32:
        """Return the log-likelihoods of rows, shape (n, K)."""
        count, classes = parts[0].shape[0], len(self.total)
        shown = [_of_columns(part, mask) for part, mask in zip(parts, self.known, strict=True)]
        learned = [each[columns] for each, (_, columns) in zip(self.learned, shown, strict=True)]
        says = np.zeros((count, classes), dtype=np.float32)
        for first in range(0, classes, _CLASSES):
            some = slice(first, first + _CLASSES)
            for (values, _), each in zip(shown, learned, strict=True):
                weights = np.log(each[:, some].toarray() + _SMOOTHING) - self.total[some]
                says[:, some] += values @ weights.astype(np.float32)
        logs = np.empty_like(says)
        for block in row_blocks(count):
            logs[block] = log_softmax(says[block].astype(np.float64), axis=1)
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


def _of_columns(values: csr_matrix, known: Bool) -> tuple[csr_matrix, Int64]:
    """Return rows of length 1 of the known columns, on the columns that any of them has; and which those are."""
    values.data *= known[values.indices]
    scaled = scaled_rows(values)
    columns = np.flatnonzero(np.bincount(scaled.indices, minlength=scaled.shape[1]))
    place = np.zeros(scaled.shape[1], dtype=scaled.indices.dtype)
    place[columns] = np.arange(len(columns))
    return csr_matrix((scaled.data, place[scaled.indices], scaled.indptr), (scaled.shape[0], len(columns))), columns
