"""`curate tune`: a search for better settings, judged by cross-validation within the training listings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optuna.trial import Trial

from curation.errors import InputError
from curation.listings import Listings
from curation.models.cross_validate import fold_jobs, score_folds
from curation.models.dataset import Prepared, check_settings, prepare_dataset, start
from curation.models.search_space import digest, space_around, with_parameters
from curation.models.trials import Trials, Tried, quiet
from curation.models.tune_result import tune_result, write_tune, written
from curation.run.folder import STUDIES, RunFolder
from curation.run.record import recorded
from training.crossval.checkpoint import remove_models
from training.crossval.jobs import Job
from training.crossval.plan import measure_once, seconds_of_jobs, with_weights
from training.crossval.workers import run_jobs
from training.errors import DivergedError
from training.fit.loop import epoch_size
from training.fit.optim import check_steps
from training.fit.throughput import Arrangement
from training.images.cache import PhotoCache
from training.settings import Recipe
from training.utils.devices import find_device
from training.utils.files import locked
from training.utils.progress import Progress, Reporter
from training.utils.units import duration

__all__ = ["TRIALS", "SearchSettings", "tune"]

#: The trials, in the study's folder.
TRIALS = "optuna.db"


@dataclass(frozen=True)
class SearchSettings:
    """How long is searched, and how a trial is judged.

    Attributes
    ----------
    trials : int
        How many there shall be in the study, with those of earlier calls; at least 1.
    time_limit : float or None
        Seconds after which no fold begins, at least 1; of this call alone.
    folds : int
        Number of folds, at least 2.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    trials: int = 30
    time_limit: float | None = None
    folds: int = 3

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.trials < 1:
            raise InputError("the number of trials is out of range", got=str(self.trials), wanted="at least 1")
        if self.folds < 2:
            raise InputError("the number of folds is out of range", got=str(self.folds), wanted="at least 2")
        if self.time_limit is not None and self.time_limit < 1:
            raise InputError("the time limit is too short", got=f"{self.time_limit:g} s", wanted="at least 1 s")


def tune(
    listings: Listings,
    recipe: Recipe,
    search: SearchSettings,
    *,
    device: str,
    output: Path | None,
    cache: PhotoCache,
    command: Sequence[str],
    dataset: Sequence[str],
    reporter: Reporter,
) -> dict[str, Any]:
    """Search for settings that tell the listings of the training part better than the ones given.

    The study goes on where an earlier call with the same settings ended, however it ended: the trial that was
    interrupted keeps its parameters and its folds, and more trials or more time may be asked for.

    Parameters
    ----------
    listings : Listings
        The checked table; listings of the test set are never trained on nor scored.
    recipe : Recipe
        The first trial. Learning rate, schedule, weight decay and how photos are varied are searched around it; all
        else stays.
    search : SearchSettings
        How long, how many folds.
    device : str
        Where, as in :class:`training.settings.Execution`.
    output : Path or None
        Where; by default ``studies/<dataset>/<number>``.
    cache : PhotoCache
        Where decoded photos are kept.
    command, dataset : sequence of str
        What was typed, and DATASET with its options, for the command that is suggested.
    reporter : Reporter
        Shows messages and progress.

    Returns
    -------
    dict
        The content of ``tune.json``.
    """
    over = _clock(search.time_limit)
    check_settings(listings, recipe)
    computer = find_device(device)
    space = space_around(recipe)
    asked: dict[str, object] = {
        "train": {**recipe.to_dict(), "device": device},
        "tune": {"folds": search.folds, "space": space.to_dict()},
    }
    run = start(
        listings,
        output,
        root=STUDIES,
        command=list(command),
        settings=asked,
        seed=recipe.seed,
        extend=True,
    )
    reporter.say(f"study folder: {run.folder}")
    with locked(run.folder), recorded(run, reporter), quiet():
        trials = Trials.open(run.folder / TRIALS, recipe, space)
        if known := len(trials.all()):
            reporter.say(f"this study goes on; trials that began before: {known}")
        with run.stage("photos"):
            prepared = prepare_dataset(
                run, listings, recipe, models=[recipe.model], folds=search.folds, cache=cache, reporter=reporter
            )
        with run.stage("search"):
            file = run.training_folder / "arrangement.json"
            arrangement = measure_once(recipe, computer, file, classes=len(prepared.classes), jobs=1)
            _Search(prepared, _as_begun(run, recipe, reporter), search, trials, arrangement, reporter, over).run()
        result = tune_result(prepared, trials, folds=search.folds, dataset=dataset)
        write_tune(run.folder, result)
    return result


