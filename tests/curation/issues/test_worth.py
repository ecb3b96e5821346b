"""What a mistake costs: the order of the queue by worth, and price errors by money."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from curation.issues import COLUMNS, find_issues
from curation.issues.price.intended import expected_prices
from curation.issues.queue import WORTH_COLUMNS, priorities
from curation.issues.worth import at_stake_of_first, price_errors, worth_lines
from tests.support.listings import evidence_of, sure_of
from training.utils.arrays import Float64

N = 60


def judged(of: str | None = None, **columns: object) -> pd.DataFrame:
    """Return issues of labels of which the first and the seventh look wrong, alike but for their ids."""
    probs = sure_of([0, 1, 2] * (N // 3), 0.95)
    probs[[0, 6]] = [0.02, 0.96, 0.02]
    evidence = evidence_of(["cable", "laptop", "mouse"] * (N // 3), probs=probs)
    return find_issues(replace(evidence, listings=evidence.listings.assign(**columns), worth=of))


def prices() -> Float64:
    """Return prices of which some are mistyped: a cable at a hundred times its price, a laptop that costs 1."""
    rng = np.random.default_rng(3)
    price = np.round(np.array([10.0, 1000.0, 30.0] * (N // 3)) * np.exp(rng.normal(0, 0.1, N)))
    price[3], price[1] = 100 * price[3], 1.0
    return price


def test_without_worth_nothing_changes() -> None:
    assert list(judged().columns) == list(COLUMNS)


def test_of_two_mistakes_the_one_that_is_worth_more_comes_first() -> None:
    worth = np.ones(N)
    worth[6] = 5
    issues = judged("worth", worth=worth)
    assert list(issues.columns) == [*COLUMNS, *WORTH_COLUMNS]
    assert judged()["priority"][[0, 6]].tolist() == [1, 2]
    assert issues["priority"][[0, 6]].tolist() == [2, 1]
    assert sorted(issues["priority"]) == list(range(1, N + 1))
    assert issues["worth_at_stake"].to_numpy() == pytest.approx(issues["change_chance"] * worth)


def test_a_table_with_worth_gives_the_same_order_again() -> None:
    issues = judged("worth", worth=np.random.default_rng(0).lognormal(size=N))
    assert priorities(issues).tolist() == issues["priority"].tolist()


def test_listings_worth_nothing_come_last_in_the_order_without_worth() -> None:
    worth = np.zeros(N)
    worth[10:20] = 1
    order = judged("worth", worth=worth).sort_values("priority")["id"].tolist()
    without = judged().sort_values("priority")["id"].tolist()
    some = {f"L{row:03}" for row in range(10, 20)}
    assert order == [id for id in without if id in some] + [id for id in without if id not in some]


def test_missing_worth_is_the_median() -> None:
    worth = np.arange(N, dtype=float)
    worth[:10] = np.nan
    assert judged("worth", worth=worth)["worth"][:10].tolist() == [34.5] * 10


def test_a_price_that_looks_wrong_does_not_count_as_its_own_worth() -> None:
    price = prices()
    price[5] = np.nan
    issues = judged("price", price=price)
    assert issues["is_price_issue"][[1, 3]].all()
    assert issues["worth"][3] == price[3] / 100
    assert issues["worth"][1] == pytest.approx(np.sqrt(issues["price_low"][1] * issues["price_high"][1]))
    assert issues["worth"][5] == np.median(np.delete(issues["worth"], 5))
    others = ~issues["is_price_issue"].to_numpy(dtype=bool) & ~np.isnan(price)
    assert issues["worth"][others].tolist() == price[others].tolist()


def test_price_errors_are_ranked_by_money_with_their_cause() -> None:
    issues = judged(price=prices())
    errors = price_errors(issues, 10)
    assert {"L001", "L003"} < set(errors["id"])
    assert errors["at_stake"].is_monotonic_decreasing
    by_id = errors.set_index("id")
    assert by_id.loc["L003", "cause"] == "a slip of the decimal point: 100 times too high"
    assert by_id.loc["L001", "cause"] == "a placeholder"
    assert errors["at_stake"].to_numpy() == pytest.approx(
        errors["chance"] * (errors["price"] - errors["expected"]).abs()
    )
    assert issues["price_cause"].notna().tolist() == issues["is_price_issue"].tolist()
    assert len(price_errors(issues, 1)) == 1


def test_a_run_without_prices_or_of_an_earlier_version_has_no_price_errors() -> None:
    issues = judged()
    assert price_errors(issues, 10).empty
    assert price_errors(judged(price=prices()).drop(columns=["price_at_stake", "price_cause"]), 10).empty


def test_an_expected_price_is_the_suggested_one_or_the_middle_of_the_range() -> None:
    table = pd.DataFrame(
        {
            "price": [900.0, 1.0, 8.0],
            "is_price_issue": pd.array([True, True, False], dtype="boolean"),
            "suggested_price": [9.0, np.nan, np.nan],
            "price_low": [4.0] * 3,
            "price_high": [16.0] * 3,
        }
    )
    assert expected_prices(table).tolist() == [9, 8, 8]


def test_the_first_hold_a_share_of_the_worth_at_stake_and_the_order_without_worth_another() -> None:
    issues = pd.DataFrame(
        {
            "id": list("abcd"),
            "label_score": 1.0,
            "suggested_confidence": np.nan,
            "change_chance": [0.5, 0.4, 0.1, 0.0],
            "worth": [10.0, 100, 1000, 10_000],
            "is_label_issue": pd.array([True, True, True, False], dtype="boolean"),
        }
    )
    issues = issues.assign(priority=priorities(issues))
    assert issues["priority"].tolist() == [3, 2, 1, 4]
    stake = at_stake_of_first(issues, "views", 1)
    assert (stake.first, stake.in_all, stake.unordered) == pytest.approx((100, 145, 5))
    assert stake.top_share == pytest.approx(10_000 / 11_110)
    assert worth_lines(stake, "SGD") == [
        "The first 1 listing of the queue holds 69 % of the worth at stake (100 of 145 views); ordered without worth, "
        "3.4 %.",
        "The 1 listing that is worth most, 1 % of all, has 90 % of all worth.",
    ]
    everything = at_stake_of_first(issues, "price")
    assert (everything.listings, everything.first) == (3, pytest.approx(everything.in_all))
    # the order says nothing where all that is flagged is among the first
    assert len(worth_lines(everything, "SGD")) == 1


def test_the_first_are_those_that_a_review_shows() -> None:
    issues = judged("worth", worth=np.where(np.arange(N) == 5, 1e12, 1.0))
    assert issues["priority"][5] == 1
    assert not issues["is_label_issue"][5]
    stake = at_stake_of_first(issues, "views", 1)
    assert stake.first == pytest.approx(issues["worth_at_stake"][0])
    assert stake.in_all == pytest.approx(issues["worth_at_stake"].sum())
    nothing = issues.assign(is_label_issue=pd.array([False] * N, dtype="boolean"))
    assert "of the queue" not in worth_lines(at_stake_of_first(nothing, "views"), None)[0]


def test_where_nothing_is_at_stake_the_first_hold_nothing() -> None:
    issues = judged("worth", worth=np.arange(N)).assign(change_chance=0.0)
    assert "0 % of the worth at stake (0 of 0 views)" in worth_lines(at_stake_of_first(issues, "views", 1), None)[0]
