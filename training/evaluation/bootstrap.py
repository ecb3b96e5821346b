"""The difference between two versions of a model on the same test listings, with a confidence interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from training.utils.arrays import Bool, Float64, Int64

__all__ = [
    "Difference",
    "Discordant",
    "Drawn",
    "Resampled",
    "adjusted",
    "drawn_from",
    "mcnemar",
    "one_hot",
    "resample",
]


_CHUNK = 100


@dataclass(frozen=True)
class Difference:
    """One version minus another, with a 95 % interval; positive is better.

    Attributes
    ----------
    mean : float
        The measured difference, averaged over the seeds.
    low, high : float
        Bounds of the 95 % interval.
    """

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """``helped``, ``hurt``, or ``no difference`` if the interval contains zero."""
        if self.low > 0:
            return "helped"
        return "hurt" if self.high < 0 else "no difference"

    @property
    def could_show(self) -> float:
        """The smallest difference that could be detected: half the width of the interval."""
        return (self.high - self.low) / 2

    def to_dict(self) -> dict[str, Any]:
        """Return mean, low and high."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Drawn:
    """W scores of each of S models.

    Attributes
    ----------
    measured : ndarray of float64, shape (S, W)
        Scores on the test set.
    drawn : ndarray of float32, shape (S, B, W)
        Scores on its B resamples.
    """

    measured: Float64
    drawn: npt.NDArray[Any]

    def minus(self, other: Drawn) -> Drawn:
        """Return the differences, model by model."""
        return Drawn(self.measured - other.measured, self.drawn - other.drawn)


@dataclass(frozen=True)
class Resampled:
    """Scores of several versions on the same resamples of the test listings.

    Attributes
    ----------
    f1, accuracy : dict of str to Drawn
        By version: F1 of each class (W = K), and accuracy (W = 1).
    present : ndarray of bool, shape (K,)
        Classes that occur in the test set.
    seed : int
        Seed of the noise that stands for the variation between training seeds.
    concerned : ndarray of int64, shape (K,)
        Groups with a test listing of the class, or with one that a model takes for it.
    """

    f1: dict[str, Drawn]
    accuracy: dict[str, Drawn]
    present: Bool
    seed: int
    concerned: Int64

    def macro_f1(self, of: str, against: str) -> Difference:
        """Return the difference in macro-F1 over the classes that occur in the test set."""
        return self._interval(*self._macro(of, against))

    def class_f1(self, of: str, against: str) -> list[Difference | None]:
        """Return the difference in F1 of each class; None for a class without test listings."""
        gain = self.f1[of].minus(self.f1[against])
        return [
            self._interval(gain.measured[:, number], gain.drawn[:, :, number]) if present else None
            for number, present in enumerate(self.present)
        ]

    def class_p(self, of: str, against: str) -> list[float | None]:
        """Return the p-value of each class's difference in F1, in [0, 1]; None for a class without test listings.

        That of the difference over its standard error, which has the same two parts as the interval: normal for the
        listings, Student's t for the seeds. So it can be as small as a claim among many classes needs; a share of 2,000
        resamples could not. The part of the listings is that under "no difference", because resamples find too little
        of it in a class of few listings: nine of twelve that became right are z = 3 as in McNemar's test, and not 6.

        Notes
        -----
        Degrees of freedom: Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics
        Bulletin 1946. Moments about the null: McNemar, Psychometrika 1947.
        """
        gain = self.f1[of].minus(self.f1[against])
        each = [(gain.measured[:, number], gain.drawn[:, :, number]) for number in np.flatnonzero(self.present)]
        training = [_of_training(*values) for values in each] if each and len(each[0][0]) > 1 else [0.0] * len(each)
        # from a few seeds it is too small by chance in some of many classes: those have the mean of all
        least = float(np.mean(training)) if training else 0.0
        p = [
            _p(*values, int(groups), max(own, least))
            for values, groups, own in zip(each, self.concerned[self.present], training, strict=True)
        ]
        tested = iter(p)
        return [next(tested) if present else None for present in self.present]

    def mean_accuracy(self, of: str, against: str) -> Difference:
        """Return the difference in accuracy."""
        gain = self.accuracy[of].minus(self.accuracy[against])
        return self._interval(gain.measured[:, 0], gain.drawn[:, :, 0])

    def share(self, of: str, best: str, against: str) -> Difference | None:
        """Return how much of the gain in macro-F1 of `best` over `against` `of` reaches; 1 is all of it.

        None if `best` has no significant gain. The interval is that of the ratio over the resamples of test listings,
        averaged over the seeds.
        """
        if self.macro_f1(best, against).verdict != "helped":
            return None
        (reached, drawn), (possible, drawn_possible) = self._macro(of, against), self._macro(best, against)
        below = np.maximum(drawn_possible.mean(axis=0), 1e-9)
        low, high = np.quantile(drawn.mean(axis=0) / below, [0.025, 0.975])
        return Difference(float(reached.mean() / possible.mean()), float(low), float(high))

    def _macro(self, of: str, against: str) -> tuple[Float64, Float64]:
        gain = self.f1[of].minus(self.f1[against])
        of_classes = gain.drawn[:, :, self.present]
        return gain.measured[:, self.present].mean(axis=1), of_classes.mean(axis=2, dtype=np.float64)

    def _interval(self, measured: Float64, drawn: npt.NDArray[Any]) -> Difference:
        """Return the difference and its interval, from the values of S models (S,) and of their B resamples (S, B)."""
        seeds, mean = len(measured), drawn.mean(axis=0, dtype=np.float64)
        if seeds > 1:
            # a variance estimated from a few seeds is uncertain: Student's t, not a normal distribution
            noise = np.random.default_rng(self.seed).standard_t(seeds - 1, len(mean))
            mean = mean + np.sqrt(_of_training(measured, drawn)) * noise
        low, high = np.quantile(mean, [0.025, 0.975])
        return Difference(float(measured.mean()), float(low), float(high))


