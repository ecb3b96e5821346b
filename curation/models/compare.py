"""`curate compare-models`: several models with several optimizers, trained on the same folds and held side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from curation.listings import Listings
from curation.models.candidates import candidates_of, name_of, one_a_model, parameters_of
from curation.models.command_line import command_line
from curation.models.compare_files import write
from curation.models.compare_result import Candidate, ModelComparison
from curation.models.cross_validate import FoldScores, fold_jobs, score_folds
from curation.models.dataset import Prepared, prepared_dataset
from curation.models.outputs import spread
from curation.models.ranking import behind, ranked
from curation.models.scores import SCORES, scores_of
from curation.rendering.words import many
from curation.run.folder import RunFolder
from training.crossval.checkpoint import drop_weights, has_checkpoint
from training.crossval.folds import check_folds
from training.crossval.jobs import Job
from training.crossval.plan import measure_once, seconds_of_jobs, with_weights
from training.crossval.workers import run_jobs
from training.errors import DivergedError, checked
from training.fit.optim import check_steps
from training.fit.sampling import epoch_size
from training.fit.throughput import Arrangement
from training.images.cache import PhotoCache
from training.networks.zoo import initial_weights
from training.settings import OPTIMIZERS, Recipe
from training.utils.devices import Device, find_device
from training.utils.progress import SILENT, Progress, Reporter
from training.utils.units import duration

__all__ = ["compare_models"]

_MODELS = ("resnet18", "inception_v3", "lenet")


@checked
def compare_models(
    listings: Listings,
    *,
    models: Sequence[str] = _MODELS,
    optimizers: Sequence[str] = OPTIMIZERS[:1],
    folds: int = 5,
    recipe: Recipe = Recipe(),  # noqa: B008 (frozen)
    device: str = "auto",
    output: str | Path | None = None,
    cache: str | Path | PhotoCache | None = None,
    command: Sequence[str] = (),
    dataset: Sequence[str] = (),
    wait: bool | float = False,
    reporter: Reporter = SILENT,
) -> ModelComparison:
    """Train every model with every optimizer on the same folds of the training listings, and compare their scores.

    The test set has no part, so that it can still judge the one that you choose. The folder gets ``models.json``, the
    same as ``models.csv`` and ``models.md``, the out-of-fold predictions of each candidate, and TensorBoard logs.

    Parameters
    ----------
    listings : Listings
        Of :func:`read_listings`.
    models : sequence of str
        Torchvision classifiers, or ``lenet``.
    optimizers : sequence of str
        ``adamw``, ``adam``, ``sgd``; every model is trained with each.
    folds : int
        Number of folds, at least 2.
    recipe : Recipe
        What all share; its model and optimizer are not used.
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
        If a model or optimizer is unknown, or the recipe does not fit the listings.
    DivergedError
        If all candidates diverge.

    Examples
    --------
    >>> import curation
    >>> demo = curation.demo("shop", listings=120)
    >>> recipe = curation.Recipe(image_size=32, epochs=1)
    >>> listings = curation.read_listings("shop")
    >>> comparison = curation.compare_models(listings, models=["lenet"], folds=2, recipe=recipe, device="cpu")
    >>> comparison.table["model"].tolist()
    ['lenet']
    """
    recipes = candidates_of(recipe, models, optimizers)
    of = dataset or [listings.source.named]
    # which listings must stay together is known later; these folds could not be made even if none had to
    check_folds(folds, listings=len(listings.table), groups=len(listings.table))
    computer, first = find_device(device), recipes[0]
    shared = {name: value for name, value in first.to_dict().items() if name not in ("model", "optimizer")}
    shared["device"] = device
    with prepared_dataset(
        listings,
        one_a_model(recipes),
        by="compare_models",
        what="study",
        settings={"train": shared, "candidates": [name_of(each) for each in recipes], "folds": folds},
        folds=folds,
        output=output,
        cache=cache,
        command=command,
        wait=wait,
        reporter=reporter,
    ) as prepared:
        with prepared.run.stage("measure"):
            planned = _plan(prepared, recipes, folds, computer, reporter)
        scores: dict[str, FoldScores] = {}
        candidates, diverged, warnings = {}, {}, []
        for each in planned:
            try:
                scores[each.name], candidates[each.name], lines = _train(prepared, each, of, reporter)
                warnings += lines
            except DivergedError as error:
                diverged[each.name] = f"{each.words}: {error}"
                reporter.say(f"warning: {diverged[each.name]}")
        if not scores:
            raise DivergedError(f"all candidates diverged; choose a `learning_rate` below {first.rate:g}")
        with prepared.run.stage("score"):
            differences = behind(prepared, first, scores)
            comparison = ModelComparison(
                folder=prepared.run.folder,
                target=first.target,
                currency=prepared.currency,
                scores=SCORES[first.target],
                folds=folds,
                listings={"train": len(prepared.train), "test": len(prepared.test), "all": len(prepared.table)},
                settings=shared,
                candidates=tuple(
                    candidates[name].behind_by(differences.get(name)) for name in ranked(scores, first.target)
                ),
                diverged=list(diverged),
                warnings=[*prepared.warnings, *diverged.values(), *warnings],
            )
            write(prepared, comparison, scores)
    return comparison


@dataclass(frozen=True)
class _Planned:
    """A candidate before its training.

    Attributes
    ----------
    given, recipe : Recipe
        As given, and without pretrained weights where these can't be had.
    jobs : list of Job
        One per fold.
    arrangement : Arrangement
        How its model trains fastest here.
    """

    given: Recipe
    recipe: Recipe
    jobs: list[Job]
    arrangement: Arrangement

    @property
    def name(self) -> str:
        return name_of(self.given)

    @property
    def words(self) -> str:
        return f"{self.given.model}, {self.given.optimizer}"

    @property
    def seconds(self) -> float:
        """Seconds that the jobs which are left take, at most."""
        left = [job for job in self.jobs if not has_checkpoint(job.folder)]
        return seconds_of_jobs(self.recipe, left, self.arrangement)


def _plan(
    prepared: Prepared, recipes: Sequence[Recipe], folds: int, device: Device, reporter: Reporter
) -> list[_Planned]:
    """Arrange all trainings, and report how long they take together."""
    folder = prepared.run.training_folder
    models = {recipe.model for recipe in recipes}
    pretrained = {
        recipe.model: with_weights(recipe, reporter, compared=models).pretrained for recipe in one_a_model(recipes)
    }
    planned = []
    for given in recipes:
        recipe = replace(given, pretrained=pretrained[given.model])
        jobs = fold_jobs(prepared, recipe, folder / name_of(given), name=name_of(given), folds=folds)
        for job in jobs:
            check_steps(recipe, epoch_size(job.labels[job.rows], recipe))
        # the optimizer makes no difference to speak of
        file = folder / f"arrangement-{recipe.model}.json"
        arrangement = measure_once(recipe, device, file, classes=len(prepared.classes), jobs=folds, reporter=reporter)
        planned.append(_Planned(given, recipe, jobs, arrangement))
    # the rules are the same for all, but depthwise networks may have a precision of their own
    precisions = dict.fromkeys(each.arrangement.device.precision for each in planned)
    prepared.run.update(computed={**planned[0].arrangement.computed, "precision": " and ".join(precisions)})
    if total := sum(each.seconds for each in planned):
        seconds = {model: sum(each.seconds for each in planned if each.given.model == model) for model in pretrained}
        parts = ", ".join(f"{model} {duration(each)}" for model, each in seconds.items())
        work = f"{many(len(planned), 'candidate')}, {folds} folds each"
        reporter.say(f"expected: {duration(total)} at most for {work} ({parts}; {device})")
    return planned


def _train(
    prepared: Prepared, planned: _Planned, dataset: Sequence[str], reporter: Reporter
) -> tuple[FoldScores, Candidate, list[str]]:
    """Train the folds of a candidate, or load trained ones; return scores, the candidate and its warnings."""
    given, jobs = planned.given, planned.jobs
    timed = _Timed(reporter, prepared.run, planned.name)
    done = run_jobs(jobs, prepared.data, planned.recipe, planned.arrangement, what=planned.words, reporter=timed)
    # the folds stay until the study ends, and with their weights they would fill the disk
    checkpoints = [drop_weights(job.folder) for job in jobs]
    scores = score_folds(prepared, planned.recipe, jobs, done)
    predictions = spread(scores.predictions, scores.rows, len(prepared.table))
    candidate = Candidate(
        name=planned.name,
        model=given.model,
        optimizer=given.optimizer,
        learning_rate=given.rate,
        weight_decay=given.decay,
        pooled=scores.pooled,
        mean={score: scores.mean(score) for score in SCORES[given.target]},
        sd={score: scores.sd(score) for score in SCORES[given.target]},
        folds=scores.folds,
        behind=None,
        told_apart=None,
        per_class=scores_of(prepared, planned.recipe, scores.rows, predictions)["per_class"],
        parameters=parameters_of(prepared, planned.recipe, jobs[0].rows),
        initial_weights=initial_weights(given.model, pretrained=given.pretrained),
        seconds_per_fold=prepared.run.record()["seconds"][planned.name] / len(jobs),
        side_by_side=planned.arrangement.side_by_side,
        epochs=[len(checkpoint.history) for checkpoint in checkpoints],
        best_epochs=[checkpoint.best_epoch for checkpoint in checkpoints],
        command=command_line(given, *dataset),
    )
    return scores, candidate, [line for each in done for line in each.warnings]


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
