"""What prices are usual in a class, on prices few enough to count by hand."""

import numpy as np
import pytest

from curation.evidence.class_prices import ClassPrices

#: A class of eight whose log prices lie 0.5 around 2: median 2, median deviation 0.5.
EIGHT = np.array([1.0, 1.5, 1.5, 1.5, 2.5, 2.5, 2.5, 3.0])
EIGHT_SPREAD = 0.5 / 0.6745


def of(*classes, share=None):
    """Return centres and spreads of classes that are given as their log prices."""
    x = np.concatenate(classes)
    number = np.repeat(np.arange(len(classes)), [len(each) for each in classes])[:, None]
    weight = np.ones(number.shape) if share is None else np.asarray(share)[:, None]
    return ClassPrices(x, number, weight, classes=len(classes) + 1)(np.ones(len(x)))


def test_the_spread_is_the_median_deviation_by_0_6745():
    centre, spread = of(EIGHT)
    assert centre[0] == 2
    assert spread[0] == pytest.approx(EIGHT_SPREAD)


def test_the_usual_spread_counts_like_eight_prices_of_a_class():
    # four prices twice as far apart
    centre, spread = of(EIGHT, np.array([4.0, 4.0, 6.0, 6.0]))
    assert centre[1] == 5
    assert spread[1] == pytest.approx((4 * 2 * EIGHT_SPREAD + 8 * EIGHT_SPREAD) / 12)


def test_classes_of_eight_and_more_say_which_spread_is_usual():
    _, spread = of(EIGHT, 5 + 2 * EIGHT, 9 + 10 * EIGHT[:7])
    usual = 1.5 * EIGHT_SPREAD
    assert spread[:2] == pytest.approx([(EIGHT_SPREAD + usual) / 2, (2 * EIGHT_SPREAD + usual) / 2])


def test_where_no_class_has_eight_the_spread_of_all_prices_is_usual():
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    _, spread = of(x[:3], x[3:])
    # of all: median 3, median deviation 1; of the second: 4.5 and 0.5
    assert spread[1] == pytest.approx((2 * 0.5 / 0.6745 + 8 * 1 / 0.6745) / 10)


def test_a_class_without_prices_is_described_by_all():
    centre, spread = of(EIGHT, EIGHT + 4)
    # of all: median 4, median deviation 2
    assert (centre[2], spread[2]) == (4, pytest.approx(2 / 0.6745))


def test_prices_within_a_tenth_make_no_smaller_spread():
    assert of(np.full(8, 3.0))[1][0] == pytest.approx(np.log(1.1))
    assert of(3 + 0.1 * EIGHT)[1][0] == pytest.approx(np.log(1.1))


def test_where_most_prices_are_equal_the_mean_deviation_tells_the_spread():
    x = np.array([2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 6.0])
    assert of(x)[1][0] == pytest.approx(1.2533 * 0.5)


def test_the_class_none_and_shares_of_nothing_count_for_no_class():
    x = np.array([*EIGHT, 100.0, 100.0])
    number = np.array([*[0] * 8, -1, 0])[:, None]
    share = np.array([*[1.0] * 8, 1.0, 0.0])[:, None]
    centre, spread = ClassPrices(x, number, share, classes=2)(np.ones(10))
    assert centre[0] == 2
    assert spread[0] == pytest.approx(EIGHT_SPREAD)
    # nobody is of the second class, which is described by all
    assert centre[1] == 2.5
    assert ClassPrices(x, np.where(number < 0, 1, number), share, classes=2)(np.ones(10))[0][1] == 100


def test_without_prices_nothing_is_known():
    nothing = ClassPrices(np.empty(0), np.empty((0, 1), dtype=np.int64), np.empty((0, 1)), classes=2)
    centre, spread = nothing(np.empty(0))
    assert np.isnan([*centre, *spread]).all()
