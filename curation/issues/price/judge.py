"""One judgement per price: how likely it is meant, what is usual, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logsumexp

from curation.evidence.evidence import Evidence
from curation.issues.price.class_chances import Chances, class_chances
from curation.issues.price.digits import STEPS, Roundness, is_placeholder, roundness
from curation.issues.price.expected import Expectation, expect
from curation.issues.price.regression import Regression

__all__ = ["COVERAGE", "PLACEHOLDER", "SLIPPED", "STRAY", "PriceJudgement", "judge_prices"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: A price is flagged from this chance of being wrong on: a look is cheap, and the sure ones stand first anyway.
FLAGGED_FROM = 0.25
#: Share of the prices that are meant which lie in the range called usual.
COVERAGE = 0.95

#: By what factors a point slips, or a zero is lost or typed twice, and how often each beside the others.
_SLIPS = np.array([0.001, 0.01, 0.1, 10, 100, 1000])
_SLIPS_OFTEN = np.array([1, 2, 4, 4, 2, 1]) / 14
#: What a wrong price is: a slip, a placeholder, or anything at all. Numbers of :attr:`PriceJudgement.cause`.
SLIPPED = 0
PLACEHOLDER = 1
STRAY = 2
_CAUSES_OFTEN = np.array([0.7, 0.2, 0.1])
#: Each placeholder is one of about so many; any other wrong price lies anywhere within six powers of ten.
_PLACEHOLDERS, _ANYWHERE = 20, float(np.log(1e6))
#: Before anything is seen, this share of the prices is taken for wrong, as by so many prices.
_WRONG, _WRONG_COUNTS = 0.02, 50
#: How often what is usual is learnt anew without what was found wrong, and how often the share of wrong prices is.
_ROUNDS, _SHARE_ROUNDS = 3, 30


@dataclass(frozen=True)
class PriceJudgement:
    """What all evidence together says of each price.

    Attributes
    ----------
    score : ndarray of float64, shape (N,)
        Chance that the price is meant, 0 to 1, low = bad; NaN without a price.
    flagged : ndarray of bool, shape (N,)
        Whether the chance that it is wrong is 0.25 or more.
    low, high : ndarray of float64, shape (N,)
        The usual range: 95 % of the prices that are meant lie in theirs. NaN without a price.
    cause : ndarray of int64, shape (N,)
        What it most likely is if it is wrong: `SLIPPED`, `PLACEHOLDER` or `STRAY`.
    meant : ndarray of float64, shape (N,)
        The price without the slip; NaN where the cause is another.
    chances : Chances
        The classes that it was compared with.
    """

    score: Floats
    flagged: Mask
    low: Floats
    high: Floats
    cause: Integers
    meant: Floats
    chances: Chances


def judge_prices(evidence: Evidence) -> PriceJudgement:
    """Judge every price by its class, by what title and photo lead one to expect, and by its digits.

    A mixture of what prices can be: meant, as usual in the listing's class or as its own words and photo would have it,
    or wrong: slipped by a factor of 10, 100 or 1,000, a placeholder, or stray. What is usual, how much each view
    explains, and how many prices are wrong are learnt together (expectation maximisation; Dempster, Laird and Rubin,
    JRSS B 1977), each price judged by the listings of other folds.

    Parameters
    ----------
    evidence : Evidence
        With at least one price above zero.

    Returns
    -------
    PriceJudgement
    """
    # in the order of ids: sums of floats differ in their last digits otherwise
    order = np.argsort(evidence.listings["id"].to_numpy(dtype=str), kind="stable")
    back = np.argsort(order, kind="stable")
    chances = class_chances(evidence)
    price = evidence.listings["price"].to_numpy(dtype=np.float64)
    inner = Chances(chances.number[order], chances.share[order])
    wrong, causes, slip, expected = _learn(
        price[order],
        inner,
        _regression(evidence, order),
        evidence.fold[order],
        classes=len(evidence.classes),
    )
    low, high = _usual_range(price[order], 1 - wrong, expected)
    wrong, causes, slip, low, high = wrong[back], causes[back], slip[back], low[back], high[back]
    known = np.isfinite(price)
    return PriceJudgement(
        score=np.where(known, 1 - wrong, np.nan),
        flagged=known & (wrong >= FLAGGED_FROM),
        low=np.where(known, low, np.nan),
        high=np.where(known, high, np.nan),
        cause=causes,
        meant=np.where(known & (causes == SLIPPED), price / _SLIPS[slip], np.nan),
        chances=chances,
    )


def _regression(evidence: Evidence, order: Integers) -> Regression:
    listings, features = evidence.listings, evidence.features
    titles = listings["title"] if "title" in listings else pd.Series(pd.NA, index=listings.index)
    known = [None if pd.isna(title) else str(title) for title in titles]
    return Regression(
        [known[row] for row in order], None if features is None else features[order], evidence.given[order]
    )


def _learn(
    price: Floats, chances: Chances, regression: Regression, fold: Integers, *, classes: int
) -> tuple[Floats, Integers, Integers, Expectation]:
    """Return the chance that each price is wrong, its likeliest cause and slip, and what was expected."""
    some = price > 0
    x = np.log(np.where(some, price, 1))
    wrong, share = np.zeros(len(price)), _WRONG
    for _ in range(_ROUNDS):
        expected = expect(x, np.where(some, 1 - wrong, 0), chances, regression, fold, classes=classes)
        digits = Roundness(expected.middle, price)
        meant = expected.log_density(x) + digits(price)
        slips = np.stack([expected.log_density(x - np.log(slip)) + digits(price / slip) for slip in _SLIPS])
        slips += np.log(_SLIPS_OFTEN)[:, None]
        causes = np.stack([logsumexp(slips, axis=0), _placeholders(price), digits(price) - np.log(_ANYWHERE)])
        causes += np.log(_CAUSES_OFTEN)[:, None]
        # nothing is sold for nothing: a price of 0 is none
        odds = np.where(some, logsumexp(causes, axis=0) - meant, np.where(price == 0, np.inf, -np.inf))
        wrong, share = _wrong(odds, share, np.isfinite(price))
    cause = np.where(price == 0, PLACEHOLDER, causes.argmax(axis=0))
    return wrong, cause, slips.argmax(axis=0), expected


def _placeholders(price: Floats) -> Floats:
    """Return the log-density of the prices if they are placeholders."""
    # a density of log prices: other prices lie one step further on
    gap = np.minimum(1, STEPS[roundness(price)] / np.where(price > 0, price, 1))
    return np.where(is_placeholder(price), -np.log(_PLACEHOLDERS * gap), -np.inf)


def _wrong(odds: Floats, share: float, known: Mask) -> tuple[Floats, float]:
    """Return the chance that each price is wrong, and the share of prices that is."""
    for _ in range(_SHARE_ROUNDS):
        wrong = expit(odds + np.log(share / (1 - share)))
        share = float((wrong[known].sum() + _WRONG * _WRONG_COUNTS) / (known.sum() + _WRONG_COUNTS))
    return wrong, share


def _usual_range(price: Floats, genuine: Floats, expected: Expectation) -> tuple[Floats, Floats]:
    """Return the range of prices around what is expected that holds 95 % of those that are meant.

    Every price is compared with what other folds lead one to expect, and the range is as wide as covers them
    (cross-conformal prediction: Vovk, "Cross-conformal predictors", Annals of Mathematics and AI 2015).
    """
    middle, width = expected.middle, expected.width
    some = price > 0
    off = np.abs(np.log(price[some]) - middle[some]) / width[some]
    order = np.argsort(off, kind="stable")
    covered = np.cumsum(genuine[some][order])
    reach = off[order][np.searchsorted(covered, COVERAGE * covered[-1])]
    return np.exp(middle - reach * width), np.exp(middle + reach * width)
