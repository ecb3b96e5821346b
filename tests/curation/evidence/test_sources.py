"""What each source says of a class, in numbers that can be worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from curation.evidence.calibration import temperature
from curation.evidence.sources import class_sizes
from tests.support.listings import evidence_of, sure_of


def source(evidence, name):
    return next(source for source in evidence.sources if source.name == name)


def test_class_sizes_count_labels_that_may_be_learnt_from_and_half_a_listing_more():
    labels = ["cable", "cable", "laptop", None, "mouse"]
    evidence = evidence_of(labels, split=["train", "train", "train", "train", "test"])
    assert np.exp(class_sizes(evidence)) == pytest.approx(np.array([2.5, 1.5, 0.5]) / 4.5)


def test_the_photo_says_its_probabilities_without_the_sizes_of_the_classes():
    evidence = evidence_of(["cable", "cable", "laptop", "mouse"], probs=sure_of([0, 0, 1, 2], 0.7))
    expected = np.log(evidence.probs) - class_sizes(evidence)
    assert source(evidence, "photo").log_likelihood[:] == pytest.approx(expected)


def test_brought_probabilities_are_taken_as_they_are():
    evidence = evidence_of(["cable", "cable", "laptop", "mouse"], probs=sure_of([0, 0, 1, 2], 0.7), trained=None)
    assert source(evidence, "photo").log_likelihood[:] == pytest.approx(np.log(evidence.probs))


def test_a_model_is_never_surer_than_one_in_a_hundred_million():
    evidence = evidence_of(["cable", "laptop"], probs=np.array([[1.0, 0, 0], [0, 1, 0]]), trained=None)
    assert source(evidence, "photo").log_likelihood[:][0] == pytest.approx([0, np.log(1e-8), np.log(1e-8)])


def test_a_listing_without_a_score_says_nothing():
    probs = sure_of([0, 1, 2])
    probs[1, 2] = np.nan
    photo = source(evidence_of(["cable", "laptop", "mouse"], probs=probs), "photo")
    assert photo.observed.tolist() == [True, False, True]
    assert (photo.log_likelihood[:][1] == 0).all()


def with_similar_photos():
    """Return evidence of 30 listings, every sixth with a wrong label; similar photos know less than the model."""
    true = np.arange(30) % 3
    labels = [("cable", "laptop", "mouse")[(k + (n % 6 == 0)) % 3] for n, k in enumerate(true)]
    evidence = evidence_of(labels, probs=sure_of(true, 0.8))
    return evidence, replace(evidence, neighbours=sure_of(true, 0.5).astype(np.float32))


def test_similar_photos_count_three_tenths_of_the_model():
    alone, similar = with_similar_photos()
    photo, both = source(alone, "photo").log_likelihood[:], source(similar, "photo").log_likelihood[:]
    like = np.log(similar.neighbours) - class_sizes(similar)
    sum_of_both = photo + 0.3 * like
    assert both == pytest.approx(sum_of_both * (both / sum_of_both)[0, 0])


def test_photo_and_similar_photos_are_as_sure_as_they_are_right_and_count_fully():
    _, similar = with_similar_photos()
    photo = source(similar, "photo")
    assert [source.name for source in similar.sources] == ["photo"]
    assert photo.weight == 1
    belief = photo.log_likelihood[:] + class_sizes(similar)
    assert temperature(belief, similar.given) == pytest.approx(1, abs=0.05)


def test_a_photo_like_no_other_says_what_its_model_says():
    _, similar = with_similar_photos()
    neighbours = similar.neighbours.copy()
    neighbours[4] = np.nan
    photo = source(replace(similar, neighbours=neighbours), "photo")
    assert photo.observed.all()
    assert photo.log_likelihood[:][4].argmax() == 1


def priced(price, labels=("cable", "cable", "laptop", "laptop"), **columns):
    """Return what the price says; of others, ten cables cost 10 and ten laptops 1,000 in either fold."""
    labels = [*labels[: len(price)], *["cable", "cable", "laptop", "laptop"] * 10]
    prices = [*price, *[10.0, 10.0, 1000.0, 1000.0] * 10]
    return source(evidence_of(labels, ("cable", "laptop"), price=prices, **columns), "price").log_likelihood[:][
        : len(price)
    ]


def expected(price, width):
    """Return the documented likelihood: log-normal by class, spread log 1.1; 5 % lie anywhere in the range."""
    ordinary = norm.pdf(np.log(np.asarray(price))[:, None], np.log([10, 1000]), np.log(1.1))
    return np.log(0.95 * ordinary + 0.05 / width)


def test_a_price_fits_its_class_log_normally_and_one_in_twenty_fits_any():
    price = [11.0, 10.0, 1000.0, 900.0]
    assert priced(price) == pytest.approx(expected(price, np.log(100)))


def test_a_stray_price_lies_anywhere_in_the_range_of_prices():
    price = [10.0, 10.0, 1000.0, 100_000.0]
    says = priced(price)
    # out of all reach of either class, it speaks for none
    assert says[3] == pytest.approx(np.log([0.05, 0.05] / np.log(10_000)))


def test_a_narrow_range_of_prices_counts_as_a_factor_of_e():
    evidence = evidence_of(["cable", "laptop"] * 10, ("cable", "laptop"), price=np.tile([10.0, 12.0, 12.0, 10.0], 5))
    far = np.exp(source(evidence, "price").log_likelihood[:]).min()
    assert 0.05 < far < 0.05 + 0.95 * norm.pdf(0) / np.log(1.1)
    equal = evidence_of(["cable", "laptop"] * 10, ("cable", "laptop"), price=10.0)
    assert source(equal, "price").log_likelihood[:] == pytest.approx(np.log(0.95 * norm.pdf(0) / np.log(1.1) + 0.05))


def test_prices_are_learnt_from_other_folds_and_not_from_the_test_set():
    same = priced([10.0, 10.0, 1000.0, 1000.0])
    # both in fold 1 have an odd price; they say something of fold 0 alone
    odd = priced([10.0, 3e5, 1000.0, 3e5], labels=("cable", "cable", "laptop", "cable"))
    assert odd[0] != pytest.approx(same[0])
    unlearnt = priced([10.0, 3e5, 1000.0, 3e5], split=["train", "test", "train", "test", *["train"] * 40])
    assert unlearnt[0] == pytest.approx(expected([10.0], np.log(3e4))[0])


def test_a_price_of_zero_and_a_missing_one_say_nothing_and_a_price_counts_whole():
    evidence = evidence_of(["cable", "laptop"] * 8, ("cable", "laptop"), price=[0.0, np.nan, *np.tile([10, 1000], 7)])
    price = source(evidence, "price")
    assert price.observed.tolist() == [False, False, *[True] * 14]
    assert (price.log_likelihood[:][:2] == 0).all()
    assert price.weight == 1


def test_one_title_in_twenty_says_nothing_of_the_class():
    words = {"cable": "usb cord", "laptop": "notebook computer", "mouse": "wireless pointer"}
    labels = ["cable", "laptop", "mouse"] * 40
    titles = [words[label] for label in labels]
    title = source(evidence_of(labels, title=titles), "title")
    assert np.exp(title.log_likelihood[:]).sum(axis=1) == pytest.approx(1)
    # as sure as titles get
    assert np.exp(title.log_likelihood[:]).min() == pytest.approx(0.05 / 3, rel=1e-3)
    assert np.exp(title.log_likelihood[:]).max() == pytest.approx(0.95 + 0.05 / 3, rel=1e-3)


@pytest.mark.parametrize(
    ("others", "votes"),
    [
        (["laptop"], [0, 1, 0]),
        (["laptop", "laptop"], [0, 2, 0]),
        (["laptop", "mouse"], [0, 1, 1]),
        # more than two others count like two
        (["laptop"] * 3, [0, 2, 0]),
        (["laptop", "laptop", "mouse", "mouse"], [0, 1, 1]),
        (["laptop", "laptop", "laptop", "mouse"], [0, 1.5, 0.5]),
    ],
)
def test_reposts_name_the_right_class_with_a_chance_of_0_85_and_two_count_at_most(others, votes):
    evidence = evidence_of(["cable", *others, "mouse"], sha256=["same"] * (1 + len(others)) + ["another"])
    reposts = source(evidence, "reposts")
    # one of two wrong classes is named with a chance of 0.15
    assert reposts.log_likelihood[:][0] == pytest.approx(np.log(0.85 / (0.15 / 2)) * np.array(votes))
    assert reposts.observed.tolist() == [True] * (1 + len(others)) + [False]


def test_a_listing_whose_only_repost_has_no_label_hears_nothing():
    evidence = evidence_of(["cable", None, "mouse"], sha256=["same", "same", "another"])
    reposts = source(evidence, "reposts")
    assert reposts.observed.tolist() == [False, True, False]
    assert (reposts.log_likelihood[:][0] == 0).all()


def test_listings_without_any_repost_and_one_class_alone_have_no_such_source():
    assert evidence_of(["cable", "laptop"]).sources == []
    assert evidence_of(["cable"] * 2, ("cable",), sha256=["same"] * 2).sources == []
