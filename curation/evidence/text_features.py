"""TF-IDF of short texts: of their words and pairs of words, and of parts of words.

The counts are those of scikit-learn's `TfidfVectorizer`. Each distinct word is taken apart once, however many texts
have it, and what is left out is left out before it is counted in each text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from training.utils.arrays import Bool, Float32, Int64

__all__ = ["Vocabulary", "row_lengths", "scaled_rows", "tf_idf"]

#: At most this many distinct words, and parts of words: a model holds K numbers for each.
_VOCABULARY = 100_000
_WORD = re.compile(r"\w+|[^\w\s]+")
#: Lengths of the parts of words, in letters.
_LENGTHS = (3, 4, 5)


@dataclass(frozen=True)
class Vocabulary:
    """The columns of TF-IDF, so that it can be made of texts that come later.

    Attributes
    ----------
    words : list of str, length V
        In the order of the alphabet: the first columns of the first kind.
    pairs : ndarray of int64, shape (P,)
        Pairs of words, the other columns of that kind: V times the place of the first one and that of the second.
    parts : list of str, length Q
        Parts of words, in the order of the alphabet: the columns of the second kind.
    weights : tuple of ndarray of float32, shape (V + P,) and (Q,)
        Of the columns of both kinds.
    """

    words: list[str]
    pairs: Int64
    parts: list[str]
    weights: tuple[Float32, Float32]

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, int]]:
        words, parts = ({name: place for place, name in enumerate(names)} for names in (self.words, self.parts))
        return words, parts

    def tf_idf(self, texts: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
        """Return TF-IDF of texts by these columns and weights; words that are not among them count for nothing.

        Parameters
        ----------
        texts : sequence of str, length n
            In lower case; blank for missing.

        Returns
        -------
        tuple of csr_matrix of float32, shape (n, V + P) and (n, Q)
            As of :func:`tf_idf`.
        """
        of_words, of_parts = self.weights
        return _rated(self._words(texts), of_words), _rated(self._parts_of_words(texts), of_parts)

    def _words(self, texts: Sequence[str]) -> csr_matrix:
        row, word, names = _numbered([_WORD.findall(text) for text in texts])
        word = _found(names, self._places[0])[word]
        following = _following(row)
        first, second = word[following], word[following + 1]
        pair = np.where((first < 0) | (second < 0), -1, first * len(self.words) + second)
        place = np.searchsorted(self.pairs, pair)
        place = np.where((pair >= 0) & (np.append(self.pairs, -1)[place] == pair), len(self.words) + place, -1)
        row, column = np.concatenate([row, row[following]]), np.concatenate([word, place])
        return _counts(row, column, (len(texts), len(self.weights[0])))

    def _parts_of_words(self, texts: Sequence[str]) -> csr_matrix:
        row, word, names = _numbered([text.split() for text in texts])
        of_word, part, parts = _numbered([list(_parts_of(name)) for name in names])
        in_word = _counts(of_word, _found(parts, self._places[1])[part], (len(names), len(self.parts)))
        return _counts(row, word, (len(texts), len(names))) @ in_word


def tf_idf(texts: Sequence[str], *, rare: int = 1) -> tuple[tuple[csr_matrix, csr_matrix], Vocabulary]:
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
    kinds : tuple of csr_matrix of float32, shape (N, V + P) and (N, Q)
        Of each kind, at most the 100,000 that occur most often. The columns do not depend on the order of the texts.
    vocabulary : Vocabulary
        What they are.

    Examples
    --------
    >>> kinds, vocabulary = tf_idf(["red shoe", "red"])
    >>> [kind.shape for kind in kinds], vocabulary.words
    ([(2, 3), (2, 15)], ['red', 'shoe'])
    """
    counts, words, pairs = _words(texts, rare)
    of_words, word_weights, left = _weighted(counts, rare)
    words, pairs = _left(words, pairs, left)
    counts, parts = _parts_of_words(texts, rare)
    of_parts, part_weights, left = _weighted(counts, rare)
    return (of_words, of_parts), Vocabulary(words, pairs, [parts[at] for at in left], (word_weights, part_weights))


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


