"""What the models of all versions are worth against one set of test labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.comparison.versions import AFTER, BEFORE, CORRECT
from curation.comparison.words import sentence
from training.evaluation.bootstrap import mcnemar, resample
from training.evaluation.metrics import classification_metrics, most_named

__all__ = ["scores"]

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def scores(
    truth: Integers,
    predictions: Mapping[str, Integers],
    groups: Integers,
    ids: npt.NDArray[np.str_],
    classes: Sequence[str],
    *,
    seed: int,
) -> dict[str, Any]:
    """Score all versions on the test listings that have a label.

    Parameters
    ----------
    truth : ndarray of int64, shape (n,)
        Class numbers; listings of -1 are left out.
    predictions : mapping of str to ndarray of int64, shape (S, n)
        Class numbers that the S models of each version gave.
    groups, ids : ndarray, shape (n,)
        Group and id of each test listing.
    classes : sequence of str, length K
    seed : int
        Of the resampling.

    Returns
    -------
    dict
        The scores of ``comparison.json``, ready for JSON.
    """
    judged = truth >= 0
    truth, groups, ids = truth[judged], groups[judged], ids[judged]
    predictions = {name: runs[:, judged] for name, runs in predictions.items()}
    metrics = {
        name: _mean([classification_metrics(truth, predicted, classes) for predicted in runs])
        for name, runs in predictions.items()
    }
    if BEFORE not in predictions:
        return metrics
    resampled = resample(truth, predictions, groups, classes=len(classes), seed=seed)
    found: dict[str, Any] = {BEFORE: metrics[BEFORE], AFTER: metrics[AFTER]}
    macro = resampled.macro_f1(AFTER, BEFORE)
    found["difference"] = macro.to_dict()
    found["accuracy_difference"] = resampled.mean_accuracy(AFTER, BEFORE).to_dict()
    found["could_show"], found["verdict"] = macro.could_show, macro.verdict
    found["sentence"] = sentence(metrics[BEFORE], metrics[AFTER], macro, len(truth))
    before, after = predictions[BEFORE], predictions[AFTER]
    found["mcnemar"] = mcnemar(truth, before, after, groups).to_dict()
    found["per_class"] = {
        name: {
            BEFORE: metrics[BEFORE]["per_class"][name],
            AFTER: metrics[AFTER]["per_class"][name],
            "difference": difference.to_dict() if difference else None,
            "verdict": difference.verdict if difference else None,
        }
        for name, difference in zip(classes, resampled.class_f1(AFTER, BEFORE), strict=True)
    }
    found["confusion"] = _confusion(truth, before, after, classes)
    found["flips"] = _flips(truth, before, after, ids, classes)
    controls = [name for name in predictions if name not in (BEFORE, AFTER)]
    if controls:
        found["controls"] = {}
        for name in controls:
            difference = resampled.macro_f1(name, BEFORE)
            kept = {key: value for key, value in metrics[name].items() if key != "per_class"}
            found["controls"][name] = {**kept, "difference": difference.to_dict(), "verdict": difference.verdict}
            found["controls"][name]["sentence"] = sentence(metrics[BEFORE], metrics[name], difference, len(truth), name)
        if CORRECT in controls:
            share = resampled.share(AFTER, CORRECT, BEFORE)
            found["share_of_possible"] = share.to_dict() if share else None
    return found


def _mean(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Average the metrics of all seeds; each seed's macro-F1 and accuracy are kept beside the mean."""
    names = runs[0]["per_class"]
    return {
        "macro_f1": float(np.mean([run["macro_f1"] for run in runs])),
        "accuracy": float(np.mean([run["accuracy"] for run in runs])),
        "macro_f1_by_seed": [run["macro_f1"] for run in runs],
        "accuracy_by_seed": [run["accuracy"] for run in runs],
        "per_class": {
            name: {key: float(np.mean([run["per_class"][name][key] for run in runs])) for key in names[name]}
            for name in names
        },
    }


def _confusion(truth: Integers, before: Integers, after: Integers, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the pairs of label and prediction that occur; most listings first. Not the matrix: K may be thousands."""
    counts: dict[int, list[float]] = {}
    for place, runs in enumerate((before, after)):
        pairs, number = np.unique(truth * len(classes) + runs, return_counts=True)
        for pair, count in zip(pairs.tolist(), number.tolist(), strict=True):
            counts.setdefault(pair, [0.0, 0.0])[place] = count / len(runs)
    rows = [
        {"label": classes[pair // len(classes)], "predicted": classes[pair % len(classes)], BEFORE: was, AFTER: becomes}
        for pair, (was, becomes) in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row[BEFORE] - row[AFTER], row["label"], row["predicted"]))


def _flips(
    truth: Integers, before: Integers, after: Integers, ids: npt.NDArray[np.str_], classes: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return the listings that most seeds got wrong before and right after, and the reverse; clearest first."""
    was, becomes = (before == truth).mean(axis=0), (after == truth).mean(axis=0)
    named = {name: most_named(runs)[0] for name, runs in ((BEFORE, before), (AFTER, after))}

    def listings(chosen: Mask) -> list[dict[str, Any]]:
        rows = [
            {
                "id": str(ids[row]),
                "label": classes[truth[row]],
                BEFORE: classes[named[BEFORE][row]],
                AFTER: classes[named[AFTER][row]],
                "before_right": float(was[row]),
                "after_right": float(becomes[row]),
            }
            for row in np.flatnonzero(chosen)
        ]
        return sorted(rows, key=lambda row: (-abs(row["after_right"] - row["before_right"]), row["id"]))

    return {
        "to_right": listings((was <= 0.5) & (becomes > 0.5)),
        "to_wrong": listings((was > 0.5) & (becomes <= 0.5)),
    }
