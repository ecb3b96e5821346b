"""`curate find-issues`: listings in, a finished run out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.decisions import now
from curation.errors import InputError, ListingsError, some
from curation.issues import Evidence, find_issues
from curation.listings import Listings
from curation.listings.checks import MAX_BAD_SHARE
from curation.probabilities import Probabilities, read_probabilities, write_probabilities
from curation.report import write_report
from curation.runs import Run, create_run
from curation.talk import Silent, Talk
from training.crossval import FoldPlan, cross_validate
from training.devices import find_device
from training.files import sha256_of_file, whole_file
from training.folds import assign_folds, choose_test, connect
from training.models import build_model
from training.photos import load_photos, store_photos
from training.settings import TrainSettings

__all__ = ["FindSettings", "class_numbers", "find", "groups_of", "photos_file"]

TEST_SHARE = 0.2


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
    """

    folds: int = 5
    train: TrainSettings = field(default_factory=TrainSettings)
    probabilities: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as run.json keeps them."""
        brought = self.probabilities
        return {
            "folds": self.folds,
            "train": self.train.to_dict(),
            "probabilities": None if brought is None else str(brought.resolve()),
            "probabilities_sha256": None if brought is None else sha256_of_file(brought),
        }


def find(
    listings: Listings,
    settings: FindSettings,
    *,
    run_folder: Path | None = None,
    command: Sequence[str] = (),
    talk: Talk | None = None,
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
    command : sequence of str
        What was typed, for run.json.
    talk : Talk, optional
        Who is told how far it is.

    Returns
    -------
    Run
        Finished.
    """
    talk = talk or Silent()
    # everything that can be wrong with what was asked is found before a folder is made
    device = find_device(settings.train.device)
    brought = _brought(listings, settings.probabilities)
    classes = brought.classes if brought else listings.classes
    train = settings.train
    build_model(train.model, classes=len(classes), image_size=train.image_size, pretrained=False)
    _check_expected(listings, talk)
    run = create_run(listings.source.name, run_folder, command=list(command), facts=_facts(listings, classes, settings))
    fresh = not run.listings_file.exists()
    talk.say(f"run folder: {run.folder}")
    try:
        _report_problems(run, listings, talk)
        with run.stage("photos"):
            table, groups = _prepare(run, listings, settings, brought, talk)
        with run.stage("train"):
            if brought is None:
                plan = _plan(table, groups)
                _say_rare_classes(table, settings.folds, talk)
                talk.say(f"training {settings.folds} models on {device}")
                with talk.bar("training") as progress:
                    probs = cross_validate(
                        load_photos(photos_file(run)),
                        class_numbers(table["label"], classes),
                        plan,
                        classes=len(classes),
                        settings=settings.train,
                        device=device,
                        folder=run.training_folder,
                        progress=progress,
                        say=talk.say,
                    ).astype(np.float64)
                trained = _trained(class_numbers(table["label"], classes), plan, len(classes))
            else:
                probs, trained = brought.probs, None
        with run.stage("issues"):
            ids = table["id"].to_numpy(dtype=np.str_)
            fold = table["fold"].to_numpy(dtype=np.int64)
            write_probabilities(run.probabilities_file, Probabilities(ids, classes, probs, fold))
            issues = find_issues(Evidence(table, classes, probs, trained, listings.source.currency))
            run.write_table(run.issues_file, issues)
            with whole_file(run.issues_file.with_suffix(".csv")) as temporary:
                issues.to_csv(temporary, index=False)
    except KeyboardInterrupt:
        run.update(status="interrupted")
        talk.say("Interrupted. The same command goes on from here.")
        raise
    except InputError:
        run.update(status="failed")
        if fresh and not run.listings_file.exists():
            # a mistake in what was asked leaves nothing behind
            run.discard()
        raise
    except BaseException:
        run.update(status="failed")
        raise
    run.update(status="finished", finished=now())
    write_report(run)
    return run


def photos_file(run: Run) -> Path:
    """Return the run's decoded photos: uint8, shape (N, S, S, 3), in the order of ``listings.parquet``."""
    return run.training_folder / "photos.npy"


def _brought(listings: Listings, path: Path | None) -> Probabilities | None:
    if path is None:
        return None
    return read_probabilities(path, listings.table["id"].tolist(), listings.classes)


def _facts(listings: Listings, classes: Sequence[str], settings: FindSettings) -> dict[str, Any]:
    source = listings.source
    dataset = {
        "name": source.name,
        "path": str(source.path.resolve()),
        "root": str(source.root.resolve()),
        "currency": source.currency,
        "classes": list(classes),
        "listings": len(listings.table),
        "columns": listings.columns,
        "photos": str(source.boundary.resolve()),
        "sha256": listings.sha256,
    }
    return {"dataset": dataset, "settings": settings.to_dict(), "seed": settings.train.seed}