def _words(texts: Sequence[str], rare: int) -> tuple[csr_matrix, list[str], Int64]:
    """Count words, in the order of the alphabet, and then pairs of them, in each text; return also what they are."""
    row, word, names = _numbered([_WORD.findall(text) for text in texts])
    following = _following(row)
    pair = word[following] * len(names) + word[following + 1]
    pair, pairs = pd.factorize(pair, sort=True)
    row, number = np.concatenate([row, row[following]]), np.concatenate([word, len(names) + pair])
    kept = _most(np.bincount(number, minlength=len(names) + len(pairs)), rare)
    place = np.where(kept, np.cumsum(kept) - 1, -1)
    counts = _counts(row, place[number], (len(texts), int(kept.sum())))
    return counts, *_left(names, pairs, np.flatnonzero(kept))


def _left(words: list[str], pairs: Int64, columns: Int64) -> tuple[list[str], Int64]:
    """Return the words and pairs of words of some columns; a word occurs wherever its pairs do, and stays with them."""
    of_words = columns[columns < len(words)]
    place = np.zeros(len(words), dtype=np.int64)
    place[of_words] = np.arange(len(of_words))
    first, second = np.divmod(pairs[columns[len(of_words) :] - len(words)], max(len(words), 1))
    return [words[at] for at in of_words], place[first] * len(of_words) + place[second]


def _following(row: Int64) -> Int64:
    """Return the places of words that another one of the same text follows."""
    return np.flatnonzero(row[1:] == row[:-1]) if len(row) else np.empty(0, np.int64)


def _parts_of_words(texts: Sequence[str], rare: int) -> tuple[csr_matrix, list[str]]:
    """Count parts of words, in the order of the alphabet, in each text. A word begins and ends with a space."""
    row, word, names = _numbered([text.split() for text in texts])
    in_text = _counts(row, word, (len(texts), len(names)))
    of_word, part, parts = _numbered([list(_parts_of(name)) for name in names])
    in_word = _counts(of_word, part, (len(names), len(parts)))
    often = np.bincount(word, minlength=len(names)) @ in_word
    kept = np.flatnonzero(_most(often, rare))
    return in_text @ in_word[:, kept], [parts[at] for at in kept]


def _counts(row: Int64, column: Int64, shape: tuple[int, int]) -> csr_matrix:
    """Return how often each column occurs in each row; a column of -1 does not count."""
    counted = column >= 0
    row, column = row[counted], column[counted]
    return csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=shape)


def _found(names: Sequence[str], places: Mapping[str, int]) -> Int64:
    """Return the place of each name, -1 for none."""
    return np.fromiter((places.get(name, -1) for name in names), dtype=np.int64, count=len(names))


def _parts_of(word: str) -> Iterator[str]:
    padded = f" {word} "
    for length in _LENGTHS:
        yield from (padded[at : at + length] for at in range(max(1, len(padded) - length + 1)))
        if len(padded) <= length:
            # a short word counts once
            return


def _numbered(lists: Sequence[Sequence[str]]) -> tuple[Int64, Int64, list[str]]:
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


def _weighted(counts: csr_matrix, rare: int) -> tuple[csr_matrix, Float32, Int64]:
    """Return TF-IDF of columns that `rare` texts have, their weights, and which of the columns they are."""
    texts, left = np.bincount(counts.indices, minlength=counts.shape[1]), np.arange(counts.shape[1])
    if (texts < rare).any():
        left = np.flatnonzero(texts >= rare)
        counts, texts = counts[:, left], texts[left]
    weights = (np.log((1 + counts.shape[0]) / (1 + texts)) + 1).astype(np.float32)
    return _rated(counts, weights), weights, left


def _rated(counts: csr_matrix, weights: Float32) -> csr_matrix:
    counts.sort_indices()
    counts.data = (np.log(counts.data) + 1) * weights[counts.indices]
    return counts
