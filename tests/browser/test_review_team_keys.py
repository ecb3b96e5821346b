"""Two reviewers with a live page each, in real browsers: what one sees of the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.run.decisions import decide
from curation.run.folder import RunFolder
from tests.curation.review.test_review_page import make_run
from tests.support.chromium import chromium
from tests.support.review_server import Server, start, stop


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


class Window:
    """A reviewer's window on a server of their own."""

    def __init__(self, browser: Any, run: RunFolder, log: Path, reviewer: str, *options: str) -> None:
        self.server: Server = start(run, log, "--page", "--no-learn", *options, reviewer=reviewer)
        self.context = browser.new_context(viewport={"width": 1280, "height": 720})
        self.context.set_default_timeout(15_000)
        self.page = self.context.new_page()
        self.page.goto(self.server.printed)
        self.page.wait_for_selector("#title:not(:empty), #hint:not(:empty)")

    @property
    def id(self) -> str:
        return str(self.page.text_content("#where")).partition(" · ")[2]

    def hear_of(self, other: Window) -> None:
        """Wait until this page knows what is on the other's screen, or that it is decided."""
        place = other.page.evaluate("current")
        self.page.wait_for_function("(place) => elsewhere.has(place) || index.actions[place] > 0", arg=place)

    def close(self) -> None:
        self.context.close()
        stop(self.server)


@pytest.fixture
def windows(browser: Any, run: RunFolder, tmp_path: Path) -> Iterator[Any]:
    opened: list[Window] = []

    def window(reviewer: str, *options: str) -> Window:
        opened.append(Window(browser, run, tmp_path / f"log-{len(opened)}", reviewer, *options))
        return opened[-1]

    yield window
    for each in opened:
        each.close()


def test_two_reviewers_see_different_listings_and_each_is_decided_once(run: RunFolder, windows: Any) -> None:
    ana, ben = windows("ana"), windows("ben")
    ana.hear_of(ben)  # who is new may sit where she would go next
    shown: list[str] = []
    for _ in range(6):
        for window, other in ((ana, ben), (ben, ana)):
            # what is left is on the other screen, or nothing is
            if window.page.evaluate("index.actions[current] > 0"):
                continue
            id = window.id
            assert ana.id != ben.id
            shown.append(id)
            window.page.keyboard.press("d")
            window.page.wait_for_function("() => document.getElementById('sending').textContent === 'saved'")
            other.hear_of(window)
    assert sorted(shown) == ["00", "01", "02", "06", "10", "11"]
    assert len(run.holding_decisions().settled) == 6


def test_a_conflict_shows_what_each_said_and_a_key_settles_it(run: RunFolder, windows: Any) -> None:
    decide(run, ["01"], "keep", reviewer="ana", note="fine")
    decide(run, ["01"], "delete", reviewer="ben")
    cem = windows("cem", "--conflicts")
    assert cem.id == "01"
    assert [cem.page.text_content(f"#words li >> nth={place}") for place in range(2)] == [
        "ana: kept (fine)",
        "ben: deleted",
    ]
    cem.page.keyboard.press("k")
    cem.page.wait_for_selector("#words", state="hidden")
    assert "Every conflict is settled." in str(cem.page.text_content("#hint"))
    assert str(cem.page.text_content("#counts")).startswith("1 of 1 conflicts settled")
    assert cem.page.text_content("#expected") == ""
    decide(run, ["02"], "keep", reviewer="ana")
    decide(run, ["02"], "delete", reviewer="ben")
    cem.page.wait_for_function("() => document.getElementById('counts').textContent.startsWith('1 of 2 conflicts')")
    cem.page.keyboard.press("j")
    assert cem.id == "02"
    word = run.holding_decisions().settled["01"]
    assert (word.reviewer, word.action, word.saw) == ("cem", "keep", True)


def test_the_first_conflict_that_is_made_while_the_page_is_open_comes_to_the_screen(
    run: RunFolder, windows: Any
) -> None:
    cem = windows("cem", "--conflicts")
    assert cem.page.text_content("#hint") == "Reviewers disagree on nothing: there is no conflict to settle."
    decide(run, ["00"], "keep", reviewer="ana")
    decide(run, ["00"], "delete", reviewer="ben")
    cem.page.wait_for_selector("#words li")
    assert cem.id == "00"
    assert cem.page.text_content("#counts") == "0 of 1 conflicts settled"


def test_a_conflict_says_which_decisions_settle_it(run: RunFolder, windows: Any) -> None:
    for id, price in (("01", 4.0), ("02", 5.0)):
        decide(run, [id], "reprice", price=price, reviewer="ana")
    decide(run, ["01"], "reprice", price=9.0, reviewer="ben")
    decide(run, ["02"], "keep", reviewer="ben")
    cem = windows("cem", "--conflicts")
    assert (cem.id, cem.page.text_content("#words p")) == (
        "01",
        "Reviewers disagree on the price: p, k or d settles it, another label does not.",
    )
    cem.page.keyboard.press("s")
    cem.page.wait_for_function("() => document.getElementById('sending').textContent === 'saved'")
    assert set(run.holding_decisions().conflicts) == {"01", "02"}
    assert cem.id == "02"
    assert cem.page.text_content("#words p") == "Reviewers disagree: your decision settles it."
    cem.page.keyboard.press("k")
    cem.page.wait_for_function("() => document.getElementById('sending').textContent === 'saved'")
    cem.page.wait_for_function("() => !store.inConflict('02')")
    assert set(run.holding_decisions().conflicts) == {"01"}


def test_the_filter_of_conflicts_has_what_reviewers_disagree_on(run: RunFolder, windows: Any) -> None:
    decide(run, ["01", "02"], "keep", reviewer="ana")
    decide(run, ["01"], "delete", reviewer="ben")
    cem = windows("cem")
    cem.page.select_option("#state", "conflict")
    cem.page.wait_for_function("() => document.getElementById('matches').textContent.startsWith('1 of')")
    assert cem.id == "01"
    assert "agree on 0 % of 1 listing" in str(cem.page.text_content("#team"))
