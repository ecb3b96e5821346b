"""One judgement per given label: how likely it is right, what it should be, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import best_other, margins, softmax
from curation.evidence.sources import PHOTO, SIMILAR
from curation.issues.label.threshold import (
    chance_right,
    find_cut,
    noise_where_sure,
    suggestion_confidence,
)

__all__ = ["Judgement", "judge"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

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
    belief = evidence.belief
    if belief is None:
        silent: list[tuple[str, ...]] = [()] * n
        return Judgement(np.full(n, np.nan), np.zeros(n, bool), np.full(n, -1), np.full(n, np.nan), silent, silent)
    label, logs, judged, learnt = np.maximum(given, 0), belief.logs, belief.judged, belief.learnt
    margin = margins(logs, label)
    cut, probs = find_cut(logs[learnt], given[learnt]), softmax(logs)
    # suggestions that may be accepted unseen are sure ones: what counts is the noise among those
    noise = min(cut.share, noise_where_sure(probs[learnt], given[learnt]))
    score = chance_right(margin, cut)
    unlabelled = belief.known & (given < 0)
    suggested = np.where(given >= 0, best_other(logs, label), logs.argmax(axis=1))
    confidence = suggestion_confidence(probs, given, suggested, share=noise, candidates=cut.candidates)
    confidence = np.where(judged, np.minimum(confidence, 1 - score), confidence)
    suggests = unlabelled | (judged & (score <= 1 - SUGGESTS_FROM))
    for_it, against_it = _voices(belief.says(label, suggested), suggests & judged)
    return Judgement(
        np.where(unlabelled, 0.0, np.where(judged, score, np.nan)),
        unlabelled | (judged & (margin < cut.margin)),
        np.where(suggests, suggested, -1),
        np.where(suggests, confidence, np.nan),
        for_it,
        against_it,
    )


def _voices(said: dict[str, Floats], asked: Mask) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return the sources that speak for each suggested label, and those that speak for the given one."""
    # two opinions on one photo are one voice
    photo = sum((said[name] for name in (PHOTO, SIMILAR) if name in said), np.zeros(len(asked)))
    voices = {PHOTO: photo, **{name: said[name] for name in said if name not in (PHOTO, SIMILAR)}}
    for_it: list[tuple[str, ...]] = [()] * len(asked)
    against_it = list(for_it)
    for row in np.flatnonzero(asked):
        for_it[row] = tuple(voice for voice in voices if voices[voice][row] > SPEAKS)
        against_it[row] = tuple(voice for voice in voices if voices[voice][row] < -SPEAKS)
    return for_it, against_it
