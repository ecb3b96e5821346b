"""Scores of all versions' models against one set of test labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from curation.comparison.scored import (
    CORRECT,
    ClassChange,
    ClassScores,
    Confused,
    Control,
    Flip,
    Flips,
    Scores,
    VersionScores,
)
from curation.comparison.versions import AFTER, BEFORE
from training.evaluation.bootstrap import Resampled, adjusted, mcnemar, resample
from training.evaluation.metrics import classification_metrics, most_predicted
from training.utils.arrays import Bool, Int64

__all__ = ["mean_scores", "scores"]


def scores(
    truth: Int64,
    predictions: Mapping[str, Int64],
    groups: Int64,
    ids: npt.NDArray[np.str_],
    classes: Sequence[str],
    *,
    seed: int,
) -> Scores:
    """Score all versions on the test listings that have a label.

    Parameters
    ----------
    truth : ndarray of int64, shape (n,)
        Class numbers; listings of -1 are left out.
    predictions : mapping of str to ndarray of int64, shape (S, n)
        Class numbers that the S models of each version predict.
    groups, ids : ndarray, shape (n,)
        Group and id of each test listing.
    classes : sequence of str, length K
    seed : int
        Of the resampling.

    Returns
    -------
    Scores
    """
    labelled = truth >= 0
    truth, groups, ids = truth[labelled], groups[labelled], ids[labelled]
    predictions = {name: runs[:, labelled] for name, runs in predictions.items()}
    metrics = {name: mean_scores(truth, runs, classes) for name, runs in predictions.items()}
    resampled = resample(truth, predictions, groups, classes=len(classes), seed=seed)
    before, after = predictions[BEFORE], predictions[AFTER]
    controls = {
        name: Control(
            each.macro_f1,
            each.accuracy,
            each.macro_f1_by_seed,
            each.accuracy_by_seed,
            resampled.macro_f1(name, BEFORE),
        )
        for name, each in metrics.items()
        if name not in (BEFORE, AFTER)
    }
    return Scores(
        before=metrics[BEFORE],
        after=metrics[AFTER],
        difference=resampled.macro_f1(AFTER, BEFORE),
        accuracy_difference=resampled.mean_accuracy(AFTER, BEFORE),
        mcnemar=mcnemar(truth, before, after, groups),
        per_class=_per_class(metrics, resampled, classes),
        confusion=_confusion(truth, before, after, classes),
        flips=_flips(truth, before, after, ids, classes),
        controls=controls,
        share_of_possible=resampled.share(AFTER, CORRECT, BEFORE) if CORRECT in controls else None,
    )


def mean_scores(truth: Int64, runs: Int64, classes: Sequence[str]) -> VersionScores:
    """Score the models of one version: means over the seeds, and each seed's macro-F1 and accuracy.

    Parameters
    ----------
    truth : ndarray of int64, shape (n,)
        Class numbers; listings of -1 are left out.
    runs : ndarray of int64, shape (S, n)
        Class numbers that the S models predict.
    classes : sequence of str, length K
    """
    labelled = truth >= 0
    by_seed = [classification_metrics(truth[labelled], predicted, classes) for predicted in runs[:, labelled]]
    macro_f1, accuracy = ([run[key] for run in by_seed] for key in ("macro_f1", "accuracy"))
    return VersionScores(
        float(np.mean(macro_f1)),
        float(np.mean(accuracy)),
        tuple(macro_f1),
        tuple(accuracy),
        {
            name: ClassScores(**{key: float(np.mean([run["per_class"][name][key] for run in by_seed])) for key in keys})
            for name, keys in by_seed[0]["per_class"].items()
        },
    )


def _per_class(
    metrics: Mapping[str, VersionScores], resampled: Resampled, classes: Sequence[str]
) -> dict[str, ClassChange]:
    """Return the scores of each class, with what may be claimed among so many."""
    p = resampled.class_p(AFTER, BEFORE)
    rows = zip(classes, resampled.class_f1(AFTER, BEFORE), p, adjusted(p), strict=True)
    before, after = metrics[BEFORE].per_class, metrics[AFTER].per_class
    return {
        name: ClassChange(before[name], after[name], difference, own, among_all)
        for name, difference, own, among_all in rows
    }


def _confusion(truth: Int64, before: Int64, after: Int64, classes: Sequence[str]) -> tuple[Confused, ...]:
    """Return the pairs of label and prediction that occur; most listings first. Not the matrix: K may be thousands."""
    counts: dict[int, list[float]] = {}
    for place, runs in enumerate((before, after)):
        pairs, number = np.unique(truth * len(classes) + runs, return_counts=True)
        for pair, count in zip(pairs.tolist(), number.tolist(), strict=True):
            counts.setdefault(pair, [0.0, 0.0])[place] = count / len(runs)
    rows = [
        Confused(classes[pair // len(classes)], classes[pair % len(classes)], was, becomes)
        for pair, (was, becomes) in counts.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.before - row.after, row.label, row.predicted)))


def _flips(truth: Int64, before: Int64, after: Int64, ids: npt.NDArray[np.str_], classes: Sequence[str]) -> Flips:
    """Return the listings that most seeds got wrong before and right after, and the reverse; clearest first."""
    was, becomes = (before == truth).mean(axis=0), (after == truth).mean(axis=0)
    predicted_before, predicted_after = most_predicted(before)[0], most_predicted(after)[0]

    def listings(chosen: Bool) -> tuple[Flip, ...]:
        flips = [
            Flip(
                str(ids[row]),
                classes[truth[row]],
                classes[predicted_before[row]],
                classes[predicted_after[row]],
                float(was[row]),
                float(becomes[row]),
            )
            for row in np.flatnonzero(chosen)
        ]
        return tuple(sorted(flips, key=lambda flip: (-abs(flip.after_right - flip.before_right), flip.id)))

    return Flips(listings((was <= 0.5) & (becomes > 0.5)), listings((was > 0.5) & (becomes <= 0.5)))