def _check_expected(listings: Listings, talk: Talk) -> None:
    counts = {"listings": len(listings.table), "classes": len(listings.classes)}
    for what, wanted in listings.source.expected.items():
        if what in counts and counts[what] != wanted:
            talk.say(f"warning: the declaration expects {wanted} {what}, there are {counts[what]}")


def _report_problems(run: Run, listings: Listings, talk: Talk) -> None:
    problems = listings.problems
    if problems.empty:
        return
    with whole_file(run.folder / "problems.csv") as temporary:
        problems.to_csv(temporary, index=False)
    talk.say(
        f"{problems['row'].nunique()} rows have bad values, taken as missing (all in {run.folder / 'problems.csv'}):"
    )
    for bad in problems.head(10).itertuples():
        talk.say(f"  row {bad.row}, id {bad.id}: {bad.column} {bad.value!r} {bad.why}")


def _prepare(
    run: Run, listings: Listings, settings: FindSettings, brought: Probabilities | None, talk: Talk
) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Decode the photos, fix the test set and the folds, and write ``listings.parquet``; or read what is there."""
    if run.listings_file.exists():
        table = run.listings()
        return table, groups_of(table)
    table = _with_photo_facts(run, listings, settings.train.image_size, talk)
    groups = groups_of(table)
    strata = class_numbers(table["label"], listings.classes)
    seed = settings.train.seed
    if not (table["split"] == "test").any():
        enough = len(np.unique(groups)) >= round(1 / TEST_SHARE)
        test = choose_test(strata, groups, share=TEST_SHARE, seed=seed) if enough else np.zeros(len(table), dtype=bool)
        table["split"] = pd.array(np.where(test, "test", "train"), dtype="string")
    else:
        table["split"] = table["split"].fillna("train")
    table["fold"] = assign_folds(strata, groups, folds=settings.folds, seed=seed) if brought is None else brought.fold
    hashes = "\n".join(table["sha256"].fillna(""))
    run.update(
        sha256={"table": listings.sha256, "images": hashlib.sha256(hashes.encode()).hexdigest()},
    )
    run.write_table(run.listings_file, table)
    return table, groups


def _with_photo_facts(run: Run, listings: Listings, size: int, talk: Talk) -> pd.DataFrame:
    """Add ``sha256``, ``width``, ``height`` and ``unreadable`` (why); all NA where no photo is named."""
    table = listings.table.copy()
    if table["image"].isna().all():
        missing = pd.Series(pd.NA, index=table.index)
        return table.assign(
            sha256=missing.astype("string"),
            width=missing.astype("Int64"),
            height=missing.astype("Int64"),
            unreadable=missing.astype("string"),
        )
    root = listings.source.root
    paths = [None if pd.isna(image) else root / image for image in table["image"]]
    with talk.bar("reading photos") as progress:
        facts = store_photos(paths, photos_file(run), size=size, progress=progress)
    unreadable = [fact.error for fact in facts if fact.error]
    if len(unreadable) > MAX_BAD_SHARE * len(facts):
        raise ListingsError(
            f"{len(unreadable)} of {len(facts)} photos can't be read",
            got=some(sorted(set(unreadable)), 3),
            wanted=f"at most {MAX_BAD_SHARE:.0%}",
            fix="Check that the image column names the photos of this table.",
        )
    return table.assign(
        sha256=pd.array([fact.sha256 for fact in facts], dtype="string"),
        width=pd.array([fact.width for fact in facts], dtype="Int64"),
        height=pd.array([fact.height for fact in facts], dtype="Int64"),
        unreadable=pd.array([fact.error for fact in facts], dtype="string"),
    )


def groups_of(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Group what must stay on one side: the same group, or the same photo."""
    return connect(table["group"], table["sha256"])


def class_numbers(labels: pd.Series, classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the class numbers 0 to K-1 of labels; -1 for a missing one."""
    return pd.Categorical(labels, categories=list(classes)).codes.astype(np.int64)


def _plan(table: pd.DataFrame, groups: npt.NDArray[np.int64]) -> FoldPlan:
    # the test set judges the cleaning, so its labels must not help to find what is cleaned
    may_train = (table["split"] == "train") & table["label"].notna()
    return FoldPlan(
        fold=table["fold"].to_numpy(dtype=np.int64),
        groups=groups,
        may_train=may_train.to_numpy(dtype=bool),
        has_photo=table["unreadable"].isna().to_numpy(),
    )


def _trained(labels: npt.NDArray[np.int64], plan: FoldPlan, classes: int) -> npt.NDArray[np.bool_]:
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
