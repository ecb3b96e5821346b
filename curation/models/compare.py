"""`curate compare-models`: several models with several optimisers, trained on the same folds and held side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.listings import Listings
from curation.models.candidates import name_of, one_a_model, parameters_of
from curation.models.command_line import command_line
from curation.models.compare_files import write
from curation.models.compare_words import sentence
from curation.models.cross_validate import FoldScores, fold_jobs, score_folds
from curation.models.dataset import Prepared, check_settings, prepare_dataset, start
from curation.models.outputs import spread
from curation.models.ranking import SCORES, behind, ranked
from curation.models.scores import scores_of
from curation.run.folder import STUDIES, RunFolder
from curation.run.record import recorded
from training.crossval.checkpoint import drop_weights, has_checkpoint
from training.crossval.folds import check_folds
from training.crossval.jobs import Job
from training.crossval.plan import measure_once, seconds_of_jobs, with_weights
from training.crossval.workers import run_jobs
from training.errors import DivergedError
from training.fit.loop import epoch_size
from training.fit.optim import check_steps
from training.fit.throughput import Arrangement
from training.images.cache import PhotoCache
from training.networks.zoo import initial_weights
from training.settings import Recipe
from training.utils.devices import Device, find_device
from training.utils.files import locked
from training.utils.progress import Progress, Reporter
from training.utils.units import duration

__all__ = ["compare_models"]


def compare_models(
    listings: Listings,
    candidates: Sequence[Recipe],
    *,
    dataset: Sequence[str],
    folds: int,
    device: str,
    output: Path | None,
    cache: PhotoCache,
    command: Sequence[str],
    reporter: Reporter,
) -> dict[str, Any]:
    """Train all candidates on the same folds of the training listings, and hold their scores side by side.

    Parameters
    ----------
    listings : Listings
        The checked table. Its test set is neither trained on nor scored.
    candidates : sequence of Recipe
        Of :func:`curation.models.candidates.candidates_of`.
    dataset : sequence of str
        DATASET and its options as typed, for the command that trains the best.
    folds : int
        Number of folds.
    device : str
        Where, as in :class:`training.settings.Execution`.
    output : Path or None
        Where; by default ``studies/<dataset>/<number>``.
    cache : PhotoCache
        Where decoded photos are kept.
    command : sequence of str
        What was typed.
    reporter : Reporter
        Shows messages and progress.

    Returns
    -------
    dict
        The content of ``models.json``. Beside it are the same as ``models.csv`` and ``models.md``, what each candidate
        said out-of-fold, and a TensorBoard log per candidate and fold.
    """
    # which listings must stay together is known later; these folds could not be made even if none had to
    check_folds(folds, listings=len(listings.table), groups=len(listings.table))
    for recipe in one_a_model(candidates):
        check_settings(listings, recipe)
    first = candidates[0]
    computer = find_device(device)
    asked = {
        "train": {name: value for name, value in first.to_dict().items() if name not in ("model", "optimizer")}
        | {"device": device},
        "candidates": [name_of(recipe) for recipe in candidates],
        "folds": folds,
    }
    run = start(listings, output, root=STUDIES, command=list(command), settings=asked, seed=first.seed)
    reporter.say(f"study folder: {run.folder}")
    with locked(run.folder), recorded(run, reporter):
        with run.stage("photos"):
            models = [recipe.model for recipe in one_a_model(candidates)]
            prepared = prepare_dataset(run, listings, first, models=models, folds=folds, cache=cache, reporter=reporter)
        with run.stage("measure"):
            planned = _planned(prepared, candidates, folds, computer, reporter)
        outcomes, diverged = {}, {}
        for candidate in planned:
            try:
                outcomes[candidate.name] = _train(prepared, candidate, reporter)
            except DivergedError as error:
                diverged[candidate.name] = f"{candidate.words}: {error}"
                reporter.say(f"warning: {diverged[candidate.name]}")
        if not outcomes:
            raise DivergedError(f"all candidates diverged; choose a `learning_rate` below {first.rate:g}")
        with run.stage("score"):
            result = _result(prepared, planned, outcomes, diverged, dataset)
            write(prepared, result, {name: outcome.scores for name, outcome in outcomes.items()})
    return result


@dataclass(frozen=True)
class _Candidate:
    """A candidate as it is trained.

    Attributes
    ----------
    asked, recipe : Recipe
        As asked for, and without pretrained weights where these can't be had.
    jobs : list of Job
        One per fold.
    arrangement : Arrangement
        How its model trains fastest here.
    """

    asked: Recipe
    recipe: Recipe
    jobs: list[Job]
    arrangement: Arrangement

    @property
    def name(self) -> str:
        return name_of(self.asked)

    @property
    def words(self) -> str:
        return f"{self.asked.model}, {self.asked.optimizer}"

    @property
    def seconds(self) -> float:
        """Seconds that what is not done takes, at most."""
        left = [job for job in self.jobs if not has_checkpoint(job.folder)]
        return seconds_of_jobs(self.recipe, left, self.arrangement)


@dataclass(frozen=True)
class _Outcome:
    """What a candidate came to: its scores, the epochs and the best epoch of each fold, what a person should know."""

    scores: FoldScores
    epochs: list[int]
    best_epochs: list[int | None]
    warnings: list[str]


def _planned(
    prepared: Prepared, candidates: Sequence[Recipe], folds: int, device: Device, reporter: Reporter
) -> list[_Candidate]:
    """Arrange all trainings, and say how long they take together."""
    folder = prepared.run.training_folder
    pretrained = {recipe.model: with_weights(recipe, reporter).pretrained for recipe in one_a_model(candidates)}
    planned = []
    for asked in candidates:
        recipe = replace(asked, pretrained=pretrained[asked.model])
        jobs = fold_jobs(prepared, recipe, folder / name_of(asked), name=name_of(asked), folds=folds)
        for job in jobs:
            check_steps(recipe, epoch_size(job.labels[job.rows], recipe))
        # the optimiser makes no difference to speak of
        file = folder / f"arrangement-{recipe.model}.json"
        arrangement = measure_once(recipe, device, file, classes=len(prepared.classes), jobs=folds)
        planned.append(_Candidate(asked, recipe, jobs, arrangement))
    if seconds := sum(candidate.seconds for candidate in planned):
        of = {
            model: sum(candidate.seconds for candidate in planned if candidate.asked.model == model)
            for model in pretrained
        }
        parts = ", ".join(f"{model} {duration(each)}" for model, each in of.items())
        what = f"{len(planned)} candidates, {folds} folds each"
        reporter.say(f"expected: {duration(seconds)} at most for {what} ({parts}; {device})")
    return planned


def _train(prepared: Prepared, candidate: _Candidate, reporter: Reporter) -> _Outcome:
    """Train the folds of a candidate, or read back what was trained."""
    done = run_jobs(
        candidate.jobs,
        prepared.data,
        candidate.recipe,
        candidate.arrangement,
        what=candidate.words,
        reporter=_Timed(reporter, prepared.run, candidate.name),
    )
    # the folds stay until the study ends, and with their weights they would fill the disk
    checkpoints = [drop_weights(job.folder) for job in candidate.jobs]
    return _Outcome(
        score_folds(prepared, candidate.recipe, candidate.jobs, done),
        [len(checkpoint.history) for checkpoint in checkpoints],
        [checkpoint.best_epoch for checkpoint in checkpoints],
        [line for each in done for line in each.warnings],
    )


@dataclass(frozen=True)
class _Timed:
    """A reporter that times a stage of a run from the first step on: starting processes is not training."""

    reporter: Reporter
    run: RunFolder
    stage: str

    def say(self, line: str) -> None:
        self.reporter.say(line)

    @contextmanager
    def bar(self, what: str) -> Iterator[Progress]:
        with self.reporter.bar(what) as progress, ExitStack() as stack:
            began = False

            def timed(done: int, total: int) -> None:
                nonlocal began
                if done and not began:
                    began = True
                    stack.enter_context(self.run.stage(self.stage))
                progress(done, total)

            yield timed


def _result(
    prepared: Prepared,
    planned: Sequence[_Candidate],
    outcomes: dict[str, _Outcome],
    diverged: dict[str, str],
    dataset: Sequence[str],
) -> dict[str, Any]:
    scores = {name: outcome.scores for name, outcome in outcomes.items()}
    common, by_name = planned[0].asked, {candidate.name: candidate for candidate in planned}
    order, differences = ranked(scores, common.target), behind(prepared, common, scores)
    rows = scores[order[0]].rows
    candidates = []
    for name in order:
        candidate, outcome, difference = by_name[name], outcomes[name], differences.get(name)
        candidates.append(
            {
                "name": name,
                "model": candidate.asked.model,
                "optimizer": candidate.asked.optimizer,
                "learning_rate": candidate.asked.rate,
                "weight_decay": candidate.asked.decay,
                "pooled": outcome.scores.pooled,
                "mean": {score: outcome.scores.mean(score) for score in SCORES[common.target]},
                "sd": {score: outcome.scores.sd(score) for score in SCORES[common.target]},
                "folds": outcome.scores.folds,
                "behind": difference.to_dict() if difference else None,
                "told_apart": difference.low > 0 if difference else None,
                "per_class": _per_class(prepared, candidate.recipe, outcome.scores),
                "parameters": parameters_of(prepared, candidate.recipe, candidate.jobs[0].rows),
                "initial_weights": initial_weights(candidate.asked.model, pretrained=candidate.asked.pretrained),
                "seconds_per_fold": prepared.run.record()["seconds"][name] / len(candidate.jobs),
                "side_by_side": candidate.arrangement.side_by_side,
                "epochs": outcome.epochs,
                "best_epochs": outcome.best_epochs,
                "command": command_line(candidate.asked, *dataset),
            }
        )
    result = {
        "folder": str(prepared.run.folder),
        "target": common.target,
        "currency": prepared.currency,
        "scores": list(SCORES[common.target]),
        "folds": len(scores[order[0]].folds),
        "listings": {"train": len(rows), "test": len(prepared.test), "all": len(prepared.table)},
        "settings": prepared.run.record()["settings"]["train"],
        "candidates": candidates,
        "diverged": list(diverged),
        "best": order[0],
        "next": candidates[0]["command"],
        "warnings": [
            *prepared.warnings,
            *diverged.values(),
            *(line for outcome in outcomes.values() for line in outcome.warnings),
        ],
    }
    return {**result, "sentence": sentence(result)}


def _per_class(prepared: Prepared, recipe: Recipe, scores: FoldScores) -> dict[str, Any]:
    told = spread(scores.told, scores.rows, len(prepared.table))
    per_class: dict[str, Any] = scores_of(prepared, recipe, scores.rows, told)["per_class"]
    return per_class
