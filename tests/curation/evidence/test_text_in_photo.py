"""What words in photos say of the class: planted texts, and what must not matter."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from curation.evidence.log_odds import margins
from curation.evidence.titles import text_likelihoods
from curation.issues.label.kind import KIND
from tests.support.listings import CLASSES, evidence_of, sure_of

TRUE = np.arange(120) % 3
#: The photo's words of each class; none is part of the name of a class.
WORDS = ("usb cord", "notebook computer", "wireless pointer")
WRONG = np.arange(0, 120, 10)


def shown(rows):
    """Return the words of the class in the photos of these rows, and none in the others."""
    return [WORDS[TRUE[row]] if row in set(rows) else None for row in range(120)]


def planted(texts, **columns):
    """Return listings whose photos look alike; one in ten has a wrong label."""
    given = TRUE.copy()
    given[WRONG] = (given[WRONG] + 1) % 3
    columns = {"probs": np.full((120, 3), 1 / 3), "fold": np.arange(120) // 3 % 3, **columns}
    return evidence_of([CLASSES[each] for each in given], text=texts, **columns)


def source(evidence, name="text in photo"):
    return next((source for source in evidence.sources if source.name == name), None)


def likelihoods(texts, titles=None, labels=TRUE, may_train=None):
    may_train = np.ones(len(labels), dtype=bool) if may_train is None else may_train
    titles = [None] * len(labels) if titles is None else titles
    return text_likelihoods(texts, titles, labels, np.arange(len(labels)) // 3 % 3, may_train, CLASSES)


def test_words_in_photos_find_wrong_labels_that_photos_do_not_show():
    evidence = planted(shown(range(120)))
    wrong = np.isin(np.arange(120), WRONG)
    assert average_precision_score(wrong, -margins(source(evidence).log_likelihood[:], evidence.given)) > 0.9
    issues = KIND.find(evidence)
    assert issues[KIND.flag].to_numpy(dtype=bool)[WRONG].all()
    assert issues["reason"].iloc[WRONG].str.endswith(": text in photo says so").all()


def test_photos_without_words_say_nothing_at_all():
    evidence = planted(shown(range(0, 120, 2)))
    text = source(evidence)
    assert text.observed.tolist() == [True, False] * 60
    assert (text.log_likelihood[:][1::2] == 0).all()


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_without_words_in_any_photo_there_is_no_such_source(nothing):
    assert source(planted([nothing] * 120)) is None


def test_a_run_that_never_looked_for_text_has_no_such_source():
    evidence = planted(shown(range(120)))
    assert source(replace(evidence, listings=evidence.listings.drop(columns="text"))) is None


def test_one_text_in_twenty_says_nothing_of_the_class():
    chances = np.exp(source(evidence_of([CLASSES[each] for each in TRUE], text=shown(range(120)))).log_likelihood[:])
    assert chances.sum(axis=1) == pytest.approx(1)
    # as sure as texts get
    assert chances.min() == pytest.approx(0.05 / 3, rel=1e-3)
    assert chances.max() == pytest.approx(0.95 + 0.05 / 3, rel=1e-3)


def test_titles_teach_what_the_words_in_a_photo_mean():
    alone, titles = shown([60]), shown(range(120))
    assert likelihoods(alone, titles)[60].argmax() == TRUE[60]
    assert np.exp(likelihoods(alone, titles)[60].max()) > 0.9
    # no other photo shows these words
    assert np.exp(likelihoods(alone)[60]) == pytest.approx(1 / 3, abs=0.05)


def test_texts_teach_titles_nothing():
    titles = shown(range(0, 120, 2))
    with_texts, without = (planted(texts, title=titles) for texts in (shown(range(120)), [None] * 120))
    assert np.array_equal(source(with_texts, "title").log_likelihood[:], source(without, "title").log_likelihood[:])


def test_the_label_of_a_listing_does_not_change_what_its_fold_hears():
    texts, other = shown(range(120)), np.where(np.arange(120) == 6, 2, TRUE)
    fold = np.arange(120) // 3 % 3
    before, after = likelihoods(texts, texts), likelihoods(texts, texts, labels=other)
    assert np.array_equal(before[fold == fold[6]], after[fold == fold[6]])
    assert not np.array_equal(before[fold != fold[6]], after[fold != fold[6]])


def test_labels_of_the_test_set_teach_nothing():
    texts, may_train = shown(range(120)), np.arange(120) % 5 > 0
    once, twice = (likelihoods(texts, texts, np.where(may_train, TRUE, each), may_train) for each in (0, 1))
    assert np.array_equal(once, twice)


def test_the_order_of_the_rows_changes_no_bit():
    evidence = planted(shown(range(0, 120, 2)), title=shown(range(0, 120, 3)), probs=sure_of(TRUE.tolist(), 0.7))
    order = np.random.default_rng(0).permutation(120)
    listings = evidence.listings.iloc[order].reset_index(drop=True)
    shuffled = replace(evidence, listings=listings, probs=evidence.probs[order])
    assert np.array_equal(source(evidence).log_likelihood[:][order], source(shuffled).log_likelihood[:])


def test_watermarks_of_shops_that_sell_everything_overturn_no_verdict():
    shops = np.random.default_rng(0).choice(["Shop Alpha 0800", "Beta Trading Ltd", "gamma.example"], 120)
    evidence = planted(list(shops), probs=sure_of(TRUE.tolist(), 0.7))
    alone = planted([None] * 120, probs=sure_of(TRUE.tolist(), 0.7))
    with_shops, without = (margins(each.belief.logs[:], each.given) for each in (evidence, alone))
    assert np.array_equal(with_shops < 0, without < 0)
