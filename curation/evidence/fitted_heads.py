"""The models of a run's folds, kept so that they score new listings, and the photos that they compare with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from curation.evidence.evidence import Nearby
from curation.evidence.fitted import Fitted, text_from, text_values
from curation.evidence.log_odds import softmax
from curation.run.folder import RunFolder
from training.crossval.checkpoint import read_checkpoint
from training.crossval.cross_validate import SHARE_FILE, CrossValidated, FoldPlan
from training.crossval.predictions import FLOOR
from training.features.linear import Head
from training.features.neighbours import Labelled, Searched, sample_of
from training.utils.arrays import Bool, Float32, Float64, Int64
from training.utils.files import DamagedError

__all__ = ["HEADS", "Scores", "fitted_heads", "near_photos", "scores_by_heads"]

_CPU = torch.device("cpu")
#: Photos at a time that are compared with all that are searched.
_BLOCK = 128
#: What is kept of a run, by these names.
HEADS = "heads"
_REFITTED, _COMPARED, _SEARCHED, _TRAINED = "refitted heads", "compared photos", "searched photos", "trained"


def fitted_heads(run: RunFolder, scores: CrossValidated, plan: FoldPlan, labels: Int64, trained: Bool) -> Fitted | None:
    """Return what keeps the models of a run that has trained linear models; None if it trained networks.

    Parameters
    ----------
    run : RunFolder
        With the checkpoints.
    scores : CrossValidated
        What the models said.
    plan : FoldPlan
        What they were trained on.
    labels : ndarray of int64, shape (N,)
        Given class numbers.
    trained : ndarray of bool, shape (N, K)
        Whether the model that scores each listing knows each class.
    """
    fitted, features = Fitted(), run.features()
    if (run.training_folder / SHARE_FILE).exists():
        return None
    try:
        heads = [read_checkpoint(run.training_folder / f"fold-{fold}").head for fold in range(plan.folds)]
    except DamagedError:
        return None
    if features is None or any(head is None for head in heads):
        return None
    fitted(HEADS, lambda: _arrays([head for head in heads if head is not None]))
    if scores.refitted is not None:
        parts = [scores.heads[part] for part in sorted(scores.heads)]
        fitted(_REFITTED, lambda: {**_arrays(parts), "parts": np.array(sorted(scores.heads), dtype=np.int64)})
    # a row of each fold says what its model knows
    first = np.array([np.flatnonzero(plan.fold == fold)[0] for fold in range(plan.folds)])
    fitted(_TRAINED, lambda: {"classes": trained[first]})
    compared = sample_of(np.flatnonzero(plan.may_train & plan.has_photo), run.record()["seed"])
    fitted(_COMPARED, lambda: {"rows": compared, "labels": labels[compared], "fold": plan.fold[compared]})
    searched, table = sample_of(np.flatnonzero(plan.has_photo), seed=0), run.training_table()
    named = {name: text_values(_lines(table[name].iloc[searched])) for name in ("id", "label")}
    fitted(_SEARCHED, lambda: {"rows": searched, **named})
    return fitted


def _lines(texts: pd.Series) -> list[str]:
    return [" ".join(text.splitlines()) for text in texts.fillna("").astype(str)]


def _arrays(heads: list[Head]) -> dict[str, npt.NDArray[np.float32]]:
    weights = np.stack([head.weight.cpu().numpy() for head in heads])
    return {"weight": weights, "bias": np.stack([head.bias.cpu().numpy() for head in heads])}


@dataclass(frozen=True)
class Scores:
    """What the models of an earlier run say of n new listings; NaN without a photo.

    Attributes
    ----------
    probs : ndarray of float64, shape (n, K)
        By the model of the listing's fold.
    in_fold : ndarray of float32, shape (n, K)
        Mean log-probabilities by the models of the other folds; NaN where these were trained on the same photo.
    neighbours : ndarray of float32, shape (n, K)
        Class shares among the most similar photos of other folds.
    refitted : ndarray of float32, shape (n, K), or None
        By the models that learned doubtful labels less.
    trained : ndarray of bool, shape (n, K)
        Whether the model of the listing's fold knows each class.
    """

    probs: Float64
    in_fold: Float32
    neighbours: Float32
    refitted: Float32 | None
    trained: Bool


def scores_by_heads(
    fitted: Fitted, features: Float32, fold: Int64, has_photo: Bool, taught: Bool, known: Float32
) -> Scores:
    """Score new listings by the models of an earlier run.

    Parameters
    ----------
    fitted : Fitted
        Of that run.
    features : ndarray of float32, shape (n, D)
        Of the photos of the new listings, projected as theirs were.
    fold : ndarray of int64, shape (n,)
        Whose model scores each.
    has_photo : ndarray of bool, shape (n,)
        Those that can be scored.
    taught : ndarray of bool, shape (n,)
        Those whose photo the models of the other folds were trained on, with a label of that run.
    known : ndarray of float32, shape (N, D)
        The features of that run; may be memory-mapped.
    """
    heads, nothing = fitted[HEADS], np.full((len(features), fitted[HEADS]["bias"].shape[1]), np.nan, dtype=np.float32)
    probs, in_fold, neighbours, refitted = (nothing.copy() for _ in range(4))
    rows = np.flatnonzero(has_photo)
    if len(rows):
        outputs = np.einsum("nd,fdk->fnk", features[rows], heads["weight"]) + heads["bias"][:, None]
        each, own = np.arange(len(rows)), fold[rows]
        all_probs = np.stack([softmax(of_fold.astype(np.float64)) for of_fold in outputs])
        probs[rows] = all_probs[own, each]
        logs = np.maximum(np.log(np.maximum(all_probs, 1e-300)), FLOOR)
        in_fold[rows] = (logs.sum(axis=0) - logs[own, each]) / max(len(all_probs) - 1, 1)
        # what they learned is the label of the same photo, which is no evidence of its own
        in_fold[taught] = np.nan
        compared = fitted[_COMPARED]
        if len(compared["rows"]):
            make = lambda: Labelled(known[compared["rows"]], compared["labels"], probs.shape[1], _CPU)  # noqa: E731
            labelled = fitted.held(_COMPARED, make)
            neighbours[rows] = labelled.shares(features[rows], own[:, None] == compared["fold"])
        if _REFITTED in fitted:
            again = fitted[_REFITTED]
            part = np.searchsorted(again["parts"], own % len(again["parts"]))
            said = np.einsum("nd,ndk->nk", features[rows], again["weight"][part]) + again["bias"][part]
            refitted[rows] = softmax(said.astype(np.float64))
    return Scores(
        probs.astype(np.float64),
        in_fold,
        neighbours,
        refitted if _REFITTED in fitted else None,
        fitted[_TRAINED]["classes"][fold],
    )


def near_photos(
    fitted: Fitted,
    features: Float32,
    has_photo: Bool,
    known: Float32,
    same: list[frozenset[str]],
    *,
    count: int,
) -> Nearby:
    """Return the photos of an earlier run that are most like those of new listings.

    Parameters
    ----------
    fitted, features, has_photo, known
        As for :func:`scores_by_heads`.
    same : list of set of str, length n
        Ids of that run that show the same item as each new listing, which do not count.
    count : int
        How many of the nearest ones count.
    """
    rows, total = fitted[_SEARCHED]["rows"], len(features)
    nearby = Nearby(np.full(total, np.nan, dtype=np.float32), [""] * total, [None] * total)
    shown = np.flatnonzero(has_photo)
    if not len(rows) or not len(shown):
        return nearby
    searched, ids, labels, place = fitted.held(_SEARCHED, lambda: _searched(fitted, known, count))
    for start in range(0, len(shown), _BLOCK):
        block = shown[start : start + _BLOCK]
        not_counted = np.zeros((len(block), len(rows)), dtype=bool)
        for number, row in enumerate(block):
            not_counted[number, [place[id] for id in same[row] if id in place]] = True
        found = searched.nearest(features[block], not_counted)
        for row, apart, nearest in zip(block, found.distance, found.row, strict=True):
            if nearest >= 0:
                nearby.distance[row], nearby.ids[row] = apart, ids[nearest]
                nearby.labels[row] = labels[nearest] or None
    return nearby


def _searched(fitted: Fitted, known: Float32, count: int) -> tuple[Searched, list[str], list[str], dict[str, int]]:
    values = fitted[_SEARCHED]
    ids, labels = text_from(values["id"]), text_from(values["label"])
    searched = Searched(np.ascontiguousarray(known[values["rows"]]), count)
    return searched, ids, labels, {id: place for place, id in enumerate(ids)}
