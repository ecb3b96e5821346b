"""Probabilities that seem to belong to other listings, or to be 1 - p, are read with a warning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from curation.evidence.column_order import doubt_of_rows
from curation.evidence.probabilities import Given, given_probabilities
from tests.curation.evidence.test_column_order import agreeing
from training.utils.arrays import Float64, Int64


class Said(list[str]):
    def say(self, text: str) -> None:
        self.append(text)


IDS = [f"L{number}" for number in range(200)]


def labels() -> Int64:
    return np.random.default_rng(1).integers(0, 4, len(IDS))


def said(given: Given) -> str:
    reporter = Said()
    given_probabilities(given, IDS, [f"c{number}" for number in labels()], reporter=reporter)  # type: ignore[arg-type]
    return " ".join(reporter)


def test_rows_in_another_order_are_told_where_there_are_no_ids(tmp_path: Path) -> None:
    probs = agreeing(labels(), 4)
    assert not said(probs)
    np.save(tmp_path / "p.npy", probs[::-1])
    assert "Check whether its rows are in another order" in said(tmp_path / "p.npy")
    frame = pd.DataFrame(probs[::-1], columns=[f"c{number}" for number in range(4)], index=pd.Index(IDS, name="id"))
    assert "Check whether its ids are those of these listings, and were not numbered again" in said(frame)


def test_one_minus_p_is_told() -> None:
    assert "If it holds 1 - p" in said((1 - agreeing(labels(), 4)) / 3)


@pytest.mark.parametrize("accuracy", [0.4, 0.5, 0.8])
@pytest.mark.parametrize("classes", [3, 10, 40])
def test_weak_models_that_know_it_are_not_doubted(accuracy: float, classes: int) -> None:
    for seed in range(50):
        rng = np.random.default_rng(seed)
        given = rng.integers(0, classes, 300)
        probs = np.full((300, classes), (1 - accuracy) / (classes - 1))
        top = np.where(rng.random(300) < accuracy, given, rng.integers(0, classes, 300))
        probs[np.arange(300), top] = accuracy
        assert not doubt_of_rows(probs, given, "probs", without_ids=True)


def doubts(probs: Float64, given: Int64) -> tuple[str, ...]:
    return doubt_of_rows(probs, given, "probs", without_ids=True)


def test_uniform_probabilities_and_few_rows_are_not_doubted() -> None:
    assert not doubts(np.full((200, 4), 0.25), labels())
    assert not doubts(agreeing(labels(), 4)[::-1][:7], labels()[:7])


def test_rows_of_few_listings_in_another_order_are_told() -> None:
    for count in (12, 24):
        given, told = np.arange(count) % 4, 0
        for seed in range(50):
            rng = np.random.default_rng(seed)
            probs = agreeing(given, 4, seed=seed)
            assert not doubts(probs, given)
            told += bool(doubts(probs[rng.permutation(count)], given))
        assert told >= 45, count


def test_an_index_called_as_a_class_is_the_ids() -> None:
    frame = pd.DataFrame([[0.9, 0.1], [0.2, 0.8]], columns=["id", "lamp"], index=pd.Index(["a", "b"], name="id"))
    read = given_probabilities(frame, ["b", "a"], ["lamp", "id"])
    assert read.classes == ("id", "lamp")
    assert read.probs == pytest.approx(np.array([[0.2, 0.8], [0.9, 0.1]]))
