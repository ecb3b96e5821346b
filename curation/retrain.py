"""`curate retrain --compare`: whether cleaning helped, on one fixed test set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from curation.decisions import current_decisions, now
from curation.errors import InputError, RunError, some
from curation.prepare import class_numbers, groups_of, photos_file
from curation.runs import Run
from curation.talk import Silent, Talk
from training.compare import paired_difference
from training.devices import Device, find_device
from training.files import whole_file, write_json
from training.loop import fit, predict, steps_of
from training.metrics import classification_metrics
from training.photos import Pixels, load_photos
from training.settings import TrainSettings

__all__ = ["retrain"]

Integers = npt.NDArray[np.int64]

#: Below this, an interval for a class is wider than any effect of cleaning.
_SMALL_TEST_SET = 50


def retrain(
    run: Run, *, compare: bool, seeds: int = 1, device: str | None = None, talk: Talk | None = None
) -> dict[str, Any]:
    """Train on the cleaned dataset and, to compare, on the one before; score both on the same test listings.

    Both versions are trained with the run's settings, the same number of epochs and the same seeds. The test set was
    fixed before detection; listings that show the same photo as a test listing, or are of its group, train neither
    model. Test labels are those given; where a person changed some, a second comparison uses the reviewed ones.

    Parameters
    ----------
    run : Run
        A finished run with photos and ``cleaned/``.
    compare : bool
        Train on the dataset before the fixes, too, and write ``comparison.json``.
    seeds : int
        Models per version.
    device : str, optional
        Where to train; by default as in the run.
    talk : Talk, optional
        Who is told how far it is.

    Returns
    -------
    dict
        What ``comparison.json`` holds; without `compare`, ``after`` alone.

    Raises
    ------
    RunError
        If there is no cleaned dataset, or no photos.
    InputError
        If the versions train on the same labels, or nothing is left to train or test on.
    """
    talk = talk or Silent()
    if seeds < 1:
        raise InputError("the number of seeds is out of range", got=str(seeds), wanted="1 or more")
    plan = _Versions(run)
    if compare and np.array_equal(plan.before, plan.after):
        raise InputError(
            "nothing to compare: the cleaned dataset trains on the same listings and labels",
            got="no change outside the test set",
            wanted="at least one relabelled or deleted training listing",
            fix="Decide more with: curate review",
        )
    settings = TrainSettings(**run.record()["settings"]["train"])
    where = find_device(device or settings.device)
    # the number of steps must not depend on how many listings were deleted
    settings = replace(settings, epochs=settings.epochs_for(int((plan.before >= 0).sum())))
    versions = {"before": plan.before, "after": plan.after} if compare else {"after": plan.after}
    trainer = _Trainer(run, plan, settings, where, seeds, talk)
    with run.stage("retrain"):
        predictions = {name: trainer.train(name, labels) for name, labels in versions.items()}
    result = _result(plan, predictions, settings, seeds, talk)
    if compare:
        with whole_file(run.predictions_file) as temporary:
            np.savez_compressed(
                temporary,
                id=plan.ids[plan.test],
                classes=np.array(plan.classes),
                before=predictions["before"],
                after=predictions["after"],
            )
        write_json(run.comparison_file, result)
    return result


class _Versions:
    """The labels that train before and after, and the test set, all in the order of ``listings.parquet``.

    Attributes
    ----------
    before, after : ndarray of int64, shape (N,)
        Class number of each listing that trains that version's models; -1 for the others.
    test : ndarray of int64, shape (n,)
        Rows of the test set.
    given, reviewed : ndarray of int64, shape (n,)
        Test labels as given, and as people left them; -1 where there is none, or where a person deleted the listing.
    """

    def __init__(self, run: Run) -> None:
        table = run.listings()
        self.ids = table["id"].to_numpy(dtype=np.str_)
        self.classes = run.classes
        self.groups = groups_of(table)
        if not photos_file(run).exists():
            raise RunError(
                f"{run.folder} has no photos to train on", fix="Run find-issues on a dataset with an image column."
            )
        readable = table["unreadable"].isna().to_numpy()
        given = class_numbers(table["label"], self.classes)
        tests = (table["split"] == "test").to_numpy(dtype=bool)
        apart = ~np.isin(self.groups, self.groups[tests])
        self.left_out = int((~apart & ~tests).sum())
        cleaned = _cleaned_labels(run)
        now_label = class_numbers(table["id"].map(cleaned), self.classes)
        self.before = np.where(readable & apart, given, -1)
        self.after = np.where(readable & apart, now_label, -1)
        self.test = np.flatnonzero(tests & readable & (given >= 0))
        self.given = given[self.test]
        self.reviewed = _reviewed(run, self.ids[self.test], self.given, self.classes)
        self._check()

    def _check(self) -> None:
        if len(self.test) == 0:
            raise InputError("the test set is empty", wanted="test listings with a label and a readable photo")
        for name, labels in (("before", self.before), ("after", self.after)):
            if (labels >= 0).sum() < 2:
                raise InputError(
                    f"the dataset {name} the fixes leaves nothing to train on", got="fewer than 2 listings"
                )


def _cleaned_labels(run: Run) -> dict[str, str]:
    table_file = run.cleaned / "listings.csv"
    if not table_file.exists():
        raise RunError(
            f"{run.folder} has no cleaned dataset",
            wanted="decisions, applied",
            fix="Type: curate apply-fixes (after curate review), or curate apply-fixes --accept-suggestions",
        )
    table = pd.read_csv(table_file, dtype=str, keep_default_na=False)
    return dict(zip(table["id"], table["label"], strict=True))


def _reviewed(run: Run, ids: npt.NDArray[np.str_], given: Integers, classes: Sequence[str]) -> Integers:
    """Return the test labels as people left them; an accepted suggestion is nobody's word."""
    decisions = current_decisions(run.decisions()[0])
    number = {name: place for place, name in enumerate(classes)}
    reviewed = given.copy()
    for place, id in enumerate(ids):
        decision = decisions.get(id)
        if decision is None or decision.source == "suggestion":
            continue
        if decision.action == "delete":
            reviewed[place] = -1
        elif decision.action == "relabel" and decision.new_label is not None:
            reviewed[place] = number[decision.new_label]
    return reviewed