def _p(measured: Float64, drawn: npt.NDArray[Any], groups: int, training: float) -> float:
    """Return the p-value of a difference that so many groups of listings have a part in, by how training varies."""
    mean, seeds = float(measured.mean()), len(measured)
    if groups < 2 or mean == 0:
        return 1.0
    listings = float(drawn.mean(axis=0, dtype=np.float64).var()) + mean**2 / groups
    ratio = abs(mean) / np.sqrt(listings + training)
    # slow to import, and reports without a comparison need none of it
    from scipy.stats import norm, t

    if training == 0:
        return float(2 * norm.sf(ratio))
    return float(2 * t.sf(ratio, (listings + training) ** 2 / (training**2 / (seeds - 1))))


def _of_training(measured: Float64, drawn: npt.NDArray[Any]) -> float:
    """Return the variance of a mean over S > 1 seeds that is of training alone, from what :meth:`_interval` has.

    The variance of a mean over seeds and listings has three components: listings, seeds, and their interaction.
    Resampled listings show the first and a part of the third; differences between seeds show the second and the third.
    """
    seeds, mean = len(measured), drawn.mean(axis=0, dtype=np.float64)
    interaction = max(0.0, float(drawn.var(axis=1, dtype=np.float64).mean() - mean.var())) * seeds / (seeds - 1)
    return max(0.0, float(measured.var(ddof=1)) - interaction) / seeds


