"""The chance that a listing belongs to none of the classes, learned from the dataset's own listings."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from curation.evidence.evidence import Evidence
from curation.evidence.fitted import Values
from curation.evidence.log_odds import softmax
from curation.evidence.logistic import learn_logistic, log_probabilities
from curation.evidence.rows import Rows
from curation.issues.label.none_signs import Signs, signs_of
from training.utils.arrays import Bool, Float64, Int64

__all__ = ["FEWEST_CLASSES", "FEWEST_LISTINGS", "none_of_these"]


#: With fewer classes, too few are left to compare with when two are taken away.
FEWEST_CLASSES = 4
#: Fewer listings don't show how the classes look.
FEWEST_LISTINGS = 100
#: Listings that are drawn of each case.
_DRAWN = 3_000
#: Share of wrong labels that is expected to belong to no class, and as how many wrong labels that counts.
_EXPECTED, _COUNTS_AS = 0.1, 10.0
_STEPS = 200
#: Inverse strength of the penalty, of signs with mean 0 and deviation 1.
_INVERSE_STRENGTH = 0.1
_ITERATIONS = 1_000


def none_of_these(evidence: Evidence, right: Float64, suggested: Float64) -> Float64:
    """Return the chance that each listing belongs to none of the classes.

    What such listings look like is learned from the others, with a class taken away (leave-out classes: Vyas et al.,
    "Out-of-Distribution Detection Using an Ensemble of Self Supervised Leave-out Classifiers", ECCV 2018). Listings are
    drawn, the likelier the more their label is believed, in three cases: with their label; with a wrong one; with a
    wrong one, while their own class does not exist. Logistic regression tells the cases apart. How often labels are
    wrong is known from `right`; how many of them belong to no class is estimated (Saerens, Latinne and Decaestecker,
    "Adjusting the Outputs of a Classifier to New a Priori Probabilities", Neural Computation 2002).

    Parameters
    ----------
    evidence : Evidence
    right, suggested : ndarray of float64, shape (N,)
        The chances that the given label, and that the suggested one, is the true one, 0 to 1; NaN if it was not judged,
        or nothing is suggested.

    Returns
    -------
    ndarray of float64, shape (N,)
        0 to 1 - `right` - `suggested`. NaN for listings that were not judged or have no photo; for all listings without
        features of the photos, with fewer than 4 classes, or with fewer than 100 listings to learn from.
    """
    chances, belief = np.full(len(right), np.nan), evidence.belief
    if belief is None or evidence.features is None or len(evidence.classes) < FEWEST_CLASSES:
        return chances
    judged = belief.judged & evidence.scored & (evidence.given >= 0) & np.isfinite(right)
    if not evidence.number("none: enough", lambda: judged[belief.learnable].sum() >= FEWEST_LISTINGS):
        return chances
    signs = signs_of(evidence, belief, evidence.features)
    judged &= np.isfinite(signs.outputs).all(axis=1)
    learnable = belief.learnable[judged[belief.learnable]]
    if not evidence.number("none: any", lambda: right[learnable].sum() > 0) or not judged.any():
        return chances
    # by id, so that not even the last digits depend on the order of the table
    rows = np.flatnonzero(judged)
    rows = rows[np.argsort(evidence.listings["id"].to_numpy(dtype=str)[rows], kind="stable")]
    wrong, given = 1 - right[rows], evidence.given
    model = evidence.fit("none", lambda: _learn(signs, belief.logs, given, learnable, right[learnable]))
    logs = log_probabilities(model, signs.of(rows, given[rows]))
    none = wrong * _chance_of_none(logs, evidence.fit("none: share", lambda: _shares(logs, wrong))["shares"])
    # the chances of a listing never exceed 1
    chances[rows] = np.clip(none, 0, np.maximum(wrong - np.nan_to_num(suggested[rows]), 0))
    return chances


def _learn(signs: Signs, logs: Rows, given: Int64, learnable: Int64, right: Float64) -> Values:
    """Return what tells the three cases by the signs: a logistic regression on standardised ones."""
    chance = np.random.default_rng(0)
    drawn = chance.choice(learnable, (3, _DRAWN), p=right / right.sum())
    wrong = [_wrong_labels(logs[some], given[some], chance) for some in drawn[1:]]
    examples = np.concatenate(
        [
            signs.of(drawn[0], given[drawn[0]]),
            signs.of(drawn[1], wrong[0]),
            signs.of(drawn[2], wrong[1], given[drawn[2]]),
        ]
    )
    of_case = np.repeat(np.arange(3), _DRAWN)
    return learn_logistic(examples, of_case, inverse_strength=_INVERSE_STRENGTH, iterations=_ITERATIONS)


def _wrong_labels(logs: Float64, label: Int64, chance: np.random.Generator) -> Int64:
    """Return a wrong label for each listing: one half at random, the other half of classes it resembles."""
    n, classes = logs.shape
    alike = np.sqrt(softmax(logs))
    alike[np.arange(n), label] = 0
    at = chance.random(n) * alike.sum(axis=1)
    resembled = (np.cumsum(alike, axis=1) <= at[:, None]).sum(axis=1)
    anywhere = (label + chance.integers(1, classes, n)) % classes
    # rounding may lead to the label itself, or beyond the last class
    fits: Bool = (chance.random(n) < 0.5) & (resembled < classes) & (resembled != label)
    return np.asarray(np.where(fits, resembled, anywhere), dtype=np.int64)


def _shares(logs: Float64, wrong: Float64) -> Values:
    """Return the shares of right labels, of wrong ones, and of those of no class."""
    share, expected = float(np.clip(wrong.mean(), 1e-3, 0.9)), _EXPECTED
    for _ in range(_STEPS):
        shares = np.array([1 - share, share * (1 - expected), share * expected])
        _, other, none = np.exp(log_softmax(logs + np.log(shares), axis=1)).sum(axis=0)
        expected = float((none + _COUNTS_AS * _EXPECTED) / (other + none + _COUNTS_AS))
    return {"shares": shares}


def _chance_of_none(logs: Float64, shares: Float64) -> Float64:
    """Return the chance that each listing belongs to no class if its label is wrong."""
    chances = np.exp(log_softmax(logs + np.log(shares), axis=1))
    return np.asarray(chances[:, 2] / (chances[:, 1] + chances[:, 2]))
