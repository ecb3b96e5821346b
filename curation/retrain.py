"""`curate retrain --compare`: whether cleaning helped, on one fixed test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.decisions import current_decisions, now
from curation.errors import InputError, RunError, some
from curation.out_of_fold import say_plan, with_weights
from curation.prepare import class_numbers, groups_of, open_photos, require_photos
from curation.runs import Run
from curation.talk import Silent, Talk
from training.blend import blend
from training.compare import paired_difference
from training.crossval import network_share
from training.devices import find_device
from training.files import whole_file, write_json
from training.jobs import Data, Done, Job, prepare_data
from training.metrics import classification_metrics
from training.photos.cache import PhotoCache, default_cache
from training.plan import Work, make_plan
from training.run_job import forget_other
from training.settings import TrainSettings
from training.workers import run_jobs

__all__ = ["retrain"]

Integers = npt.NDArray[np.int64]

#: Below this, an interval for a class is wider than any effect of cleaning.
_SMALL_TEST_SET = 50


def retrain(
    run: Run,
    *,
    compare: bool,
    seeds: int = 1,
    device: str | None = None,
    cache: PhotoCache | None = None,
    talk: Talk | None = None,
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
    cache : PhotoCache, optional
        Where decoded photos are kept; by default the user's.
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
    settings = replace(settings, device=device or settings.device)
    versions = {"before": plan.before, "after": plan.after} if compare else {"after": plan.after}
    with run.stage("retrain"):
        trainer = _Trainer(run, plan, versions, settings, seeds, cache or default_cache(), talk)
        predictions = trainer.train()
    result = _result(plan, predictions, trainer.settings, seeds, talk)
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
        require_photos(run, table)
        self.ids = table["id"].to_numpy(dtype=np.str_)
        self.classes = run.classes
        self.groups = groups_of(table)
        self.readable = readable = table["unreadable"].isna().to_numpy(dtype=bool)
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
    """Trains one model per version and seed; a model that is there already is read back.

    Attributes
    ----------
    settings : TrainSettings
        With the number of epochs, which must not depend on how many listings were deleted.
    """

    def __init__(
        self,
        run: Run,
        versions: _Versions,
        labels: dict[str, Integers],
        settings: TrainSettings,
        seeds: int,
        cache: PhotoCache,
        talk: Talk,
    ) -> None:
        self.folder = run.training_folder / "retrain"
        self.versions, self.labels, self.seeds, self.talk = versions, labels, seeds, talk
        self.photos = open_photos(run, cache, talk)
        self.photos_key = str(run.record()["sha256"]["images"])
        self.share = network_share(run.training_folder)
        settings = with_weights(settings, talk)
        rows = int((versions.before >= 0).sum())
        work = Work(len(self.photos), rows, len(versions.test), len(versions.classes), len(labels), seeds)
        self.plan = make_plan(replace(settings, epochs=settings.epochs_for(rows)), work, find_device(settings.device))
        self.settings = self.plan.settings
        say_plan(self.plan, settings, rows, talk)

    def train(self) -> dict[str, Integers]:
        """Return the predictions of each version's models for the test set: class numbers, shape (S, n)."""
        numbers = range(self.settings.seed, self.settings.seed + self.seeds)
        predictions: dict[str, list[Integers]] = {name: [] for name in self.labels}
        for seed in numbers:
            settings = replace(self.settings, seed=seed)
            data = self._data(settings)
            jobs = [self._job(name, labels, seed) for name, labels in self.labels.items()]
            for job in jobs:
                # the fixes may have changed since; then the model before them is still good, and the one after is not
                forget_other(job, data, settings)
            with self.talk.bar(f"training {' and '.join(self.labels)} the fixes, seed {seed}") as progress:
                done = run_jobs(jobs, data, settings, self.plan.arrangement, progress=progress)
            for name, result in zip(self.labels, done, strict=True):
                predictions[name].append(self._predicted(result))
        return {name: np.stack(found) for name, found in predictions.items()}

    def _predicted(self, done: Done) -> Integers:
        probs = done.head if done.network is None else blend(done.head, done.network, self.share)
        return np.asarray(probs.argmax(axis=1), dtype=np.int64)

    def _data(self, settings: TrainSettings) -> Data:
        # features are of all photos, so that both versions and the folds share them; they use no label
        with self.talk.bar("features") as progress:
            return prepare_data(
                self.photos,
                self.versions.readable,
                self.versions.groups,
                classes=len(self.versions.classes),
                settings=settings,
                device=self.plan.arrangement.device,
                folder=self.folder.parent,
                photos_key=self.photos_key,
                progress=progress,
            )

    def _job(self, name: str, labels: Integers, seed: int) -> Job:
        # test listings train neither version; their given labels are there for the learning curve
        shown = labels.copy()
        shown[self.versions.test] = self.versions.given
        return Job(
            name=f"{name} the fixes, seed {seed}",
            folder=self.folder / f"{name}-{seed}",
            labels=shown,
            rows=np.flatnonzero(labels >= 0),
            scored=self.versions.test,
            seed=seed,
        )


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