def adjusted(p: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted for their number: those up to 0.05 are claims of which 5 % are expected to be false.

    Parameters
    ----------
    p : sequence of float or None
        P-values in [0, 1]; None stays None and is not counted.

    Returns
    -------
    list of float or None
        In [0, 1].

    Notes
    -----
    Benjamini and Yekutieli, "The control of the false discovery rate in multiple testing under dependency", Annals of
    Statistics 2001: valid however the tests depend on each other, as those of classes do, for a listing that leaves one
    class enters another.

    Examples
    --------
    >>> [each and round(each, 4) for each in adjusted([0.001, None, 0.04])]
    [0.003, None, 0.06]
    """
    tested = [place for place, each in enumerate(p) if each is not None]
    result: list[float | None] = [None] * len(p)
    if tested:
        from scipy.stats import false_discovery_control

        for place, each in zip(
            tested, false_discovery_control([p[place] for place in tested], method="by"), strict=True
        ):
            result[place] = float(each)
    return result


def resample(
    truth: Int64,
    versions: Mapping[str, Int64],
    groups: Int64,
    *,
    classes: int,
    seed: int,
    resamples: int = 2000,
) -> Resampled:
    """Score all versions on the same resamples of the test listings, whole groups at a time.

    Every resample draws groups (the same seller, the same photo) with replacement. All versions are scored on the same
    draw, so its difficulty cancels out in their difference.

    Parameters
    ----------
    truth : ndarray of int64, shape (n,)
        Test labels as class numbers.
    versions : mapping of str to ndarray of int64, shape (S, n)
        Predictions of the S models of each version, paired by seed.
    groups : ndarray of int64, shape (n,)
        Group of each test listing.
    classes : int
        K.
    seed : int
        Seed of the resampling.
    resamples : int
        B.

    Returns
    -------
    Resampled

    Notes
    -----
    Percentile bootstrap, Efron & Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 13; clusters as in
    Davison & Hinkley, *Bootstrap Methods and their Application* (1997), section 3.8. Seeds are not resampled: three or
    five of them, drawn with replacement, vary too little, and the interaction of listings and seeds would count three
    times (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007). The component of the seeds is estimated
    instead, and drawn from Student's t.
    """
    members = one_hot(truth, classes)
    models = {name: [_Predictions(truth, predicted, classes) for predicted in runs] for name, runs in versions.items()}

    def scores(weights: Float64) -> tuple[dict[str, Float64], dict[str, Float64]]:
        size, total = members @ weights, weights.sum(axis=0)
        f1 = {name: np.stack([each.f1(weights, size) for each in runs]) for name, runs in models.items()}
        right = {name: np.stack([each.accuracy(weights, total) for each in runs]) for name, runs in models.items()}
        return f1, right

    present = np.bincount(truth, minlength=classes) > 0
    return drawn_from(groups, scores, present, _concerned(truth, versions, groups, classes), seed, resamples)


def drawn_from(
    groups: Int64,
    scores: Callable[[Float64], tuple[dict[str, Float64], dict[str, Float64]]],
    present: Bool,
    concerned: Int64,
    seed: int,
    resamples: int,
) -> Resampled:
    """Score the listings as they are, and weighted by how often each is drawn, whole groups at a time.

    Parameters
    ----------
    groups : ndarray of int64, shape (n,)
        Group of each test listing.
    scores : callable
        Returns F1, shape (S, B, K), and accuracy, shape (S, B, 1), of each version under weightings (n, B).
    present, concerned
        As :class:`Resampled` has them.
    seed, resamples : int
        As of :func:`resample`.
    """
    generator = np.random.default_rng(seed)
    _, group = np.unique(groups, return_inverse=True)
    count = int(group.max()) + 1
    f1, accuracy = scores(np.ones((len(groups), 1)))
    drawn_f1, drawn_accuracy = (
        {name: np.empty((len(each), resamples, each.shape[2]), np.float32) for name, each in measured.items()}
        for measured in (f1, accuracy)
    )
    for start in range(0, resamples, _CHUNK):
        part = slice(start, min(start + _CHUNK, resamples))
        # a multinomial draw, which numpy makes one group after another
        number = part.stop - part.start
        places = generator.integers(0, count, (number, count)) + count * np.arange(number)[:, None]
        drawn = np.bincount(places.ravel(), minlength=number * count).reshape(number, count)
        part_f1, part_accuracy = scores(drawn[:, group].T.astype(np.float64))
        for name in f1:
            drawn_f1[name][:, part], drawn_accuracy[name][:, part] = part_f1[name], part_accuracy[name]
    return Resampled(
        {name: Drawn(f1[name][:, 0], drawn_f1[name]) for name in f1},
        {name: Drawn(accuracy[name][:, 0], drawn_accuracy[name]) for name in f1},
        present,
        seed,
        concerned,
    )


def _concerned(truth: Int64, versions: Mapping[str, Int64], groups: Int64, classes: int) -> Int64:
    """Return how many groups have a listing of each class, or one that a model takes for it, shape (K,)."""
    _, group = np.unique(groups, return_inverse=True)
    columns = [truth, *(predicted for runs in versions.values() for predicted in runs)]
    pairs = np.unique(np.concatenate([group * classes + column for column in columns]))
    return np.bincount(pairs % classes, minlength=classes)


class _Predictions:
    """The listings that one model predicts for each class, and those that it predicts correctly."""

    def __init__(self, truth: Int64, predicted: Int64, classes: int) -> None:
        self._predicted = one_hot(predicted, classes)
        self._correct = one_hot(np.where(truth == predicted, truth, -1), classes)

    def f1(self, weights: Float64, size: Float64) -> Float64:
        """Return F1 of every class under weightings (n, B) with class sizes (K, B); shape (B, K).

        A class that nowhere occurs and is nowhere predicted scores 0.
        """
        total = size + self._predicted @ weights
        correct = 2 * (self._correct @ weights)
        shares: Float64 = np.divide(correct, total, out=np.zeros_like(correct), where=total > 0)
        return shares.T

    def accuracy(self, weights: Float64, total: Float64) -> Float64:
        """Return the accuracy under weightings (n, B) that add up to `total` (B,); shape (B, 1)."""
        right: Float64 = ((self._correct @ weights).sum(axis=0) / total)[:, None]
        return right


def one_hot(numbers: Int64, classes: int) -> csr_array:
    """Return the members of each class, shape (K, n), without negative numbers; sparse, for thousands of classes.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Class numbers.
    classes : int
        K.
    """
    columns = np.flatnonzero(numbers >= 0)
    return csr_array((np.ones(len(columns)), (numbers[columns], columns)), shape=(classes, len(numbers)))


@dataclass(frozen=True)
class Discordant:
    """Predictions that only one version gets right, over all test listings and seeds.

    Attributes
    ----------
    to_right, to_wrong : int
        Predictions that became right, and that became wrong.
    p : float
        Probability, in [0, 1], of a split at least as uneven if both were equally likely.
    """

    to_right: int
    to_wrong: int
    p: float

    def to_dict(self) -> dict[str, Any]:
        """Return the counts and p."""
        return {"to_right": self.to_right, "to_wrong": self.to_wrong, "p": self.p}


def mcnemar(truth: Int64, before: Int64, after: Int64, groups: Int64) -> Discordant:
    """Test whether predictions become right more often than wrong, pooled over seeds (McNemar).

    Predictions of several seeds for one listing, or for the listings of one group, are not independent, so each group
    counts by its balance. With one prediction a group, this is McNemar's test itself.

    Parameters
    ----------
    truth, groups : ndarray of int64, shape (n,)
        Test labels, and the groups of the test listings.
    before, after : ndarray of int64, shape (S, n)
        Predictions of the models of each version, paired by seed.

    Returns
    -------
    Discordant

    Notes
    -----
    McNemar, Psychometrika 1947; for clusters as in Obuchowski, "On the comparison of correlated proportions for
    clustered data", Statistics in Medicine 1998.

    Examples
    --------
    >>> zeros = np.zeros(4, dtype=np.int64)
    >>> mcnemar(zeros, np.array([[0, 1, 1, 1]]), np.array([[1, 0, 0, 0]]), np.arange(4)).to_right
    3
    """
    from scipy.stats import chi2

    right_before, right_after = before == truth, after == truth
    balance = (right_after.astype(np.int64) - right_before).sum(axis=0)
    _, group = np.unique(groups, return_inverse=True)
    by_group = np.bincount(group, weights=balance)
    spread = float((by_group**2).sum())
    p = float(chi2.sf(by_group.sum() ** 2 / spread, 1)) if spread else 1.0
    return Discordant(int((right_after & ~right_before).sum()), int((right_before & ~right_after).sum()), p)
