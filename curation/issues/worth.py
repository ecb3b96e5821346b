"""What mistakes cost: the worth that the first of the queue hold, and the money at stake of price errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from curation.issues.price.intended import expected_prices
from curation.issues.price.kind import OTHER, PLACEHOLDER, SLIP
from curation.issues.queue import at_stake, priorities
from curation.rendering.words import agree, amount, many, percent
from curation.run.flags import is_flagged
from training.utils.arrays import Bool, Int64

__all__ = ["AtStake", "at_stake_of_first", "price_errors", "worth_lines"]

#: Listings that count as the first ones, where nobody says how many will be reviewed.
FIRST = 100
#: Share of the listings that are worth most, whose part of all worth shows how uneven it is.
_TOP = 0.01
_CAUSES = {PLACEHOLDER: "a placeholder", OTHER: "unlike such listings"}


@dataclass(frozen=True)
class AtStake:
    """How much worth the first listings of a queue hold that is ordered by worth.

    Attributes
    ----------
    column : str
        What the worth is: a column of the table, or ``price``.
    listings : int
        How many are the first: of the flagged ones, as the review shows no others.
    first : float
        The worth at stake of these: the sum of the chance that a listing must change, times its worth.
    in_all : float
        That of all listings.
    unordered : float
        That of as many listings of the queue without worth.
    top_listings : int
        How many listings are the hundredth part that is worth most.
    top_share : float
        Share of all worth that these have, 0 to 1.
    flagged : int
        How many listings are flagged.
    """

    column: str
    listings: int
    first: float
    in_all: float
    unordered: float
    top_listings: int
    top_share: float
    flagged: int


def at_stake_of_first(issues: pd.DataFrame, column: str, first: int | None = None) -> AtStake:
    """Return how much worth the first listings of the queue hold.

    Parameters
    ----------
    issues : DataFrame
        With ``worth``.
    column : str
        What the worth is.
    first : int, optional
        How many; by default 100, or all flagged ones if these are fewer.
    """
    flagged = is_flagged(issues)
    count = int(flagged.sum())
    first = min(FIRST if first is None else first, count)
    stake, worth = at_stake(issues), np.sort(issues["worth"].to_numpy(dtype=np.float64))[::-1]
    top = max(1, round(_TOP * len(issues)))
    return AtStake(
        column,
        first,
        float(stake[_first(issues["priority"].to_numpy(), flagged, first)].sum()),
        float(stake.sum()),
        float(stake[_first(priorities(issues.drop(columns="worth")), flagged, first)].sum()),
        top,
        float(worth[:top].sum() / worth.sum()),
        count,
    )


def _first(priority: Int64, flagged: Bool, first: int) -> Int64:
    """Return the rows of the first flagged listings."""
    return np.lexsort((priority, ~flagged))[:first]


def worth_lines(worth: AtStake, currency: str | None) -> list[str]:
    """Say in sentences how much worth the first of the queue hold.

    Parameters
    ----------
    worth : AtStake
        The figures.
    currency : str or None
        Of the prices.
    """
    unit = worth.column if worth.column != "price" else currency or "of price"
    stake = f"{amount(worth.first)} of {amount(worth.in_all)} {unit}"
    lines = []
    # whoever reviews all that is flagged gains nothing by the order
    if worth.listings < worth.flagged:
        lines.append(
            f"The first {many(worth.listings, 'listing')} of the queue {agree(worth.listings, 'holds', 'hold')} "
            f"{_share(worth.first, worth.in_all)} of the worth at stake ({stake}); ordered without worth, "
            f"{_share(worth.unordered, worth.in_all)}."
        )
    top = many(worth.top_listings, "listing")
    lines.append(
        f"The {top} that {agree(worth.top_listings, 'is', 'are')} worth most, 1 % of all, "
        f"{agree(worth.top_listings, 'has', 'have')} {percent(worth.top_share)} of all worth."
    )
    return lines


def _share(part: float, whole: float) -> str:
    return percent(part / whole if whole else 0.0)


def price_errors(issues: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the flagged prices with the most money at stake.

    Parameters
    ----------
    issues : DataFrame
        With the columns of prices.
    most : int
        How many rows to return at most.

    Returns
    -------
    DataFrame
        Most money first: ``id``, ``price``, ``expected`` (see
        :func:`curation.issues.price.intended.expected_prices`), ``chance`` of a mistake, 0 to 1, ``at_stake``: the
        chance times the difference, ``cause`` in words. Empty if no price is flagged, or the run is of an earlier
        version.
    """
    if "price_at_stake" not in issues:
        issues = issues.iloc[:0].assign(price_at_stake=np.nan, price_cause="")
    flagged = issues[issues["is_price_issue"].astype("boolean").fillna(False)]
    # ties are ordered by id
    worst = flagged.sort_values("id").sort_values("price_at_stake", ascending=False, kind="stable").head(most)
    causes = [_cause(*row) for row in zip(worst["price_cause"], worst["price"], worst["suggested_price"], strict=True)]
    return pd.DataFrame(
        {
            "id": worst["id"],
            "price": worst["price"],
            "expected": expected_prices(worst),
            "chance": 1 - worst["price_score"],
            "at_stake": worst["price_at_stake"],
            "cause": pd.array(causes, dtype="string"),
        }
    ).reset_index(drop=True)


def _cause(cause: object, price: float, suggested: float) -> str | None:
    if pd.isna(cause):  # type: ignore[call-overload]
        return None
    if cause != SLIP:
        return _CAUSES[str(cause)]
    if not suggested > 0:
        return "a slip of the decimal point"
    factor, side = (price / suggested, "high") if price > suggested else (suggested / price, "low")
    return f"a slip of the decimal point: {factor:,.0f} times too {side}"
