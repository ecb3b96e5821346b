"""The difference between two versions on true labels of which few are known: a belief in the others helps.

Known are the labels of a random sample of test listings, stratified, and perhaps of whole strata. Of the others there
is a belief: a distribution over the classes, of models that are not compared. The counts that scores are made of are
summed over all listings with the belief times lambda in place of the label, and the sample corrects these sums by what
the belief misses. So a wrong belief makes the interval wider, but not wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import norm, t

from training.evaluation.bootstrap import Drawn, Resampled, drawn_from, one_hot
from training.utils.arrays import Bool, Float64, Int64

__all__ = ["GONE", "UNKNOWN", "Known", "effects", "estimate", "powers"]

#: In place of a true label: the listing was deleted, because it belongs to no class.
GONE = -1
#: In place of a true label: nobody has reviewed the listing.
UNKNOWN = -2
#: The parts of the reviewed listings that tune lambda for each other.
_PARTS = 5


@dataclass(frozen=True)
class Known:
    """The true labels of n test listings, as far as they are known.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
        True labels as class numbers, `GONE` or `UNKNOWN`.
    stratum : ndarray of int64, shape (n,)
        Stratum of each listing, from 0 on. Within one, the listings whose label is known are a simple random sample, or
        all of them.
    belief : ndarray of float64, shape (n, K)
        Probability of each class for each listing, made without any of the known labels; rows sum to 1.
    groups : ndarray of int64, shape (n,)
        Listings of one group stay together.
    """

    labels: Int64
    stratum: Int64
    belief: Float64
    groups: Int64

    @property
    def reviewed(self) -> Bool:
        """Whose label is known, shape (n,)."""
        return np.asarray(self.labels != UNKNOWN)


def estimate(
    known: Known,
    versions: Mapping[str, Int64],
    power: Float64 | None,
    *,
    present: Bool,
    seed: int,
    resamples: int = 2000,
) -> Resampled:
    """Estimate the scores that all versions have on the true labels.

    Parameters
    ----------
    known : Known
        Labels and belief.
    versions : mapping of str to ndarray of int64, shape (S, n)
        Predictions of the S models of each version, paired by seed.
    power : ndarray of float64, shape (n,), or None
        Lambda of each listing, in [0, 1], of :func:`powers`. None estimates from the reviewed listings alone, each
        weighted by how many of its stratum it stands for.
    present : ndarray of bool, shape (K,)
        Classes that macro-F1 is the mean of.
    seed : int
        Of the resampling.
    resamples : int
        B.

    Returns
    -------
    Resampled
        Each resample draws whole groups with replacement, with the labels that are known, and weighs each stratum
        by its own numbers. So intervals have the randomness of the test set, and that of the choice for review.

    Notes
    -----
    Angelopoulos et al., "Prediction-powered inference", Science 2023; lambda: Angelopoulos, Duchi and Zrnic, "PPI++:
    efficient prediction-powered inference", 2023; strata: Fisch et al., "Stratified prediction-powered inference for
    hybrid language model evaluation", NeurIPS 2024. For a sum it is the difference estimator of surveys: Särndal,
    Swensson and Wretman, *Model Assisted Survey Sampling* (1992), chapter 6. F1 is computed of these sums. Resamples
    are spread as Student's t asks for so few reviewed listings: Hesterberg, "What teachers should know about the
    bootstrap", The American Statistician 2015.
    """
    sums = _Sums(known, versions, power)
    concerned = np.full(known.belief.shape[1], len(np.unique(known.groups)))
    made = drawn_from(known.groups, sums.scores, present, concerned, seed, resamples)
    width = _widened(known)
    return replace(
        made,
        f1={name: _spread(each, width) for name, each in made.f1.items()},
        accuracy={name: _spread(each, width) for name, each in made.accuracy.items()},
    )


def _widened(known: Known) -> float:
    """Return how much wider than its resamples an interval must be, which vary too little if few are reviewed."""
    size = np.bincount(known.stratum)
    reviewed = np.bincount(known.stratum[known.reviewed], minlength=len(size))
    sampled = reviewed < size
    number, freedom = int(reviewed[sampled].sum()), int((reviewed[sampled] - 1).clip(0).sum())
    # where all labels are known, nothing is estimated from few
    return float(t.ppf(0.975, freedom) / norm.ppf(0.975) * np.sqrt(number / freedom)) if freedom else 1.0


def _spread(drawn: Drawn, width: float) -> Drawn:
    centre = drawn.measured[:, None].astype(np.float32)
    return Drawn(drawn.measured, centre + np.float32(width) * (drawn.drawn - centre))


def effects(known: Known, before: Int64, after: Int64, present: Bool) -> Float64:
    """Return how the difference in macro-F1 changes with each label that a listing may have.

    Parameters
    ----------
    known : Known
        Labels and belief.
    before, after : ndarray of int64, shape (S, n)
        Predictions of the models of each version.
    present : ndarray of bool, shape (K,)
        Classes that macro-F1 is the mean of.

    Returns
    -------
    ndarray of float64, shape (n, K + 1)
        The derivative of after minus before, mean over the seeds, with respect to one more listing of each class; the
        last column is that of a listing that is gone. Times n, it is the influence of the listing.
    """
    sums = _Sums(known, {"before": before, "after": after}, np.ones(len(known.labels)))
    once = np.ones((len(known.labels), 1))
    n, classes = known.belief.shape
    rows, result = np.arange(n), np.zeros((n, classes + 1))
    true, right, said, _ = sums.of(once)
    share = present / max(1, int(present.sum()))
    for name, runs, sign in (("before", before, -1), ("after", after, 1)):
        for number, predicted in enumerate(runs):
            both = np.maximum(true + said[name][number], 1)[:, 0]
            slope = sign / len(runs) * share / both
            f1 = 2 * right[name][number][:, 0] / both
            result[:, :classes] -= slope * f1
            result[rows, predicted] += 2 * slope[predicted]
            result[:, classes] += (slope * f1)[predicted]
    return result


def powers(known: Known, before: Int64, after: Int64, present: Bool, *, seed: int) -> Float64:
    """Return lambda for each listing: how far the belief counts, so that the interval is shortest.

    The reviewed listings are in five parts, whole groups in one. The lambda of each part is tuned on the four others:
    where it is tuned is not where it corrects, so it adds no bias.

    Parameters
    ----------
    known, before, after, present
        As of :func:`effects`.
    seed : int
        Of the parts.

    Returns
    -------
    ndarray of float64, shape (n,)
        In [0, 1]; 0 for listings that nobody has reviewed.
    """
    effect, reviewed = effects(known, before, after, present), known.reviewed
    labels = np.where(known.labels == GONE, effect.shape[1] - 1, known.labels)[reviewed]
    actual = effect[reviewed, labels]
    believed = (known.belief * effect[:, :-1]).sum(axis=1)[reviewed]
    stratum = known.stratum[reviewed]
    of_all, of_reviewed = (
        np.bincount(each, minlength=int(known.stratum.max()) + 1) for each in (known.stratum, stratum)
    )
    # what a listing of a stratum adds to the variance; nothing where all are reviewed
    weight = of_all * (of_all - of_reviewed) / np.maximum(1, of_reviewed) / np.maximum(1, of_reviewed - 1)
    names, group = np.unique(known.groups[reviewed], return_inverse=True)
    part = (np.random.default_rng(seed).permutation(len(names)) % _PARTS)[group]
    result = np.zeros(len(known.labels))
    tuned = np.zeros(len(labels))
    for number in range(_PARTS):
        others = part != number
        tuned[~others] = _power(actual[others], believed[others], stratum[others], weight)
    result[reviewed] = tuned
    return result


def _power(actual: Float64, believed: Float64, stratum: Int64, weight: Float64) -> float:
    """Return the lambda with the least variance of ``actual - lambda * believed`` within the strata."""
    size = np.maximum(1, np.bincount(stratum, minlength=len(weight)))

    def centred(values: Float64) -> Float64:
        return np.asarray(values - (np.bincount(stratum, values, minlength=len(weight)) / size)[stratum])

    actual, believed = centred(actual), centred(believed)
    spread = float((weight[stratum] * believed**2).sum())
    return float(np.clip((weight[stratum] * actual * believed).sum() / spread, 0, 1)) if spread > 0 else 0.0


class _Sums:
    """The counts that scores are made of, under weightings of the listings."""

    def __init__(self, known: Known, versions: Mapping[str, Int64], power: Float64 | None) -> None:
        labels, classes = known.labels, known.belief.shape[1]
        self._alone = power is None
        self._power = np.zeros(len(labels)) if power is None else power
        self._reviewed = known.reviewed
        self._strata = one_hot(np.unique(known.stratum, return_inverse=True)[1], len(np.unique(known.stratum)))
        self._belief, self._labels = csr_array(known.belief.T), one_hot(labels, classes)
        self._gone = labels == GONE
        self._models = {
            name: [_Model(known, predicted) for predicted in np.atleast_2d(runs)] for name, runs in versions.items()
        }

    def of(self, weights: Float64) -> tuple[Float64, dict[str, list[Float64]], dict[str, list[Float64]], Float64]:
        """Return counts under weightings (n, B).

        Listings of each class (K, B); by version and seed, those of each class that are predicted right, and those for
        which the class is predicted (K, B); and all (B,).
        """
        known, believed = self._shares(weights)
        true = np.maximum(self._labels @ known + self._belief @ believed, 0)
        everyone = known if self._alone else weights
        gone = known[self._gone]
        right, said = {}, {}
        for name, models in self._models.items():
            said[name] = [each.predicted @ everyone - each.gone @ known for each in models]
            # not held to what is possible, e.g. at most what is predicted: chance would then err to one side
            right[name] = [each.right @ known + each.believed @ believed for each in models]
        return true, right, said, everyone.sum(axis=0) - gone.sum(axis=0)

    def scores(self, weights: Float64) -> tuple[dict[str, Float64], dict[str, Float64]]:
        """Return F1 of every class, shape (S, B, K), and accuracy, shape (S, B, 1), under weightings (n, B)."""
        true, right, said, total = self.of(weights)
        f1, accuracy = {}, {}
        for name in self._models:
            hits = np.stack(right[name])
            both = true + np.stack(said[name])
            f1[name] = np.divide(2 * hits, both, out=np.zeros_like(hits), where=both > 0).transpose(0, 2, 1)
            accuracy[name] = (hits.sum(axis=1) / np.maximum(total, 1e-9))[:, :, None]
        return f1, accuracy

    def _shares(self, weights: Float64) -> tuple[Float64, Float64]:
        """Return how far the known label and the belief of each listing count, both (n, B)."""
        reviewed = weights * self._reviewed[:, None]
        sampled = self._strata @ reviewed
        # a listing stands for others of its stratum
        factor = np.divide(self._strata @ weights, sampled, out=np.zeros_like(sampled), where=sampled > 0)
        tuned = self._strata @ (reviewed * self._power[:, None])
        power = np.divide(tuned, sampled, out=np.zeros_like(sampled), where=sampled > 0)
        known = reviewed * (self._strata.T @ factor)
        return known, weights * (self._strata.T @ power) - known * self._power[:, None]


class _Model:
    """Which listings one model predicts each class for, and with what chance it is right."""

    def __init__(self, known: Known, predicted: Int64) -> None:
        n, classes = known.belief.shape
        self.predicted = one_hot(predicted, classes)
        self.right = one_hot(np.where(known.labels == predicted, predicted, UNKNOWN), classes)
        self.gone = one_hot(np.where(known.labels == GONE, predicted, UNKNOWN), classes)
        rows = np.arange(n)
        self.believed = csr_array((known.belief[rows, predicted], (predicted, rows)), shape=(classes, n))
