"""One judgement per given label: how likely it is right, what it should be, and which sources say so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from curation.evidence.belief import Belief
from curation.evidence.evidence import Evidence
from curation.evidence.log_odds import softmax, standing_of
from curation.evidence.sources import MEANING, PHOTO, TITLE
from curation.issues.label.anchor import Anchor, anchor_to, odds_of
from curation.issues.label.chances import Chances, chances_wrong, flags_from
from curation.issues.label.class_odds import class_odds
from curation.issues.label.noise import suggestion_confidence
from training.utils.arrays import Bool, Float64, Int64
from training.utils.blocks import row_blocks

__all__ = ["Judgement", "judge"]


#: A class is suggested if the probability of a wrong label, as models alone have it, is at least this.
SUGGESTS_FROM = 0.1
#: A source supports a class over another if it makes it more than twice as likely.
SUPPORTS = float(np.log(2))
#: Sources that count as one for a person.
_SHOWN = {MEANING: TITLE}


@dataclass(frozen=True)
class Judgement:
    """What all evidence together says about each given label.

    Attributes
    ----------
    score : ndarray of float64, shape (N,)
        Probability that the given label is right, 0 to 1, low = bad; 0 without a label, NaN without evidence.
    flagged : ndarray of bool, shape (N,)
        Whether it is probably wrong, see :func:`curation.issues.label.chances.flags_from`; or whatever was asked for.
    suggested : ndarray of int64, shape (N,)
        Class number of the best other label; -1 without a suggestion.
    confidence : ndarray of float64, shape (N,)
        Probability that the suggested label is the true one, 0 to 1; NaN without a suggestion.
    supporting, opposing : list of tuple of str, length N
        The sources that support the suggested label over the given one, and those that do the opposite.
    chance : ndarray of float64, shape (N,)
        Chance of a wrong label as models alone have it, 0 to 1, high = bad; NaN where it was not judged.
    anchor : Anchor or None
        What that chance needs to agree with decisions; None without any.
    """

    score: Float64
    flagged: Bool
    suggested: Int64
    confidence: Float64
    supporting: list[tuple[str, ...]]
    opposing: list[tuple[str, ...]]
    chance: Float64
    anchor: Anchor | None = None


def judge(evidence: Evidence, flagged: Bool | None = None) -> Judgement:
    """Judge every given label by all sources: photo and photos like it, title, text in photo, price and reposts.

    A listing is not judged if the model that scored it was not trained on its class.

    Parameters
    ----------
    evidence : Evidence
    flagged : ndarray of bool, shape (N,), optional
        The judged labels that are flagged, whatever we believe. Each gets a suggestion.

    Returns
    -------
    Judgement
    """
    given, n = evidence.given, len(evidence.listings)
    belief = evidence.belief
    if belief is None:
        no_sources: list[tuple[str, ...]] = [()] * n
        unknown = np.full(n, np.nan)
        return Judgement(unknown, np.zeros(n, bool), np.full(n, -1), unknown, no_sources, no_sources, unknown)
    label, judged = np.maximum(given, 0), belief.judged
    standing = standing_of(belief.logs, label)
    chances = chances_wrong(standing, belief.learnable, evidence.fit, "labels")
    alone = chances.wrong
    wrong, left, anchor, known = chances.wrong, judged, None, evidence.known
    if known is not None:
        left = judged & ~known.decided
        rows = known.order[judged[known.order]]
        if len(rows):
            rises = class_odds(odds_of(wrong), label, evidence.fold, rows, known.wrong[rows], classes=standing.classes)
            alone = wrong = expit(odds_of(wrong) + rises)
        anchor = anchor_to(wrong[left], wrong[rows], known.wrong[rows])
        wrong = anchor(wrong)
    unlabelled = belief.observed & evidence.unlabelled
    suggested = np.where(given >= 0, standing.other, standing.best)
    if flagged is None:
        flagged = wrong >= evidence.number("flags from", lambda: flags_from(wrong[left]))
    flagged = unlabelled | (judged & flagged)
    # that decisions made errors rarer does not make a suggestion worse
    suggests = flagged | (judged & (alone >= SUGGESTS_FROM))
    confidence = _confidence(belief, given, suggested, np.flatnonzero(suggests), chances)
    confidence = np.where(judged, np.minimum(confidence, wrong), confidence)
    supporting, opposing = _sides(belief, label, suggested, np.flatnonzero(suggests & judged))
    return Judgement(
        np.where(unlabelled, 0.0, np.where(judged, 1 - wrong, np.nan)),
        flagged,
        np.where(suggests, suggested, -1),
        confidence,
        supporting,
        opposing,
        np.where(judged, alone, np.nan),
        anchor,
    )


def _confidence(belief: Belief, given: Int64, suggested: Int64, rows: Int64, chances: Chances) -> Float64:
    """Return the probability that each suggested label is the true one, of `rows`; NaN of others."""
    confidence = np.full(len(given), np.nan)
    for block in row_blocks(len(rows)):
        of = rows[block]
        # people accept confident suggestions without looking, so the noise among confident listings counts
        confidence[of] = suggestion_confidence(
            softmax(belief.logs[of]), given[of], suggested[of], share=chances.noise, candidates=chances.candidates
        )
    return confidence


def _sides(
    belief: Belief, given: Int64, suggested: Int64, rows: Int64
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return the sources that support each suggested label of `rows`, and those that support the given one."""
    sources: dict[str, Float64] = {PHOTO: np.zeros(len(rows))}
    for name, odds in belief.log_odds(rows, given[rows], suggested[rows]).items():
        shown = _SHOWN.get(name, name)
        sources[shown] = sources.get(shown, 0) + odds
    supporting: list[tuple[str, ...]] = [()] * len(given)
    opposing = list(supporting)
    for place, row in enumerate(rows):
        supporting[row] = tuple(name for name, odds in sources.items() if odds[place] > SUPPORTS)
        opposing[row] = tuple(name for name, odds in sources.items() if odds[place] < -SUPPORTS)
    return supporting, opposing
