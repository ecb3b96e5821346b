"""Odd prices: typing errors, placeholders, and prices that their own class, words and photo explain."""

import numpy as np
import pandas as pd
import pytest

from curation.evidence.class_prices import ClassPrices
from curation.issues import find_issues
from curation.issues.price.digits import Roundness, roundness
from curation.issues.price.kind import KIND
from tests.curation.issues.test_issues import CLASSES, changed, marketplace

COLUMNS = ["is_price_issue", "price_score", "price_low", "price_high", "suggested_price"]


def shop():
    """Return sound evidence whose prices are whole numbers."""
    evidence, _ = marketplace(noise=0)
    return changed(evidence, price=evidence.listings["price"].round())


def of_class(evidence, name, count=1):
    return np.flatnonzero((evidence.listings["label"] == name).to_numpy())[:count]


def test_prices_a_factor_of_ten_off_are_flagged_on_both_sides_with_the_range_and_what_would_fit():
    evidence, _ = marketplace(noise=0)
    price = evidence.listings["price"].copy()
    price[[0, 1, 2]] *= [10, 1 / 10, 100]
    price[3] = 0
    issues = find_issues(changed(evidence, price=price))
    assert issues["is_price_issue"][:4].tolist() == [True] * 4
    assert issues["is_price_issue"].sum() <= 6
    assert "is too high for" in issues["reasons"][0]
    assert "is too low for" in issues["reasons"][1]
    assert "SGD" in issues["reasons"][0]
    assert "would fit" in issues["reasons"][0]
    assert "a placeholder?" in issues["reasons"][3]
    assert issues["price_score"][3] == 0


def test_the_range_holds_the_stated_share_of_sound_prices():
    evidence, _ = marketplace(2000, noise=0)
    table = KIND.find(evidence)
    price = evidence.listings["price"]
    assert ((price >= table["price_low"]) & (price <= table["price_high"])).mean() == pytest.approx(0.95, abs=0.015)


def test_sound_prices_are_hardly_ever_flagged():
    assert KIND.find(marketplace(2000, noise=0)[0])["is_price_issue"].mean() < 0.01


def test_a_table_without_prices_or_with_none_above_zero_has_empty_price_columns():
    evidence, _ = marketplace()
    for price in (np.nan, 0.0):
        issues = find_issues(changed(evidence, price=price))
        assert issues[COLUMNS].isna().all(axis=None)


def test_equal_prices_are_no_issue_and_one_odd_one_among_them_is():
    evidence = changed(shop(), price=50.0)
    assert not KIND.find(evidence)["is_price_issue"].any()
    price = evidence.listings["price"].copy()
    price[4] = 500
    flagged = KIND.find(changed(evidence, price=price))["is_price_issue"]
    assert np.flatnonzero(flagged).tolist() == [4]


def test_a_wrongly_labelled_listing_is_held_against_what_it_looks_like():
    evidence, _ = marketplace(noise=0)
    cables = of_class(evidence, "cable", 3)
    label = evidence.listings["label"].copy()
    label[cables] = "laptop"
    table = KIND.find(changed(evidence, label=label))
    # their price is right, their label is not
    sure = evidence.probs[cables, CLASSES.index("cable")] > 0.7
    assert sure.any()
    assert not table["is_price_issue"][cables[sure]].any()


def test_a_placeholder_is_told_from_the_same_price_where_it_fits():
    evidence = shop()
    price = evidence.listings["price"].copy()
    cable, laptop = of_class(evidence, "cable")[0], of_class(evidence, "laptop", 2)
    price[cable] = 11
    price[laptop] = [99999, 12345]
    table = KIND.find(changed(evidence, price=price))
    assert not table["is_price_issue"][cable]
    assert table["is_price_issue"][laptop].all()
    assert table["reason"][laptop].str.endswith("a placeholder?").all()


def test_words_that_dear_listings_share_explain_their_price():
    evidence, _ = marketplace(400, noise=0)
    mice = of_class(evidence, "mouse", 24)
    rng = np.random.default_rng(0)
    title = np.array([f"{evidence.classes[k]} number {i}" for i, k in enumerate(evidence.given)], dtype=object)
    title[mice[:23]] = [f"surgical precision mouse {i}" for i in range(23)]
    price = evidence.listings["price"].copy()
    price[mice] = np.round(1800 * np.exp(rng.normal(0, 0.2, 24)))
    table = KIND.find(changed(evidence, title=title, price=price))
    # the last one has no such words
    assert table["price_score"][mice[:23]].median() > 0.5
    assert table["is_price_issue"][mice[23]]


def test_a_price_with_cents_is_odder_where_nobody_asks_for_cents():
    expected, price = np.repeat([2.0, 7.0], 50), np.repeat([7.95, 1200.0], 50)
    cents = Roundness(expected, roundness(price), price > 0).share(roundness(np.full(100, 99.5)))
    assert cents[0] > np.exp(2) * cents[-1]
    assert roundness(np.array([0.0, np.nan])).tolist() == [4, 4]


def test_the_order_of_rows_does_not_matter_to_prices():
    evidence, _ = marketplace()
    evidence = changed(evidence, title=[f"{label} for sale" for label in evidence.listings["label"]])
    order = np.random.default_rng(1).permutation(300)
    shuffled = changed(evidence)
    object.__setattr__(shuffled, "listings", evidence.listings.iloc[order])
    object.__setattr__(shuffled, "probs", evidence.probs[order])
    pd.testing.assert_frame_equal(KIND.find(evidence), KIND.find(shuffled).loc[evidence.listings.index])


def test_listings_with_price_and_label_alone_are_judged_by_their_class():
    evidence, _ = marketplace(noise=0)
    price = evidence.listings["price"].copy()
    price[5] *= 100
    alone = changed(evidence, price=price)
    object.__setattr__(alone, "probs", np.full((300, 3), np.nan))
    table = KIND.find(alone)
    assert table["is_price_issue"][5]
    assert table["is_price_issue"].sum() <= 3


def test_a_small_class_borrows_the_spread_of_the_others():
    rng = np.random.default_rng(0)
    x = np.log([*np.exp(rng.normal(3, 0.5, 60)), 700.0, 720.0])
    number = np.repeat([0, 1], [60, 2])[:, None]
    centre, spread = ClassPrices(x, number, np.ones(number.shape), classes=3)(np.ones(62))
    # its own two prices hardly differ
    assert 0.7 * spread[0] < spread[1] < spread[0]
    assert np.exp(centre[1]) == pytest.approx(710, rel=0.01)
    assert np.isfinite(centre[2])


def test_half_a_listing_counts_half_in_the_prices_of_a_class():
    x, number = np.log([10.0, 100.0, 1000.0]), np.array([[0], [0], [0]])
    for share, median in (([[1.0], [1.0], [1.0]], 100), ([[0.1], [0.1], [1.0]], 1000)):
        assert ClassPrices(x, number, np.array(share), classes=1)(np.ones(3))[0] == pytest.approx(np.log(median))
    # as if the listing as a whole counted so much
    whole = ClassPrices(x, number, np.ones((3, 1)), classes=1)
    assert whole(np.array([0.1, 0.1, 1.0]))[0] == pytest.approx(np.log(1000))
    assert whole(np.array([1.0, 0.0, 0.0]))[0] == pytest.approx(np.log(10))