def _clock(limit: float | None) -> Callable[[], bool]:
    """Return what tells whether so many seconds are over from now on."""
    began = time.monotonic()
    return lambda: limit is not None and time.monotonic() - began >= limit


def _as_begun(run: RunFolder, recipe: Recipe, reporter: Reporter) -> Recipe:
    """Return the settings with the initial weights that the study began with, whatever can be fetched today."""
    begun = run.record().get("pretrained")
    if begun is None:
        begun = with_weights(recipe, reporter).pretrained
        run.update(pretrained=begun)
    return replace(recipe, pretrained=begun)


@dataclass(frozen=True)
class _Search:
    """Trains one trial after another, and of each one fold after another: it may end after any."""

    prepared: Prepared
    start: Recipe
    asked: SearchSettings
    trials: Trials
    arrangement: Arrangement
    reporter: Reporter
    over: Callable[[], bool]

    def run(self) -> None:
        """Train until there are as many trials as asked for, or the time is over."""
        self._expect()
        while not self.over() and (trial := self.trials.begin(self.asked.trials)) is not None:
            if not self.trials.repeat(trial):
                self._train(trial)
            self._say(self.trials.look(trial))

    def _jobs(self, name: str, folder: str) -> list[Job]:
        place = self.prepared.run.training_folder / folder
        return fold_jobs(self.prepared, self.start, place, name=name, folds=self.asked.folds)

    def _expect(self) -> None:
        """Say how long the trials that are left take."""
        jobs = self._jobs("trial", "trial")
        check_steps(self.start, min(epoch_size(job.labels[job.rows], self.start) for job in jobs))
        left = self.asked.trials - sum(tried.state != "unfinished" for tried in self.trials.all())
        if left > 0:
            seconds = seconds_of_jobs(self.start, jobs, self.arrangement)
            self.reporter.say(
                f"expected: {duration(left * seconds)} at most ({self.arrangement}; {left} trials of {len(jobs)} "
                f"folds, {duration(seconds)} each)"
            )

    def _train(self, trial: Trial) -> None:
        """Train the folds that are missing, while they are worth it and there is time."""
        known = self.trials.look(trial)
        name = f"trial {known.number}"
        jobs = self._jobs(name, f"trial-{known.number}-{digest(known.parameters)}")
        steps = [job.steps(self.start) for job in jobs]
        with self.reporter.bar(f"{name} of {self.asked.trials}") as progress:
            for fold in range(len(known.folds), len(jobs)):
                if fold and trial.should_prune():
                    self.trials.prune(trial)
                    return
                if self.over():
                    return
                recipe = with_parameters(self.start, known.parameters, steps[fold])
                since = time.monotonic()
                try:
                    done = run_jobs(
                        [jobs[fold]],
                        self.prepared.data,
                        recipe,
                        self.arrangement,
                        reporter=_PartOfBar(self.reporter, progress, sum(steps[:fold]), sum(steps)),
                    )
                except DivergedError as error:
                    self.trials.prune(trial, diverged=str(error))
                    remove_models(jobs[fold].folder)
                    return
                scores = score_folds(self.prepared, recipe, [jobs[fold]], done).pooled
                self.trials.keep(trial, scores, time.monotonic() - since)
                remove_models(jobs[fold].folder)
            self.trials.complete(trial)

    def _say(self, tried: Tried) -> None:
        """Say what a trial came to, and the best so far."""
        folds = f"{len(tried.folds)} of {self.asked.folds} folds"
        line = f"trial {tried.number}: {tried.state}"
        if tried.mean is not None:
            line += f", {written(tried.score, tried.mean)} over {folds}"
        if tried.repeats is not None:
            line += f", as trial {tried.repeats} with the same parameters"
        if (best := self.trials.best()) is not None and best.mean is not None:
            line += f"; best {written(best.score, best.mean)} (trial {best.number})"
        self.reporter.say(line)


@dataclass(frozen=True)
class _PartOfBar:
    """A reporter that shows the steps of a fold in the bar of its trial."""

    reporter: Reporter
    progress: Progress
    before: int
    total: int

    def say(self, line: str) -> None:
        self.reporter.say(line)

    @contextmanager
    def bar(self, what: str) -> Iterator[Progress]:
        yield lambda done, _total: self.progress(self.before + done, self.total)
