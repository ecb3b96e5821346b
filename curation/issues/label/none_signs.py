"""Signs of whether a listing's label is right, or that of another class would be, or that of none of the classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, vstack
from scipy.special import logit

from curation.evidence.belief import Belief
from curation.evidence.evidence import Evidence
from curation.evidence.fitted import Fitted, Values, sparse_from, sparse_values, text_from, text_values
from curation.evidence.log_odds import softmax
from curation.evidence.rows import Rows
from training.utils.arrays import Float32, Float64, Int64

__all__ = ["Signs", "signs_of"]


#: What is kept of the words of titles, by this name.
_KEPT = "none: words"
#: Ridge penalty, as a share of the variance of each feature.
_PENALTY = 0.5
#: Rows from which the mean and deviation of the features are taken, at most.
_ENOUGH = 20_000
#: Rows at a time.
_BLOCK = 1_024
#: Odds are compared up to this size.
_WIDEST = 8.0
_LEAST = 1e-3
#: A word with a letter: numbers are new in any class.
_WORD = re.compile(r"\w*[^\W\d]\w*")
#: How new the words of a listing without a title are.
_NO_TITLE = 0.5


@dataclass(frozen=True)
class Signs:
    """The facts about each listing, before a label is compared with it.

    Attributes
    ----------
    logs : Rows of shape (N, K)
        Log-beliefs of models that were not trained on the listing.
    outputs : ndarray of float32, shape (N, K)
        What a ridge regression of each class on the photo's features says, 0 (not of this class) to 1; low for all
        classes where the photo is like none. NaN without a photo.
    words : Words or None
        The words of the titles; None without titles.
    """

    logs: Rows
    outputs: Float32
    words: Words | None

    def of(self, rows: Int64, given: Int64, gone: Int64 | None = None) -> Float64:
        """Return the signs of listings under given labels, as if one class of each did not exist.

        Parameters
        ----------
        rows : ndarray of int64, shape (n,)
            Row numbers.
        given : ndarray of int64, shape (n,)
            The class that each is labelled with.
        gone : ndarray of int64, shape (n,), optional
            The class that does not exist, another than the given one; by default all exist.

        Returns
        -------
        ndarray of float64, shape (n, 4) or (n, 5)
            High = the label is wrong, and so would be any other: log-odds of the best other class against the given
            one; log-odds against the best other class among the others; the outputs of the given class, and of the best
            other one, negative; and how new the words of the title are to all other classes, 0 to 1.
        """
        parts = []
        for start in range(0, len(rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            parts.append(self._of(rows[part], given[part], None if gone is None else gone[part]))
        return np.concatenate(parts)

    def _of(self, rows: Int64, given: Int64, gone: Int64 | None) -> Float64:
        each = np.arange(len(rows))
        logs, outputs = self.logs[rows], self.outputs[rows].astype(np.float64)
        if gone is not None:
            logs[each, gone] = outputs[each, gone] = -np.inf
        probs = softmax(logs)
        of_given, of_output = probs[each, given].copy(), outputs[each, given].copy()
        probs[each, given], outputs[each, given] = 0, -np.inf
        best = probs.max(axis=1)
        among = np.clip(best / np.maximum(probs.sum(axis=1), 1e-12), _LEAST, 1 - _LEAST)
        margin = np.log(np.maximum(best, 1e-12)) - np.log(np.maximum(of_given, 1e-12))
        columns = [np.clip(margin, -_WIDEST, _WIDEST), -logit(among), -of_output, -outputs.max(axis=1)]
        if self.words is not None:
            columns.append(self.words.newness(rows, given, gone))
        return np.column_stack(columns)


@dataclass(frozen=True)
class Words:
    """The words of the titles, and how many titles of each class have them, outside of each fold.

    Attributes
    ----------
    of : csr_matrix of float64, shape (N, V)
        1 where the title has the word.
    counts : list of csr_matrix of float64, shape (V, K)
        For each fold, the number of titles of other folds.
    totals : list of ndarray of float64, shape (V,)
        The same of all classes.
    fold : ndarray of int64, shape (N,)
        Fold of each listing.
    """

    of: csr_matrix
    counts: list[csr_matrix]
    totals: list[Float64]
    fold: Int64

    def newness(self, rows: Int64, given: Int64, gone: Int64 | None) -> Float64:
        """Return the mean over a title's words of 1 / (1 + titles of other classes that have the word)."""
        part = self.of[rows]
        lengths = np.diff(part.indptr)
        listing, word = np.repeat(np.arange(len(rows)), lengths), part.indices
        new = np.zeros(len(word))
        for number in np.unique(self.fold[rows]):
            here = self.fold[rows][listing] == number
            counts, words, at = self.counts[number], word[here], listing[here]
            known = self.totals[number][words]
            for taken in (given, gone):
                if taken is not None and len(words):
                    known = known - np.asarray(counts[words, taken[at]]).ravel()
            new[here] = 1 / (1 + known)
        total = np.bincount(listing, weights=new, minlength=len(rows))
        return np.where(lengths > 0, total / np.maximum(lengths, 1), _NO_TITLE)


def signs_of(evidence: Evidence, belief: Belief, features: Float32) -> Signs:
    """Return the signs of all listings of some evidence.

    Parameters
    ----------
    evidence : Evidence
    belief : Belief
        Its belief.
    features : ndarray of float32, shape (N, D)
        Its features of the photos.
    """
    given = evidence.given

    def untold(rows: slice | Int64) -> Float64:
        logs, own = belief.logs[rows], given[rows]
        labelled = np.flatnonzero(own >= 0)
        # what models say that were trained on the label itself
        logs[labelled, own[labelled]] -= belief.shift[rows][labelled]
        return logs

    return Signs(Rows(belief.logs.shape, untold), _outputs(evidence, features), _words(evidence))


