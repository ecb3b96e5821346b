"""Cross-validated training: K models, and for every row the probabilities of the one that never saw it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.tensorboard import SummaryWriter

from training.devices import Device
from training.errors import InputError
from training.files import whole_file
from training.folds import check_partition
from training.loop import EpochResult, Floats, Integers, Pixels, fit, predict, steps_of
from training.progress import Progress, silent
from training.settings import TrainSettings

__all__ = ["FoldPlan", "cross_validate"]

Mask = npt.NDArray[np.bool_]


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

    fold: Integers
    groups: Integers
    may_train: Mask
    has_photo: Mask

    @property
    def folds(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1

    def training_rows(self, fold: int) -> Integers:
        """Return the rows that the model of `fold` trains on."""
        return np.flatnonzero((self.fold != fold) & self.may_train & self.has_photo)

    def scored_rows(self, fold: int) -> Integers:
        """Return the rows that the model of `fold` scores."""
        return np.flatnonzero((self.fold == fold) & self.has_photo)


def cross_validate(
    photos: Pixels,
    labels: Integers,
    plan: FoldPlan,
    *,
    classes: int,
    settings: TrainSettings,
    device: Device,
    folder: Path,
    progress: Progress = silent,
    say: Callable[[str], None] = lambda line: None,
) -> Floats:
    """Train one model per fold and score every row by the model that never saw it.

    A fold that has finished is read back from its checkpoint, so an interrupted run goes on with the first
    unfinished one.

    Parameters
    ----------
    photos : ndarray of uint8, shape (N, S, S, 3)
        The photos.
    labels : ndarray of int64, shape (N,)
        Given class numbers 0 to K-1; -1 where there is none.
    plan : FoldPlan
        Who trains, who is scored.
    classes : int
        K.
    settings : TrainSettings
        How to train.
    device : Device
        Where to train.
    folder : Path
        Gets ``fold-<f>/checkpoint.pt`` and a TensorBoard log beside it.
    progress : callable
        Called with (optimiser steps done, steps in all).
    say : callable
        Gets a line when a fold is taken from its checkpoint, and one about the initial weights.

    Returns
    -------
    ndarray of float32, shape (N, K)
        Out-of-fold probabilities; rows sum to 1. NaN where a row has no photo.

    Raises
    ------
    InputError
        If a fold has fewer than two rows to train on, or a checkpoint was made with other settings or data.
    """
    check_partition(plan.fold, plan.groups, folds=plan.folds)
    key = _key(labels, plan, classes, settings)
    total = sum(steps_of(len(plan.training_rows(fold)), settings) for fold in range(plan.folds))
    probs = np.full((len(labels), classes), np.nan, dtype=np.float32)
    times_scored = np.zeros(len(labels), dtype=np.int64)
    done = 0
    for fold in range(plan.folds):
        rows, scored = plan.training_rows(fold), plan.scored_rows(fold)
        if len(rows) < 2:
            raise InputError(
                f"fold {fold + 1} has nothing to train on",
                got=f"{len(rows)} labelled listings with a photo in the other folds",
                wanted="at least 2",
            )
        checkpoint = _read_checkpoint(folder / f"fold-{fold}" / "checkpoint.pt", key)
        if checkpoint is not None:
            say(f"fold {fold + 1} of {plan.folds} is done already")
            probs[scored] = checkpoint["probs"].numpy()
        elif len(scored):
            trained = _FoldTraining(folder / f"fold-{fold}", fold, done, total, progress)
            probs[scored] = trained.run(photos, labels, rows, scored, classes, settings, device, key, say)
        times_scored[scored] += 1
        done += steps_of(len(rows), settings)
        progress(done, total)
    if not np.array_equal(times_scored, plan.has_photo.astype(np.int64)):
        raise ValueError("every listing with a photo must be scored exactly once")
    return probs


@dataclass
class _FoldTraining:
    """One fold: its files and its share of the progress bar."""

    folder: Path
    fold: int
    done: int
    total: int
    progress: Progress

    def run(
        self,
        photos: Pixels,
        labels: Integers,
        rows: Integers,
        scored: Integers,
        classes: int,
        settings: TrainSettings,
        device: Device,
        key: str,
        say: Callable[[str], None],
    ) -> Floats:
        # what an interrupted attempt left would show as a second curve
        shutil.rmtree(self.folder, ignore_errors=True)
        judged = scored[labels[scored] >= 0]
        with SummaryWriter(str(self.folder)) as log:

            def on_epoch(result: EpochResult, model: torch.nn.Module) -> None:
                log.add_scalar("train/loss", result.loss, result.epoch)
                log.add_scalar("train/accuracy", result.accuracy, result.epoch)
                log.add_scalar("learning_rate", result.learning_rate, result.epoch)
                if len(judged):
                    held_out = predict(model, photos, judged, device, mirrored=False)
                    given = np.maximum(held_out[np.arange(len(judged)), labels[judged]], 1e-8)
                    log.add_scalar("held_out/loss", float(-np.log(given).mean()), result.epoch)
                    log.add_scalar(
                        "held_out/accuracy", float((held_out.argmax(1) == labels[judged]).mean()), result.epoch
                    )

            fitted = fit(
                photos,
                rows,
                labels,
                classes=classes,
                settings=settings,
                device=device,
                seed=settings.seed * 1009 + self.fold,
                on_step=self._step,
                on_epoch=on_epoch,
            )
        if self.fold == 0:
            say(f"{settings.model}: {fitted.origin}")
        probs = predict(fitted.model, photos, scored, device)
        content = {
            "key": key,
            "settings": settings.to_dict(),
            "model": fitted.model.state_dict(),
            "probs": torch.from_numpy(probs),
            "history": [asdict(result) for result in fitted.history],
        }
        with whole_file(self.folder / "checkpoint.pt") as temporary:
            torch.save(content, temporary)
        return probs

    def _step(self) -> None:
        self.done += 1
        self.progress(self.done, self.total)


def _key(labels: Integers, plan: FoldPlan, classes: int, settings: TrainSettings) -> str:
    """Name what a checkpoint depends on, so that none is used for another question."""
    digest = hashlib.sha256(json.dumps([settings.to_dict(), classes], sort_keys=True).encode())
    for array in (labels, plan.fold, plan.may_train, plan.has_photo):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _read_checkpoint(path: Path, key: str) -> dict[str, Any] | None:
    if not path.exists():
        return None
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if content.get("key") != key:
        raise InputError(
            f"{path} was made with other settings or data",
            wanted="a checkpoint of this run",
            fix="Remove it, or start a new run.",
        )
    return content
