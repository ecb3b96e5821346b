"""Odd prices: slipped points, placeholders, and what fits neither the class nor the listing's own words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from curation.evidence.evidence import Evidence
from curation.issues.base import IssueKind
from curation.issues.price.judge import PLACEHOLDER, SLIPPED, PriceJudgement, judge_prices
from curation.rendering.words import amount

__all__ = ["KIND"]


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag prices that are more likely a mistake than others.

    Parameters
    ----------
    evidence : Evidence
        With or without prices.

    Returns
    -------
    DataFrame
        ``is_price_issue``; ``price_score``, the chance that the price is meant (low = bad; NaN without a price);
        ``price_low``, ``price_high``, the range in which 95 % of such listings lie; ``reason``.
    """
    listings = evidence.listings
    if not (listings["price"] > 0).any():
        return _without_prices(listings)
    found = judge_prices(evidence)
    table = pd.DataFrame(
        {
            "is_price_issue": found.flagged,
            "price_score": found.score,
            "price_low": found.low,
            "price_high": found.high,
        },
        index=listings.index,
    )
    reasons = [_reason(evidence, found, row) if flagged else "" for row, flagged in enumerate(found.flagged)]
    return table.assign(reason=reasons)


def _without_prices(listings: pd.DataFrame) -> pd.DataFrame:
    """Return empty columns: where no price is above 0, nothing can be said of any."""
    nothing = pd.Series(np.nan, index=listings.index)
    return pd.DataFrame(
        {
            "is_price_issue": False,
            "price_score": nothing,
            "price_low": nothing,
            "price_high": nothing,
            "reason": "",
        }
    )


def _reason(evidence: Evidence, found: PriceJudgement, row: int) -> str:
    price, low, high = float(evidence.listings["price"].iloc[row]), found.low[row], found.high[row]
    unit = f" {evidence.currency}" if evidence.currency else ""
    side = "too low" if price < low else "too high" if price > high else "odd"
    usual = f"usually {amount(low)} to {amount(high)}"
    said = f"price {amount(price)}{unit} is {side} for {_what(evidence, found, row)} ({usual})"
    if found.cause[row] == PLACEHOLDER:
        return f"{said}: a placeholder?"
    if found.cause[row] == SLIPPED:
        return f"{said}: {amount(found.meant[row])} would fit"
    return said


def _what(evidence: Evidence, found: PriceJudgement, row: int) -> str:
    """Name what the price was compared with: the given class, or the one that photo and title speak for."""
    given, likeliest = evidence.given[row], found.chances.number[row, 0]
    name = evidence.classes[likeliest]
    return name if given == likeliest else f"a listing that looks like {name}"


KIND = IssueKind(
    name="price",
    order=2,
    title="Odd prices",
    help="The price fits neither the class nor the listing's own words and photo, or looks mistyped.",
    columns={
        "is_price_issue": "boolean",
        "price_score": "float64",
        "price_low": "float64",
        "price_high": "float64",
    },
    worth=None,
    find=find,
)
