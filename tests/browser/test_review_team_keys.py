"""Two reviewers with a live page each, in real browsers: what one sees of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.run.decisions import decide
from curation.run.folder import RunFolder
from tests.curation.review.test_review_page import make_run
from tests.support.live_page import Live
from tests.support.review_server import Server, start, stop


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


Open = Callable[..., Live]


@pytest.fixture
def open_page(browser: Any, run: RunFolder, tmp_path: Path) -> Iterator[Open]:
    """Open the window of a reviewer, on a server of their own."""
    servers: list[Server] = []
    profiles: list[Any] = []

    def open_page(reviewer: str, *options: str) -> Live:
        log = tmp_path / f"log-{len(servers)}"
        servers.append(start(run, log, "--page", "--no-learn", *options, reviewer=reviewer))
        profiles.append(browser.new_context(viewport={"width": 1280, "height": 720}))
        return Live(profiles[-1], servers[-1])

    yield open_page
    for profile in profiles:
        profile.close()
    for server in servers:
        stop(server)


def test_two_reviewers_see_different_listings_and_each_is_decided_once(run: RunFolder, open_page: Open) -> None:
    ana, ben = open_page("ana"), open_page("ben")
    ana.hear_of(ben)  # who is new may sit where she would go next
    shown: list[str] = []
    for _ in range(6):
        for window, other in ((ana, ben), (ben, ana)):
            # what is left is on the other screen, or nothing is
            if window.tab.evaluate("index.actions[current] > 0"):
                continue
            assert ana.id != ben.id
            shown.append(window.id)
            window.press("d")
            window.saved()
            other.hear_of(window)
    assert sorted(shown) == ["00", "01", "02", "06", "10", "11"]
    assert len(run.holding_decisions().settled) == 6


def test_a_conflict_shows_what_each_said_and_a_key_settles_it(run: RunFolder, open_page: Open) -> None:
    decide(run, ["01"], "keep", reviewer="ana", note="fine")
    decide(run, ["01"], "delete", reviewer="ben")
    cem = open_page("cem", "--conflicts")
    assert cem.id == "01"
    assert [cem.tab.text_content(f"#words li >> nth={place}") for place in range(2)] == [
        "ana: kept (fine)",
        "ben: deleted",
    ]
    cem.press("k")
    cem.tab.wait_for_selector("#words", state="hidden")
    assert "Every conflict is settled." in str(cem.tab.text_content("#hint"))
    assert str(cem.tab.text_content("#counts")).startswith("1 of 1 conflicts settled")
    assert cem.tab.text_content("#expected") == ""
    decide(run, ["02"], "keep", reviewer="ana")
    decide(run, ["02"], "delete", reviewer="ben")
    cem.tab.wait_for_function("() => document.getElementById('counts').textContent.startsWith('1 of 2 conflicts')")
    cem.press("j")
    assert cem.id == "02"
    word = run.holding_decisions().settled["01"]
    assert (word.reviewer, word.action, word.saw) == ("cem", "keep", True)


def test_the_first_conflict_that_is_made_while_the_page_is_open_comes_to_the_screen(
    run: RunFolder, open_page: Open
) -> None:
    cem = open_page("cem", "--conflicts")
    assert cem.tab.text_content("#hint") == "Reviewers disagree on nothing: there is no conflict to settle."
    decide(run, ["00"], "keep", reviewer="ana")
    decide(run, ["00"], "delete", reviewer="ben")
    cem.tab.wait_for_selector("#words li")
    assert cem.id == "00"
    assert cem.tab.text_content("#counts") == "0 of 1 conflicts settled"


def test_a_conflict_says_which_decisions_settle_it(run: RunFolder, open_page: Open) -> None:
    for id, price in (("01", 4.0), ("02", 5.0)):
        decide(run, [id], "reprice", price=price, reviewer="ana")
    decide(run, ["01"], "reprice", price=9.0, reviewer="ben")
    decide(run, ["02"], "keep", reviewer="ben")
    cem = open_page("cem", "--conflicts")
    assert (cem.id, cem.tab.text_content("#words p")) == (
        "01",
        "Reviewers disagree on the price: p, k or d settles it, another label does not.",
    )
    cem.press("s")
    cem.saved()
    assert set(run.holding_decisions().conflicts) == {"01", "02"}
    assert cem.id == "02"
    assert cem.tab.text_content("#words p") == "Reviewers disagree: your decision settles it."
    cem.press("k")
    cem.saved()
    cem.tab.wait_for_function("() => !store.inConflict('02')")
    assert set(run.holding_decisions().conflicts) == {"01"}


def test_the_filter_of_conflicts_has_what_reviewers_disagree_on(run: RunFolder, open_page: Open) -> None:
    decide(run, ["01", "02"], "keep", reviewer="ana")
    decide(run, ["01"], "delete", reviewer="ben")
    cem = open_page("cem")
    cem.tab.select_option("#state", "conflict")
    cem.tab.wait_for_function("() => document.getElementById('matches').textContent.startsWith('1 of')")
    assert cem.id == "01"
    assert "agree on 0 % of 1 listing" in str(cem.tab.text_content("#team"))
