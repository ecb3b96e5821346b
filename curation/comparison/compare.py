"""`curate retrain --compare`: whether cleaning helped, on one fixed test set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.comparison import SEEDS
from curation.comparison.changes import changes_of, training_of
from curation.comparison.scores import scores
from curation.comparison.train import Trainer, settings_of
from curation.comparison.truth import read_truth
from curation.comparison.versions import AFTER, BEFORE, Versions
from curation.errors import InputError, some
from curation.run.run import Run
from training.images.cache import PhotoCache, default_cache
from training.utils.files import whole_file, write_json
from training.utils.progress import SILENT, Reporter
from training.utils.units import now

__all__ = ["retrain"]

Integers = npt.NDArray[np.int64]

#: Below this, an interval is wider than any effect of cleaning.
_SMALL_TEST_SET, _SMALL_CLASS = 50, 5
#: Share of doubtful test labels from which on they hide what cleaning does.
_DOUBTFUL = 0.05


def retrain(
    run: Run,
    *,
    compare: bool,
    seeds: int = SEEDS,
    controls: bool = False,
    truth: str | None = None,
    changes: dict[str, Any] | None = None,
    command: Sequence[str] = (),
    cache: PhotoCache | None = None,
    reporter: Reporter = SILENT,
) -> dict[str, Any]:
    """Train on the cleaned dataset and, to compare, on the one before; score both on the same test listings.

    All versions are trained with the same settings, the same number of epochs and the same seeds. The test set was
    fixed before detection; listings that show nearly the same photo as a test listing, or are of its group, train
    none of them. Test labels are those given; where people decided on some, a second set of scores uses theirs.

    Parameters
    ----------
    run : Run
        A finished run with photos and ``cleaned/``.
    compare : bool
        Train on the dataset before the fixes, too, and write ``comparison.json``.
    seeds : int
        Models per version.
    controls : bool
        Train on other versions, too: as many listings deleted at random, every suggestion accepted, each kind of fix
        alone and, with `truth`, all labels correct.
    truth : str, optional
        Where true labels are; see :func:`curation.comparison.truth.read_truth`.
    changes : dict, optional
        Settings that differ from the run's, by their names in :class:`training.settings.TrainSettings`.
    command : sequence of str
        What was typed, for ``comparison.json``.
    cache : PhotoCache, optional
        Where decoded photos are kept; by default the user's.
    reporter : Reporter, optional
        Shows messages and progress.

    Returns
    -------
    dict
        What ``comparison.json`` holds; without `compare`, what is known of ``after`` alone.

    Raises
    ------
    RunError
        If there is no cleaned dataset, or no photos.
    InputError
        If the versions train on the same labels, or nothing is left to train or test on.
    """
    if seeds < 1:
        raise InputError("the number of seeds is out of range", got=str(seeds), wanted="1 or more")
    known = None if truth is None else read_truth(run, truth)
    versions = Versions(run, known, compare=compare, controls=controls)
    if compare and np.array_equal(versions.before, versions.after):
        raise InputError(
            "nothing to compare: the cleaned dataset trains on the same listings and labels",
            got="no change outside the test set",
            wanted="at least one relabelled or deleted training listing",
            fix="Decide more with `review()`.",
        )
    settings = settings_of(run, changes or {})
    warnings = _warnings(versions, seeds)
    for warning in warnings:
        reporter.say(f"warning: {warning}")
    with run.stage("retrain"):
        trainer = Trainer(run, versions, settings, seeds, cache or default_cache(), reporter)
        predictions = trainer.train()
        facts = {"made": now(), "command": list(command), **_facts(versions, trainer, seeds, warnings)}
        result = {**facts, **_scores(versions, predictions, trainer)}
    if compare:
        _write(run, versions, predictions, result)
    return result


def _write(run: Run, versions: Versions, predictions: dict[str, Integers], result: dict[str, Any]) -> None:
    from curation.comparison.tensorboard import write_logs

    with whole_file(run.predictions_file) as temporary:
        ids = versions.ids[versions.test]
        np.savez_compressed(temporary, id=ids, classes=np.array(versions.classes), **predictions)  # type: ignore[arg-type]
    write_json(run.comparison_file, result)
    write_logs(run.training_folder / "retrain" / "comparison", result)


def _facts(versions: Versions, trainer: Trainer, seeds: int, warnings: list[str]) -> dict[str, Any]:
    first = trainer.settings.seed
    return {
        "model": trainer.model,
        "epochs": trainer.settings.epochs,
        "settings": trainer.settings.to_dict(),
        "test_listings": len(versions.test),
        "test_groups": len(np.unique(versions.groups[versions.test])),
        "seeds": list(range(first, first + seeds)),
        "left_out_like_test": versions.left_out,
        "train_listings": {name: int((versions.labels(name, first) >= 0).sum()) for name in versions.names},
        "relabelled": int(versions.relabelled.sum()),
        "deleted": int(versions.deleted.sum()),
        "warnings": warnings,
    }


def _scores(versions: Versions, predictions: dict[str, Integers], trainer: Trainer) -> dict[str, Any]:
    def against(labels: Integers) -> dict[str, Any]:
        return scores(
            labels,
            predictions,
            versions.groups[versions.test],
            versions.ids[versions.test],
            versions.classes,
            seed=trainer.settings.seed,
        )

    found = against(versions.given)
    if BEFORE in versions.names:
        found |= {"changes": changes_of(versions), "training": training_of(versions)}
    if versions.decided and (versions.reviewed >= 0).any():
        actions = [decision.action for decision in versions.decided.values()]
        found["reviewed_test_labels"] = {
            "decided": len(actions),
            "relabelled": int(((versions.reviewed >= 0) & (versions.reviewed != versions.given)).sum()),
            "deleted": actions.count("delete"),
            **against(versions.reviewed),
        }
    if versions.true is not None and (versions.true >= 0).any():
        found["true_test_labels"] = {"listings": int((versions.true >= 0).sum()), **against(versions.true)}
    return found


def _warnings(versions: Versions, seeds: int) -> list[str]:
    """Return what weakens a comparison, in plain sentences."""
    classes, found = np.array(versions.classes), []
    tested = np.bincount(versions.given, minlength=len(classes))
    if len(versions.test) < _SMALL_TEST_SET:
        found.append(f"the test set has {len(versions.test)} listings only: expect wide intervals")
    if (tested == 0).any():
        found.append(f"the test set has no listing of {some(classes[tested == 0])}: macro-F1 leaves them out")
    few = (tested > 0) & (tested < _SMALL_CLASS)
    if few.any():
        found.append(f"fewer than {_SMALL_CLASS} test listings of {some(classes[few])}: their F1 says little")
    before, after = (
        np.bincount(labels[labels >= 0], minlength=len(classes)) for labels in (versions.before, versions.after)
    )
    lost = (before > 0) & (after == 0)
    if AFTER in versions.names and lost.any():
        found.append(
            f"the cleaned dataset has no training listing of {some(classes[lost])} any more: "
            "the models after the fixes can't name them"
        )
    if versions.doubted > _DOUBTFUL * len(versions.test):
        found.append(
            f"{versions.doubted} of {len(versions.test)} test labels are flagged as wrong and nobody has decided on "
            "them: a review of those sharpens the comparison"
        )
    if seeds == 1:
        found.append("one seed: the interval holds the chance of the test set, not that of training")
    return found