class _Trainer:
    """Trains one model per version and seed; a model that is there already is read back."""

    def __init__(
        self,
        run: Run,
        plan: _Versions,
        settings: TrainSettings,
        device: Device,
        seeds: int,
        talk: Talk,
    ) -> None:
        self.folder = run.training_folder / "retrain"
        self.photos: Pixels = load_photos(photos_file(run))
        self.plan, self.settings, self.device, self.seeds, self.talk = plan, settings, device, seeds, talk

    def train(self, name: str, labels: Integers) -> Integers:
        """Return the predictions of each seed's model for the test set, shape (S, n)."""
        rows = np.flatnonzero(labels >= 0)
        total = steps_of(len(rows), self.settings) * self.seeds
        done = 0
        predictions = []
        with self.talk.bar(f"training {name} the fixes") as progress:

            def step() -> None:
                nonlocal done
                done += 1
                progress(done, total)

            for seed in range(self.settings.seed, self.settings.seed + self.seeds):
                predictions.append(self._model(f"{name}-{seed}", labels, rows, seed, step))
                done = steps_of(len(rows), self.settings) * (seed - self.settings.seed + 1)
                progress(done, total)
        return np.stack(predictions)

    def _model(self, name: str, labels: Integers, rows: Integers, seed: int, on_step: Any) -> Integers:
        path = self.folder / f"{name}.pt"
        key = self._key(labels, seed)
        if path.exists():
            content = torch.load(path, map_location="cpu", weights_only=True)
            if content.get("key") == key:
                return np.asarray(content["predicted"].numpy(), dtype=np.int64)
        fitted = fit(
            self.photos,
            rows,
            labels,
            classes=len(self.plan.classes),
            settings=self.settings,
            device=self.device,
            seed=seed,
            on_step=on_step,
        )
        predicted = predict(fitted.model, self.photos, self.plan.test, self.device).argmax(axis=1)
        content = {
            "key": key,
            "classes": self.plan.classes,
            "settings": self.settings.to_dict(),
            "model": fitted.model.state_dict(),
            "predicted": torch.from_numpy(predicted),
        }
        with whole_file(path) as temporary:
            torch.save(content, temporary)
        return np.asarray(predicted, dtype=np.int64)

    def _key(self, labels: Integers, seed: int) -> str:
        digest = hashlib.sha256(json.dumps([self.settings.to_dict(), self.plan.classes, seed], sort_keys=True).encode())
        digest.update(labels.tobytes())
        digest.update(self.plan.test.tobytes())
        return digest.hexdigest()


