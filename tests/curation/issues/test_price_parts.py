"""The parts of a price's judgement, on tables few enough to work out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from curation.evidence.class_prices import ClassPrices
from curation.issues.price.class_chances import Chances, class_chances
from curation.issues.price.digits import Roundness, is_placeholder, roundness
from curation.issues.price.expected import PENALTIES, expect
from curation.issues.price.judge import PLACEHOLDER, SLIPPED, STRAY, judge_prices
from curation.issues.price.kind import KIND
from curation.issues.price.regression import Regression
from tests.curation.issues.test_issues import changed, marketplace
from tests.support.listings import evidence_of, sure_of


def shop(odd=(), **columns):
    """Return sixty listings: cables of 8 to 13, laptops of 800 to 1,300, mice of 24 to 39, and odd prices by row."""
    number = np.arange(60) % 3
    price = np.array([10.0, 1000.0, 30.0])[number] * np.tile([0.8, 0.9, 1.0, 1.1, 1.3], 12)
    for row, value in odd:
        price[row] = value
    labels = [("cable", "laptop", "mouse")[k] for k in number]
    return evidence_of(labels, price=np.round(price, 2), probs=sure_of(list(number), 0.9), **columns)


@pytest.mark.parametrize(
    ("factor", "words"), [(10, "high"), (100, "high"), (1000, "high"), (0.1, "low"), (0.01, "low")]
)
@pytest.mark.parametrize("row", [0, 1, 2])
def test_a_price_that_slipped_by_10_100_or_1000_is_flagged_with_what_would_fit(row, factor, words):
    meant = shop().listings["price"][row]
    table = KIND.find(shop([(row, meant * factor)]))
    assert np.flatnonzero(table["is_price_issue"]).tolist() == [row]
    assert f"is too {words} for {('cable', 'laptop', 'mouse')[row]} (" in table["reason"][row]
    assert table["reason"][row].endswith(f": {meant:,.0f} would fit")
    # the price as a person would write it, without the rest of a binary fraction
    assert table["suggested_price"].dropna().to_dict() == {row: round(meant, 2)}


def test_prices_below_one_are_judged_too():
    cheap = shop([(0, 80.0)])
    table = KIND.find(replace(cheap, listings=cheap.listings.assign(price=cheap.listings["price"] / 1500)))
    assert np.flatnonzero(table["is_price_issue"]).tolist() == [0]


def test_a_laptop_for_a_thousandth_is_flagged_with_what_would_fit():
    judgement = judge_prices(shop([(1, 0.8)]))
    assert judgement.flagged[1]
    assert judgement.cause[1] == SLIPPED
    assert judgement.intended[1] == pytest.approx(800)


def test_causes_are_told_apart_and_a_price_of_nothing_is_a_placeholder():
    judgement = judge_prices(shop([(0, 0.0), (3, 99999.0), (6, 123456.0), (9, 473.29), (12, 130.0)]))
    assert judgement.flagged[[0, 3, 6, 9, 12]].all()
    assert judgement.cause[[0, 3, 6, 9, 12]].tolist() == [PLACEHOLDER, PLACEHOLDER, PLACEHOLDER, STRAY, SLIPPED]
    assert judgement.score[0] == 0
    assert np.isnan(judgement.intended[[0, 3, 6, 9]]).all()
    assert judgement.intended[12] == pytest.approx(13)


#: Score, low and high of some rows of a shop with odd prices, as they were when the benchmarks were measured.
ODD = [(0, 0.0), (3, 99999.0), (6, 9.0), (9, 21.5), (12, 111.0), (16, 65.0), (19, 4.5), (22, 3500.0), (25, 700.0)]
ODD += [(28, 2222.0), (31, 2.75), (35, 11.0), (38, 100.0), (41, 45.99), (44, 75.0), (47, 15.5), (10, 333.0)]
ODD += [(13, 2100.0), (49, 440.0), (52, 2345.67), (54, 5.5), (57, 23.45), (50, 123.0)]
PINNED = {
    6: (0.999321, 4.434745, 18.26486),
    12: (1.49196e-11, 4.434745, 18.26486),
    16: (3.84597e-11, 510.1737, 1960.117),
    22: (0.00449699, 510.1737, 1960.117),
    28: (0.000155712, 510.1737, 1960.117),
    35: (0.00300507, 17.85189, 50.41482),
    38: (0.310041, 14.49015, 75.15448),
    44: (0.909356, 14.49015, 75.15448),
    47: (0.589144, 17.85189, 50.41482),
    10: (1.65613e-05, 510.1737, 1960.117),
    49: (0.232654, 576.1905, 2100),
    52: (0.537246, 510.1737, 1960.117),
    57: (0.0439298, 5.950631, 16.80494),
    50: (0.000175268, 14.49015, 75.15448),
    2: (0.999148, 14.49015, 75.15448),
    9: (0.180839, 5.950631, 16.80494),
}


def test_the_scores_and_ranges_of_a_small_shop_are_what_they_were():
    judgement = judge_prices(shop(ODD))
    for row, (score, low, high) in PINNED.items():
        assert judgement.score[row] == pytest.approx(score, rel=2e-3), row
        assert (judgement.low[row], judgement.high[row]) == pytest.approx((low, high), rel=1e-4), row


def test_a_price_is_flagged_from_a_chance_of_a_quarter_on_that_it_is_wrong():
    evidence, _ = marketplace(2000, noise=0)
    price = evidence.listings["price"] * np.where(np.arange(2000) % 4, 1.0, np.exp(np.linspace(-3, 3, 2000)))
    judgement = judge_prices(changed(evidence, price=price.round()))
    assert np.array_equal(judgement.flagged, judgement.score <= 0.75)
    for low, high in ((0.5, 0.74), (0.76, 0.87)):
        assert ((judgement.score > low) & (judgement.score < high)).any()


def test_two_prices_that_both_seem_to_be_wrong_are_still_judged():
    judgement = judge_prices(evidence_of(["cable", "cable"], price=np.array([0.0001, 4.13])))
    assert judgement.flagged.all()
    assert np.isfinite([judgement.low, judgement.high]).all()


def test_without_a_price_there_is_no_score_and_no_range():
    judgement = judge_prices(shop([(4, np.nan)]))
    assert np.isnan([judgement.score[4], judgement.low[4], judgement.high[4], judgement.intended[4]]).all()
    assert not judgement.flagged[4]
    assert np.isfinite(judgement.score[5:]).all()


@pytest.mark.parametrize(
    ("price", "number"),
    [(0.005, 0), (0.01, 1), (7.95, 1), (7.0, 2), (17.5, 1), (70.0, 3), (110.0, 3), (700.0, 4), (1300.0, 4), (1e6, 4)],
)
def test_prices_are_as_round_as_the_largest_step_they_are_a_whole_number_of(price, number):
    assert roundness(np.array([price])).tolist() == [number]


def share_of_cents(expected, price):
    """Return how many of the prices that are expected to be like each one have cents."""
    return Roundness(expected, roundness(price), price > 0).share(np.full(len(price), 1))


def test_round_prices_are_counted_near_by_and_a_little_everywhere():
    # three prices with cents at e^2, one whole hundred at e^2.7, one standard deviation further on
    expected, price = np.array([2.0, 2.0, 2.0, 2.7]), np.array([7.5, 7.25, 6.95, 100.0])
    cents = share_of_cents(expected, price)
    whole = (3 + 0.1) / (4 + 0.5)
    near = np.exp(-0.5)
    here = (3 + 3 * whole) / (3 + near + 3)
    there = (3 * near + 3 * whole) / (1 + 3 * near + 3)
    assert cents == pytest.approx([here, here, here, there], rel=2e-3)
    # a price that is missing counts for nothing
    for missing in (np.nan, 0.0):
        more = share_of_cents(np.append(expected, 2.0), np.append(price, missing))
        assert more[:4] == pytest.approx(cents)


def test_placeholders_are_what_people_type_when_they_mean_none():
    yes = [0, 1, 111, 222, 999, 99999, 123, 1234, 123456, 1234567890]
    no = [2, 9, 10, 11, 12, 99, 112, 124, 321, 234, 1.5, 111.5, np.nan, np.inf]
    assert is_placeholder(np.array(yes, dtype=float)).all()
    assert not is_placeholder(np.array(no, dtype=float)).any()


def test_a_price_is_held_against_the_five_likeliest_classes():
    names = tuple("abcdefg")
    evidence = evidence_of(["a", "b"] * 10, names, probs=np.tile(np.arange(7, 0, -1) / 28, (20, 1)), trained=None)
    chances = class_chances(evidence)
    assert chances.number.shape == (20, 5)
    assert chances.number[0, 0] == 0
    assert (np.diff(chances.share) <= 0).all()
    assert chances.share.sum(axis=1) == pytest.approx(1)


def test_the_price_has_no_say_in_the_class_it_is_held_against():
    dear = class_chances(shop([(0, 1000.0)]))
    assert np.array_equal(dear.number, class_chances(shop()).number)
    assert np.array_equal(dear.share, class_chances(shop()).share)


def test_where_nothing_is_known_the_given_label_is_the_class_and_without_one_the_sizes_are():
    evidence = evidence_of(["cable", "cable", "laptop", None])
    chances = class_chances(evidence)
    assert chances.number[:3, 0].tolist() == [0, 0, 1]
    assert (chances.share[:3, 0] == 1).all()
    assert chances.share[3] == pytest.approx([3 / 6, 2 / 6, 1 / 6])


def test_a_listing_without_a_label_is_held_against_what_it_looks_like():
    evidence = shop()
    label = evidence.listings["label"].copy()
    label[0] = None
    chances = class_chances(replace(evidence, listings=evidence.listings.assign(label=label)))
    assert chances.number[0, 0] == 0
    assert 0.8 < chances.share[0, 0] < 1


def views(weight, count=2):
    """Return what both regressions expect of a listing whose word stands in two others, which cost e times as much."""
    names = [f"{chr(97 + i % 26)}{chr(97 + i // 26)}" * 3 for i in range(98)]
    titles = ["wwyyww"] * (count + 1) + names + names
    fold = np.array([0, *[1] * count, *[1] * 98, *[2] * 98])
    x = np.array([1.0] * (count + 1) + [0.0] * 196)
    n = len(titles)
    chances = Chances(np.zeros((n, 1), dtype=np.int64), np.ones((n, 1)))
    regression = Regression(titles, None, np.full(n, -1), PENALTIES)
    prices = ClassPrices(x, chances.number, chances.share, classes=1)
    return expect(x, np.full(n, weight), chances, prices=prices, regression=regression, fold=fold).own[0]


def test_one_regression_believes_the_words_of_few_listings_and_the_other_only_those_of_many():
    assert views(1.0, count=1)[0] > 0.9
    assert views(1.0, count=1)[1] < 0.6
    assert views(1.0, count=40)[1] > 0.9
    # a title of one word is twice of length 1: as words, and as parts of words. Two titles, each of which counts so
    # much, are believed by half
    assert views(0.03 / 4)[0] == pytest.approx(0.5, abs=0.05)
    assert views(2.0 / 4)[1] == pytest.approx(0.5, abs=0.05)


def test_a_view_that_explains_no_price_keeps_a_tenth_before_shares_add_up_to_one():
    # two listings of each title cost about the same, which the regression that trusts single listings explains
    rng = np.random.default_rng(1)
    titles = ["".join(rng.choice(list("abcdefgh"), 5)) for _ in range(40)] * 2
    chances = Chances(np.zeros((80, 1), dtype=np.int64), np.ones((80, 1)))
    x = np.tile(np.linspace(-3, 3, 40), 2) + rng.normal(0, 0.1, 80)
    regression = Regression(titles, None, np.full(80, -1), PENALTIES)
    prices, fold = ClassPrices(x, chances.number, chances.share, classes=1), np.repeat([0, 1], 40)
    share = expect(x, np.ones(80), chances, prices=prices, regression=regression, fold=fold).share
    assert share.sum() == pytest.approx(1)
    assert share[1] > 0.8
    assert share[[0, 2]] == pytest.approx([0.085] * 2, abs=0.005)


def test_features_count_a_fiftieth_and_only_the_first_64_directions_do():
    rng = np.random.default_rng(0)
    features = rng.normal(0, 50, (400, 70)).astype(np.float32)
    fold, ones = np.arange(400) % 2, np.ones(400)
    target = features[:, 63].astype(float) / 50
    table = Regression([None] * 400, features, np.full(400, -1), [200.0]).predict(target, ones, fold)[:, 0]
    rows = fold != 0
    ridge = Ridge(alpha=200.0).fit(0.02 * features[rows, :64], target[rows])
    assert table[~rows] == pytest.approx(ridge.predict(0.02 * features[~rows, :64]), abs=0.05)
    assert np.corrcoef(table, target)[0, 1] > 0.8
    beyond = features[:, 64].astype(float) / 50
    other = Regression([None] * 400, features, np.full(400, -1), [200.0]).predict(beyond, ones, fold)[:, 0]
    assert abs(np.corrcoef(other, beyond)[0, 1]) < 0.4


def test_words_that_stand_in_one_title_alone_are_not_learnt():
    titles = ["alpha beta", "gamma delta", "alpha gamma", "epsilon zeta"]
    assert Regression(titles, None, np.full(4, -1), PENALTIES).informative
    # no two titles have a word in common, nor a part of one
    assert not Regression(["alpha", "bcdfg"], None, np.full(2, -1), PENALTIES).informative
