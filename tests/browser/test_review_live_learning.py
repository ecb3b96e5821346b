"""The live page that learns, in a real browser: the card stays, what comes after it changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.review.live.learner import EVERY
from curation.run.folder import RunFolder
from tests.curation.review.test_review_live_learning import afterwards, everything, left_of
from tests.support.live_page import Live
from tests.support.review_server import Server, start, stop


@pytest.fixture
def server(run: RunFolder, tmp_path: Path) -> Iterator[Server]:
    everything(run)
    server = start(run, tmp_path / "log", "--page")
    yield server
    stop(server)


def order(live: Live) -> list[str]:
    return list(live.tab.evaluate("() => [...index.order].map((place) => index.ids[place])"))


def test_the_card_stays_and_what_is_after_it_is_ordered_anew(context: Any, server: Server, run: RunFolder) -> None:
    live = Live(context, server)
    other = Live(context, server)
    other.tab.select_option("#state", "left")
    before = order(live)
    # the first is passed, and the others are decided
    live.press("j " + "k d a " * 8 + "d")
    live.saved()
    while len(run.decisions()[0]) < EVERY:  # what could not be kept or accepted
        live.press("d")
        live.saved()
    live.ready()
    here, reasons = live.id, live.text("reasons")
    live.tab.locator("#learnt", has_text="Learned from").wait_for(timeout=600_000)
    live.tab.wait_for_function("() => news.learnt === 1")
    # the interval is that of what was left then
    assert ", 95 % " in live.text("expected")
    assert (live.id, live.text("reasons")) == (here, reasons)
    left = left_of(afterwards(run, EVERY))
    at = order(live).index(here)
    assert order(live)[at + 1 :] == [id for id in left if id not in (here, before[0])]
    assert before[0] in order(live)[:at] or before[0] not in left
    other.tab.wait_for_function("() => news.learnt === 1")
    # but for the listing on its screen
    assert [id for id in order(other) if id in left and id != other.id] == [id for id in left if id != other.id]
    assert other.tab.locator("#state").input_value() == "left"
    # the key of an undo goes back to what was decided last
    live.press("u")
    live.wait("message", "Undone")
    assert live.id in before
    assert " left need a change" in live.text("expected")
    assert "95 %" not in live.text("expected") + live.text("learnt")
    assert [error for error in live.errors if "404" not in error] == []
