"""One judgement per price: how likely it is intended, what is usual, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from curation.evidence.class_prices import ClassPrices
from curation.evidence.evidence import Evidence
from curation.evidence.fitted import Fit, Values
from curation.issues.price.class_chances import Chances, class_chances
from curation.issues.price.digits import Roundness, is_placeholder, roundness
from curation.issues.price.expected import PENALTIES, Expectation, expect
from curation.issues.price.regression import Regression
from training.utils.arrays import Bool, Float64, Int8, Int64
from training.utils.blocks import row_blocks
from training.utils.memory import release_unused

__all__ = ["COVERAGE", "PLACEHOLDER", "SLIPPED", "STRAY", "PriceJudgement", "judge_prices"]


#: A price is flagged from this probability of a mistake on. A review is cheap, and likely mistakes come first anyway.
FLAGGED_FROM = 0.25
#: Share of the intended prices that lie in the usual range.
COVERAGE = 0.95

#: Factors by which a decimal point slips, or a zero is lost or doubled, and their relative frequencies.
_SLIPS = np.array([0.001, 0.01, 0.1, 10, 100, 1000])
_SLIPS_OFTEN = np.array([1, 2, 4, 4, 2, 1]) / 14
#: Kinds of mistakes: a slip, a placeholder, or an arbitrary price. Values of :attr:`PriceJudgement.cause`.
SLIPPED = 0
PLACEHOLDER = 1
STRAY = 2
_CAUSES_OFTEN = np.array([0.7, 0.2, 0.1])
#: There are about this many placeholders.
_PLACEHOLDERS = 20
#: An arbitrary price lies anywhere within six powers of ten.
_ANYWHERE = float(np.log(1e6))
#: Prior share of wrong prices, and the number of prices that it counts as.
_WRONG = 0.02
_WRONG_COUNTS = 50
#: Rounds in which usual prices are estimated without the wrong ones, and updates of the share of wrong ones in each.
_ROUNDS = 3
_SHARE_UPDATES = 30


@dataclass(frozen=True)
class PriceJudgement:
    """What all evidence together says about each price.

    Attributes
    ----------
    score : ndarray of float64, shape (N,)
        Probability that the price is intended, 0 to 1, low = bad; NaN without a price.
    flagged : ndarray of bool, shape (N,)
        Whether the probability of a mistake is 0.25 or more.
    low, high : ndarray of float64, shape (N,)
        The usual range: 95 % of the intended prices lie in theirs. NaN without a price.
    cause : ndarray of int64, shape (N,)
        The most likely kind of mistake: `SLIPPED`, `PLACEHOLDER` or `STRAY`.
    intended : ndarray of float64, shape (N,)
        The price without the slip; NaN for other causes.
    chances : Chances
        The classes that each price was compared with.
    """

    score: Float64
    flagged: Bool
    low: Float64
    high: Float64
    cause: Int64
    intended: Float64
    chances: Chances


def judge_prices(evidence: Evidence) -> PriceJudgement:
    """Judge every price by its class, its title and photo, and its digits.

    A mixture model: a price is intended, as usual in the listing's class or as predicted from its title and photo, or
    it is wrong: off by a factor of 10, 100 or 1,000, a placeholder, or arbitrary. The usual prices, the share of each
    view, and the share of wrong prices are estimated together (expectation maximisation; Dempster, Laird and Rubin,
    JRSS B 1977), each price from the listings of other folds.

    Parameters
    ----------
    evidence : Evidence
        With at least one price above zero.

    Returns
    -------
    PriceJudgement
    """
    # in the order of ids, because sums of floats depend on their order in the last digits
    order, back = _by_id(evidence)
    chances = class_chances(evidence)
    if not evidence.applied:
        release_unused()
    price = evidence.listings["price"].to_numpy(dtype=np.float64)
    inner = Chances(chances.number[order], chances.share[order])
    wrong, causes, slip, expected = _learn(
        price[order],
        inner,
        _regression(evidence, order),
        evidence.fold[order],
        classes=len(evidence.classes),
        fit=evidence.fit,
        # what an earlier run estimated is final
        rounds=1 if evidence.applied else _ROUNDS,
    )
    low, high = _usual_range(price[order], 1 - wrong, expected, evidence.fit)
    wrong, causes, slip, low, high = wrong[back], causes[back], slip[back], low[back], high[back]
    has_price = np.isfinite(price)
    return PriceJudgement(
        score=np.where(has_price, 1 - wrong, np.nan),
        flagged=has_price & (wrong >= FLAGGED_FROM),
        low=np.where(has_price, low, np.nan),
        high=np.where(has_price, high, np.nan),
        cause=causes,
        intended=np.where(has_price & (causes == SLIPPED), price / _SLIPS[slip], np.nan),
        chances=chances,
    )


def _by_id(evidence: Evidence) -> tuple[Int64 | slice, Int64 | slice]:
    """Return the rows in the order of the ids, and what brings them back: all as they are, if that is their order."""
    order = np.argsort(evidence.listings["id"].to_numpy(dtype=str), kind="stable")
    # that is how they are, unless an earlier version began the run; then nothing is copied
    if np.array_equal(order, np.arange(len(order))):
        return slice(None), slice(None)
    return order, np.argsort(order, kind="stable")


def _regression(evidence: Evidence, order: Int64 | slice) -> Regression:
    listings, features = evidence.listings, evidence.features
    titles = listings["title"] if "title" in listings else pd.Series(pd.NA, index=listings.index)
    texts = titles.astype(object).where(titles.notna(), None).to_numpy(dtype=object)
    ordered = None if features is None else features[order]
    return Regression(texts[order].tolist(), ordered, evidence.given[order], PENALTIES, evidence.fitted)


def _learn(
    price: Float64,
    chances: Chances,
    regression: Regression,
    fold: Int64,
    *,
    classes: int,
    fit: Fit,
    rounds: int,
) -> tuple[Float64, Int64, Int8, Expectation]:
    """Return the probability that each price is wrong, its most likely cause and slip, and what was expected."""
    priced = price > 0
    x = np.log(np.where(priced, price, 1))
    prices = ClassPrices(x, chances.number, chances.share, classes=classes)
    level, typed = _levels(price, 1.0), is_placeholder(price)
    slipped = [_levels(price, slip) for slip in _SLIPS]
    wrong, share = np.zeros(len(price)), _WRONG
    odds, cause, slip = np.empty(len(price)), np.empty(len(price), np.int8), np.empty(len(price), np.int8)
    for _ in range(rounds):
        weight = np.where(priced, 1 - wrong, 0)
        # where every price seems to be wrong, they are all that is known
        weight = weight if weight.any() else priced.astype(np.float64)
        expected = expect(x, weight, chances, prices=prices, regression=regression, fold=fold, fit=fit)
        digits = Roundness(expected.middle, level, priced, fit)
        for rows in row_blocks(len(price)):
            intended = expected.density(x[rows], rows) * digits.share(level[rows], rows)
            slips = [
                often * expected.density(x[rows] - np.log(factor), rows) * digits.share(levels[rows], rows)
                for factor, often, levels in zip(_SLIPS, _SLIPS_OFTEN, slipped, strict=True)
            ]
            stray = digits.share(level[rows], rows) / _ANYWHERE
            causes = _CAUSES_OFTEN[:, None] * [np.sum(slips, axis=0), _placeholders(price[rows], typed[rows]), stray]
            odds[rows] = np.log(causes.sum(axis=0) / intended)
            cause[rows], slip[rows] = causes.argmax(axis=0), np.argmax(slips, axis=0)
        # a price of 0 is always a mistake
        odds = np.where(priced, odds, np.where(price == 0, np.inf, -np.inf))
        wrong, share = _wrong(odds, share, np.isfinite(price), fit)
    return wrong, np.where(price == 0, PLACEHOLDER, cause.astype(np.int64)), slip, expected


def _levels(price: Float64, slip: float) -> Int8:
    """Return how round the prices would be without a slip."""
    levels = np.empty(len(price), dtype=np.int8)
    for rows in row_blocks(len(price)):
        levels[rows] = roundness(price[rows] / slip)
    return levels


def _placeholders(price: Float64, typed: Bool) -> Float64:
    """Return the density of the prices if they are placeholders: those that look `typed`."""
    # as a density of log prices: they are whole numbers, so the next one is 1 away
    return np.where(typed, np.maximum(price, 1) / _PLACEHOLDERS, 0.0)


def _wrong(odds: Float64, share: float, has_price: Bool, fit: Fit) -> tuple[Float64, float]:
    """Return the probability that each price is wrong, and the share of wrong prices."""

    def learn() -> Values:
        after = share
        for _ in range(_SHARE_UPDATES):
            before = after
            wrong = expit(odds + np.log(before / (1 - before)))
            after = float((wrong[has_price].sum() + _WRONG * _WRONG_COUNTS) / (has_price.sum() + _WRONG_COUNTS))
        return {"before": np.array(before), "after": np.array(after)}

    shares = fit("share of wrong prices", learn)
    before, after = float(shares["before"]), float(shares["after"])
    return expit(odds + np.log(before / (1 - before))), after


def _usual_range(price: Float64, intended: Float64, expected: Expectation, fit: Fit) -> tuple[Float64, Float64]:
    """Return the range around the expected price that holds 95 % of the intended prices.

    Every price is compared with the expectation from other folds, and the range is as wide as needed to cover them
    (cross-conformal prediction: Vovk, "Cross-conformal predictors", Annals of Mathematics and AI 2015).
    """
    middle, width = expected.middle, expected.width

    def learn() -> Values:
        priced = price > 0
        distance = np.abs(np.log(price[priced]) - middle[priced]) / width[priced]
        order = np.argsort(distance, kind="stable")
        covered = np.cumsum(intended[priced][order])
        return {"widths": distance[order][np.searchsorted(covered, COVERAGE * covered[-1])]}

    reach = float(fit("reach of usual prices", learn)["widths"])
    return np.exp(middle - reach * width), np.exp(middle + reach * width)
