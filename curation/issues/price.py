"""Price outliers: robust z of log price within the class, both sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from curation.evidence import Evidence
from curation.issues.base import IssueKind
from curation.prices import CUT, normal_range, robust_z

__all__ = ["KIND", "amount"]


def find(evidence: Evidence) -> pd.DataFrame:
    """Flag prices far below or above what is usual for the given class.

    Parameters
    ----------
    evidence : Evidence
        With or without prices.

    Returns
    -------
    DataFrame
        ``is_price_issue``, ``price_score`` (two-sided tail probability of the robust z under a normal distribution; low
        = bad; NaN without a price), ``price_low``, ``price_high`` (the range considered normal), ``reason``.
    """
    listings = evidence.listings
    z, centre, spread = robust_z(listings["price"], listings["label"], evidence.classes)
    priced = listings["price"].notna().to_numpy()
    low, high = normal_range(centre, spread)
    flagged = priced & (np.abs(np.nan_to_num(z, nan=0.0, neginf=-np.inf)) > CUT)
    table = pd.DataFrame(
        {
            "is_price_issue": flagged,
            "price_score": np.where(priced, 2 * norm.sf(np.abs(z)), np.nan),
            "price_low": np.where(priced, low, np.nan),
            "price_high": np.where(priced, high, np.nan),
        },
        index=listings.index,
    )
    unit = f" {evidence.currency}" if evidence.currency else ""
    reasons = [
        _reason(price, unit, label, low, high) if flag else ""
        for price, label, flag, low, high in zip(
            listings["price"], listings["label"], flagged, table["price_low"], table["price_high"], strict=True
        )
    ]
    return table.assign(reason=reasons)


def _reason(price: float, unit: str, label: object, low: float, high: float) -> str:
    side = "low" if price < low else "high"
    of = "listings" if pd.isna(label) else label  # type: ignore[call-overload]
    return f"price {amount(price)}{unit} is too {side} for {of} (usually {amount(low)} to {amount(high)})"


def amount(price: float) -> str:
    """Write a price as people do: no decimals above 100, thousands apart.

    Examples
    --------
    >>> amount(9.9), amount(1250), amount(0)
    ('9.90', '1,250', '0')
    """
    return f"{price:,.0f}" if price >= 100 or price == int(price) else f"{price:,.2f}"


KIND = IssueKind(
    name="price",
    order=2,
    title="Odd prices",
    help="The price is far from the usual ones of the given class (robust z of log price, both sides).",
    find=find,
)
