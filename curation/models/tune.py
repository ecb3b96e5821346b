"""`curate tune`: a search for better settings, judged by cross-validation within the training listings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from curation.errors import InputError, check_range, checked
from curation.listings import Listings
from curation.models.command_line import command_line
from curation.models.cross_validate import fold_jobs, score_folds
from curation.models.dataset import Prepared, prepared_dataset
from curation.models.scores import score_text
from curation.models.search_space import digest, space_around, with_parameters
from curation.models.tune_result import TrialResult, TuneResult
from curation.rendering.words import many
from curation.run.folder import RunFolder
from training.crossval.checkpoint import remove_models
from training.crossval.jobs import Job
from training.crossval.plan import measure_once, seconds_of_jobs, with_weights
from training.crossval.workers import run_jobs
from training.errors import DivergedError
from training.fit.optim import check_steps
from training.fit.sampling import epoch_size
from training.fit.throughput import Arrangement
from training.images.cache import PhotoCache
from training.settings import Recipe
from training.utils.devices import find_device
from training.utils.progress import SILENT, Progress, Reporter
from training.utils.units import duration

# Optuna is an extra
if TYPE_CHECKING:
    from optuna.trial import Trial

    from curation.models.trials import Trials

__all__ = ["TRIALS", "tune"]

#: The trials, in the study's folder.
TRIALS = "optuna.db"


@checked
def tune(
    listings: Listings,
    *,
    trials: int = 30,
    time_limit: float | None = None,
    folds: int = 3,
    recipe: Recipe = Recipe(),  # noqa: B008 (frozen)
    device: str = "auto",
    output: str | Path | None = None,
    cache: str | Path | PhotoCache | None = None,
    command: Sequence[str] = (),
    dataset: Sequence[str] = (),
    wait: bool | float = False,
    reporter: Reporter = SILENT,
) -> TuneResult:
    """Search for better training settings with Optuna, by cross-validation within the training listings.

    Learning rate, schedule, augmentation and weight decay are searched. The same call continues its study, however the
    earlier one ended: the trial that was interrupted keeps its parameters and its folds.

    Parameters
    ----------
    listings : Listings
        Of :func:`read_listings`. The test set has no part.
    trials : int
        How many settings are tried, those of earlier calls included; at least 1.
    time_limit : float, optional
        Seconds after which no training begins; at least 1.
    folds : int
        Number of folds that judge a trial, at least 2.
    recipe : Recipe
        Where the search starts, and the first trial.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
    output : str or Path, optional
        Folder of the study; by default ``studies/<dataset>/<number>``.
    cache : str, Path or PhotoCache, optional
        Where decoded photos are kept; by default the user's.
    command : sequence of str
        The command line, for the record.
    dataset : sequence of str
        The listings as they are typed, for the suggested command; by default their path.
    wait : bool or float
        Whether to wait while another command works in `output`, or for how many seconds; by default that is an error.
    reporter : Reporter, optional
        Shows messages and progress; silent by default.

    Raises
    ------
    InputError
        If Optuna is missing, a number is out of range, or the recipe does not fit the listings.

    Examples
    --------
    >>> import curation
    >>> demo = curation.demo("shop", listings=120)
    >>> recipe = curation.Recipe(model="lenet", image_size=32, epochs=1)
    >>> listings = curation.read_listings("shop")
    >>> result = curation.tune(listings, trials=1, folds=2, recipe=recipe, device="cpu")
    >>> result.trials["state"].tolist()
    ['complete']
    """
    _check(trials, time_limit, folds)
    from curation.models.trials import Trials, quiet

    time_is_up = _clock(time_limit)
    computer, space = find_device(device), space_around(recipe)
    settings: dict[str, object] = {
        "train": {**recipe.to_dict(), "device": device},
        "tune": {"folds": folds, "space": space.to_dict()},
    }
    with (
        quiet(),
        prepared_dataset(
            listings,
            [recipe],
            by="tune",
            what="study",
            settings=settings,
            folds=folds,
            output=output,
            cache=cache,
            command=command,
            wait=wait,
            reporter=reporter,
            extend=True,
        ) as prepared,
    ):
        run = prepared.run
        stored = Trials.open(run.folder / TRIALS, recipe, space)
        if earlier := len(stored.all()):
            reporter.say(f"continuing this study; trials so far: {earlier}")
        with run.stage("search"):
            file = run.training_folder / "arrangement.json"
            arrangement = measure_once(recipe, computer, file, classes=len(prepared.classes), jobs=1, reporter=reporter)
            run.update(computed=arrangement.computed)
            start = _with_first_weights(run, recipe, reporter)
            _Search(prepared, start, trials, folds, stored, arrangement, reporter, time_is_up).run()
        result = _result(prepared, stored, folds, dataset or [listings.source.named])
        result.write()
    return result


def _check(trials: int, time_limit: float | None, folds: int) -> None:
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise InputError("`tune()` needs Optuna", fix="Install it with: pip install 'curate-listings[tune]'") from None
    check_range("trials", "number of trials", trials, 1, math.inf)
    check_range("folds", "number of folds", folds, 2, math.inf)
    if time_limit is not None and time_limit < 1:
        raise InputError(
            "the time limit is too short", got=f"{time_limit:g} s", wanted="at least 1 s", parameter="time_limit"
        )


def _clock(limit: float | None) -> Callable[[], bool]:
    """Return a function that says whether so many seconds have passed from now on."""
    began = time.monotonic()
    return lambda: limit is not None and time.monotonic() - began >= limit


def _with_first_weights(run: RunFolder, recipe: Recipe, reporter: Reporter) -> Recipe:
    """Return the settings with the initial weights that the study began with, whatever can be fetched today."""
    pretrained = run.record().get("pretrained")
    if pretrained is None:
        pretrained = with_weights(recipe, reporter).pretrained
        run.update(pretrained=pretrained)
    return replace(recipe, pretrained=pretrained)


def _result(prepared: Prepared, trials: Trials, folds: int, dataset: Sequence[str]) -> TuneResult:
    best, start, recipe = trials.best(), trials.start, None
    if best is not None:
        rows, _ = prepared.divided(prepared.train, start)
        recipe = with_parameters(start, best.parameters, start.steps_for(epoch_size(prepared.labels[rows], start)))
    return TuneResult(
        folder=prepared.run.folder,
        target=start.target,
        currency=prepared.currency,
        folds=folds,
        listings={"searched": len(prepared.train), "test": len(prepared.test), "all": len(prepared.table)},
        settings=start,
        space=trials.space,
        started=tuple(trials.all()),
        best_trial=best,
        best=recipe,
        importances=trials.importances(),
        warnings=list(prepared.warnings),
        next=None if recipe is None else command_line(recipe, *dataset),
    )


@dataclass(frozen=True)
class _Search:
    """Trains one trial after another, and of each one fold after another: it may end after any."""

    prepared: Prepared
    start: Recipe
    most: int
    folds: int
    trials: Trials
    arrangement: Arrangement
    reporter: Reporter
    time_is_up: Callable[[], bool]

    def run(self) -> None:
        """Train until there are enough trials, or the time is up."""
        self._report_expected()
        while not self.time_is_up() and (trial := self.trials.begin(self.most)) is not None:
            if not self.trials.repeat(trial):
                self._train(trial)
            self._report(self.trials.result(trial))

    def _jobs(self, name: str, folder: str) -> list[Job]:
        return fold_jobs(
            self.prepared, self.start, self.prepared.run.training_folder / folder, name=name, folds=self.folds
        )

    def _report_expected(self) -> None:
        """Report how long the trials that are left take."""
        jobs = self._jobs("trial", "trial")
        check_steps(self.start, min(epoch_size(job.labels[job.rows], self.start) for job in jobs))
        left = self.most - sum(trial.state != "unfinished" for trial in self.trials.all())
        if left > 0:
            seconds = seconds_of_jobs(self.start, jobs, self.arrangement)
            self.reporter.say(
                f"expected: {duration(left * seconds)} at most ({self.arrangement}; {many(left, 'trial')} of "
                f"{len(jobs)} folds, {duration(seconds)} each)"
            )

    def _train(self, trial: Trial) -> None:
        """Train the folds that are missing, while they are worth it and there is time."""
        so_far = self.trials.result(trial)
        name = f"trial {so_far.number}"
        jobs = self._jobs(name, f"trial-{so_far.number}-{digest(so_far.parameters)}")
        steps = [job.steps(self.start) for job in jobs]
        with self.reporter.bar(f"{name} of {self.most}") as progress:
            for fold in range(len(so_far.folds), len(jobs)):
                if fold and trial.should_prune():
                    self.trials.prune(trial)
                    return
                if self.time_is_up():
                    return
                recipe = with_parameters(self.start, so_far.parameters, steps[fold])
                began = time.monotonic()
                reporter = _PartOfBar(self.reporter, progress, sum(steps[:fold]), sum(steps))
                try:
                    done = run_jobs([jobs[fold]], self.prepared.data, recipe, self.arrangement, reporter=reporter)
                except DivergedError as error:
                    self.trials.prune(trial, diverged=str(error))
                    remove_models(jobs[fold].folder)
                    return
                scores = score_folds(self.prepared, recipe, [jobs[fold]], done).pooled
                self.trials.add_fold(trial, scores, time.monotonic() - began)
                remove_models(jobs[fold].folder)
            self.trials.complete(trial)

    def _report(self, trial: TrialResult) -> None:
        """Report the result of a trial, and the best so far."""
        line = f"trial {trial.number}: {trial.state}"
        if trial.mean is not None:
            score = score_text(trial.score, trial.mean, named=True)
            line += f", {score} over {len(trial.folds)} of {self.folds} folds"
        if trial.repeats is not None:
            line += f", as trial {trial.repeats} with the same parameters"
        if (best := self.trials.best()) is not None:
            line += f"; best {best}"
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
