"""Prices judged in blocks, from one sorted order, are judged as one would judge them a class and a fold at a time."""

import numpy as np
import pytest

from curation.evidence.class_prices import ClassPrices
from curation.issues.price.class_chances import class_chances
from curation.issues.price.digits import is_placeholder
from curation.issues.price.judge import SLIPPED, judge_prices
from tests.support import plain_prices
from tests.support.listings import evidence_of
from training.utils import blocks


def random_prices(rng, n):
    """Return prices that a table may have: ties, nothing, none, slips, placeholders, and the very large and small."""
    price = rng.lognormal(rng.uniform(0, 6), rng.uniform(0, 2), n).round(int(rng.integers(0, 3)))
    for share, odd in (
        (0.1, 0.0),
        (0.1, np.nan),
        (0.1, 19.99),
        (0.05, 12345.0),
        (0.03, 999.0),
        (0.02, 1e-9),
        (0.02, 4e12),
    ):
        price[rng.random(n) < share * rng.integers(0, 2)] = odd
    slipped = rng.random(n) < 0.05
    price[slipped] *= rng.choice(plain_prices.SLIPS, slipped.sum())
    price[0] = rng.choice([7.5, 1e-4, 3e9])
    return price


def random_evidence(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.choice([1, 2, 9, 60, 150])), int(rng.integers(1, 9))
    names = tuple("abcdefgh"[:k])
    # probabilities as coarse as half floats are, so that some are equal
    probs = rng.dirichlet(np.full(k, rng.choice([0.1, 1.0])), n).round(2) + 0.01
    probs /= probs.sum(axis=1, keepdims=True)
    probs[rng.random(n) < 0.1] = np.nan
    labels = [names[number] if rng.random() > 0.1 else None for number in rng.integers(0, k, n)]
    fold = rng.integers(0, rng.choice([1, 2, 5]), n)
    return evidence_of(labels, names, price=random_prices(rng, n), probs=probs, fold=fold, trained=None)


@pytest.mark.parametrize("seed", range(60))
def test_a_price_is_judged_as_it_is_a_class_and_a_fold_at_a_time(seed, monkeypatch):
    monkeypatch.setattr(blocks, "_ROWS", 7)
    evidence = random_evidence(seed)
    price = evidence.listings["price"].to_numpy(dtype=float)
    judgement = judge_prices(evidence)
    chances = judgement.chances
    wrong, cause, slip, middle, width = plain_prices.judged(
        price, chances.number, chances.share, evidence.fold, len(evidence.classes)
    )
    has_price = np.isfinite(price)
    assert judgement.score[has_price] == pytest.approx(1 - wrong[has_price], rel=1e-9, abs=1e-13)
    assert np.array_equal(judgement.flagged, has_price & (wrong >= 0.25))
    assert np.array_equal(judgement.cause[has_price], cause[has_price])
    slipped = has_price & (cause == SLIPPED)
    assert judgement.intended[slipped].tolist() == (price / plain_prices.SLIPS[slip])[slipped].tolist()
    assert np.log(judgement.low * judgement.high)[has_price] / 2 == pytest.approx(middle[has_price], rel=1e-9, abs=1e-9)
    if (reach := np.log(judgement.high / judgement.low)[has_price] / width[has_price]).any():
        assert reach == pytest.approx(reach[0], rel=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_classes_sorted_once_are_described_as_each_by_itself(seed):
    rng = np.random.default_rng(seed)
    n, k, m = int(rng.choice([1, 2, 30, 300])), int(rng.integers(1, 6)), int(rng.integers(1, 4))
    x = np.round(rng.normal(0, 3, n), int(rng.integers(0, 3)))
    number = np.array([rng.permutation(np.arange(-1, max(k, m)))[:m] for _ in range(n)])
    share = rng.choice([0.0, 0.25, 1.0, rng.random()], (n, m))
    expected = plain_prices.class_prices(x, number, share, max(k, m))
    found = ClassPrices(x, number, share, classes=max(k, m))(np.ones(n))
    # the same prices, to the last digit; sums of weights differ there
    assert np.array_equal(found[0], expected[0])
    assert found[1] == pytest.approx(expected[1], rel=1e-12)


def test_of_classes_that_are_as_likely_a_price_is_held_against_the_first(monkeypatch):
    monkeypatch.setattr(blocks, "_ROWS", 7)
    probs = np.random.default_rng(0).choice([0.1, 0.2, 0.4], (30, 8))
    probs /= probs.sum(axis=1, keepdims=True)
    # one label makes it possible to judge any; the others are judged by the probabilities alone
    chances = class_chances(evidence_of(["a", *[None] * 29], tuple("abcdefgh"), probs=probs, trained=None))
    likeliest = np.argsort(-probs, axis=1, kind="stable")[:, :5]
    assert np.array_equal(chances.number[1:], likeliest[1:])


def test_placeholders_are_those_whose_digits_a_person_types_without_looking():
    price = np.concatenate([np.arange(20_000) / 2, 10.0 ** np.arange(3, 16), np.arange(1, 10) * 111_111_111_111_111.0])
    assert is_placeholder(price).tolist() == [plain_prices.is_typed(value) for value in price.tolist()]
