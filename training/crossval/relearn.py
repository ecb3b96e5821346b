"""The linear models once more, with labels that people corrected since; networks keep what they said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training.crossval.checkpoint import read_checkpoint
from training.crossval.cross_validate import CrossValidated, FoldPlan, blend, network_shares
from training.crossval.jobs import Job
from training.crossval.predictions import FLOOR, Predictions
from training.features.linear import Head, fit_head
from training.features.neighbours import neighbour_probabilities
from training.features.refit import Decided, refitted_probabilities
from training.utils.array_files import map_array
from training.utils.arrays import Float32, Int64
from training.utils.devices import each_on_one_core

__all__ = ["Networks", "relearn"]


@dataclass(frozen=True)
class Networks:
    """What the networks of a training say, which are not trained again.

    Attributes
    ----------
    probs : ndarray of float32, shape (N, K)
        Out-of-fold probabilities; NaN without a photo.
    predictions : list of Path
        For each fold, what its network predicted; see :class:`training.crossval.predictions.Predictions`.
    """

    probs: Float32
    predictions: list[Path]

    @classmethod
    def of(cls, folder: Path, plan: FoldPlan, classes: int) -> Networks | None:
        """Return those of a training in a folder; None if it trained none.

        Raises
        ------
        DamagedError
            If a checkpoint can't be read.
        """
        probs = np.full((len(plan.fold), classes), np.nan, dtype=np.float32)
        folders = [folder / f"fold-{fold}" for fold in range(plan.folds)]
        for fold, place in enumerate(folders):
            of_fold = read_checkpoint(place).network_probs
            if of_fold is None:
                return None
            probs[plan.scored_rows(fold)] = of_fold
        return cls(probs, [Job.network_predictions_in(place) for place in folders])


def relearn(
    features: Path,
    labels: Int64,
    plan: FoldPlan,
    *,
    decided: Decided,
    classes: int,
    seed: int,
    device: torch.device,
    networks: Networks | None = None,
) -> CrossValidated:
    """Fit the linear models of a training again, from the features that it left.

    With the labels that it was trained on, and nothing decided, this gives the same as
    :func:`training.crossval.cross_validate.cross_validate`.

    Parameters
    ----------
    features : Path
        Of float32, shape (N, D).
    labels : ndarray of int64, shape (N,)
        Class numbers, -1 where nothing is learned; see `plan`.
    plan : FoldPlan
        Which rows train and which are scored: the folds of the training, and the labels of today.
    decided : Decided
        What people decided: none of these labels is doubted, and they say how far others are.
    classes : int
        K.
    seed : int
        Of the recipe.
    device : torch.device
        Where to compute.
    networks : Networks, optional
        What networks said, whose share is chosen again.

    Returns
    -------
    CrossValidated

    Raises
    ------
    InputError
        If a fold has fewer than two rows to train on.
    """
    plan.check()
    stored: Float32 = map_array(features)
    fit = _Fit(stored, labels, plan, classes, seed, device)
    heads = list(each_on_one_core(fit, range(plan.folds), device=device))
    probs = np.full((len(labels), classes), np.nan, dtype=np.float32)
    for fold, head in enumerate(heads):
        rows = plan.scored_rows(fold)
        probs[rows] = head.predict(stored, rows)
    shares = None
    if networks is not None:
        judged = np.where(plan.may_train & plan.has_photo, labels, -1)
        shares = network_shares(probs, networks.probs, judged, plan.fold, folds=plan.folds)
        probs = blend(probs, networks.probs, shares[plan.fold][:, None])
    has_photo = plan.has_photo
    neighbours = neighbour_probabilities(
        features, labels, plan.fold, plan.may_train, has_photo, classes=classes, seed=seed, device=device
    )
    refitted = None
    if networks is None:
        refitted = refitted_probabilities(
            features,
            labels,
            plan.fold,
            plan.may_train & has_photo,
            has_photo,
            strengths=[head.strength for head in heads],
            classes=classes,
            device=device,
            decided=decided,
        )
    return CrossValidated(probs, _in_fold(heads, stored, plan, classes, networks, shares), neighbours, refitted)


@dataclass(frozen=True)
class _Fit:
    """Fits the head of a fold."""

    features: Float32
    labels: Int64
    plan: FoldPlan
    classes: int
    seed: int
    device: torch.device

    def __call__(self, fold: int) -> Head:
        rows, seed = self.plan.training_rows(fold), self.seed * 1009 + fold
        groups = self.plan.groups
        return fit_head(self.features, rows, self.labels, groups, classes=self.classes, seed=seed, device=self.device)


def _in_fold(
    heads: list[Head],
    features: Float32,
    plan: FoldPlan,
    classes: int,
    networks: Networks | None,
    shares: Float32 | None,
) -> Float32:
    """Return the mean log-probabilities of the models of other folds, kept as exactly as on disk."""
    total = np.zeros((len(plan.fold), classes), dtype=np.float32)
    rows = np.flatnonzero(plan.has_photo)
    for fold, head in enumerate(heads):
        with np.errstate(divide="ignore"):
            logs = np.maximum(np.log(head.predict(features, rows)), FLOOR).astype(np.float16).astype(np.float32)
        if networks is not None and shares is not None:
            everything = Predictions.mean(networks.predictions[fold], slice(None))
            logs = blend(logs, everything[rows], float(shares[fold]))
        total[rows] += np.where((plan.fold[rows] == fold)[:, None], 0, logs)
    mean: Float32 = np.where(plan.has_photo[:, None], total / (plan.folds - 1), np.nan).astype(np.float32)
    return mean
