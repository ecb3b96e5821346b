"""TF-IDF of short texts, and naive Bayes on it, beside those of scikit-learn."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB

from curation.evidence import text_features
from curation.evidence.naive_bayes import out_of_fold
from curation.evidence.text_features import row_lengths, scaled_rows, tf_idf

LETTERS = list("abcdeé0ß-. ")


def texts(count=300, seed=0):
    """Return short texts of few letters, of which some are blank."""
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(LETTERS, rng.integers(0, 25))) for _ in range(count)]


def of_sklearn(texts, **options):
    shared = {"sublinear_tf": True, "norm": None, **options}
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\w+|[^\w\s]+", **shared)
    parts = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared)
    return [vectorizer.fit_transform(texts) for vectorizer in (words, parts)]


def columns(matrix):
    """Return the columns in an order that is the same for all orders of them."""
    dense = matrix.toarray().astype(float).round(3)
    return dense[:, np.lexsort(dense)]


@pytest.mark.parametrize("rare", [1, 2, 3])
def test_words_and_parts_of_words_weigh_what_they_weigh_in_scikit_learn(rare):
    for ours, theirs in zip(tf_idf(texts(), rare=rare)[0], of_sklearn(texts(), min_df=rare), strict=True):
        assert ours.shape == theirs.shape
        assert np.allclose(columns(ours), columns(theirs), atol=2e-3)


def test_the_order_of_texts_changes_nothing_of_a_text():
    some = texts()
    for first, second in zip(tf_idf(some)[0], tf_idf(some[::-1])[0], strict=True):
        assert (first != second[::-1]).nnz == 0


def test_only_what_occurs_most_often_is_kept(monkeypatch):
    monkeypatch.setattr(text_features, "_VOCABULARY", 40)
    for ours, theirs in zip(tf_idf(texts())[0], of_sklearn(texts()), strict=True):
        assert ours.shape[1] == 40
        often = np.sort(np.asarray((theirs > 0).sum(axis=0)).ravel())[::-1]
        assert (ours > 0).sum() >= 0.9 * often[:40].sum()


@pytest.mark.parametrize(("rare", "most"), [(1, 100_000), (2, 100_000), (2, 40)])
def test_a_vocabulary_makes_of_the_same_texts_what_it_was_learned_from(monkeypatch, rare, most):
    monkeypatch.setattr(text_features, "_VOCABULARY", most)
    kinds, vocabulary = tf_idf(texts(), rare=rare)
    for again, kind in zip(vocabulary.tf_idf(texts()), kinds, strict=True):
        assert again.shape == kind.shape
        assert (again != kind).nnz == 0


def test_words_that_a_vocabulary_lacks_count_for_nothing():
    _, vocabulary = tf_idf(["red shoe", "red hat"])
    words, _ = vocabulary.tf_idf(["red", "a red coat", "hat shoe", ""])
    assert words.getnnz(axis=1).tolist() == [1, 1, 2, 0]
    _, nothing = tf_idf(["", ""])
    assert [kind.shape for kind in nothing.tf_idf(["red shoe", ""])] == [(2, 0), (2, 0)]


def test_texts_without_words_have_no_columns():
    assert [part.shape for part in tf_idf(["", "  "])[0]] == [(2, 0), (2, 0)]


def test_rows_of_zeros_stay_when_rows_are_scaled():
    values = csr_matrix(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32))
    assert row_lengths(values).tolist() == [5.0, 1.0]
    assert np.allclose(scaled_rows(values).toarray(), [[0.6, 0.8], [0.0, 0.0]])


def test_naive_bayes_says_what_that_of_scikit_learn_says_of_each_fold(monkeypatch):
    monkeypatch.setattr("curation.evidence.naive_bayes._CLASSES", 2)
    rng = np.random.default_rng(0)
    values = csr_matrix(rng.random((60, 30)) * (rng.random((60, 30)) < 0.2), dtype=np.float32)
    examples = csr_matrix(np.eye(3, 30), dtype=np.float32)
    labels, fold, trains = rng.integers(0, 3, 60), np.arange(60) % 4, rng.random(60) < 0.8
    logs = out_of_fold([values], [examples], labels, fold, trains, scored=np.arange(60) > 3)
    assert np.isnan(logs[:4]).all()
    for number in range(4):
        rows, own = np.flatnonzero((fold != number) & trains), np.flatnonzero((fold == number) & (np.arange(60) > 3))
        training = vstack([scaled_rows(values[rows]), examples]).toarray()
        known = training.any(axis=0)
        model = MultinomialNB(alpha=0.01, fit_prior=False).fit(training[:, known], [*labels[rows], 0, 1, 2])
        scored = scaled_rows(csr_matrix(values[own][:, np.flatnonzero(known)])).toarray()
        assert np.allclose(logs[own], model.predict_log_proba(scored), atol=1e-4)
