"""What judging a run learned is kept by name, read again, and never learned twice."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from curation.evidence import fitted as module
from curation.evidence.fitted import (
    Fitted,
    OtherFormatError,
    keep_vocabulary,
    known_vocabulary,
    sparse_from,
    sparse_values,
)
from curation.evidence.text_features import tf_idf
from curation.evidence.titles import text_likelihoods, title_likelihoods
from curation.issues.price.regression import Regression


def kept(fitted, tmp_path):
    fitted.save(tmp_path / "fitted.npz")
    return Fitted.load(tmp_path / "fitted.npz")


def test_what_was_learned_is_read_and_not_learned_again(tmp_path):
    fitted = Fitted()
    fitted("shares", lambda: {"of": np.array([0.5, 0.25])})
    known = kept(fitted, tmp_path)
    assert known("shares", lambda: pytest.fail("learned again"))["of"].tolist() == [0.5, 0.25]
    assert known.applied
    with pytest.raises(ValueError, match="nothing was learned about 'others'"):
        known("others", lambda: {})


def test_another_format_is_not_read(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module, "FORMAT", 99)
        Fitted().save(tmp_path / "fitted.npz")
    with pytest.raises(OtherFormatError, match="format 99"):
        Fitted.load(tmp_path / "fitted.npz")


def test_a_sparse_matrix_is_put_together_again():
    matrix = csr_matrix(np.array([[0.0, 2.0], [0.0, 0.0], [0.5, 0.0]]))
    assert (sparse_from(sparse_values(matrix)) != matrix).nnz == 0


def test_a_vocabulary_is_read_as_it_was_kept(tmp_path):
    titles = ["usb cable 2 m", "usb charger", "über lamp", ""]
    fitted = Fitted()
    keep_vocabulary(fitted, "titles", tf_idf(titles)[1])
    known = known_vocabulary(kept(fitted, tmp_path), "titles")
    for again, kind in zip(known.tf_idf(titles), tf_idf(titles)[0], strict=True):
        assert (again != kind).nnz == 0


WORDS = ["red shoe", "usb cable", "desk lamp", "oak table"]


def listings(count=120, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=count)
    titles = [None if row % 11 == 0 else f"{WORDS[label]} {rng.integers(9)}" for row, label in enumerate(labels)]
    return titles, labels, rng.integers(3, size=count)


def test_known_titles_are_judged_as_the_run_judged_them(tmp_path):
    titles, labels, fold = listings()
    trains, fitted = np.ones(len(labels), dtype=bool), Fitted()
    run = title_likelihoods(titles, labels, fold, trains, WORDS, fitted)
    texts = text_likelihoods(titles[::-1], titles, labels, fold, trains, WORDS, fitted)
    known, nothing = kept(fitted, tmp_path), np.zeros(len(labels), dtype=bool)
    # the labels of new listings teach nothing
    again = title_likelihoods(titles, labels * 0, fold, nothing, WORDS, known)
    np.testing.assert_allclose(again, run, atol=1e-5)
    np.testing.assert_allclose(
        text_likelihoods(titles[::-1], titles, labels * 0, fold, nothing, WORDS, known), texts, atol=1e-5
    )


def test_known_titles_have_the_prices_that_the_run_expected(tmp_path):
    titles, labels, fold = listings()
    target = labels + np.random.default_rng(1).normal(0, 0.1, len(labels))
    features = np.random.default_rng(2).normal(5, 1, (len(labels), 6)).astype(np.float32)
    fitted = Fitted()
    ran = Regression(titles, features, labels, (0.03, 2.0), fitted).predict(target, np.ones(len(labels)), fold)
    some = np.array([3, 50, 70])
    known = Regression([titles[row] for row in some], features[some], labels[some], (0.03, 2.0), kept(fitted, tmp_path))
    nothing = np.zeros(3)
    np.testing.assert_allclose(known.predict(nothing, nothing, fold[some]), ran[some], atol=1e-5)
