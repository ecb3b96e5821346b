"""Whether cleaning helped: models trained on both versions of a dataset, compared on one fixed test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.comparison import SEEDS
from curation.comparison.changes import changes_of, training_of
from curation.comparison.result import Comparison, Known, Retrained, Reviewed
from curation.comparison.scored import Scores, VersionScores
from curation.comparison.scores import mean_scores, scores
from curation.comparison.train import Trainer, settings_of
from curation.comparison.truth import read_truth
from curation.comparison.versions import AFTER, Versions
from curation.comparison.warnings import warnings_of
from curation.errors import InputError
from curation.run.folder import RunFolder
from training.images.cache import PhotoCache, default_cache
from training.utils.arrays import Int64
from training.utils.files import whole_file, write_json
from training.utils.progress import SILENT, Reporter
from training.utils.units import now

__all__ = ["retrain", "retrain_and_compare"]


def retrain_and_compare(
    run: RunFolder,
    *,
    seeds: int = SEEDS,
    controls: bool = False,
    truth: str | None = None,
    changes: Mapping[str, Any] | None = None,
    command: Sequence[str] = (),
    cache: PhotoCache | None = None,
    reporter: Reporter = SILENT,
) -> Comparison:
    """Train on the dataset before and after the fixes, and compare both on the same test listings.

    All versions are trained with the same settings, epochs and seeds. The test set was fixed before detection; listings
    with nearly the same photo as a test listing, or of its group, train no model. The test labels are those given; if
    people decided on some, a second set of scores uses theirs.

    Parameters
    ----------
    run : RunFolder
        A finished run with photos and ``cleaned/``. It gets ``comparison.json``, ``predictions.npz`` and TensorBoard
        logs.
    seeds : int
        Models per version, at least 1.
    controls : bool
        Train on other versions, too: as many listings deleted at random, every suggestion accepted, each kind of fix
        alone and, with `truth`, all labels correct.
    truth : str, optional
        Where true labels are; see :func:`curation.comparison.truth.read_truth`.
    changes : mapping, optional
        Settings that differ from the run's, by their names in :class:`training.settings.Recipe` and
        :class:`training.settings.Execution`.
    command : sequence of str
        The command line, for ``comparison.json``.
    cache : PhotoCache, optional
        Where decoded photos are kept; by default the user's.
    reporter : Reporter, optional
        Shows messages and progress.

    Raises
    ------
    RunError
        If there is no cleaned dataset, or no photos.
    InputError
        If the versions train on the same labels, or nothing is left to train or test on.
    """
    versions = _versions(run, seeds, truth, compare=True, controls=controls)
    if np.array_equal(versions.before, versions.after):
        raise InputError(
            "nothing to compare: the cleaned dataset trains on the same listings and labels",
            got="no change outside the test set",
            wanted="at least one relabelled or deleted training listing",
            fix="Decide more with `review()`.",
        )
    trained = _train(run, versions, seeds, changes or {}, cache, reporter)

    def against(labels: Int64) -> Scores:
        tests = versions.test
        groups, ids, seed = versions.groups[tests], versions.ids[tests], trained.settings["seed"]
        return scores(labels, trained.predictions, groups, ids, versions.classes, seed=seed)

    comparison = Comparison(
        **_facts(versions, trained, command),
        given=against(versions.given),
        changes=changes_of(versions),
        training=training_of(versions),
        reviewed=Reviewed(*_decided(versions), against(versions.reviewed)) if _has_reviewed(versions) else None,
        true=None if (true := _true(versions)) is None else Known(int((true >= 0).sum()), against(true)),
    )
    _write(run, versions, trained.predictions, comparison)
    return comparison


def retrain(
    run: RunFolder,
    *,
    seeds: int = SEEDS,
    truth: str | None = None,
    changes: Mapping[str, Any] | None = None,
    command: Sequence[str] = (),
    cache: PhotoCache | None = None,
    reporter: Reporter = SILENT,
) -> Retrained:
    """Train on the cleaned dataset alone, and score that; parameters and errors as of :func:`retrain_and_compare`."""
    versions = _versions(run, seeds, truth, compare=False)
    trained = _train(run, versions, seeds, changes or {}, cache, reporter)

    def against(labels: Int64) -> VersionScores:
        return mean_scores(labels, trained.predictions[AFTER], versions.classes)

    return Retrained(
        **_facts(versions, trained, command),
        given=against(versions.given),
        reviewed=Reviewed(*_decided(versions), against(versions.reviewed)) if _has_reviewed(versions) else None,
        true=None if (true := _true(versions)) is None else Known(int((true >= 0).sum()), against(true)),
    )


@dataclass(frozen=True)
class _Trained:
    """What all versions' models predict for the test listings, by version (S, n), and how they were trained."""

    predictions: dict[str, Int64]
    model: str
    settings: dict[str, Any]
    seeds: tuple[int, ...]
    warnings: tuple[str, ...]


