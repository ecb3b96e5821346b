"""Which listings wait for a second reviewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.run.journal import Decision
from curation.run.overlap import Overlap
from tests.curation.review.test_review_page import make_run
from tests.support.live import Live


def said(by: str, action: str = "keep", source: str = "page", *, saw: bool | None = None) -> Decision:
    return Decision("00", action, None, by, "2026-01-01", source, saw=saw)


@pytest.fixture
def overlap(tmp_path: Path) -> Overlap:
    return Overlap(make_run(tmp_path), 1.0)


def test_a_listing_waits_after_one_reviewer_and_not_after_two(overlap: Overlap) -> None:
    assert not overlap.waits("00", [])
    assert overlap.waits("00", [said("ana")])
    assert overlap.waits("00", [said("ana"), said("ANA", "delete")])
    assert not overlap.waits("00", [said("ana"), said("ben", saw=False)])
    assert overlap.waits("00", [said("me", source="suggestion"), said("ana")])
    assert not overlap.waits("00", [said("ana", source="earlier run")])


def test_a_settled_listing_waits_for_nobody(overlap: Overlap) -> None:
    settled = [said("ana"), said("ben", "delete", saw=False), said("ana", "delete", saw=True)]
    assert not overlap.waits("00", settled)
    # ana has undone and decided again
    assert not overlap.waits("00", [said("ben", saw=False), said("ana", saw=True)])


def test_a_third_reviewer_sees_a_settled_listing_as_it_is(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    Overlap(run, 1.0)
    ana, ben = Live(run, "ana"), Live(run, "ben")
    ana.say("00", "keep")
    assert Live(run, "cat").session.opening()["piece"]["states"] == {}
    ben.say("00", "delete")
    ana.say("00", "delete", saw={"00": ana.news()["changed"]["00"]["mark"]})
    shown = Live(run, "cat").session.opening()
    assert shown["piece"]["states"]["00"]["decision"] == "delete"
    assert "wait" not in shown["team"]


def test_a_new_class_of_a_hidden_decision_is_not_told_before_one_s_own(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    Overlap(run, 1.0)
    Live(run, "ana").say("00", "relabel", label="sofa bed", new_class=True)
    ben = Live(run, "ben")
    assert ben.session.opening()["added"] == []
    assert not ben.say("00", "relabel", label="sofa bed", new_class=True)["refused"]
    assert ben.session.opening()["added"] == Live(run, "ana").session.opening()["added"] == ["sofa bed"]
