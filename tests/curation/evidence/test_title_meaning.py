"""What titles say by their meaning: planted titles that share no words, and what must not matter."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from curation.evidence.log_odds import margins
from curation.evidence.title_meaning import meaning_likelihoods
from curation.issues.label.judge import judge
from tests.support.listings import evidence_of, sure_of
from training.features.sentences import WIDTH, load_sentence_model

#: No two titles of a class share a word.
CATS = "kitten tomcat Siamese Katze gatto 猫 кошка feline Maine-Coon Persian"
CARS = "Toyota sedan Auto macchina 汽车 автомобиль vehicle hatchback Volkswagen convertible"
FOOD = "bread Käse pizza яблоко 米饭 spaghetti sandwich fromage soup banana"
TITLES = [title for each in (CATS, CARS, FOOD) for title in each.split()]
TRUE = np.repeat([0, 1, 2], 10)
CLASSES = ("x1", "x2", "x3")
#: One of the first five titles of each class, and one of the others.
WRONG = [1, 8, 13, 16, 22, 27]


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    return load_sentence_model().embed(TITLES, tmp_path_factory.mktemp("cache"))


def planted(features, **columns):
    given = TRUE.copy()
    given[WRONG] = (given[WRONG] + 1) % 3
    return evidence_of([CLASSES[each] for each in given], CLASSES, title=TITLES, titles=features, **columns)


def source(evidence, name):
    return next((source for source in evidence.sources if source.name == name), None)


def test_meaning_tells_the_class_where_words_can_not(features):
    evidence = planted(features)
    wrong = np.isin(np.arange(30), WRONG)

    def found(name):
        return average_precision_score(wrong, -margins(source(evidence, name).log_likelihood[:], evidence.given))

    assert found("title meaning") > 0.8
    assert found("title") < 0.5


def test_without_features_titles_have_their_words_alone(features):
    assert source(replace(planted(features), titles=None), "title meaning") is None


def test_the_order_of_the_rows_changes_no_bit(features):
    evidence = planted(features)
    order = np.random.default_rng(0).permutation(30)
    shuffled = replace(evidence, listings=evidence.listings.iloc[order].reset_index(drop=True))
    shuffled = replace(shuffled, probs=evidence.probs[order], trained=None, titles=features[order])
    once, twice = (source(each, "title meaning").log_likelihood[:] for each in (evidence, shuffled))
    assert np.array_equal(once[order], twice)


def test_a_listing_without_a_title_says_nothing_and_teaches_nothing(features):
    missing = features.copy()
    missing[3:5] = 0
    evidence = planted(missing)
    assert source(evidence, "title meaning").observed.tolist() == [row not in (3, 4) for row in range(30)]


def test_the_label_of_a_listing_does_not_change_what_its_fold_hears(features):
    may_train, fold = np.ones(30, dtype=bool), np.arange(30) % 2
    before = meaning_likelihoods(features, TRUE, fold, may_train, classes=3)
    other = np.where(np.arange(30) == 6, 2, TRUE)
    after = meaning_likelihoods(features, other, fold, may_train, classes=3)
    assert np.array_equal(before[fold == 0], after[fold == 0])
    assert not np.array_equal(before[fold == 1], after[fold == 1])


def test_labels_of_the_test_set_teach_nothing(features):
    fold, may_train = np.arange(30) % 2, np.arange(30) % 5 > 0
    other = np.where(may_train, TRUE, 0)
    once, twice = (meaning_likelihoods(features, labels, fold, may_train, classes=3) for labels in (TRUE, other))
    assert np.array_equal(once, twice)


def test_a_class_that_no_title_teaches_is_as_likely_as_the_others_on_average(features):
    logs = meaning_likelihoods(features, TRUE, np.arange(30) % 2, TRUE < 2, classes=3)
    assert logs[:, 2] == pytest.approx(logs[:, :2].mean(axis=1))


def test_titles_of_one_class_alone_tell_nothing(features):
    assert np.isnan(meaning_likelihoods(features, TRUE, np.arange(30) % 2, TRUE < 1, classes=3)).all()
    nothing = np.zeros((30, WIDTH), dtype=np.float32)
    assert np.isnan(meaning_likelihoods(nothing, TRUE, np.arange(30) % 2, TRUE >= 0, classes=3)).all()


def test_a_title_and_its_meaning_are_one_voice(features):
    judgement = judge(planted(features, probs=sure_of(TRUE.tolist(), 0.6)))
    named = {name for names in [*judgement.supporting, *judgement.opposing] for name in names}
    assert "title" in named
    assert named <= {"photo", "title"}
