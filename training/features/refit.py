"""Linear models fitted a second time, to labels that models of other listings doubt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit

from training.features.linear import fit_with
from training.utils.array_files import map_array
from training.utils.arrays import Bool, Float32, Int64
from training.utils.targets import SoftLabels

__all__ = ["FEWEST_PARTS", "refitted_probabilities"]


#: The least folds: one is scored, one gets its doubts, and one is what they are learned from.
FEWEST_PARTS = 3
#: More folds share parts, because every pair of parts needs a model.
_MOST_PARTS = 5
#: Log-odds that a given label is right where a model finds another class as probable.
BELIEVED = 3.0
_LEAST = 1e-8


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
) -> Float32 | None:
    """Return out-of-fold probabilities of heads that learned doubtful labels less, and the class believed instead.

    A label counts as far as it is believed, and the best other class as far as it is not (soft bootstrapping: Reed et
    al., "Training Deep Neural Networks on Noisy Labels with Bootstrapping", ICLR 2015 workshop). The belief about a row
    of fold g that teaches the head of fold f is from a model that was trained on neither fold. So no label of fold f
    influences a probability of fold f, not even by way of what it taught about others.

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

    Returns
    -------
    ndarray of float32, shape (N, K), or None
        Rows sum to 1; NaN without a photo. None if there are fewer than three folds, or too few rows to learn from.
    """
    parts = min(len(strengths), _MOST_PARTS)
    part = fold % parts
    teachers = {pair: np.flatnonzero(trains & ~np.isin(part, pair)) for pair in combinations(range(parts), 2)}
    if parts < FEWEST_PARTS or classes < 2 or not all(len(rows) for rows in teachers.values()):
        return None
    stored: Float32 = map_array(features)
    weight = np.ones((parts, len(labels)), dtype=np.float32)
    second = np.full((parts, len(labels)), -1, dtype=np.int64)
    for pair, rows in teachers.items():
        strength = float(np.sqrt(strengths[pair[0]] * strengths[pair[1]]))
        head = fit_with(stored, rows, labels, classes=classes, strength=strength, device=device)
        for scored, taught in (pair, pair[::-1]):
            doubted = np.flatnonzero(trains & (part == taught))
            weight[scored, doubted], second[scored, doubted] = _doubts(head.predict(stored, doubted), labels[doubted])
    probs = np.full((len(labels), classes), np.nan, dtype=np.float32)
    for number in range(parts):
        soft = SoftLabels(weight[number], second[number], 1 - weight[number])
        rows, scored_rows = np.flatnonzero(trains & (part != number)), np.flatnonzero(has_photo & (part == number))
        head = fit_with(stored, rows, labels, classes=classes, strength=strengths[number], device=device, soft=soft)
        probs[scored_rows] = head.predict(stored, scored_rows)
    return probs


def _doubts(probs: Float32, labels: Int64) -> tuple[Float32, Int64]:
    """Return how far each label is believed, and the best other class."""
    each, others = np.arange(len(labels)), probs.copy()
    others[each, labels] = -1
    second = others.argmax(axis=1)
    margin = np.log(np.maximum(probs[each, labels], _LEAST)) - np.log(np.maximum(probs[each, second], _LEAST))
    return expit(margin + BELIEVED).astype(np.float32), second
