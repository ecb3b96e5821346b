"""One judgement per given label: how likely it is right, what it should be, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curation.evidence import Evidence
from curation.labels.calibrate import temperature
from curation.labels.cut import choose_cut, confusions, noise_where_sure, suggestion_confidence
from curation.labels.fuse import SIZES_FORGOTTEN, fuse, learn_weights
from curation.labels.numbers import best_other, margins, softmax
from curation.labels.sources import Source, class_sizes, gather

__all__ = ["Judgement", "judge"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: How much of the photo's margin is that of the models which were trained on the listing.
IN_FOLD_SHARE = 0.3
#: How fast the chance of a wrong label falls with the margin.
STEEPNESS = 1.5
#: A suggestion is made where the chance of a wrong label is at least this.
SUGGESTS_FROM = 0.1
#: A source speaks for a class that it makes at least twice as likely as another.
SPEAKS = float(np.log(2))


@dataclass(frozen=True)
class Judgement:
    """What all evidence together says of each given label.

    Attributes
    ----------
    score : ndarray of float64, shape (N,)
        Chance that the given label is right, 0 to 1, low = bad; 0 without a label, NaN without evidence.
    flagged : ndarray of bool, shape (N,)
        Whether it is more likely wrong than right.
    suggested : ndarray of int64, shape (N,)
        Class number of the best other label; -1 where none is suggested.
    confidence : ndarray of float64, shape (N,)
        Chance that the suggested label is the true one, 0 to 1; NaN where none is suggested.
    for_it, against_it : list of tuple of str, length N
        The sources that speak for the suggested label rather than the given one, and those that speak against it.
    """

    score: Floats
    flagged: Mask
    suggested: Integers
    confidence: Floats
    for_it: list[tuple[str, ...]]
    against_it: list[tuple[str, ...]]


def judge(evidence: Evidence) -> Judgement:
    """Judge every given label by photo, similar photos, title and price, as far as they are there.

    A listing whose class the model that scored it had never seen is not judged: such a model can't tell.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    Judgement
    """
    given, n = evidence.given, len(evidence.listings)
    sources = gather(evidence)
    nothing = Judgement(np.full(n, np.nan), np.zeros(n, bool), np.full(n, -1), np.full(n, np.nan), [()] * n, [()] * n)
    if not sources:
        return nothing
    known = np.logical_or.reduce([source.known for source in sources])
    judged = known & (given >= 0)
    if evidence.trained is not None:
        judged &= evidence.trained[np.arange(n), given]
    if not judged.any() or len(evidence.classes) < 2:
        return nothing
    rows = evidence.rows_to_learn_from
    learnt = rows[judged[rows]]
    if not len(learnt):
        return nothing
    parts = _weighted(evidence, sources, learnt)
    belief = parts.pop("all")
    label = np.maximum(given, 0)
    margin = margins(belief, label)
    cut, share, candidates = _cut(belief, margin, given, learnt)
    probs = softmax(belief)
    # what is flagged overstates the noise where the model is weak, and where it is sure understates it: the middle
    noise = float(np.sqrt(share * min(share, noise_where_sure(probs[learnt], given[learnt]))))
    score = 1 / (1 + np.exp(STEEPNESS * np.clip(cut - margin, -40, 40)))
    unlabelled = known & (given < 0)
    suggested = np.where(given >= 0, best_other(belief, label), belief.argmax(axis=1))
    confidence = suggestion_confidence(probs, given, suggested, share=noise, candidates=candidates)
    confidence = np.where(judged, np.minimum(confidence, 1 - score), confidence)
    suggests = unlabelled | (judged & (score <= 1 - SUGGESTS_FROM))
    for_it, against_it = _voices(parts, sources, label, np.where(suggests & judged, suggested, -1))
    return Judgement(
        np.where(unlabelled, 0.0, np.where(judged, score, np.nan)),
        unlabelled | (judged & (margin < cut)),
        np.where(suggests, suggested, -1),
        np.where(suggests, confidence, np.nan),
        for_it,
        against_it,
    )


def _weighted(evidence: Evidence, sources: list[Source], learnt: Integers) -> dict[str, Floats]:
    """Return the calibrated belief, ``all``, and each source's part in it; each of shape (N, K)."""
    given, fold, sizes = evidence.given, evidence.fold, class_sizes(evidence)
    weights = learn_weights(sources, sizes, given, fold, learnt)
    belief = fuse(sources, sizes, weights, fold, brought=evidence.brought)
    own = weights[fold]
    parts = {source.name: own[:, [place]] * source.says for place, source in enumerate(sources)}
    if evidence.in_fold is not None and sources[0].name == "photo":
        shift = own[:, 0] * IN_FOLD_SHARE * _in_fold_shift(evidence, evidence.in_fold, sources[0], sizes)
        for part in (belief, parts["photo"]):
            part[np.arange(len(given)), np.maximum(given, 0)] += shift
    factor = temperature(belief[learnt], given[learnt])
    return {"all": factor * belief, **{name: factor * part for name, part in parts.items()}}


def _in_fold_shift(evidence: Evidence, in_fold: npt.NDArray[np.float32], photo: Source, sizes: Floats) -> Floats:
    """Return how in-fold margins differ from out-of-fold ones, brought to the same centre and spread; shape (N,).

    Every model believes a label that it was trained on a little more; what tells is how much less than others. Listings
    that trained no model are compared among themselves.
    """
    label, shift = np.maximum(evidence.given, 0), np.zeros(len(evidence.given))
    known = photo.known & (evidence.given >= 0)
    left = (1 - SIZES_FORGOTTEN) * sizes
    out = margins(photo.says + left, label)
    within = margins(np.nan_to_num(in_fold.astype(np.float64)) - sizes + left, label)
    for rows in (known & evidence.may_train, known & ~evidence.may_train):
        if not rows.any():
            continue
        (centre, spread), (centre_in, spread_in) = _centre_and_spread(out[rows]), _centre_and_spread(within[rows])
        if spread_in > 0:
            shift[rows] = (within[rows] - centre_in) * spread / spread_in + centre - out[rows]
    return shift


def _centre_and_spread(values: Floats) -> tuple[float, float]:
    centre = float(np.median(values))
    return centre, float(np.median(np.abs(values - centre)))


def _cut(belief: Floats, margin: Floats, given: Integers, learnt: Integers) -> tuple[float, float, float]:
    """Return the cut, the share of labels below it, and the number of classes that wrong labels spread over."""
    doubted = learnt[margin[learnt] < 0]
    candidates = confusions(given[doubted], best_other(belief[doubted], given[doubted]), belief.shape[1])
    cut = choose_cut(margin[learnt], candidates)
    return cut, float((margin[learnt] < cut).mean()), candidates


def _voices(
    parts: dict[str, Floats], sources: list[Source], given: Integers, suggested: Integers
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    each, seen = np.arange(len(given)), {source.name: source.known for source in sources}
    # two opinions on one photo are one voice
    photo = [name for name in parts if name in ("photo", "similar photos")]
    voices = {"photo": photo, **{name: [name] for name in parts if name not in photo}}
    said: dict[str, Floats] = {
        voice: np.where(
            (suggested >= 0) & np.logical_or.reduce([seen[name] for name in names]),
            sum((parts[name][each, suggested] - parts[name][each, given] for name in names), np.zeros(len(given))),
            0,
        )
        for voice, names in voices.items()
        if names
    }
    for_it = [tuple(voice for voice in said if said[voice][row] > SPEAKS) for row in each]
    against_it = [tuple(voice for voice in said if said[voice][row] < -SPEAKS) for row in each]
    return for_it, against_it
