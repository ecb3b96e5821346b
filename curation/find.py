"""`curate find-issues`: listings in, a finished run out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.evidence.probabilities import Probabilities, read_probabilities, write_probabilities
from curation.evidence.split import prepare
from curation.issues import find_issues
from curation.issues.health import health
from curation.listings import Listings
from curation.listings.problems import check_expected, dataset_facts, report_problems
from curation.photos.text import check_reader
from curation.run.record import recorded
from curation.run.run import Run, create_run
from training.crossval.folds import check_folds
from training.images.cache import PhotoCache, default_cache
from training.settings import TrainSettings
from training.utils.files import locked, sha256_of_file, whole_file, write_json
from training.utils.progress import SILENT, Reporter

__all__ = ["FindSettings", "find"]


@dataclass(frozen=True)
class _Scoring:
    """How a run is scored: the side of its photos in pixels, and what gives the evidence of its prepared table."""

    image_size: int
    score: Callable[[pd.DataFrame], Evidence]


#: Settles before the photos are read, for a run, how it is going to be scored.
Scorer = Callable[[Run], _Scoring]


@dataclass(frozen=True)
class FindSettings:
    """How issues are found.

    Attributes
    ----------
    folds : int
        Number of folds, at least 2.
    train : TrainSettings
        How each fold's model is trained; its seed is the run's.
    probabilities : Path or None
        The user's own out-of-fold probabilities: then nothing is trained.
    text : bool
        Whether text is looked for in photos.
    """

    folds: int = 5
    train: TrainSettings = field(default_factory=TrainSettings)
    probabilities: Path | None = None
    text: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as run.json keeps them."""
        brought = self.probabilities
        return {
            "folds": self.folds,
            "text": self.text,
            "train": self.train.to_dict(),
            "probabilities": None if brought is None else str(brought.resolve()),
            "probabilities_sha256": None if brought is None else sha256_of_file(brought),
        }


def find(
    listings: Listings,
    settings: FindSettings,
    *,
    run_folder: Path | None = None,
    cache: PhotoCache | None = None,
    command: Sequence[str] = (),
    reporter: Reporter = SILENT,
) -> Run:
    """Find the issues of a dataset and keep everything in a run folder.

    An interrupted run with the same settings and data is continued.

    Parameters
    ----------
    listings : Listings
        The checked table.
    settings : FindSettings
        How.
    run_folder : Path, optional
        Where; by default ``runs/<dataset>/<number>`` below the current folder.
    cache : PhotoCache, optional
        Where decoded photos are kept for later runs; by default the user's.
    command : sequence of str
        What was typed, for run.json.
    reporter : Reporter, optional
        Shows messages and progress.

    Returns
    -------
    Run
        Finished.
    """
    reporter, cache = reporter, cache or default_cache()
    # everything that can be wrong with what was asked is found before a folder is made
    brought = _brought(listings, settings.probabilities)
    classes = brought.classes if brought else listings.classes
    settle = _scorer(listings, settings, classes, brought, cache, reporter)
    check_expected(listings, reporter)
    if settings.text and listings.table["image"].notna().any():
        check_reader()
    run = create_run(listings.source.name, run_folder, command=list(command), facts=_facts(listings, classes, settings))
    reporter.say(f"run folder: {run.folder}")
    with locked(run.folder), recorded(run, reporter, _write_report):
        report_problems(run.folder, listings, reporter)
        scoring = settle(run)
        with run.stage("photos"):
            table = prepare(
                run,
                listings,
                image_size=scoring.image_size,
                seed=settings.train.seed,
                folds=brought.fold if brought else settings.folds,
                cache=cache,
                reporter=reporter,
                text=settings.text,
            )
        with run.stage("train"):
            evidence = scoring.score(table)
        with run.stage("issues"):
            _write(run, evidence)
    return run


def _write(run: Run, evidence: Evidence) -> None:
    table = evidence.listings
    ids, fold = table["id"].to_numpy(dtype=np.str_), table["fold"].to_numpy(dtype=np.int64)
    write_probabilities(run.probabilities_file, Probabilities(ids, evidence.classes, evidence.probs, fold))
    issues = find_issues(evidence)
    run.write_table(run.issues_file, issues)
    with whole_file(run.issues_file.with_suffix(".csv")) as temporary:
        issues.to_csv(temporary, index=False)
    write_json(run.health_file, health(evidence, issues))


def _scorer(
    listings: Listings,
    settings: FindSettings,
    classes: Sequence[str],
    brought: Probabilities | None,
    cache: PhotoCache,
    reporter: Reporter,
) -> Scorer:
    """Return what gives the probabilities: training, or the file that was brought."""
    if brought is not None:
        probs, currency = brought.probs, listings.source.currency
        scoring = _Scoring(settings.train.size, lambda table: Evidence(table, tuple(classes), probs, currency=currency))
        return lambda run: scoring
    # which listings must stay together is known later; these folds could not be made even if none had to
    check_folds(settings.folds, listings=len(listings.table), groups=len(listings.table))
    # torch takes seconds to import; whoever brings probabilities does not need it
    from curation.evidence.out_of_fold import FoldTrainer
    from training.crossval.plan import Plan

    trainer = FoldTrainer.checked(settings.train, classes, cache, reporter)

    def settle(run: Run) -> _Scoring:
        file = run.training_folder / "plan.json"
        if file.exists():
            # an interrupted run goes on as it began
            plan = Plan.load(file)
        else:
            plan = trainer.plan(listings, settings.folds, reporter)
            plan.save(file)
        return _Scoring(
            plan.settings.size, lambda table: trainer.train(plan, run, table, listings.source.currency, reporter)
        )

    return settle


def _brought(listings: Listings, path: Path | None) -> Probabilities | None:
    if path is None:
        return None
    return read_probabilities(path, listings.table["id"].tolist(), listings.classes)


def _facts(listings: Listings, classes: Sequence[str], settings: FindSettings) -> dict[str, Any]:
    return {
        "dataset": dataset_facts(listings, list(classes)),
        "settings": settings.to_dict(),
        "seed": settings.train.seed,
    }


def _write_report(run: Run) -> None:
    from curation.report import write_report

    write_report(run)
