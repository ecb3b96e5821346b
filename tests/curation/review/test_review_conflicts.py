"""Listings on which reviewers disagree, on the live page, in the App's state, and in what is applied."""

from __future__ import annotations

from pathlib import Path

import pytest

import curation
from curation.errors import DecisionsError
from curation.review.outcome import outcome_of
from curation.run.folder import RunFolder
from tests.cli.test_cli import done
from tests.curation.review.test_review_page import make_run
from tests.support.live import Live
from tests.support.runs import compare


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run below the current folder, which is the latest."""
    monkeypatch.chdir(tmp_path)
    return make_run(tmp_path)


def wrong_with_versions(run: curation.Run) -> list[str]:
    return [flaw.where for flaw in run.verify().faults if flaw.where.startswith(("cleaned", "versions"))]


def disagree(run: RunFolder) -> None:
    """Let ana and ben say of 00 what the other does not see."""
    Live(run, "ana").say("00", "keep")
    Live(run, "ben").say("00", "delete", note="broken")


def test_who_decides_with_the_others_word_on_the_screen_settles_it(run: RunFolder) -> None:
    ana, ben = Live(run, "ana"), Live(run, "ben")
    ana.say("00", "keep")
    shown = ben.news()["changed"]["00"]
    assert (shown["decision"], shown["reviewer"]) == ("keep", "ana")
    ben.say("00", "delete", saw={"00": shown["mark"]})
    holding = run.holding_decisions()
    assert (holding.conflicts, holding.settled["00"].reviewer) == ({}, "ben")


def test_who_decides_before_the_others_word_has_come_to_the_screen_makes_a_conflict(run: RunFolder) -> None:
    disagree(run)
    (words,) = run.holding_decisions().conflicts.values()
    assert [(word.reviewer, word.action, word.saw) for word in words] == [
        ("ana", "keep", None),
        ("ben", "delete", False),
    ]
    shown = Live(run, "cem").session.opening()["piece"]["states"]["00"]
    assert shown["conflict"]
    assert [(word["reviewer"], word["decision"], word["note"]) for word in shown["words"]] == [
        ("ana", "keep", ""),
        ("ben", "delete", "broken"),
    ]


def test_a_word_that_is_older_than_the_latest_of_the_other_is_not_in_sight(run: RunFolder) -> None:
    ana, ben = Live(run, "ana"), Live(run, "ben")
    ana.say("00", "keep")
    mark = ben.news()["changed"]["00"]["mark"]
    ana.say("00", "ambiguous")
    ben.say("00", "delete", saw={"00": mark})
    assert set(run.holding_decisions().conflicts) == {"00"}


def test_conflicts_are_a_queue_of_their_own_and_leave_it_when_they_are_settled(run: RunFolder) -> None:
    disagree(run)
    Live(run, "ana").say("07", "keep")
    cem = Live(run, "cem", conflicts=True)
    data = cem.session.opening()
    assert (data["size"], data["piece"]["ids"]) == (1, ["00"])
    assert data["piece"]["states"]["00"]["decision"] is None
    cem.say("00", "relabel", label="desk", saw={"00": data["piece"]["states"]["00"]["mark"]})
    after = cem.news()["changed"]["00"]
    assert (after["decision"], after["reviewer"], after.get("words")) == ("relabel", "cem", None)
    assert run.holding_decisions().conflicts == {}


def test_a_conflict_that_is_made_meanwhile_joins_the_queue(run: RunFolder) -> None:
    cem = Live(run, "cem", conflicts=True)
    before = cem.session.opening()
    assert (before["size"], before["conflicts"]) == (0, True)
    disagree(run)
    news = cem.news()
    assert news["learnt"] > before["learnt"]
    order = cem.get("/order")
    assert [order["piece"]["ids"], len(order["order"])] == [["00"], 1]
    cem.say("00", "keep", saw={"00": order["piece"]["states"]["00"]["mark"]})
    assert cem.news()["learnt"] == news["learnt"]
    assert run.holding_decisions().conflicts == {}


def test_what_is_left_of_a_review_of_conflicts_is_what_nobody_has_settled(run: RunFolder) -> None:
    disagree(run)
    assert outcome_of(run, ["00"], reviewer="cem", earlier=0, source="page").undecided == 0
    assert outcome_of(run, ["00"], reviewer="cem", earlier=0, source="page", conflicts=True).undecided == 1


def test_undo_of_the_latest_click_is_ones_own_also_where_somebody_else_decided_later(run: RunFolder) -> None:
    disagree(run)
    ana = Live(run, "ana")
    assert ana.say([], "undo")["ids"] == ["00"]
    holding = run.holding_decisions()
    assert (holding.conflicts, holding.settled["00"].reviewer) == ({}, "ben")


def test_what_is_in_conflict_is_not_applied_unless_the_later_decision_wins(run: RunFolder) -> None:
    disagree(run)
    with pytest.raises(DecisionsError, match="reviewers disagree on all that is decided"):
        curation.open_run(run.folder).apply_fixes()
    Live(run, "ana").say("01", "delete")
    result = done("apply-fixes")
    assert "reviewers disagree on 1 listing: 00. No decision on that listing is applied" in result.stderr
    assert "curate review --page --conflicts" in result.stderr
    assert "curate apply-fixes --latest-wins" in result.stderr
    opened = curation.open_run(run.folder)
    assert not wrong_with_versions(opened)
    assert (opened.status().conflicts, opened.status().unapplied) == (1, 0)
    fixes = opened.apply_fixes(latest_wins=True)
    assert (fixes.conflicts, fixes.counts()["deleted"]) == (("00",), 2)
    assert not wrong_with_versions(opened)
    assert opened.status().unapplied == 0


def test_all_is_done_once_no_conflict_is_left_that_no_version_applied(run: RunFolder) -> None:
    disagree(run)
    Live(run, "ana").say("01", "delete")
    opened = curation.open_run(run.folder)
    opened.apply_fixes()
    compare(run)
    assert "next: curate review --page --conflicts\n" in done("status").stdout
    opened.apply_fixes(latest_wins=True)
    compare(run)
    assert "next: everything is done" in done("status").stdout


def test_whoever_knows_what_the_others_said_can_settle_it_in_python(run: RunFolder) -> None:
    disagree(run)
    opened = curation.open_run(run.folder)
    assert opened.conflicts()[["id", "reviewer", "action"]].to_numpy().tolist() == [
        ["00", "ana", "keep"],
        ["00", "ben", "delete"],
    ]
    opened.decide("00", "keep", reviewer="cem")
    assert len(opened.conflicts()) == 3
    opened.decide("00", "keep", reviewer="cem", settle=True)
    assert opened.conflicts().empty
    assert opened.apply_fixes(dry_run=True).counts()["kept"] == 1


def test_status_says_how_far_reviewers_agree_and_what_is_to_settle(run: RunFolder) -> None:
    disagree(run)
    for name in ("ana", "ben"):
        curation.open_run(run.folder).decide(["01", "02"], "keep", reviewer=name)
    printed = done("status").stdout
    assert "agreement: ana and ben agree on 67 % of 3 listings, kappa " in printed
    assert "conflicts: 1 listing, to settle with curate review --page --conflicts" in printed
