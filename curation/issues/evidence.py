"""Photo and price together: how likely a given label is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curation.issues.base import Evidence
from curation.issues.price import class_prices

__all__ = ["Belief", "combine"]

Floats = npt.NDArray[np.float64]

#: Share of prices that say nothing about the class: typing errors, placeholders, bundles. They keep one odd
#: price from overruling a photo.
STRAY_PRICES = 0.05


@dataclass(frozen=True)
class Belief:
    """What photo and price together say of each listing's class.

    Attributes
    ----------
    wrong : ndarray of float64, shape (N,)
        Chance that the given label is wrong, in [0, 1], high = bad. 1 for a listing without a label; 0 where nothing is
        known.
    best : ndarray of int64, shape (N,)
        The most likely class; -1 where nothing is known.
    """

    wrong: Floats
    best: npt.NDArray[np.int64]


def combine(evidence: Evidence) -> Belief:
    """Combine photo and price into the chance that the given label is wrong.

    The out-of-fold probabilities are the prior; a price that is odd for the given class and ordinary for another one
    moves them by Bayes' rule. Prices are taken as log-normal within each class, with a share of stray ones.

    Parameters
    ----------
    evidence : Evidence
        With probabilities, with or without prices.

    Returns
    -------
    Belief
    """
    given, scored = evidence.given, evidence.scored
    rows = np.arange(len(given))
    weight = np.where(scored[:, None], np.nan_to_num(evidence.probs), 0) * _price_likelihood(evidence)
    total = weight.sum(axis=1)
    right = np.divide(weight[rows, given], total, out=np.ones(len(given)), where=total > 0)
    known = scored & (total > 0)
    judged = known & (given >= 0)
    if evidence.trained is not None:
        judged &= evidence.trained[rows, given]
    wrong = np.where(judged, 1 - right, np.where(known & (given < 0), 1.0, 0.0))
    return Belief(wrong, np.where(known, weight.argmax(axis=1), -1))


def _price_likelihood(evidence: Evidence) -> Floats:
    """Return how likely each listing's price is in each class, up to a factor per listing; shape (N, K)."""
    price = evidence.listings["price"]
    centres, spreads = class_prices(price, evidence.listings["label"], evidence.classes)
    x = np.log(price.where(price > 0)).to_numpy(dtype=np.float64)[:, None]
    ordinary = np.exp(-0.5 * ((x - centres) / spreads) ** 2) / (spreads * np.sqrt(2 * np.pi))
    # a stray price lies anywhere in the range of prices there are
    width = max(float(np.nanmax(x) - np.nanmin(x)), 1.0) if np.isfinite(x).any() else 1.0
    likelihood = (1 - STRAY_PRICES) * ordinary + STRAY_PRICES / width
    return np.where(np.isfinite(likelihood), likelihood, 1.0)
