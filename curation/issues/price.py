"""Price outliers: robust z of log price within the class, both sides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from curation.issues.base import Evidence, IssueKind

__all__ = ["KIND", "amount", "class_prices", "normal_range", "robust_z"]

Floats = npt.NDArray[np.float64]

#: Iglewicz & Hoaglin, "How to Detect and Handle Outliers" (1993): |modified z| > 3.5.
CUT = 3.5
#: A class with fewer prices than this borrows the spread of the whole table.
FEWEST_PRICES = 8
#: MAD of the standard normal distribution: MAD / 0.6745 estimates a standard deviation.
MAD_OF_NORMAL = 0.6745
#: Prices within a factor of 1.1 are never a sign of anything: a smaller spread comes from round numbers.
LEAST_SPREAD = float(np.log(1.1))


def class_prices(price: pd.Series, label: pd.Series, classes: Sequence[str]) -> tuple[Floats, Floats]:
    """Describe the log prices of each class.

    Parameters
    ----------
    price : Series of float64, shape (N,)
        In one currency; NaN for missing. Zero has no logarithm and is left out.
    label : Series of str, shape (N,)
        Given labels.
    classes : sequence of str, length K
        The classes.

    Returns
    -------
    centre, spread : ndarray of float64, shape (K,)
        Median and robust standard deviation (MAD / 0.6745) of the log prices. A class with fewer than 8 prices takes
        the spread that classes have on the whole; one without any takes median and spread of all prices. NaN when
        the table has no prices.
    """
    x = np.log(price.where(price > 0))
    whole_centre, whole_spread = _median_and_spread(x)
    described = [_median_and_spread(x[label == name]) for name in classes]
    sizes = np.array([x[label == name].count() for name in classes])
    centre, spread = (np.array(part, dtype=np.float64) for part in zip(*described, strict=True))
    enough = sizes >= FEWEST_PRICES
    usual = float(np.median(spread[enough])) if enough.any() else whole_spread
    spread = np.where(enough, spread, np.where(sizes > 0, usual, whole_spread))
    return np.where(sizes > 0, centre, whole_centre), spread


def robust_z(price: pd.Series, label: pd.Series, classes: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    """Measure how far each log price lies from its class's median, in robust standard deviations.

    Parameters
    ----------
    price, label, classes
        As for :func:`class_prices`. Listings without a label are compared with all prices.

    Returns
    -------
    z : ndarray of float64, shape (N,)
        Negative = cheaper than usual, positive = dearer; -inf for a price of zero, NaN without a price.
    centre, spread : ndarray of float64, shape (N,)
        Of the log prices of each listing's class.

    Notes
    -----
    z = 0.6745 (x - median) / MAD on x = log price, Iglewicz & Hoaglin (1993). Prices are close to log-normal within a
    class, so both sides count alike.
    """
    x = np.log(price.where(price > 0))
    # one more place, for listings without a label: pandas numbers them -1
    number = pd.Categorical(label, categories=list(classes)).codes
    centres, spreads = class_prices(price, label, classes)
    whole_centre, whole_spread = _median_and_spread(x)
    centre, spread = np.append(centres, whole_centre)[number], np.append(spreads, whole_spread)[number]
    z = (x.to_numpy(dtype=np.float64) - centre) / spread
    return np.where(price.to_numpy() == 0, -np.inf, z), centre, spread


def _median_and_spread(x: pd.Series) -> tuple[float, float]:
    centre = float(x.median())
    spread = float((x - centre).abs().median()) / MAD_OF_NORMAL
    if spread < LEAST_SPREAD:
        # half of the prices or more are equal: the mean deviation still tells something (Iglewicz & Hoaglin, 1993)
        spread = max(1.2533 * float((x - centre).abs().mean()), LEAST_SPREAD)
    return centre, spread


def normal_range(centre: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and highest price considered normal; the same currency as the prices."""
    return np.exp(centre - CUT * spread), np.exp(centre + CUT * spread)


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
