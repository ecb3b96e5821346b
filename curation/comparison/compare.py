"""Whether cleaning helped: models trained on both versions of a dataset, compared on one fixed test set."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curation.comparison import SEEDS
from curation.comparison.changes import changes_of, training_of
from curation.comparison.result import Comparison, Retrained, ReviewedScores, S, TrueScores
from curation.comparison.sample import read_sample
from curation.comparison.scored import Scores, VersionScores
from curation.comparison.truth import read_truth
from curation.comparison.versions import AFTER, Versions
from curation.comparison.warnings import warnings_of
from curation.errors import InputError, check_range
from curation.rendering.words import many
from curation.run.folder import RunFolder
from curation.run.manifests import call_again, is_latest_wins
from curation.run.status import as_of
from curation.run.transactions import begin, carry_out, discard, scratch
from training.images.cache import PhotoCache, open_cache
from training.utils.arrays import Int64
from training.utils.files import sync_tree, write_json
from training.utils.machine import resumable
from training.utils.progress import SILENT, Reporter
from training.utils.units import now

__all__ = ["retrain"]


def retrain(
    run: RunFolder,
    *,
    compare: bool = True,
    seeds: int = SEEDS,
    controls: bool = False,
    truth: str | None = None,
    changes: Mapping[str, Any] | None = None,
    cache: str | Path | PhotoCache | None = None,
    command: Sequence[str] = (),
    reporter: Reporter = SILENT,
) -> Comparison | Retrained:
    """Train on the dataset before and after the fixes, and compare both on the same test listings.

    All versions are trained with the same settings, epochs and seeds. The test set was fixed before detection; listings
    with nearly the same photo as a test listing, or of its group, train no model. The test labels are those given; if
    people decided on some, a second set of scores uses theirs.

    The run is finished, with photos and ``cleaned/``. It gets ``comparison.json``, ``predictions.npz`` and TensorBoard
    logs; without `compare`, nothing but the models. Parameters and errors as of :func:`curation.api.run.Run.retrain`.
    """
    check_range("seeds", "number of seeds", seeds, 1, math.inf)
    versions = Versions(run, None if truth is None else read_truth(run, truth), compare=compare, controls=controls)
    if compare and versions.soft is None and np.array_equal(versions.before, versions.after):
        raise InputError(
            "nothing to compare: the cleaned dataset trains on the same listings and labels",
            got="no change outside the test set",
            wanted="a relabelled or deleted training listing, or chances of the labels; prices train no model",
            fix="Decide more with `review()`, or write the chances with `apply_fixes(soft=True)`.",
        )
    # what trains and scores takes seconds to import, and what can be refused is refused before
    from curation.comparison.scores import mean_scores, scores
    from curation.comparison.train import Trainer, settings_of
    from curation.comparison.true_difference import true_difference

    recipe, execution = settings_of(run, dict(changes or {}), reporter)
    sample = read_sample(run)
    warnings = [*_past(run), *_unapplied(run), *warnings_of(versions, seeds, drawn=sample is not None)]
    for warning in warnings:
        reporter.say(f"warning: {warning}")
    with run.stage("retrain"), resumable():
        trainer = Trainer(run, versions, recipe, execution, seeds, open_cache(cache), reporter)
        predictions = trainer.train()
    test, classes = versions.test, versions.classes
    groups, ids = versions.groups[test], versions.ids[test]
    facts: dict[str, Any] = {
        "made": now(),
        "command": tuple(command),
        "model": trainer.model,
        "epochs": recipe.epochs,
        "settings": {**recipe.to_dict(), **execution.to_dict()},
        "computed": trainer.plan.computed,
        "test_listings": len(test),
        "test_groups": len(np.unique(groups)),
        "seeds": tuple(range(recipe.seed, recipe.seed + seeds)),
        "left_out_like_test": versions.left_out,
        "train_listings": {name: int((versions.labels(name, recipe.seed) >= 0).sum()) for name in versions.names},
        "relabelled": int(versions.relabelled.sum()),
        "deleted": int(versions.deleted.sum()),
        "weighted": versions.weighted,
        "warnings": tuple(warnings),
    }

    def score_after(labels: Int64) -> VersionScores:
        return mean_scores(labels, predictions[AFTER], classes)

    def score_all(labels: Int64) -> Scores:
        return scores(labels, predictions, groups, ids, classes, seed=recipe.seed)

    if not compare:
        return Retrained(**facts, **_by_test_labels(versions, score_after))
    scored = _by_test_labels(versions, score_all)
    estimate, doubts = true_difference(run, versions, sample, predictions, scored["given"].verdict, seed=recipe.seed)
    for warning in doubts:
        reporter.say(f"warning: {warning}")
    facts["warnings"] = (*warnings, *doubts)
    facts |= {"changes": changes_of(versions), "training": training_of(versions)}
    comparison = Comparison(**facts, **scored, estimated=estimate)
    with resumable():
        _write(run, versions, predictions, comparison)
    return comparison


def _past(run: RunFolder) -> list[str]:
    if (moment := as_of(run)) is None:
        return []
    held = f"held {'after' if moment.startswith('line ') else 'at'} {moment}"
    return [f"the cleaned dataset is a past version, of the decisions that {held}: later ones train no model"]


def _unapplied(run: RunFolder) -> list[str]:
    count = run.judged_journal().unapplied(latest_wins=is_latest_wins(run.cleaned))
    if not count:
        return []
    return [
        f"the cleaned dataset lacks what was decided since on {many(count, 'listing')}: apply it with "
        f"{call_again(run.cleaned)}, and compare again"
    ]


def _by_test_labels(versions: Versions, score: Callable[[Int64], S]) -> dict[str, Any]:
    """Return the scores against each set of test labels: as given, as reviewed, and true; None where there are none."""
    reviewed = true = None
    if versions.decided and (versions.reviewed >= 0).any():
        actions = [decision.action for decision in versions.decided.values()]
        relabelled = int(((versions.reviewed >= 0) & (versions.reviewed != versions.given)).sum())
        reviewed = ReviewedScores(len(actions), relabelled, actions.count("delete"), score(versions.reviewed))
    if versions.true is not None and (versions.true >= 0).any():
        true = TrueScores(int((versions.true >= 0).sum()), score(versions.true))
    return {"given": score(versions.given), "reviewed": reviewed, "true": true}


def _write(run: RunFolder, versions: Versions, predictions: dict[str, Int64], comparison: Comparison) -> None:
    from curation.comparison.tensorboard import write_logs

    new, old = scratch(run.folder, "compared"), scratch(run.folder, "compared")
    files = (run.predictions_file, run.comparison_file)
    try:
        ids = versions.ids[versions.test]
        arrays: dict[str, Any] = {"id": ids, "classes": np.array(versions.classes), **predictions}
        np.savez_compressed(new / run.predictions_file.name, **arrays)
        write_json(new / run.comparison_file.name, comparison.to_dict())
        sync_tree(new)
        # both or neither: one alone would be that of another comparison
        moves = [(file, old / file.name) for file in files if file.exists()]
        moves += [(new / file.name, file) for file in files]
        carry_out(run.folder, run.journal, begin("retrain", after=run.read_journal().last), moves, [])
    finally:
        discard(run.folder, run.journal, new, old)
    write_logs(run.training_folder / "retrain" / "comparison", comparison)
