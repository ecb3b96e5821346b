"""Issue kinds and their queue, on listings with planted noise."""

import time

import numpy as np
import pandas as pd
import pytest

from curation.issues import COLUMNS, KINDS, Evidence, expected_changes, find_issues
from curation.issues.near_duplicate import KIND as NEAR_DUPLICATE
from tests.support.photo_facts import nothing_found

CLASSES = ("cable", "laptop", "mouse")
MEDIAN = {"cable": 10.0, "laptop": 900.0, "mouse": 25.0}


def marketplace(n=300, noise=0.1, seed=0):
    """Return evidence with planted wrong labels (photo and price tell), and which listings have one."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 3, n)
    wrong = rng.random(n) < noise
    given = np.where(wrong, (true + rng.integers(1, 3, n)) % 3, true)
    logits = rng.normal(0, 1, (n, 3))
    logits[np.arange(n), true] += 2.5
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    price = np.array([MEDIAN[CLASSES[k]] for k in true]) * np.exp(rng.normal(0, 0.3, n))
    listings = pd.DataFrame(
        {
            "id": pd.array([f"L{i:04d}" for i in rng.permutation(n)], dtype="string"),
            "image": pd.array([f"{i}.jpg" for i in range(n)], dtype="string"),
            "label": pd.array([CLASSES[k] for k in given], dtype="string"),
            "price": price.round(2),
            "sha256": pd.array([f"hash {i}" for i in range(n)], dtype="string"),
            **nothing_found(n),
            "unreadable": pd.array([pd.NA] * n, dtype="string"),
        }
    )
    return Evidence(listings, CLASSES, probs, currency="SGD"), wrong


def changed(evidence, **columns):
    return Evidence(
        evidence.listings.assign(**columns), evidence.classes, evidence.probs, evidence.trained, evidence.currency
    )


def test_every_listing_has_one_row_in_the_columns_that_others_rely_on():
    evidence, _ = marketplace()
    issues = find_issues(evidence)
    assert list(issues.columns) == list(COLUMNS)
    assert issues["id"].tolist() == evidence.listings["id"].tolist()
    assert sorted(issues["priority"]) == list(range(1, 301))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_scores_are_in_range_and_every_flag_has_a_reason(kind):
    evidence, _ = marketplace()
    table = kind.find(evidence)
    assert len(table) == 300
    if kind.score in table:
        assert table[kind.score].dropna().between(0, 1).all()
    flagged = table[kind.flag].fillna(False).astype(bool)
    assert (table["reason"][flagged] != "").all()
    assert (table["reason"][~flagged] == "").all()


def test_shuffled_rows_give_the_same_result_by_id():
    evidence, _ = marketplace()
    order = np.random.default_rng(1).permutation(300)
    shuffled = Evidence(evidence.listings.iloc[order], CLASSES, evidence.probs[order], currency="SGD")
    first = find_issues(evidence).set_index("id").drop(columns="near_duplicate_group")
    second = find_issues(shuffled).set_index("id").drop(columns="near_duplicate_group")
    pd.testing.assert_frame_equal(first, second.loc[first.index])


def test_finding_issues_leaves_the_evidence_as_it_was():
    evidence, _ = marketplace()
    before = evidence.listings.copy(), evidence.probs.copy()
    find_issues(evidence)
    pd.testing.assert_frame_equal(evidence.listings, before[0])
    assert np.array_equal(evidence.probs, before[1])


def test_planted_wrong_labels_come_first_in_the_queue():
    evidence, wrong = marketplace()
    issues = find_issues(evidence)
    first = issues["priority"].to_numpy() <= wrong.sum()
    assert wrong[first].mean() > 0.85


def test_a_price_that_fits_another_class_moves_a_listing_up():
    evidence, wrong = marketplace()
    unpriced = changed(evidence, price=np.nan)
    top = [find_issues(each)["priority"].to_numpy() <= wrong.sum() for each in (evidence, unpriced)]
    assert wrong[top[0]].mean() > wrong[top[1]].mean()


def test_a_listing_without_a_label_is_flagged_with_a_suggestion():
    evidence, _ = marketplace()
    label = evidence.listings["label"].copy()
    label[7] = pd.NA
    row = find_issues(changed(evidence, label=label)).iloc[7]
    assert row["is_label_issue"]
    assert row["label_score"] == 0
    assert row["suggested_label"] == CLASSES[evidence.probs[7].argmax()]
    assert "no label given" in row["reasons"]


def test_a_class_its_model_never_saw_is_no_evidence():
    evidence, _ = marketplace()
    trained = np.ones((300, 3), dtype=bool)
    trained[5, evidence.given[5]] = False
    row = find_issues(Evidence(evidence.listings, CLASSES, evidence.probs, trained)).iloc[5]
    assert pd.isna(row["label_score"])
    assert not row["is_label_issue"]
    assert pd.isna(row["suggested_label"])


def test_listings_of_which_nothing_is_known_have_no_label_score_and_stay_in_the_table():
    evidence, _ = marketplace()
    probs, price = evidence.probs.copy(), evidence.listings["price"].copy()
    probs[[2, 9]] = np.nan
    price[2] = np.nan
    issues = find_issues(Evidence(evidence.listings.assign(price=price), CLASSES, probs))
    assert np.flatnonzero(issues["label_score"].isna()).tolist() == [2]
    assert issues["priority"].nunique() == 300


def test_listings_with_the_same_photo_are_grouped_and_the_reason_names_the_other_label():
    evidence, _ = marketplace(noise=0)
    sha256 = evidence.listings["sha256"].copy()
    other = int(np.flatnonzero(evidence.given != evidence.given[0])[0])
    sha256[other] = sha256[0]
    issues = find_issues(changed(evidence, sha256=sha256))
    assert issues["is_near_duplicate_issue"].sum() == 2
    assert issues["near_duplicate_group"][0] == issues["near_duplicate_group"][other]
    assert f"the same photo as {evidence.listings['id'][other]}, given " in issues["reasons"][0]


def reposts(near_group, near_likeness, sha256, **columns):
    """Return what is table among as many listings, with ids L0, L1 and so on, and 40 others that are no reposts."""
    n, others = len(sha256), 40
    listings = pd.DataFrame(
        {
            "id": pd.array([f"L{i}" for i in range(n)] + [f"other {i}" for i in range(others)], dtype="string"),
            "label": pd.array([*columns.get("label", ["cable"] * n), *["mouse"] * others], dtype="string"),
            "price": [*columns.get("price", [10.0] * n), *[25.0] * others],
            "sha256": pd.array([*sha256, *[f"other {i}" for i in range(others)]], dtype="string"),
            "unreadable": pd.array([*columns.get("unreadable", [pd.NA] * n), *[pd.NA] * others], dtype="string"),
            "near_group": pd.array([*near_group, *[pd.NA] * others], dtype="Int64"),
            "near_likeness": pd.array([*near_likeness, *[pd.NA] * others], dtype="Float64"),
        }
    )
    return NEAR_DUPLICATE.find(Evidence(listings, CLASSES, np.full((n + others, 3), 1 / 3)))


def test_exact_reposts_score_zero_and_near_ones_by_how_alike_they_are():
    table = reposts([5, 5, 5, 2, 2], [1, 1, 0.97, 0.99, 0.99], ["a", "a", "b", "c", "d"])
    score = table["near_duplicate_score"]
    assert score[:2].tolist() == [0, 0]
    assert 0 < score[3] == score[4] < score[2] <= 0.5
    assert (score[5:] == 1).all()
    assert table["near_duplicate_group"].tolist()[:5] == [0, 0, 0, 1, 1]
    assert table["near_duplicate_group"][5:].isna().all()


def test_the_reason_tells_the_same_photo_from_nearly_the_same_and_names_three():
    table = reposts([0] * 7, [1, 1, *[0.98] * 5], ["a", "a", "b", "c", "d", "e", "f"])
    assert table["reason"][0] == "the same photo as L1 and nearly the same photo as L2, L3, L4, +2 more"
    assert table["reason"][2] == "nearly the same photo as L0, L1, L3, +3 more"


def test_the_reason_says_what_differs_much_and_no_more():
    table = reposts(
        [0, 0, 1, 1], [0.98] * 4, ["a", "b", "c", "d"], label=["cable", "laptop"] * 2, price=[40, 1200, 50, 52]
    )
    assert table["reason"][0] == "nearly the same photo as L1, given laptop there, price 1,200 there"
    assert table["reason"][1] == "nearly the same photo as L0, given cable there, price 40 there"
    assert table["reason"][2] == "nearly the same photo as L3, given laptop there"


def test_files_that_show_no_photo_are_no_reposts_of_each_other():
    table = reposts([pd.NA] * 2, [pd.NA] * 2, ["empty", "empty"], unreadable=["the file is empty"] * 2)
    assert not table["is_near_duplicate_issue"].any()
    assert table["near_duplicate_score"][:2].isna().all()


def test_groups_of_reposts_have_the_same_numbers_when_rows_are_shuffled():
    evidence, _ = marketplace()
    near = pd.Series(pd.NA, index=range(300), dtype="Int64")
    near[[3, 40, 41]], near[[7, 9]] = 0, 1
    evidence = changed(evidence, near_group=near, near_likeness=near.notna() * 0.98)
    order = np.random.default_rng(1).permutation(300)
    shuffled = Evidence(evidence.listings.iloc[order], CLASSES, evidence.probs[order], currency="SGD")
    first, second = find_issues(evidence).set_index("id"), find_issues(shuffled).set_index("id")
    pd.testing.assert_frame_equal(first, second.loc[first.index])
    assert first["near_duplicate_group"].notna().sum() == 5


def test_one_photo_of_thousands_of_listings_takes_moments():
    n = 5000
    start = time.process_time()
    table = reposts([0] * n, [1.0] * n, ["a"] * n)
    # comparing each with all others would take minutes
    assert time.process_time() - start < 5
    assert table["reason"][n - 1] == "the same photo as L0, L1, L10, +4996 more"


def test_an_unreadable_photo_is_flagged_with_what_the_decoder_said():
    evidence, _ = marketplace()
    unreadable = evidence.listings["unreadable"].copy()
    unreadable[3] = "image file is truncated"
    issues = find_issues(changed(evidence, unreadable=unreadable))
    assert issues["is_unreadable_issue"].sum() == 1
    assert "truncated" in issues["reasons"][3]


@pytest.mark.parametrize("classes", [2, 1000])
def test_few_and_many_classes_work(classes):
    rng = np.random.default_rng(0)
    n = 400
    names = tuple(f"class {k:04d}" for k in range(classes))
    evidence, _ = marketplace(n)
    label = pd.array(rng.choice(names, n), dtype="string")
    probs = rng.dirichlet(np.ones(classes), n)
    issues = find_issues(Evidence(evidence.listings.assign(label=label), names, probs))
    assert issues["label_score"].notna().all()


def test_the_registry_holds_every_kind_in_order():
    assert [kind.name for kind in KINDS] == [
        "label",
        "price",
        "indirect_image",
        "near_duplicate",
        "outlier",
        "unreadable",
        "photo_quality",
    ]


def test_of_two_listings_as_likely_wrong_the_one_with_a_sure_suggestion_comes_first():
    issues = find_issues(marketplace()[0])
    doubted = issues[issues["label_score"] < 0.06]
    assert len(doubted) > 6
    sure = doubted.nlargest(3, "suggested_confidence")["priority"].mean()
    unsure = doubted.nsmallest(3, "suggested_confidence")["priority"].mean()
    assert sure < unsure


def test_the_changes_expected_in_the_first_listings_are_about_those_that_are_there():
    evidence, wrong = marketplace(1000, noise=0.15)
    issues = find_issues(evidence)
    assert issues["change_chance"].between(0, 1).all()
    for first in (50, 150, 1000):
        there = wrong[issues["priority"].to_numpy() <= first].sum()
        assert expected_changes(issues, first) == pytest.approx(there, abs=0.25 * there + 3)
