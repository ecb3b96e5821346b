"""What the words of a title say of the class."""

import numpy as np
import pytest

from curation.evidence.titles import title_likelihoods

CLASSES = ("Laptops", "Phones", "Tents")
# no word of these is part of the name of a class
TELLING = (("notebook", "keyboard", "ssd"), ("android", "sim", "smart"), ("camping", "poles", "waterproof"))
COMMON = ("new", "used", "cheap", "boxed", "red", "black", "large")


def planted(n=60, seed=0):
    """Return titles with one word of their class among common ones, the classes, and folds."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    titles = [" ".join([rng.choice(COMMON), rng.choice(TELLING[label]), rng.choice(COMMON)]) for label in labels]
    return titles, labels.astype(np.int64), np.arange(n) // 3 % 3


def likelihoods(titles, labels, fold, may_train=None, classes=CLASSES):
    everyone = np.ones(len(titles), dtype=bool)
    return title_likelihoods(
        titles,
        np.asarray(labels, dtype=np.int64),
        np.asarray(fold, dtype=np.int64),
        everyone if may_train is None else may_train,
        classes,
    )


def is_indifferent(row):
    return np.allclose(np.exp(row), 1 / len(row), atol=1e-3)


# what is learned


def test_titles_point_at_their_class():
    titles, labels, fold = planted()
    logs = likelihoods(titles, labels, fold)
    assert logs.shape == (60, 3)
    assert logs.dtype == np.float32
    assert np.isfinite(logs).all()
    assert np.allclose(np.exp(logs).sum(axis=1), 1, atol=1e-4)
    assert (logs.argmax(axis=1) == labels).all()


def test_a_title_contradicts_a_wrong_label():
    titles, labels, fold = planted()
    wrong = [4, 31, 50]
    given = labels.copy()
    given[wrong] = (labels[wrong] + 1) % 3
    assert np.array_equal(likelihoods(titles, given, fold)[wrong].argmax(axis=1), labels[wrong])


def test_capitals_make_no_difference():
    titles, labels, fold = planted()
    loud = [title.upper() if row % 2 else title.title() for row, title in enumerate(titles)]
    assert np.array_equal(likelihoods(loud, labels, fold), likelihoods(titles, labels, fold))


def test_parts_of_words_tell_the_class_too():
    titles, labels, fold = planted()
    titles[3], titles[4], titles[5] = "notebookcase", "androidphone", "waterproofing"
    assert np.array_equal(likelihoods(titles, labels, fold)[3:6].argmax(axis=1), [0, 1, 2])


def test_a_title_never_learns_from_the_labels_of_its_own_fold():
    titles, labels, fold = planted()
    first = likelihoods(titles, labels, fold)
    second = likelihoods(titles, np.where(fold == 1, (labels + 1) % 3, labels), fold)
    assert np.array_equal(first[fold == 1], second[fold == 1])
    assert (first[fold != 1] != second[fold != 1]).any(axis=1).all()


@pytest.mark.parametrize("unlabelled", [False, True], ids=["another label", "no label"])
def test_rows_that_may_not_train_are_not_learned_from_and_are_scored(unlabelled):
    titles, labels, fold = planted()
    may_train = np.arange(60) % 7 != 0
    first = likelihoods(titles, labels, fold, may_train)
    assert (first.argmax(axis=1) == labels).all()
    other = -1 if unlabelled else (labels + 1) % 3
    assert np.array_equal(likelihoods(titles, np.where(may_train, labels, other), fold, may_train), first)


def test_rows_in_another_order_get_the_same_likelihoods():
    titles, labels, fold = planted()
    order = np.random.default_rng(0).permutation(60)
    shuffled = likelihoods([titles[row] for row in order], labels[order], fold[order])
    assert np.allclose(shuffled, likelihoods(titles, labels, fold)[order], atol=1e-4)


# the name of a class


def test_the_name_of_a_class_speaks_for_it_even_if_no_title_has_it():
    titles, labels, fold = planted()
    # nobody sells tents
    labels = labels % 2
    titles[7], titles[8] = "Tents", "two tents"
    logs = likelihoods(titles, labels, fold)
    assert (logs[[7, 8]].argmax(axis=1) == 2).all()
    assert np.isfinite(logs).all()


def test_a_name_of_several_words_speaks_for_its_class_also_with_underscores():
    titles, labels, fold = planted()
    titles[7] = "espresso machine"
    logs, written_apart = (
        likelihoods(titles, labels % 2, fold, classes=("Laptops", "Phones", name))
        for name in ("Espresso_machines", "espresso machines")
    )
    assert logs[7].argmax() == 2
    assert np.array_equal(logs, written_apart)


def test_the_names_are_enough_where_nothing_may_be_learned_from():
    nobody = np.zeros(3, dtype=bool)
    logs = likelihoods(["Laptop", "phone, black", "large tent"], [-1, -1, -1], [0, 1, 2], nobody)
    assert np.array_equal(logs.argmax(axis=1), [0, 1, 2])


def test_many_titles_outweigh_a_name():
    titles, labels, fold = planted()
    # "phones" stands in what is a laptop
    titles = [f"{title} for phones" if label == 0 else title for title, label in zip(titles, labels, strict=True)]
    logs = likelihoods(titles, labels, fold)
    assert (logs.argmax(axis=1) == labels).all()


# titles that say nothing


def test_missing_and_blank_titles_are_nan_and_teach_nothing():
    titles, labels, fold = planted()
    missing = [3, 4, 5, 6]
    logs = likelihoods([*titles[:3], None, "", "  \t\n", "\u3000", *titles[7:]], labels, fold)
    assert np.array_equal(np.flatnonzero(np.isnan(logs).any(axis=1)), missing)
    assert np.isnan(logs[missing]).all()
    changed = labels.copy()
    changed[missing] = (labels[missing] + 1) % 3
    again = likelihoods([*titles[:3], *[None] * 4, *titles[7:]], changed, fold)
    assert np.array_equal(again, logs, equal_nan=True)


@pytest.mark.parametrize("titles", [[None] * 6, [""] * 6, [None, "", " ", None, "\t", ""]])
def test_without_any_title_all_is_nan(titles):
    logs = likelihoods(titles, np.arange(6) % 3, np.arange(6) % 2)
    assert logs.shape == (6, 3)
    assert np.isnan(logs).all()


def test_no_rows_are_no_rows():
    assert likelihoods([], [], []).shape == (0, 3)


def test_words_that_no_other_fold_has_are_indifferent_whatever_the_sizes_of_the_classes():
    titles, labels, fold = planted()
    few = np.arange(60) % 10 == 1
    labels = np.where(few, labels, 0)
    # in their own fold, these words would tell the class
    strange = np.flatnonzero(fold == 1)
    for row in strange:
        titles[row], labels[row] = "qxzjv wvkqj", 2
    logs = likelihoods(titles, labels, fold)
    assert all(is_indifferent(row) for row in logs[strange])
    assert not is_indifferent(logs[0])


@pytest.mark.parametrize("title", ["!!!", "...", "?", "\u200b", "-- / --"])
def test_titles_without_words_are_indifferent(title):
    titles, labels, fold = planted()
    titles[3] = title
    assert is_indifferent(likelihoods(titles, labels, fold)[3])


# scripts


@pytest.mark.parametrize(
    ("of_class", "classes"),
    [
        ((["二手笔记本电脑", "笔记本电脑 全新"], ["安卓手机", "手机 九成新"]), ("a", "b")),
        ((["حاسوب محمول جديد", "حاسوب مستعمل"], ["هاتف ذكي جديد", "هاتف مستعمل"]), ("a", "b")),
        ((["ноутбук новый", "ноутбук б/у"], ["телефон новый", "телефон б/у"]), ("a", "b")),
        ((["लैपटॉप नया", "पुराना लैपटॉप"], ["मोबाइल नया", "पुराना मोबाइल"]), ("a", "b")),
        ((["💻", "💻 ✨"], ["📱", "📱 ✨"]), ("a", "b")),
        ((["电脑", "新 电脑"], ["手机", "新 手机"]), ("电脑", "手机")),
    ],
    ids=["Chinese", "Arabic", "Cyrillic", "Devanagari", "emoji", "Chinese classes"],
)
def test_titles_in_any_script_tell_the_class(of_class, classes):
    labels = np.arange(24) % 2
    titles = [of_class[label][row // 2 % 2] for row, label in enumerate(labels)]
    logs = likelihoods(titles, labels, np.arange(24) // 2 % 3, classes=classes)
    assert np.array_equal(logs.argmax(axis=1), labels)


def test_a_name_in_another_script_speaks_for_its_class():
    logs = likelihoods(["二手 手机", "电脑"], [0, 0], [0, 1], classes=("电脑", "手机"))
    assert np.array_equal(logs.argmax(axis=1), [1, 0])


@pytest.mark.parametrize("titles", [["💻 💻", "📱", "💻", "📱"], ["💻 laptop", "📱", None, None]])
def test_names_without_any_word_are_no_error(titles):
    logs = likelihoods(titles, [0, 1, 0, 1], [0, 1, 1, 0], classes=("💻", "📱"))
    assert np.array_equal(np.isnan(logs).any(axis=1), [title is None for title in titles])


# few


def test_two_classes_work():
    titles, labels, fold = planted()
    two = labels < 2
    chosen = [title for title, use in zip(titles, two, strict=True) if use]
    logs = likelihoods(chosen, labels[two], fold[two], classes=CLASSES[:2])
    assert logs.shape == (40, 2)
    assert np.allclose(np.exp(logs).sum(axis=1), 1, atol=1e-4)
    assert np.array_equal(logs.argmax(axis=1), labels[two])


def test_a_single_title_is_told_by_the_names_alone():
    titles = [None, "tent", None, ""]
    logs = likelihoods(titles, [0, 1, 2, 0], [0, 0, 1, 1])
    assert np.array_equal(np.isnan(logs).all(axis=1), [True, False, True, True])
    assert logs[1].argmax() == 2
    titles[1] = "qxzjv"
    assert is_indifferent(likelihoods(titles, [0, 1, 2, 0], [0, 0, 1, 1])[1])


def test_one_fold_learns_from_names_alone():
    titles, labels, _ = planted()
    titles[5] = "Tents"
    logs = likelihoods(titles, labels, np.zeros(60))
    assert logs[5].argmax() == 2
    assert is_indifferent(logs[0])


@pytest.mark.parametrize(("count", "winner"), [(4, 0), (5, None), (6, 1)])
def test_the_name_of_a_class_counts_as_five_titles_of_it(count, winner):
    # class "aa" is also given to five titles "qq", and class "zz" to some titles "aa"
    titles = ["qq"] * 5 + ["aa"] * count + ["aa"]
    labels, fold = np.array([0] * 5 + [1] * count + [0]), np.array([0] * (5 + count) + [1])
    says = title_likelihoods(titles, labels, fold, np.ones(len(titles), dtype=bool), ("aa", "zz"))[-1]
    assert abs(says[0] - says[1]) < 1e-5 if winner is None else says.argmax() == winner


def test_a_word_that_a_class_never_had_counts_like_a_hundredth_of_one():
    # nothing but the names is learned from; each part of a title of one word counts 1 / sqrt(3)
    says = title_likelihoods(["aa"], np.array([0]), np.array([0]), np.zeros(1, dtype=bool), ("aa", "zz"))[0]
    part = 1 / np.sqrt(3)
    expected = np.log(5.01 / 0.01) + 3 * part * np.log((5 * part + 0.01) / 0.01)
    assert says[0] - says[1] == pytest.approx(expected, rel=1e-4)
