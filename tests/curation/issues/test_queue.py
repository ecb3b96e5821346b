"""What a flag and a score are worth in the queue."""

import numpy as np
import pandas as pd
import pytest

from curation.issues import expected_changes, find_issues
from curation.issues.queue import priorities
from tests.support.listings import evidence_of, sure_of

PAGE = "processor memory storage battery screen keyboard warranty"


def judged(row=0, n=30, **cells):
    """Return issues of listings without evidence, except for these cells of one of them."""
    columns = {"text_share": [0.0] * n, "text": [""] * n, "width": [640] * n, "height": [480] * n, "detail": [50.0] * n}
    for name, value in cells.items():
        columns.setdefault(name, [pd.NA] * n)[row] = value
    if "near_group" in columns:
        columns["near_group"][row + 1] = columns["near_group"][row]
        columns["near_group"] = pd.array(columns["near_group"], dtype="Int64")
    return find_issues(evidence_of(["cable", "laptop", "mouse"] * (n // 3), **columns))


@pytest.mark.parametrize(
    ("cells", "chance"),
    [
        ({"unreadable": "not an image"}, 0.6),
        ({"near_group": 7}, 0.5),
        ({"text_share": 0.5, "text": PAGE}, 0.8),
        ({"width": 20}, 0.4),
        ({"text_share": 0.5, "text": PAGE, "width": 20}, 1 - 0.2 * 0.6),
        ({"text_share": 0.5, "text": PAGE, "near_group": 7}, 1 - 0.2 * 0.5),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_a_flag_counts_as_often_as_it_calls_for_a_change(cells, chance):
    issues = judged(**cells)
    # a repost under another label makes the label doubtful, too
    assert issues["change_chance"][0] == pytest.approx(1 - (1 - chance) * issues["label_score"].fillna(1)[0])
    assert issues["priority"][0] == 1
    assert issues["change_chance"][5] == 0


def test_an_off_topic_photo_calls_for_a_change_one_time_in_five():
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (90, 8)).astype(np.float32)
    features[0] = 100
    probs = sure_of([0, 1, 2] * 30, 0.9)
    probs[0] = 1 / 3
    issues = find_issues(evidence_of(["cable", "laptop", "mouse"] * 30, probs=probs, features=features))
    assert issues["is_outlier_issue"].tolist() == [True] + [False] * 89
    assert issues["change_chance"][0] == pytest.approx(1 - 0.8 * issues["label_score"][0])


def test_scores_of_labels_and_prices_are_chances_themselves():
    price = [10.0, 1000.0, 30.0] * 20
    price[0], price[4] = 1000.0, 100.0
    issues = find_issues(evidence_of(["cable", "laptop", "mouse"] * 20, price=price, probs=sure_of([0, 1, 2] * 20)))
    chance = 1 - issues["label_score"] * issues["price_score"]
    assert issues["change_chance"].to_numpy() == pytest.approx(chance.to_numpy())


def test_a_look_without_a_sure_suggestion_counts_half():
    probs = np.array([[0.9, 0.05, 0.05]] * 60)
    probs[::2] = [0.05, 0.9, 0.05]
    probs[0], probs[2] = [0.9, 0.05, 0.05], [0.6, 0.2, 0.2]
    issues = find_issues(evidence_of(["laptop", "cable"] * 30, probs=probs))
    sure = (issues["suggested_confidence"].fillna(0) / np.maximum(1 - issues["label_score"], 1e-9)).clip(upper=1)
    value = issues["change_chance"] * (0.5 + 0.5 * sure)
    order = np.lexsort((issues["id"], -value.to_numpy()))
    assert issues["priority"].to_numpy()[order].tolist() == list(range(1, 61))
    assert issues["is_label_issue"][[0, 2]].all()


def test_a_sure_suggestion_for_half_a_mistake_is_worth_a_mistake_without_one():
    # a: something is certainly wrong, nobody knows what; b and c: if the label is wrong, the suggestion is right
    chance = np.array([1.0, 0.51, 0.49])
    table = pd.DataFrame({"id": ["a", "b", "c"], "change_chance": chance, "label_score": [1.0, 0.49, 0.51]})
    assert priorities(table.assign(suggested_confidence=[np.nan, 0.51, 0.49])).tolist() == [2, 1, 3]


def test_a_certain_mistake_without_a_suggestion_comes_after_a_likely_one_that_a_key_sets_right():
    n = 60
    price = np.array([10.0, 1000.0, 30.0] * 20)
    probs = sure_of([0, 1, 2] * 20, 0.97)
    # the label of the first is almost surely wrong; the price of the second is none at all
    probs[0], price[0] = [0.01, 0.98, 0.01], 1000.0
    price[1] = 0.0
    issues = find_issues(evidence_of(["cable", "laptop", "mouse"] * 20, price=price, probs=probs))
    assert issues["change_chance"][1] > 0.99
    assert issues["priority"][:2].tolist() == [1, 2]
    assert sorted(issues["priority"]) == list(range(1, n + 1))


def test_the_first_listings_are_expected_to_need_as_many_changes_as_their_chances_add_up_to():
    issues = pd.DataFrame({"priority": [3, 1, 2], "change_chance": [0.1, 0.75, 0.5]})
    assert [expected_changes(issues, first) for first in (0, 1, 2, 3)] == pytest.approx([0, 0.75, 1.25, 1.35])


def test_a_kind_without_evidence_has_empty_columns_and_reasons_are_joined():
    issues = judged(text_share=0.5, text=PAGE, width=20)
    assert issues[["is_price_issue", "is_outlier_issue"]].isna().all(axis=None)
    # the words in one photo say something of its class
    assert issues["label_score"].notna().to_numpy().nonzero()[0].tolist() == [0]
    assert issues["reasons"][0].count("; ") == 1
    assert issues["reasons"][1] == ""
