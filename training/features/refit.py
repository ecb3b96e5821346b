"""Linear models fitted a second time, to labels that models of other listings doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit

from training.features.linear import Head, fit_with
from training.utils.array_files import map_array
from training.utils.arrays import Bool, Float32, Float64, Int64
from training.utils.devices import each_on_one_core
from training.utils.targets import Beliefs, Targets

__all__ = ["COST", "FEWEST_PARTS", "Decided", "refitted_probabilities"]

_Key = tuple[int, int, float]

#: Time that the second fit takes, as a share of that of the first.
COST = 0.5
#: The least folds: one is scored, one gets its doubts, and one is what they are learned from.
FEWEST_PARTS = 3
#: More folds share parts, because every pair of parts needs a model.
_MOST_PARTS = 5
#: Log-odds that a given label is right where a model finds another class as probable.
BELIEVED = 3.0
#: Decisions move these log-odds, and by how much they rise with a model's own, as far as they say that they should:
#: both are kept near 3 and 1, as if by normal distributions of these spreads.
_SPREADS = np.array([1.0, 0.3])
_FLATTEST = 0.1
#: With many decisions, a row without one counts by the probability of its likeliest class to this power.
_DOUBTED = 4.0
#: With so many decisions, to half of it.
_HALF = 50
_LEAST = 1e-8


@dataclass(frozen=True)
class Decided:
    """What people decided about the labels of N rows.

    Attributes
    ----------
    sure : ndarray of bool, shape (N,)
        Rows whose label is decided: it counts fully, whatever a model believes.
    given : ndarray of int64, shape (N,)
        Class numbers of the labels as they were; -1 without one.
    wrong : ndarray of float64, shape (N,)
        1 where that label was decided to be wrong, 0 where it is right; NaN where that is not known.
    """

    sure: Bool
    given: Int64
    wrong: Float64


def refitted_probabilities(
    features: Path,
    labels: Int64,
    fold: Int64,
    trains: Bool,
    has_photo: Bool,
    *,
    strengths: Sequence[float],
    classes: int,
    device: torch.device,
    decided: Decided | None = None,
    keep: Callable[[int, Head], None] = lambda part, head: None,
) -> Float32 | None:
    """Return out-of-fold probabilities of heads that learned doubtful labels less, and what a model believes instead.

    A label counts as far as it is believed, and a model's probabilities as far as it is not (soft bootstrapping: Reed
    et al., "Training Deep Neural Networks on Noisy Labels with Bootstrapping", ICLR 2015 workshop). The model that
    teaches the head of fold f about a row of fold g was trained on neither fold, with the penalty of fold f. So no
    label of fold f influences a probability of fold f, not even by way of what it taught about others.

    Decisions say how far a label is believed that a model doubts: often wrong ones are believed less. The decisions on
    fold f have no part in what is believed for the head of fold f.

    Parameters
    ----------
    features : Path
        Of float32, shape (N, D).
    labels, fold : ndarray of int64, shape (N,)
        Given class numbers, and folds from 0.
    trains, has_photo : ndarray of bool, shape (N,)
        Rows whose label may be learned, and rows that are scored.
    strengths : sequence of float
        Strength of the penalty of each fold's head; see :func:`training.features.linear.fit_head`.
    classes : int
        K, at least 2.
    device : torch.device
        Where to compute.
    decided : Decided, optional
        What people decided. By default nothing.
    keep : callable
        Gets the head that scores each part of the folds, and its number: that of the fold, modulo five.

    Returns
    -------
    ndarray of float32, shape (N, K), or None
        Rows sum to 1; NaN without a photo. None if there are fewer than three folds, or too few rows to learn from.
    """
    parts = min(len(strengths), _MOST_PARTS)
    part = fold % parts
    taught = [np.flatnonzero(trains & (part == number)) for number in range(parts)]
    # every pair of parts must leave something to learn from
    if parts < FEWEST_PARTS or classes < 2 or sum(len(rows) > 0 for rows in taught) < FEWEST_PARTS:
        return None
    if decided is None:
        decided = Decided(np.zeros(len(labels), dtype=bool), labels, np.full(len(labels), np.nan))
    stored: Float32 = map_array(features)

    def teach(key: _Key) -> Head:
        rows = np.flatnonzero(trains & (part != key[0]) & (part != key[1]))
        return fit_with(stored, rows, Targets(labels, classes), strength=key[2], device=device)

    def score(number: int) -> tuple[Int64, Float32]:
        beliefs = np.zeros((len(labels), classes), dtype=np.float32)
        for other, rows in enumerate(taught):
            if other != number and len(rows):
                beliefs[rows] = teachers[_key(number, other, strengths)].predict(stored, rows)
        rows, scored = np.flatnonzero(trains & (part != number)), np.flatnonzero(has_photo & (part == number))
        beliefs[rows], weight = _softened(beliefs[rows], labels[rows], decided, rows)
        head = fit_with(stored, rows, Beliefs(beliefs, weight), strength=strengths[number], device=device)
        keep(number, head)
        return scored, head.predict(stored, scored)

    keys = sorted({_key(*pair, strengths) for pair in permutations(range(parts), 2) if len(taught[pair[1]])})
    teachers = dict(zip(keys, each_on_one_core(teach, keys, device=device), strict=True))
    probs = np.full((len(labels), classes), np.nan, dtype=np.float32)
    for scored, values in each_on_one_core(score, range(parts), device=device):
        probs[scored] = values
    return probs


def _key(scored: int, other: int, strengths: Sequence[float]) -> _Key:
    """Return what a teacher depends on: the two parts that it does not know, and the penalty of the one it scores."""
    return min(scored, other), max(scored, other), strengths[scored]


def _softened(probs: Float32, labels: Int64, decided: Decided, rows: Int64) -> tuple[Float32, Float32 | None]:
    """Return what a head is to learn of rows, shape (n, K): rows sum to 1; and how much each of all counts."""
    certain, wrong = decided.sure[rows], decided.wrong[rows]
    known = np.isfinite(wrong) & (decided.given[rows] >= 0)
    offset, slope = _belief(_margin(probs[known], decided.given[rows[known]]), 1 - wrong[known])
    believed = expit(slope * _margin(probs, labels) + offset).astype(np.float32)
    believed[certain] = 1
    soft: Float32 = probs * (1 - believed[:, None])
    soft[np.arange(len(labels)), labels] += believed
    if not known.any():
        return soft, None
    weight, power = np.ones(len(decided.sure), dtype=np.float32), _DOUBTED * known.sum() / (known.sum() + _HALF)
    weight[rows] = np.where(certain, 1, soft.max(axis=1) ** power)
    return soft, weight


def _margin(probs: Float32, labels: Int64) -> Float32:
    """Return the log-odds of each label against the best other class."""
    each, others = np.arange(len(labels)), probs.copy()
    others[each, labels] = 0
    margin: Float32 = np.log(np.maximum(probs[each, labels], _LEAST)) - np.log(np.maximum(others.max(axis=1), _LEAST))
    return margin


def _belief(margin: Float32, right: Float64) -> tuple[float, float]:
    """Return offset and slope of the log-odds that a label is right, from margins of which people decided that."""
    if not len(margin):
        return BELIEVED, 1.0

    def loss(at: Float64) -> tuple[float, Float64]:
        odds, apart = at[0] + at[1] * margin, (at - [BELIEVED, 1]) / _SPREADS
        rest = expit(odds) - right
        gradient = np.array([rest.sum(), (rest * margin).sum()]) + apart / _SPREADS
        return float((np.logaddexp(0, odds) - right * odds).sum() + (apart**2).sum() / 2), gradient

    bounds = [(None, None), (_FLATTEST, None)]
    found = minimize(loss, np.array([BELIEVED, 1.0]), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(found[0]), float(found[1])
