"""Out-of-fold probabilities of a run's listings, by training one model per fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.errors import some
from curation.prepare import class_numbers, groups_of, photos_file
from curation.runs import Run
from curation.talk import Talk
from training.crossval import FoldPlan, cross_validate
from training.devices import Device, find_device
from training.models import build_model
from training.photos import load_photos
from training.settings import TrainSettings

__all__ = ["FoldTrainer"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FoldTrainer:
    """Trains one model per fold; made before a run's folder is, so that what can't be trained leaves nothing behind.

    Attributes
    ----------
    settings : TrainSettings
        How to train.
    classes : sequence of str
        The K classes.
    device : Device
        Where to train.
    """

    settings: TrainSettings
    classes: Sequence[str]
    device: Device

    @classmethod
    def checked(cls, settings: TrainSettings, classes: Sequence[str]) -> FoldTrainer:
        """Return a trainer if device and model can be had and the model takes photos of this size.

        Raises
        ------
        InputError
            If not.
        """
        build_model(settings.model, classes=len(classes), image_size=settings.image_size, pretrained=False)
        return cls(settings, classes, find_device(settings.device))

    def train(self, run: Run, table: pd.DataFrame, talk: Talk) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Score every listing with a photo by the model that never saw it, its group, or its photo.

        Parameters
        ----------
        run : Run
            Gets a checkpoint and a TensorBoard log per fold.
        table : DataFrame
            Of :func:`curation.prepare.prepare`.
        talk : Talk
            Who is told how far it is.

        Returns
        -------
        probs : ndarray of float64, shape (N, K)
            Out-of-fold probabilities; NaN rows for listings without a readable photo.
        trained : ndarray of bool, shape (N, K)
            Whether the model that scored the listing had seen any member of the class.
        """
        plan = _plan(table)
        _say_rare_classes(table, plan.folds, talk)
        talk.say(f"training {plan.folds} models on {self.device}")
        labels = class_numbers(table["label"], self.classes)
        with talk.bar("training") as progress:
            probs = cross_validate(
                load_photos(photos_file(run)),
                labels,
                plan,
                classes=len(self.classes),
                settings=self.settings,
                device=self.device,
                folder=run.training_folder,
                progress=progress,
                say=talk.say,
            )
        return probs.astype(np.float64), _trained(labels, plan, len(self.classes))


def _plan(table: pd.DataFrame) -> FoldPlan:
    # the test set judges the cleaning, so its labels must not help to find what is cleaned
    may_train = (table["split"] == "train") & table["label"].notna()
    return FoldPlan(
        fold=table["fold"].to_numpy(dtype=np.int64),
        groups=groups_of(table),
        may_train=may_train.to_numpy(dtype=bool),
        has_photo=table["unreadable"].isna().to_numpy(),
    )


def _trained(labels: Integers, plan: FoldPlan, classes: int) -> npt.NDArray[np.bool_]:
    """Return which classes each listing's model has seen, shape (N, K)."""
    seen = np.zeros((plan.folds, classes), dtype=bool)
    for fold in range(plan.folds):
        seen[fold, labels[plan.training_rows(fold)]] = True
    return np.asarray(seen[plan.fold], dtype=bool)


def _say_rare_classes(table: pd.DataFrame, folds: int, talk: Talk) -> None:
    counts = table["label"].value_counts()
    rare = counts[counts < folds]
    if len(rare):
        named = some(f"{name} ({count})" for name, count in rare.items())
        talk.say(
            f"{len(rare)} classes have fewer listings than the {folds} folds: {named}. "
            "They are spread over the folds together; a listing whose model never saw its class gets no label score."
        )
