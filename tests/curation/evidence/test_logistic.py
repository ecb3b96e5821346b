"""Logistic regression is applied as scikit-learn applies it."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from curation.evidence.logistic import learn_logistic, log_probabilities


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_log_probabilities_are_those_of_scikit_learn_to_the_last_bit(classes):
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(200, 9)), rng.integers(classes, size=200)
    # one that is always the same
    features[:, 4] = 2.0
    model = learn_logistic(features, labels, inverse_strength=0.1, iterations=200)
    theirs = LogisticRegression(C=0.1, max_iter=200)
    theirs.fit((features - model["centre"]) / model["spread"], labels)
    new = rng.normal(size=(50, 9)).astype(np.float32)
    wanted = theirs.predict_log_proba((new - model["centre"]) / model["spread"])
    assert np.array_equal(log_probabilities(model, new), wanted)
