"""How likely a price is a mistake: Bayes' rule with the documented shares, worked out by hand."""

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from curation.evidence.class_prices import ClassPrices
from curation.issues.price.judge import judge_prices
from tests.support.listings import evidence_of

#: A slip by 10 is twice as likely as one by 100, and that twice as likely as one by 1,000, in either direction.
SLIPS = {0.001: 1 / 14, 0.01: 2 / 14, 0.1: 4 / 14, 10: 4 / 14, 100: 2 / 14, 1000: 1 / 14}


def test_the_chance_of_a_mistake_is_bayes_rule_with_the_documented_shares():
    # one class of very different prices, some of them far out. None is a whole number of cents, nor would be without
    # a slip, so their digits say nothing
    x = np.log(0.03) + 1.5 * norm.ppf((np.arange(200) + 0.5) / 200)
    x = np.random.default_rng(0).permutation(x)
    odd = {0: 7.0, 1: -7.0, 2: 5.2, 3: -5.2}
    for row, off in odd.items():
        x[row] = np.log(0.03) + off
    price = np.exp(x)
    fold = np.arange(200) % 2
    score = judge_prices(evidence_of(["cable"] * 200, ("cable",), price=price, fold=fold)).score
    # 2 % of the prices are mistakes, as if of fifty more
    share = ((1 - score).sum() + 0.02 * 50) / (200 + 50)
    for row in (*odd, 10, 11):
        others = fold != fold[row]
        usual = ClassPrices(x[others], np.zeros((100, 1), int), score[others][:, None], classes=1)
        (centre,), (spread,) = usual(np.ones(100))
        prices = student(30, centre, spread)
        slip = sum(often * prices.pdf(x[row] - np.log(factor)) for factor, often in SLIPS.items())
        mistake = share * (0.7 * slip + 0.1 / np.log(1e6))
        intended = (1 - share) * prices.pdf(x[row])
        assert score[row] == pytest.approx(intended / (intended + mistake), rel=5e-3), row
