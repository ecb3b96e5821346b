"""How many labels are wrong: the share below a cut that fits it, and the noise among confident listings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.evidence.log_odds import Standing
from training.utils.arrays import Float64, Int64

__all__ = [
    "Cut",
    "choose_cut",
    "confusions",
    "differing_among_surest",
    "find_cut",
    "noise_where_sure",
    "suggestion_confidence",
]


#: Slope and offset of the cut as a function of the log-odds of a wrong label; see :func:`choose_cut`.
SLOPE = 0.65
OFFSET = 1.1
_LEAST_SHARE = 1e-3
#: The most confident listings, where labels that differ are wrong: this share of all, but at least this many.
SUREST = 0.1
FEWEST_SURE = 30


@dataclass(frozen=True)
class Cut:
    """The margin below which labels are in doubt.

    Attributes
    ----------
    margin : float
        At most 0.
    share : float
        Share of the labels below it, 0 to 1.
    candidates : float
        Number of classes over which doubtful labels spread, 1 to K - 1; see :func:`confusions`.
    """

    margin: float
    share: float
    candidates: float


def find_cut(standing: Standing) -> Cut:
    """Find the cut that fits beliefs and given labels.

    Parameters
    ----------
    standing : Standing
        Of n given labels among calibrated beliefs.
    """
    margin = standing.margin
    doubted = standing[np.flatnonzero(margin < 0)]
    candidates = confusions(doubted.given, doubted.other, standing.classes)
    cut = choose_cut(margin, candidates)
    return Cut(cut, float((margin < cut).mean()), candidates)


def choose_cut(margins: Float64, candidates: float) -> float:
    """Choose the margin below which labels are in doubt, so that it fits the share below it.

    With a share e of wrong labels, each spread over c classes, a label is as likely wrong as right where the odds of
    the given class against the best other one are e : c (1 - e). Beliefs learned from such labels are flattened by the
    noise and by the model's own uncertainty, so the cut moves less than in theory: it is 0.65 log(e / (c (1 - e))) +
    1.1, or 0 if that is positive. The share e is that of the listings below the cut itself: starting from every listing
    whose best class differs from the given one, cut and share are updated in turn until they agree. Noise keeps the cut
    near 0; in a clean dataset both shrink together.

    The two numbers were chosen in benchmarks/detection.py, on human and synthetic noise from 2 % to 40 %, with 2 to 43
    classes and with good and weak models.

    Parameters
    ----------
    margins : ndarray of float64, shape (n,)
        Log-odds of the given class against the best other one, calibrated; see
        :func:`curation.evidence.calibration.temperature`.
    candidates : float
        The c above, at least 1; see :func:`confusions`.

    Returns
    -------
    float
        At most 0.
    """
    ordered = np.sort(margins)
    n = len(ordered)
    share, cut = float((ordered < 0).mean()) if n else 0.0, 0.0
    for _ in range(500):
        cut = min(0.0, SLOPE * float(np.log(max(share, 1e-9) / (candidates * max(1 - share, 1e-9)))) + OFFSET)
        flagged = float(np.searchsorted(ordered, cut)) / n if n else 0.0
        if abs(flagged - share) < 0.5 / max(n, 1):
            break
        share = (share + flagged) / 2
    return cut


def confusions(given: Int64, best: Int64, classes: int) -> float:
    """Return over how many classes the labels of doubted listings spread: 1 to K - 1.

    The perplexity of the given class among listings with the same best class, averaged over them.

    Parameters
    ----------
    given, best : ndarray of int64, shape (n,)
        Class numbers of listings whose best class is not the given one.
    classes : int
        K.

    Examples
    --------
    >>> confusions(np.array([1, 2, 1, 2]), np.array([0, 0, 0, 0]), 3)
    2.0
    """
    if not len(given):
        return 1.0
    pairs, counts = np.unique(best * classes + given, return_counts=True)
    with_best = np.bincount(pairs // classes, weights=counts, minlength=classes)
    surprise = -np.log(counts / with_best[pairs // classes])
    return float(np.exp((counts * surprise).sum() / counts.sum()))


def noise_where_sure(standing: Standing) -> float:
    """Return the share of given labels that differ from the best class among the most confident listings.

    There the model rarely errs, so a label that differs is wrong (anchor points: Liu and Tao, "Classification with
    Noisy Labels by Importance Reweighting", TPAMI 2016). People err less on easy photos, so this is less than the share
    of wrong labels among all.

    Parameters
    ----------
    standing : Standing
        Of n given labels among calibrated beliefs.
    """
    return float(differing_among_surest(standing, [max(FEWEST_SURE, int(SUREST * len(standing.given)))])[0])


def differing_among_surest(standing: Standing, counts: Sequence[int]) -> Float64:
    """Return the share of given labels that differ from the best class among so many of the most confident listings.

    Half a listing more is counted, because none among these does not mean none at all.

    Parameters
    ----------
    standing : Standing
        Of n given labels among calibrated beliefs.
    counts : sequence of int
        How many listings, 1 or more; all, if there are fewer.

    Returns
    -------
    ndarray of float64
        One share for each of `counts`.
    """
    surest = np.argsort(-standing.sure, kind="stable")
    differ = np.cumsum(standing.differs[surest])
    numbers = np.minimum(counts, len(surest))
    return np.asarray((differ[numbers - 1] + 0.5) / (numbers + 1))


def suggestion_confidence(
    probs: Float64, given: Int64, suggested: Int64, *, share: float, candidates: float
) -> Float64:
    """Return the probability that the suggested class is the true one.

    The probabilities predict *given* labels, a share e of which is wrong. That share is removed from them, and the
    given label counts as a witness that is right with probability 1 - e and names each of c wrong classes with
    probability e / c (Bayes).

    Parameters
    ----------
    probs : ndarray of float64, shape (n, K)
        Calibrated beliefs; rows sum to 1.
    given, suggested : ndarray of int64, shape (n,)
        Class numbers; -1 for a listing without a label, which has no such witness.
    share, candidates : float
        The e and c above. Too large a share makes suggestions overconfident; see :func:`noise_where_sure`.

    Returns
    -------
    ndarray of float64, shape (n,)
        0 to 1.
    """
    each, share = np.arange(len(given)), float(np.clip(share, _LEAST_SHARE, 0.9))
    # never below a twentieth of its value: an estimate of the noise can't rule a class out
    true = np.maximum(probs - share / probs.shape[1], 0.05 * probs)
    true /= true.sum(axis=1, keepdims=True)
    witness = np.where(given >= 0, candidates * (1 - share) / share, 1.0)
    true[each, given] *= witness
    confidence: Float64 = true[each, suggested] / true.sum(axis=1)
    return confidence