def _outputs(evidence: Evidence, features: Float32) -> Float32:
    """Return the outputs of ridge regressions of each class on the features, learned from other folds."""
    classes, fold = len(evidence.classes), evidence.fold
    model = evidence.fit("none: ridge", lambda: _ridge(evidence, features))
    outputs = np.full((len(features), classes), np.nan, dtype=np.float32)
    for number in np.flatnonzero(model["sizes"]):
        for block in _blocks(np.flatnonzero(evidence.scored & (fold == number))):
            standard = np.asarray((features[block] - model["centre"]) / model["spread"])
            outputs[block] = model["shares"][number] + standard @ model["weights"][number]
    return outputs


def _ridge(evidence: Evidence, features: Float32) -> Values:
    """Return the weights of each fold, shape (F, D, K), the shares of the classes, and how many rows taught them."""
    classes, training = len(evidence.classes), evidence.training_rows
    training = training[evidence.scored[training]]
    some = features[training[:: max(1, len(training) // _ENOUGH)]]
    centre, spread = some.mean(axis=0, dtype=np.float64), some.std(axis=0, dtype=np.float64)
    spread[spread == 0] = 1

    def standard(rows: Int64) -> Float64:
        return np.asarray((features[rows] - centre) / spread)

    width, fold = features.shape[1], evidence.fold
    products = np.zeros((int(fold.max()) + 1, width, width + classes))
    sizes = np.zeros((len(products), classes))
    for number, own in enumerate(training[fold[training] == k] for k in range(len(products))):
        for block in _blocks(own):
            x, y = standard(block), np.eye(classes)[evidence.taught[block]]
            products[number] += x.T @ np.hstack([x, y])
            sizes[number] += y.sum(axis=0)
    weights, shares = np.zeros((len(products), width, classes)), np.zeros((len(products), classes))
    taught = np.zeros(len(products))
    for number in range(len(products)):
        product, size = (sums.sum(axis=0) - sums[number] for sums in (products, sizes))
        taught[number] = n = float(size.sum())
        if n:
            weights[number] = np.linalg.solve(product[:, :width] + _PENALTY * n * np.eye(width), product[:, width:])
            shares[number] = size / n
    return {"centre": centre, "spread": spread, "weights": weights, "shares": shares, "sizes": taught}


def _blocks(rows: Int64) -> Iterator[Int64]:
    return (rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK))


def _words(evidence: Evidence) -> Words | None:
    if evidence.fitted is not None and evidence.applied:
        return _known_words(evidence, evidence.fitted)
    if "title" not in evidence.listings or not evidence.listings["title"].notna().any():
        return None
    titles = evidence.listings["title"].fillna("").astype(str)
    words = [_words_of(title) for title in titles]
    flat = [word for title in words for word in title]
    if not flat:
        return None
    number, names = pd.factorize(np.array(flat, dtype=object))
    starts = np.concatenate([[0], np.cumsum([len(title) for title in words])])
    of = csr_matrix((np.ones(len(flat)), number, starts), shape=(len(words), len(names)))
    trains, taught, classes = evidence.may_train, evidence.taught, len(evidence.classes)
    counts = []
    for fold in range(int(evidence.fold.max()) + 1):
        rows = np.flatnonzero(trains & (evidence.fold != fold))
        ones = csr_matrix((np.ones(len(rows)), (np.arange(len(rows)), taught[rows])), shape=(len(rows), classes))
        counts.append(csr_matrix(of[rows].T @ ones))
    evidence.fit(_KEPT, lambda: {"words": text_values([str(name) for name in names]), "folds": np.array(len(counts))})
    for fold, count in enumerate(counts):
        evidence.fit(f"{_KEPT} of fold {fold}", partial(sparse_values, count))
    return Words(of, counts, [np.asarray(count.sum(axis=1)).ravel() for count in counts], evidence.fold)


def _words_of(title: str) -> list[str]:
    return sorted(set(_WORD.findall(title.lower())))


def _known_words(evidence: Evidence, fitted: Fitted) -> Words | None:
    """Return the words of the titles as an earlier run knows them; one that it does not know is new to all classes."""
    if _KEPT not in fitted:
        return None

    def make() -> tuple[dict[str, int], list[csr_matrix], list[Float64]]:
        place = {word: number for number, word in enumerate(text_from(fitted[_KEPT]["words"]))}
        counts = [sparse_from(fitted[f"{_KEPT} of fold {fold}"]) for fold in range(int(fitted[_KEPT]["folds"]))]
        # one more, without a title, for all words that are not known
        unknown = csr_matrix((1, len(evidence.classes)))
        counts = [csr_matrix(vstack([count, unknown])) for count in counts]
        return place, counts, [np.asarray(count.sum(axis=1)).ravel() for count in counts]

    place, counts, totals = fitted.held(_KEPT, make)
    has_titles = "title" in evidence.listings
    titles: list[str] = evidence.listings["title"].fillna("").astype(str).tolist() if has_titles else []
    words = [[place.get(word, len(place)) for word in _words_of(title)] for title in titles]
    flat = np.array([number for title in words for number in title], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum([len(title) for title in words], dtype=np.int64)])
    shape = (len(evidence.listings), len(place) + 1)
    if not len(titles):
        return Words(csr_matrix(shape), counts, totals, evidence.fold)
    return Words(csr_matrix((np.ones(len(flat)), flat, starts), shape=shape), counts, totals, evidence.fold)
