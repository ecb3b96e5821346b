"""TF-IDF of short texts: of their words and pairs of words, and of parts of words.

The counts are those of scikit-learn's `TfidfVectorizer`. Each distinct word is taken apart once, however many texts
have it, and what is left out is left out before it is counted in each text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from training.utils.arrays import Bool, Int64

__all__ = ["row_lengths", "scaled_rows", "tf_idf"]

#: At most this many distinct words, and parts of words: a model holds K numbers for each.
_VOCABULARY = 100_000
_WORD = re.compile(r"\w+|[^\w\s]+")
#: Lengths of the parts of words, in letters.
_LENGTHS = (3, 4, 5)


def tf_idf(texts: Sequence[str], *, rare: int = 1) -> tuple[csr_matrix, csr_matrix]:
    """Return TF-IDF of words and pairs of words, and of parts of words of three to five letters.

    Counts c become 1 + log c; each column is weighted by log((1 + N) / (1 + n)) + 1, where n texts have it. Rows are
    not scaled; see :func:`scaled_rows`.

    Parameters
    ----------
    texts : sequence of str, length N
        In lower case; blank for missing.
    rare : int
        What fewer texts have is left out; 1 or more.

    Returns
    -------
    tuple of csr_matrix of float32, shape (N, V)
        Of each kind, at most the 100,000 that occur most often. The columns do not depend on the order of the texts.

    Examples
    --------
    >>> [part.shape for part in tf_idf(["red shoe", "red"])]
    [(2, 3), (2, 15)]
    """
    return _weighted(_words(texts, rare), rare), _weighted(_parts_of_words(texts, rare), rare)


def row_lengths(values: csr_matrix) -> np.ndarray:
    """Return the Euclidean length of each row, ndarray of float64 of shape (N,); 1 for rows of zeros."""
    row = np.repeat(np.arange(values.shape[0]), np.diff(values.indptr))
    lengths = np.sqrt(np.bincount(row, weights=np.square(values.data), minlength=values.shape[0]))
    return np.where(lengths > 0, lengths, 1.0)


def scaled_rows(values: csr_matrix) -> csr_matrix:
    """Return rows of length 1; rows of zeros stay.

    Parameters
    ----------
    values : csr_matrix of float32, shape (N, V)
    """
    scale = np.repeat((1 / row_lengths(values)).astype(values.dtype), np.diff(values.indptr))
    return csr_matrix((values.data * scale, values.indices, values.indptr), shape=values.shape)


def _words(texts: Sequence[str], rare: int) -> csr_matrix:
    """Count words, in the order of the alphabet, and then pairs of them, in each text."""
    row, word, names = _numbered([_WORD.findall(text) for text in texts])
    following = np.flatnonzero(row[1:] == row[:-1]) if len(row) else np.empty(0, np.int64)
    pair = word[following] * len(names) + word[following + 1]
    pair, pairs = pd.factorize(pair, sort=True)
    row, number = np.concatenate([row, row[following]]), np.concatenate([word, len(names) + pair])
    kept = _most(np.bincount(number, minlength=len(names) + len(pairs)), rare)
    place = np.cumsum(kept) - 1
    counted = kept[number]
    row, column = row[counted], place[number[counted]]
    return csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=(len(texts), int(kept.sum())))


def _parts_of_words(texts: Sequence[str], rare: int) -> csr_matrix:
    """Count parts of words, in the order of the alphabet, in each text. A word begins and ends with a space."""
    row, word, names = _numbered([text.split() for text in texts])
    in_text = csr_matrix((np.ones(len(row), np.float32), (row, word)), shape=(len(texts), len(names)))
    of_word, part, parts = _numbered([list(_parts_of(name)) for name in names])
    in_word = csr_matrix((np.ones(len(part), np.float32), (of_word, part)), shape=(len(names), len(parts)))
    often = np.bincount(word, minlength=len(names)) @ in_word
    return in_text @ in_word[:, np.flatnonzero(_most(often, rare))]


def _parts_of(word: str) -> Iterator[str]:
    padded = f" {word} "
    for length in _LENGTHS:
        yield from (padded[at : at + length] for at in range(max(1, len(padded) - length + 1)))
        if len(padded) <= length:
            # a short word counts once
            return


def _numbered(lists: Sequence[Sequence[str]]) -> tuple[Int64, Int64, Sequence[str]]:
    """Return for each item of each list the number of the list and that of the item, and the items in their order."""
    row = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    flat = np.fromiter(chain.from_iterable(lists), dtype=object, count=len(row))
    number, names = pd.factorize(flat, sort=True)
    return row, number.astype(np.int64), list(names)


def _most(often: np.ndarray, rare: int) -> Bool:
    """Return which occur most often, and in `rare` texts at least unless a text has them several times; shape (V,)."""
    kept = np.zeros(len(often), dtype=bool)
    kept[np.argsort(-often, kind="stable")[:_VOCABULARY]] = True
    return kept & (often >= rare)


def _weighted(counts: csr_matrix, rare: int) -> csr_matrix:
    texts = np.bincount(counts.indices, minlength=counts.shape[1])
    if (texts < rare).any():
        counts, texts = counts[:, np.flatnonzero(texts >= rare)], texts[texts >= rare]
    counts.sort_indices()
    weight = (np.log((1 + counts.shape[0]) / (1 + texts)) + 1).astype(np.float32)
    counts.data = (np.log(counts.data) + 1) * weight[counts.indices]
    return counts