def _versions(run: RunFolder, seeds: int, truth: str | None, *, compare: bool, controls: bool = False) -> Versions:
    if seeds < 1:
        raise InputError("the number of seeds is out of range", got=str(seeds), wanted="1 or more", parameter="seeds")
    return Versions(run, None if truth is None else read_truth(run, truth), compare=compare, controls=controls)


def _train(
    run: RunFolder,
    versions: Versions,
    seeds: int,
    changes: Mapping[str, Any],
    cache: PhotoCache | None,
    reporter: Reporter,
) -> _Trained:
    recipe, execution = settings_of(run, dict(changes))
    warnings = warnings_of(versions, seeds)
    for warning in warnings:
        reporter.say(f"warning: {warning}")
    with run.stage("retrain"):
        trainer = Trainer(run, versions, recipe, execution, seeds, cache or default_cache(), reporter)
        predictions = trainer.train()
    first = recipe.seed
    return _Trained(
        predictions,
        trainer.model,
        {**recipe.to_dict(), **execution.to_dict()},
        tuple(range(first, first + seeds)),
        tuple(warnings),
    )


def _facts(versions: Versions, trained: _Trained, command: Sequence[str]) -> dict[str, Any]:
    first = trained.seeds[0]
    return {
        "made": now(),
        "command": tuple(command),
        "model": trained.model,
        "epochs": trained.settings["epochs"],
        "settings": trained.settings,
        "test_listings": len(versions.test),
        "test_groups": len(np.unique(versions.groups[versions.test])),
        "seeds": trained.seeds,
        "left_out_like_test": versions.left_out,
        "train_listings": {name: int((versions.labels(name, first) >= 0).sum()) for name in versions.names},
        "relabelled": int(versions.relabelled.sum()),
        "deleted": int(versions.deleted.sum()),
        "warnings": trained.warnings,
    }


def _has_reviewed(versions: Versions) -> bool:
    return bool(versions.decided) and bool((versions.reviewed >= 0).any())


def _decided(versions: Versions) -> tuple[int, int, int]:
    """Return how many test listings people decided on, and how many of them they relabelled and deleted."""
    actions = [decision.action for decision in versions.decided.values()]
    relabelled = int(((versions.reviewed >= 0) & (versions.reviewed != versions.given)).sum())
    return len(actions), relabelled, actions.count("delete")


def _true(versions: Versions) -> Int64 | None:
    """Return the true test labels; None where none is known."""
    return versions.true if versions.true is not None and (versions.true >= 0).any() else None


def _write(run: RunFolder, versions: Versions, predictions: dict[str, Int64], comparison: Comparison) -> None:
    from curation.comparison.tensorboard import write_logs

    with whole_file(run.predictions_file) as temporary:
        ids = versions.ids[versions.test]
        np.savez_compressed(temporary, id=ids, classes=np.array(versions.classes), **predictions)  # type: ignore[arg-type]
    write_json(run.comparison_file, comparison.to_dict())
    write_logs(run.training_folder / "retrain" / "comparison", comparison)
