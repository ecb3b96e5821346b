"""How far a review is, and when it says that a person can stop."""

from __future__ import annotations

import pyarrow as pa
import pytest

from curation.review.card import Cards, cards_of
from curation.review.progress import AHEAD, progress_of
from curation.run.journal import Decision
from tests.curation.review.test_review import make_run


def decided(id: str, action: str = "keep", reviewer: str = "ana") -> Decision:
    return Decision(id, action, "desk" if action == "relabel" else None, reviewer, "2026-01-01", "app")


def holding(*decisions: Decision) -> dict[str, Decision]:
    return {decision.id: decision for decision in decisions}


@pytest.fixture
def queue(tmp_path):
    run = make_run(tmp_path)

    def made(*chances: float, flagged: bool = True) -> Cards:
        ids = [f"L{number}" for number in range(len(chances))]
        texts = dict.fromkeys(("image", "given_label"), pa.nulls(len(ids), pa.string()))
        return Cards(
            run, pa.table({"id": ids, **texts, "is_label_issue": [flagged] * len(ids), "change_chance": chances})
        )

    return made


def test_counts_are_of_the_flagged_listings_and_the_rest_is_told_apart(tmp_path):
    progress = progress_of(
        cards_of(make_run(tmp_path)), holding(decided("L0"), decided("L2", "relabel", "ben"), decided("L4", "delete"))
    )
    assert (progress.flagged, progress.done, progress.left, progress.others) == (8, 2, 6, 1)
    assert progress.actions == {"keep": 1, "relabel": 1, "reprice": 0, "delete": 1, "ambiguous": 0}
    assert progress.reviewers == {"ana": 2, "ben": 1}
    assert progress.kinds == {"label": (2, 4), "price": (1, 2), "near_duplicate": (0, 2), "unreadable": (0, 1)}


def test_what_is_expected_is_the_sum_of_the_chances_of_what_is_left(queue):
    progress = progress_of(queue(0.9, 0.8, 0.5), holding(decided("L0", "relabel"), decided("L1")))
    assert progress.expected_left == pytest.approx(0.5)
    assert progress.expected_done == pytest.approx(1.7)
    assert progress.changed_done == 1


def test_the_hint_to_stop_comes_when_the_next_ones_are_expected_to_hold_less_than_one_error(queue):
    assert not progress_of(queue(*[0.06] * 40), {}).hint
    assert "You can stop here" in progress_of(queue(*[0.04] * 40), {}).hint
    # only what comes next counts, not what comes at the very end
    assert "You can stop here" in progress_of(queue(*[0.04] * AHEAD, *[0.9] * 5), {}).hint


def test_the_end_and_an_empty_queue_are_said(queue):
    assert "Every flagged listing is decided" in progress_of(queue(0.9), holding(decided("L0"))).hint
    empty = progress_of(queue(0.9, flagged=False), {})
    assert (empty.flagged, empty.left) == (0, 0)
    assert "Nothing is flagged" in empty.hint
