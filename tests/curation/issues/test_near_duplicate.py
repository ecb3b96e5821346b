"""What the reasons of reposts name, and from where on."""

import pytest

from tests.curation.issues.test_issues import reposts


@pytest.mark.parametrize(("other", "named"), [(15.0, False), (15.02, True), (6.67, False), (6.66, True)])
def test_a_price_is_named_that_differs_by_more_than_a_factor_of_1_5(other, named):
    reason = reposts([0, 0], [0.98] * 2, ["a", "b"], price=[10.0, other])["reason"][0]
    assert (f"price {other:,.0f} there" in reason or f"price {other} there" in reason) is named


def test_the_price_that_differs_most_is_named_and_nothing_counts_as_a_cent():
    reasons = reposts([0] * 4, [0.98] * 4, list("abcd"), price=[100.0, 10.0, 400.0, 90.0])["reason"]
    assert [reason.rpartition(", ")[2] for reason in reasons[:4]] == [
        "price 10 there",
        "price 400 there",
        "price 10 there",
        "price 10 there",
    ]
    free = reposts([0, 0], [0.98] * 2, ["a", "b"], price=[0.0, 0.012])["reason"]
    assert free[1].endswith("price 0 there")
    missing = reposts([0, 0], [0.98] * 2, ["a", "b"], price=[None, 10.0])["reason"]
    assert missing[:2].tolist() == ["nearly the same photo as L1", "nearly the same photo as L0"]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_up_to_three_listings_are_named(count):
    exact = reposts([0] * count, [1.0] * count, ["a"] * count)["reason"]
    near = reposts([0] * count, [0.98] * count, list("abcde")[:count])["reason"]
    others = [f"L{row}" for row in range(1, count)]
    words = ", ".join([*others[:3], *([f"+{count - 4} more"] if count > 4 else [])])
    assert exact[0] == f"the same photo as {words}"
    assert near[0] == f"nearly the same photo as {words}"


def test_up_to_three_labels_are_named():
    labels = ["cable", *[f"class {letter}" for letter in "abcd"]]
    reason = reposts([0] * 5, [0.98] * 5, list("abcde"), label=labels)["reason"][0]
    assert reason.endswith(", given class a, class b, class c, +1 more there")


@pytest.mark.parametrize(
    ("likeness", "score"), [(0.94, 0.5), (0.97, 0.25), (0.9988, 0.01), (0.9999, 0.01), (0.9, 0.5), (None, 0.5)]
)
def test_the_score_of_a_near_duplicate_falls_with_its_likeness_to_a_hundredth(likeness, score):
    table = reposts([0, 0], [likeness] * 2, ["a", "b"])
    assert table["near_duplicate_score"][0] == pytest.approx(score)
