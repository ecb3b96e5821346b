"""Out-of-fold class shares among the nearest photos: another opinion from the same features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from training.utils.arrays import Bool, Float32, Int64
from training.utils.devices import each_on_one_core

__all__ = ["neighbour_probabilities"]


#: Neighbours asked.
NEIGHBOURS = 30
#: The exponent of the cosine: nearer ones count more.
SHARPNESS = 4
#: Photos among which neighbours are looked for; a sample of more of them keeps the cost linear in N.
MOST_KNOWN = 20_000
#: Weight of "any class" beside the neighbours, as a share of one of them.
_DOUBT = 0.5
_BLOCK = 512


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

    Groups lie in one fold, so no row is told its label by its own repost. Neighbours err differently from a linear
    head on the same features, which makes the two together better than either (k nearest neighbours against label
    noise: Bahri, Jiang and Gupta, "Deep k-NN for Noisy Labels", ICML 2020).

    Parameters
    ----------
    features : Path
        Of float32, shape (N, D); see :func:`training.features.extract.compute_features`.
    labels, fold : ndarray of int64, shape (N,)
        Given class numbers and folds.
    may_train, has_photo : ndarray of bool, shape (N,)
        Rows that may be asked, and rows that are scored.
    classes : int
        K.
    seed : int
        Seed of the sample of rows that may be asked.
    device : torch.device
        Where to compute.

    Returns
    -------
    ndarray of float32, shape (N, K)
        Rows sum to 1, and no share is 0. NaN where there is no photo or nobody to ask.
    """
    known = np.flatnonzero(may_train & has_photo)
    if len(known) > MOST_KNOWN:
        known = np.sort(np.random.default_rng(seed).choice(known, MOST_KNOWN, replace=False))
    stored: Float32 = np.load(features, mmap_mode="r")
    shares = np.full((len(labels), classes), np.nan, dtype=np.float32)
    if not len(known):
        return shares
    directions = _unit(stored, known, device)
    targets = torch.nn.functional.one_hot(torch.from_numpy(labels[known]), classes).to(device, torch.float32)
    folds = torch.from_numpy(fold[known]).to(device)

    def ask(rows: Int64) -> Float32:
        similarity = _unit(stored, rows, device) @ directions.T
        similarity.masked_fill_(torch.from_numpy(fold[rows]).to(device)[:, None] == folds, 0.0)
        nearest, places = similarity.topk(min(NEIGHBOURS, len(known)), dim=1)
        weight = nearest.clamp(min=0) ** SHARPNESS
        total = weight.sum(1, keepdim=True)
        # a photo that is like no other has nobody to ask: 0 / 0 is NaN
        share = (weight[:, :, None] * targets[places]).sum(1) / total
        doubt = _DOUBT / NEIGHBOURS
        share = (share + doubt / classes) / (1 + doubt)
        return share.cpu().numpy()

    scored = np.flatnonzero(has_photo)
    parts = [scored[at : at + _BLOCK] for at in range(0, len(scored), _BLOCK)]
    for part, found in zip(parts, each_on_one_core(ask, parts, device=device), strict=True):
        shares[part] = found
    return shares


def _unit(features: Float32, rows: Int64, device: torch.device) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.from_numpy(np.ascontiguousarray(features[rows])).to(device), dim=1)