def _result(
    plan: _Versions, predictions: dict[str, Integers], settings: TrainSettings, seeds: int, talk: Talk
) -> dict[str, Any]:
    missing = [name for number, name in enumerate(plan.classes) if number not in set(plan.given.tolist())]
    if missing:
        talk.say(f"the test set has no listing of {some(missing)}: macro-F1 leaves them out")
    if len(plan.test) < _SMALL_TEST_SET:
        talk.say(f"the test set has {len(plan.test)} listings only: expect a wide interval")
    result: dict[str, Any] = {
        "made": now(),
        "test_listings": len(plan.test),
        "seeds": list(range(settings.seed, settings.seed + seeds)),
        "epochs": settings.epochs,
        "train_listings": {
            name: int((labels >= 0).sum()) for name, labels in (("before", plan.before), ("after", plan.after))
        },
        "relabelled": int(((plan.before >= 0) & (plan.after >= 0) & (plan.before != plan.after)).sum()),
        "deleted": int(((plan.before >= 0) & (plan.after < 0)).sum()),
        "left_out_like_test": plan.left_out,
    }
    result |= _scores(plan, predictions, plan.given, settings.seed)
    if not np.array_equal(plan.given, plan.reviewed):
        result["reviewed_test_labels"] = {
            "changed": int((plan.given != plan.reviewed).sum()),
            **_scores(plan, predictions, plan.reviewed, settings.seed),
        }
    return result


def _scores(plan: _Versions, predictions: dict[str, Integers], truth: Integers, seed: int) -> dict[str, Any]:
    """Return each version's metrics against `truth` and, if there are two versions, their difference."""
    judged = truth >= 0
    truth = truth[judged]
    scores: dict[str, Any] = {}
    for name, runs in predictions.items():
        scores[name] = _mean([classification_metrics(truth, predicted[judged], plan.classes) for predicted in runs])
    if "before" not in predictions:
        return scores
    macro, per_class = paired_difference(
        truth,
        predictions["before"][:, judged],
        predictions["after"][:, judged],
        plan.groups[plan.test][judged],
        classes=len(plan.classes),
        seed=seed,
    )
    scores["difference"] = macro.to_dict()
    scores["verdict"] = macro.verdict
    scores["per_class"] = {
        name: {
            "before": scores["before"]["per_class"][name],
            "after": scores["after"]["per_class"][name],
            "difference": difference.to_dict() if difference else None,
            "verdict": difference.verdict if difference else None,
        }
        for name, difference in zip(plan.classes, per_class, strict=True)
    }
    return scores


def _mean(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Average the metrics of all seeds; each seed's macro-F1 is kept beside the mean."""
    names = runs[0]["per_class"]
    return {
        "macro_f1": float(np.mean([run["macro_f1"] for run in runs])),
        "accuracy": float(np.mean([run["accuracy"] for run in runs])),
        "macro_f1_by_seed": [run["macro_f1"] for run in runs],
        "per_class": {
            name: {key: float(np.mean([run["per_class"][name][key] for run in runs])) for key in names[name]}
            for name in names
        },
    }
