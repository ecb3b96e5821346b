"""Cross-validated training: one model per fold, and the predictions of each for every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.crossval.folds import check_partition
from training.crossval.jobs import Data, Done, Job
from training.crossval.predictions import Predictions
from training.crossval.workers import run_jobs
from training.engine.contract import LOCAL, Engine
from training.errors import InputError
from training.features.linear import Head
from training.features.neighbours import neighbour_probabilities
from training.features.refit import refitted_probabilities
from training.fit.throughput import Arrangement
from training.settings import Recipe
from training.utils.arrays import Bool, Float32, Int64
from training.utils.files import write_json
from training.utils.progress import SILENT, Reporter

__all__ = ["CrossValidated", "FoldPlan", "blend", "cross_validate", "network_shares"]


SHARE_FILE = "share.json"
#: Rows in memory at a time: predictions stay on disk.
_BLOCK = 8_192
#: Weights of the network that are tried.
_SHARES = np.linspace(0, 1, 11)


@dataclass(frozen=True)
class FoldPlan:
    """Which rows train and which are scored.

    The model of fold f trains on the rows of all other folds that may train, and scores all rows of fold f that
    have a photo. Rows that may not train (the test set, rows without a label) are scored all the same.

    Attributes
    ----------
    fold : ndarray of int64, shape (N,)
        Fold of every row, 0 to K-1.
    groups : ndarray of int64, shape (N,)
        Rows that must stay together.
    may_train : ndarray of bool, shape (N,)
        Rows that models may be trained on.
    has_photo : ndarray of bool, shape (N,)
        Rows that can be scored.
    """

    fold: Int64
    groups: Int64
    may_train: Bool
    has_photo: Bool

    @property
    def folds(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1

    def training_rows(self, fold: int) -> Int64:
        """Return the rows that the model of `fold` trains on."""
        return np.flatnonzero((self.fold != fold) & self.may_train & self.has_photo)

    def scored_rows(self, fold: int) -> Int64:
        """Return the rows that the model of `fold` scores."""
        return np.flatnonzero((self.fold == fold) & self.has_photo)

    def check(self) -> None:
        """Refuse folds that overlap, or whose model would have fewer than two rows to train on.

        Raises
        ------
        InputError
            If a model has nothing to train on.
        """
        check_partition(self.fold, self.groups, folds=self.folds)
        for fold in range(self.folds):
            if len(self.training_rows(fold)) < 2:
                raise InputError(
                    f"fold {fold + 1} has nothing to train on",
                    got=f"{len(self.training_rows(fold))} labelled listings with a photo in the other folds",
                    wanted="at least 2",
                )


@dataclass(frozen=True)
class CrossValidated:
    """The predictions of the models; NaN for rows without a photo.

    Attributes
    ----------
    probs : ndarray of float32, shape (N, K)
        Out-of-fold probabilities, by the model that was not trained on the row. Rows sum to 1.
    in_fold : ndarray of float32, shape (N, K)
        Mean log-probabilities by the models of all *other* folds; those of networks are from their later epochs. These
        models were trained on the row with its given label, if it may train. A label that they still find improbable is
        probably wrong.
    neighbours : ndarray of float32, shape (N, K)
        Class shares among the most similar rows of other folds; see
        :func:`training.features.neighbours.neighbour_probabilities`.
    refitted : ndarray of float32, shape (N, K), or None
        Out-of-fold probabilities of heads that learned doubtful labels less; see
        :func:`training.features.refit.refitted_probabilities`. None where networks were trained.
    heads : mapping of int to Head
        The models behind `refitted`, by the parts of the folds that they score.
    """

    probs: Float32
    in_fold: Float32
    neighbours: Float32
    refitted: Float32 | None = None
    heads: Mapping[int, Head] = field(default_factory=dict)


def cross_validate(
    data: Data,
    labels: Int64,
    plan: FoldPlan,
    *,
    recipe: Recipe,
    arrangement: Arrangement,
    folder: Path,
    engine: Engine = LOCAL,
    reporter: Reporter = SILENT,
) -> CrossValidated:
    """Train one model per fold; score every row by the model not trained on it, by the others, and by its neighbours.

    A finished fold is loaded from its checkpoint, and an unfinished one resumes from its last snapshot.

    Parameters
    ----------
    data : Data
        Of :func:`training.crossval.jobs.prepare_data`.
    labels : ndarray of int64, shape (N,)
        Given class numbers 0 to K-1; -1 where there is none.
    plan : FoldPlan
        Which rows train and which are scored.
    recipe : Recipe
        How to train.
    arrangement : Arrangement
        Where, and how many folds at a time.
    folder : Path
        Gets ``fold-<f>/checkpoint.pt`` and a TensorBoard log beside it.
    engine : Engine
        Where models are trained.
    reporter : Reporter
        Shows the progress of training, and which folds were loaded from their checkpoints.

    Returns
    -------
    CrossValidated

    Raises
    ------
    InputError
        If a fold has fewer than two rows to train on, or a checkpoint was made with other settings or data.
    """
    if data.features is None:
        raise ValueError("cross-validation needs features")
    plan.check()
    jobs = [
        Job(
            name=f"fold {fold + 1} of {plan.folds}",
            folder=folder / f"fold-{fold}",
            labels=labels,
            rows=plan.training_rows(fold),
            scored=plan.scored_rows(fold),
            seed=recipe.seed * 1009 + fold,
            watched=np.flatnonzero(plan.has_photo),
        )
        for fold in range(plan.folds)
    ]
    done = run_jobs(jobs, data, recipe, arrangement, engine=engine, reporter=reporter)
    probs, shares = _out_of_fold(jobs, done, labels, plan, data.classes)
    if shares is not None:
        write_json(folder / SHARE_FILE, {"network_share": float(shares.mean())})
    neighbours = neighbour_probabilities(
        data.features,
        labels,
        plan.fold,
        plan.may_train,
        plan.has_photo,
        classes=data.classes,
        seed=recipe.seed,
        device=arrangement.device.device,
    )
    refitted, heads = None, dict[int, Head]()
    if shares is None:
        refitted = refitted_probabilities(
            data.features,
            labels,
            plan.fold,
            plan.may_train & plan.has_photo,
            plan.has_photo,
            strengths=[result.strength for result in done if result.strength is not None],
            classes=data.classes,
            device=arrangement.device.device,
            keep=heads.__setitem__,
        )
    return CrossValidated(probs, _in_fold(jobs, shares, plan, data.classes), neighbours, refitted, heads)


def _out_of_fold(
    jobs: list[Job], done: list[Done], labels: Int64, plan: FoldPlan, classes: int
) -> tuple[Float32, Float32 | None]:
    """Return the probabilities of all folds in one array, and the share of the network in each, if there are any."""
    head = np.full((len(labels), classes), np.nan, dtype=np.float32)
    network = head.copy()
    times_scored = np.zeros(len(labels), dtype=np.int64)
    for job, result in zip(jobs, done, strict=True):
        head[job.scored] = result.head
        if result.network is not None:
            network[job.scored] = result.network
        times_scored[job.scored] += 1
    if not np.array_equal(times_scored, plan.has_photo.astype(np.int64)):
        raise ValueError("every listing with a photo must be scored exactly once")
    if np.isnan(network).all():
        return head, None
    # the labels of the test set must not influence what is found
    judged = np.where(plan.may_train & plan.has_photo, labels, -1)
    shares = network_shares(head, network, judged, plan.fold, folds=plan.folds)
    return blend(head, network, shares[plan.fold][:, None]), shares


def _in_fold(jobs: list[Job], shares: Float32 | None, plan: FoldPlan, classes: int) -> Float32:
    """Return the mean log-probabilities of the models of other folds; float32, shape (N, K)."""
    mean = np.full((len(plan.fold), classes), np.nan, dtype=np.float32)
    for start in range(0, len(plan.fold), _BLOCK):
        block = slice(start, start + _BLOCK)
        total = np.zeros_like(mean[block])
        for number, job in enumerate(jobs):
            logs = Predictions.mean(job.head_predictions, block)
            if shares is not None:
                logs = blend(logs, Predictions.mean(job.network_predictions, block), float(shares[number]))
            total += np.where((plan.fold[block] == number)[:, None], 0, logs)
        mean[block] = np.where(plan.has_photo[block, None], total / (plan.folds - 1), np.nan)
    return mean


def network_shares(head: Float32, network: Float32, labels: Int64, fold: Int64, *, folds: int) -> Float32:
    """Choose the share of the network in each fold: the one with which the *other* folds' blends predict labels best.

    A network that was trained briefly on few photos is worse than the head, and one that was trained long on many is
    better. A fold's own labels have no influence, so its blended probabilities stay out-of-fold (stacking: Wolpert,
    "Stacked generalization", 1992).

    Parameters
    ----------
    head, network : ndarray of float32, shape (n, K)
        Out-of-fold probabilities of both; rows sum to 1.
    labels, fold : ndarray of int64, shape (n,)
        Given class numbers, -1 where there is none, and folds.
    folds : int
        How many folds.

    Returns
    -------
    ndarray of float32, shape (folds,)
        From 0, the head alone, to 1, the network alone.
    """
    judged = labels >= 0
    given = labels[judged]
    rows = np.arange(len(given))
    by_head, by_network = head[judged][rows, given], network[judged][rows, given]
    losses = np.stack([-np.log(np.maximum(blend(by_head, by_network, share), 1e-8)) for share in _SHARES])
    per_fold = np.stack([losses[:, fold[judged] == number].sum(axis=1) for number in range(folds)])
    shares: Float32 = _SHARES[(per_fold.sum(axis=0) - per_fold).argmin(axis=1)].astype(np.float32)
    return shares


def blend(head: Float32, network: Float32, share: float | Float32) -> Float32:
    """Return the weighted mean of two sets of probabilities.

    Parameters
    ----------
    head, network : ndarray of float32, shape (n, K)
        Probabilities of the linear model and of the network.
    share : float or ndarray of float
        Weight of the network, from 0 to 1.
    """
    blended: Float32 = ((1 - share) * head + share * network).astype(np.float32)
    return blended
