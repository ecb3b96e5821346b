"""The chance that each given label is wrong, as learned on datasets whose true labels are known.

The chance falls with the margin, so it never changes the order. How fast it falls, and from where, depends on the whole
dataset: a label that a good model contradicts is wrong, and one that a weak model contradicts is mostly right. The
numbers are in ``chances.json``, which benchmarks/learn_chances.py writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from scipy.special import expit, logit

from curation.evidence.fitted import Fit, Values, unkept
from curation.evidence.log_odds import Standing
from curation.issues.label.noise import Cut, differing_among_surest, find_cut, noise_where_sure
from training.utils.arrays import Float64, Int64

__all__ = ["FACTS", "Chances", "Coefficients", "chances_wrong", "flags_from", "set_facts"]


#: Shares of the listings, surest first, of which the labels that differ from the best class are counted.
_SUREST = (0.1, 0.3, 0.5, 0.7, 1.0)
#: Quantiles of the probability of the best class. Where many listings say nothing, the lower one tells.
_CONFIDENT = (0.3, 0.9)
#: Facts of a dataset, in the order of :func:`set_facts`.
FACTS = (
    *(f"differ among surest {share:.0%}" for share in _SUREST),
    "doubted",
    "candidates",
    "confidence",
    *(f"confidence at {share:.0%}" for share in _CONFIDENT),
)
#: The chance falls with the margin at least as fast as this. Slower, and a label that everything contradicts is no more
#: doubtful than one of which nothing is known, in a dataset unlike those that the rest was learned from.
FLATTEST = 0.7
#: Beyond this size, a margin counts by so little that only the order of listings shows it.
WIDEST, BEYOND = 12.0, 0.01
#: A chance below the first is never flagged, one from the second on always.
LEAST_FLAGGED, SURELY_FLAGGED = 0.35, 0.5
_LEAST_SHARE = 1e-4


@dataclass(frozen=True)
class Coefficients:
    """A logistic regression on the margin, whose offset and slopes are linear in facts of the dataset.

    Attributes
    ----------
    mean, scale, low, high : ndarray of float64, shape (F,)
        Of each fact of :data:`FACTS`: it is kept between low and high, where it was learned, and standardised.
    offset, below, above : ndarray of float64, shape (1 + F,)
        Log-odds of a wrong label at margin 0, and by how much they rise per unit below 0 and fall per unit above 0: a
        constant, then the coefficient of each fact.
    """

    mean: Float64
    scale: Float64
    low: Float64
    high: Float64
    offset: Float64
    below: Float64
    above: Float64

    def chances(self, margin: Float64, facts: Float64) -> Float64:
        """Return the chance that each label is wrong, shape (n,), from margins and the facts of the dataset."""
        standard = np.r_[1.0, (np.clip(facts, self.low, self.high) - self.mean) / self.scale]
        rise, fall = (max(FLATTEST, float(standard @ slopes)) for slopes in (self.below, self.above))
        within = np.clip(margin, -WIDEST, WIDEST)
        margin = within + BEYOND * np.clip(margin - within, -WIDEST / BEYOND, WIDEST / BEYOND)
        chance: Float64 = expit(standard @ self.offset - rise * np.minimum(margin, 0) - fall * np.maximum(margin, 0))
        return chance

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``chances.json``."""
        arrays = {name: np.round(array, 5).tolist() for name, array in vars(self).items()}
        return {"facts": list(FACTS), **arrays}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Coefficients:
        """Read what :meth:`to_dict` returned."""
        if content["facts"] != list(FACTS):
            raise ValueError("the chances were learned from other facts: run benchmarks/learn_chances.py")
        return cls(**{name: np.array(values) for name, values in content.items() if name != "facts"})


@cache
def _learned() -> Coefficients:
    return Coefficients.from_dict(json.loads(files(__package__).joinpath("chances.json").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Chances:
    """How many labels are wrong, and how likely each is.

    Attributes
    ----------
    wrong : ndarray of float64, shape (N,)
        The chance that each given label is wrong, 0 to 1, high = bad. The order is that of falling margins.
    noise : float
        Share of wrong labels among confident listings, 0 to 1; not more than in doubt are.
    candidates : float
        Over how many classes doubted labels spread; see :func:`curation.issues.label.noise.confusions`.
    """

    wrong: Float64
    noise: float
    candidates: float


def chances_wrong(standing: Standing, learnable: Int64, fit: Fit = unkept, name: str = "") -> Chances:
    """Return the chance that each given label is wrong.

    Parameters
    ----------
    standing : Standing
        Of N given labels among calibrated beliefs.
    learnable : ndarray of int64
        The rows that facts of the dataset are taken from.
    fit : callable
        Keeps the facts, or has those of an earlier run; by default neither.
    name : str
        Of the facts there.
    """

    def learn() -> Values:
        known = standing[learnable]
        cut = find_cut(known)
        noise = min(cut.share, noise_where_sure(known))
        return {"facts": set_facts(known, cut), "noise": np.array(noise), "candidates": np.array(cut.candidates)}

    of_set = fit(f"facts of {name}", learn)
    wrong = _learned().chances(standing.margin, of_set["facts"])
    return Chances(wrong, float(of_set["noise"]), float(of_set["candidates"]))


def set_facts(standing: Standing, cut: Cut) -> Float64:
    """Return what tells noisy labels from a weak model.

    Where a good model is sure, a label that differs is wrong (anchor points: Liu and Tao, "Classification with Noisy
    Labels by Importance Reweighting", TPAMI 2016). Wrong labels are found among sure and unsure listings alike; errors
    of a weak model are among the unsure ones.

    Parameters
    ----------
    standing : Standing
        Of n given labels among calibrated beliefs.
    cut : Cut
        Of :func:`curation.issues.label.noise.find_cut`.

    Returns
    -------
    ndarray of float64, shape (F,)
        The facts of :data:`FACTS`: log-odds of the share of labels that differ from the best class, among the surest
        tenth to all of the listings; log-odds of the share below the cut, and the logarithm of the number of classes
        over which doubted labels spread; log-odds of the probability of the best class, in the mean, and of its
        quantiles .3 and .9.
    """
    best = standing.sure
    shares = differing_among_surest(standing, [max(1, int(share * len(best))) for share in _SUREST])
    odds = logit(np.clip([*shares, cut.share], _LEAST_SHARE, 1 - _LEAST_SHARE))
    sure = logit(np.clip([best.mean(), *np.quantile(best, _CONFIDENT)], _LEAST_SHARE, 1 - _LEAST_SHARE))
    facts: Float64 = np.r_[odds, np.log(cut.candidates), sure]
    return facts


def flags_from(chances: Float64) -> float:
    """Return the chance from which labels are flagged: the one with which the expected F1 of the flags is highest.

    With calibrated chances, that is half of the highest F1 (Lipton, Elkan and Naryanaswamy, "Optimal Thresholding of
    Classifiers to Maximize F1 Measure", ECML 2014).

    Parameters
    ----------
    chances : ndarray of float64, shape (n,)
        Of the judged listings.

    Returns
    -------
    float
        Between 0.35 and 0.5.

    Examples
    --------
    >>> round(flags_from(np.array([0.99, 0.98, 0.01, 0.01])), 2)
    0.49
    """
    falling = -np.sort(-chances)
    f1 = 2 * np.cumsum(falling) / (np.arange(1, len(falling) + 1) + falling.sum())
    return float(np.clip(f1.max(initial=0.0) / 2, LEAST_FLAGGED, SURELY_FLAGGED))
