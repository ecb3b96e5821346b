"""The nearest photos of other groups, by one search in blocks: what they are labelled, and how far away they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from training.utils.array_files import map_array
from training.utils.arrays import Bool, Float32, Int64
from training.utils.devices import each_on_one_core

__all__ = ["Labelled", "Nearest", "Searched", "nearest_of_others", "neighbour_probabilities", "sample_of"]

Result = TypeVar("Result")

#: Neighbours whose labels count.
NEIGHBOURS = 30
#: The exponent of the cosine: nearer ones count more.
SHARPNESS = 4
#: Most photos that are searched; beyond that, a sample keeps the cost linear in N.
MOST_SEARCHED = 20_000
#: Weight of "any class" beside the neighbours, as a share of one of them.
_DOUBT = 0.5
#: Rows whose similarities to all candidates are in memory at a time.
_BLOCK = 512


@dataclass(frozen=True)
class Nearest:
    """How far each row is from others, and which one is nearest.

    Attributes
    ----------
    distance : ndarray of float32, shape (n,)
        Mean distance to the nearest ones, in the units of the features; NaN without any candidate.
    row : ndarray of int64, shape (n,)
        The nearest one; -1 without any.
    """

    distance: Float32
    row: Int64


def neighbour_probabilities(
    features: Path,
    labels: Int64,
    fold: Int64,
    may_train: Bool,
    has_photo: Bool,
    *,
    classes: int,
    seed: int,
    device: torch.device,
) -> Float32:
    """Return each row's class shares among the 30 most similar training rows of *other* folds.

    Similarity is the cosine. A group lies in one fold, so a row never gets its label from its own repost. Neighbours
    err differently from a linear head on the same features, so the two together are better than either (k nearest
    neighbours against label noise: Bahri, Jiang and Gupta, "Deep k-NN for Noisy Labels", ICML 2020).

    Parameters
    ----------
    features : Path
        Of float32, shape (N, D); see :func:`training.features.extract.compute_features`.
    labels, fold : ndarray of int64, shape (N,)
        Given class numbers and folds.
    may_train, has_photo : ndarray of bool, shape (N,)
        Rows whose labels may count, and rows that are scored.
    classes : int
        K.
    seed : int
        Seed of the sample that is searched.
    device : torch.device
        Where to compute.

    Returns
    -------
    ndarray of float32, shape (N, K)
        Rows sum to 1, and no share is 0. NaN without a photo or without any neighbour.
    """
    candidates = sample_of(np.flatnonzero(may_train & has_photo), seed)
    shares = np.full((len(labels), classes), np.nan, dtype=np.float32)
    if not len(candidates):
        return shares
    stored: Float32 = map_array(features)
    compared = Labelled(stored[candidates], labels[candidates], classes, device)
    for rows, share in _search(compared.shares, stored, np.flatnonzero(has_photo), candidates, fold, device):
        shares[rows] = share
    return shares


class Labelled:
    """Rows whose labels count for others like them.

    Parameters
    ----------
    features : ndarray of float32, shape (m, D)
        At least one row.
    labels : ndarray of int64, shape (m,)
        Class numbers.
    classes : int
        K.
    device : torch.device
        Where to compute.
    """

    def __init__(self, features: Float32, labels: Int64, classes: int, device: torch.device) -> None:
        self._directions, self._device, self._classes = _directions(features, device), device, classes
        targets = torch.nn.functional.one_hot(torch.from_numpy(labels), classes)
        self._targets = targets.to(device, torch.float32)

    def shares(self, block: Float32, same_fold: Bool) -> Float32:
        """Return the class shares among the 30 most similar ones, see :func:`neighbour_probabilities`.

        Parameters
        ----------
        block : ndarray of float32, shape (b, D)
            Features of other rows.
        same_fold : ndarray of bool, shape (b, m)
            Which of the labelled rows do not count.
        """
        cosine = _directions(block, self._device) @ self._directions.T
        cosine.masked_fill_(torch.from_numpy(same_fold).to(self._device), 0.0)
        nearest, places = cosine.topk(min(NEIGHBOURS, len(self._directions)), dim=1)
        weight = nearest.clamp(min=0) ** SHARPNESS
        total = weight.sum(1, keepdim=True)
        # a photo that is like no other has no neighbours: 0 / 0 is NaN
        share = (weight[:, :, None] * self._targets[places]).sum(1) / total
        doubt = _DOUBT / NEIGHBOURS
        share = (share + doubt / self._classes) / (1 + doubt)
        shares: Float32 = share.cpu().numpy()
        return shares


def nearest_of_others(features: Float32, rows: Int64, candidates: Int64, groups: Int64, *, count: int) -> Nearest:
    """Measure the mean Euclidean distance to the nearest `count` rows of other groups.

    After Ramaswamy, Rastogi and Shim, "Efficient Algorithms for Mining Outliers from Large Data Sets", SIGMOD 2000,
    with the mean distance of Angiulli and Pizzuti, "Fast Outlier Detection in High Dimensional Spaces", PKDD 2002.

    Parameters
    ----------
    features : ndarray of float32, shape (N, D)
        May be memory-mapped.
    rows : ndarray of int64, shape (n,)
        Rows to measure.
    candidates : ndarray of int64, shape (m,)
        Rows that are searched; memory and time grow with m.
    groups : ndarray of int64, shape (N,)
        Rows of one group do not count for each other: a photo far from all others is not near them because of its
        repost.
    count : int
        How many; fewer where there are fewer.

    Returns
    -------
    Nearest
        In the order of `rows`.
    """
    nearest = Nearest(np.full(len(rows), np.nan, dtype=np.float32), np.full(len(rows), -1, dtype=np.int64))
    if not len(candidates):
        return nearest
    searched = Searched(np.ascontiguousarray(features[candidates]), count)
    start = 0
    for part, found in _search(searched.nearest, features, rows, candidates, groups, torch.device("cpu")):
        block = slice(start, start := start + len(part))
        nearest.distance[block] = found.distance
        nearest.row[block] = np.where(found.row >= 0, candidates[found.row], -1)
    return nearest


class Searched:
    """Rows that others are compared with.

    Parameters
    ----------
    features : ndarray of float32, shape (m, D)
        At least one row.
    count : int
        How many of the nearest ones count; see :func:`nearest_of_others`.
    """

    def __init__(self, features: Float32, count: int) -> None:
        self._features, self._many = features, min(count, len(features))
        self._squares = np.einsum("md,md->m", features, features)

    def nearest(self, block: Float32, same_group: Bool) -> Nearest:
        """Return the distance to the nearest ones, and the place of the nearest one among the m.

        Parameters
        ----------
        block : ndarray of float32, shape (b, D)
            Features of other rows.
        same_group : ndarray of bool, shape (b, m)
            Which ones do not count.
        """
        # |a - b|^2 without |a|^2, which makes no difference to the order
        apart = block @ self._features.T
        apart *= -2
        apart += self._squares
        apart[same_group] = np.inf
        closest = apart.argmin(axis=1)
        # in place: the numbers of their candidates would take twice the memory of the distances
        apart.partition(self._many - 1, axis=1)
        square = apart[:, : self._many] + np.einsum("nd,nd->n", block, block)[:, None]
        finite = np.isfinite(square)
        number = finite.sum(axis=1)
        total = np.sqrt(np.where(finite, square, 0).clip(min=0)).sum(axis=1)
        return Nearest(np.where(number, total / np.maximum(number, 1), np.nan), np.where(number, closest, -1))


def sample_of(rows: Int64, seed: int) -> Int64:
    """Return `rows`, shape (n,), or, of more than 20,000, a sample in their order that depends on `seed`."""
    if len(rows) <= MOST_SEARCHED:
        return rows
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), MOST_SEARCHED, replace=False))]


def _search(
    compare: Callable[[Float32, Bool], Result],
    features: Float32,
    rows: Int64,
    candidates: Int64,
    groups: Int64,
    device: torch.device,
) -> Iterator[tuple[Int64, Result]]:
    """Yield blocks of rows, and what `compare` returns for their features and for who is of the same group.

    `compare` gets the features (b, D) of a block, and a mask (b, m) of the candidates that do not count.
    """
    parts = [rows[at : at + _BLOCK] for at in range(0, len(rows), _BLOCK)]

    def one(part: Int64) -> Result:
        return compare(np.ascontiguousarray(features[part]), groups[part][:, None] == groups[candidates])

    return zip(parts, each_on_one_core(one, parts, device=device), strict=True)


def _directions(features: Float32, device: torch.device) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.from_numpy(np.ascontiguousarray(features)).to(device), dim=1)
