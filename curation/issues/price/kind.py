"""Odd prices: misplaced decimal points, placeholders, and prices that fit neither the class nor the listing itself."""

from __future__ import annotations

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.issues.base import IssueKind
from curation.issues.price import judge
from curation.issues.price.intended import expected_prices
from curation.issues.price.judge import PriceJudgement, judge_prices
from curation.rendering.words import amount
from curation.run.flags import TITLES
from training.utils.arrays import Float64

__all__ = ["KIND", "OTHER", "PLACEHOLDER", "SLIP"]

#: Values of ``price_cause``.
SLIP = "slip"
PLACEHOLDER = "placeholder"
OTHER = "other"
_CAUSES = {judge.SLIPPED: SLIP, judge.PLACEHOLDER: PLACEHOLDER, judge.STRAY: OTHER}


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag prices that may well be a mistake.

    Parameters
    ----------
    evidence : Evidence
        With or without prices.

    Returns
    -------
    DataFrame
        ``is_price_issue``; ``price_score``, the probability that the price is intended (low = bad; NaN without a
        price); ``price_low``, ``price_high``, the range that holds 95 % of the intended prices; ``suggested_price``,
        what a flagged price would be without a slip of the decimal point, NaN if that is not its cause;
        ``price_cause`` of a flagged price: ``slip``, ``placeholder`` or ``other``; ``price_at_stake``, the chance
        that a flagged price is a mistake, times the difference to what it should be; ``reason``.
    """
    listings = evidence.listings
    if not evidence.number("any price", lambda: bool((listings["price"] > 0).any())):
        return _without_prices(listings)
    judgement = judge_prices(evidence)
    table = pd.DataFrame(
        {
            "is_price_issue": judgement.flagged,
            "price_score": judgement.score,
            "price_low": judgement.low,
            "price_high": judgement.high,
            "suggested_price": _whole(np.where(judgement.flagged, judgement.intended, np.nan)),
        },
        index=listings.index,
    )
    cause = pd.Series(judgement.cause, index=listings.index).map(_CAUSES).where(judgement.flagged)
    apart = np.abs(listings["price"] - expected_prices(table.assign(price=listings["price"])))
    stake = ((1 - judgement.score) * apart).where(judgement.flagged)
    table = table.assign(price_cause=cause, price_at_stake=stake)
    reasons = [_reason(evidence, judgement, row) if flagged else "" for row, flagged in enumerate(judgement.flagged)]
    return table.assign(reason=reasons)


def _without_prices(listings: pd.DataFrame) -> pd.DataFrame:
    """Return empty columns: without a price above 0, prices can't be judged."""
    empty = pd.Series(np.nan, index=listings.index)
    return pd.DataFrame(
        {
            "is_price_issue": False,
            "price_score": empty,
            "price_low": empty,
            "price_high": empty,
            "suggested_price": empty,
            "price_cause": pd.NA,
            "price_at_stake": empty,
            "reason": "",
        }
    )


def _whole(prices: Float64) -> Float64:
    """Return prices without what multiplying left of binary fractions: 0.1 a hundred times over is 10."""
    whole, known = prices.copy(), np.isfinite(prices)
    whole[known] = [float(f"{price:.10g}") for price in prices[known].tolist()]
    return whole


def _reason(evidence: Evidence, judgement: PriceJudgement, row: int) -> str:
    price, low, high = float(evidence.listings["price"].iloc[row]), judgement.low[row], judgement.high[row]
    unit = f" {evidence.currency}" if evidence.currency else ""
    side = "too low" if price < low else "too high" if price > high else "odd"
    usual = f"usually {amount(low)} to {amount(high)}"
    what = f"price {amount(price)}{unit} is {side} for {_what(evidence, judgement, row)} ({usual})"
    if judgement.cause[row] == judge.PLACEHOLDER:
        return f"{what}: a placeholder?"
    if judgement.cause[row] == judge.SLIPPED:
        return f"{what}: {amount(judgement.intended[row])} would fit"
    return what


def _what(evidence: Evidence, judgement: PriceJudgement, row: int) -> str:
    """Name what the price was compared with: the given class, or the one that photo and title suggest."""
    given, compared = evidence.given[row], judgement.chances.number[row, 0]
    name = evidence.classes[compared]
    return name if given == compared else f"a listing that looks like {name}"


KIND = IssueKind(
    name="price",
    order=2,
    title=TITLES["price"],
    help="The price fits neither the class nor the listing's own words and photo, or looks mistyped.",
    columns={
        "is_price_issue": "boolean",
        "price_score": "float64",
        "price_low": "float64",
        "price_high": "float64",
        "suggested_price": "float64",
        "price_cause": "string",
        "price_at_stake": "float64",
    },
    worth=None,
    find=find,
)
