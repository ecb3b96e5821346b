"""The review for people who hear the page or have no mouse: axe-core finds nothing in any of its states."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.exploration.explore import explore
from curation.listings import read_listings
from curation.run.folder import RunFolder
from tests.support.axe import findings
from tests.support.chromium import patient
from tests.support.live_page import Live
from tests.support.review_page import Opened
from tests.support.review_server import Server, start, stop

SIZES = [(400, 900), (1280, 720)]
SCHEMES = ["light", "dark"]


@pytest.fixture
def server(run: RunFolder, tmp_path: Path) -> Iterator[Server]:
    server = start(run, tmp_path / "log", "--page")
    yield server
    stop(server)


def found_in(tab: Any) -> list[str]:
    """Return what axe-core finds at each size, light and dark."""
    found = []
    for width, height in SIZES:
        for scheme in SCHEMES:
            tab.set_viewport_size({"width": width, "height": height})
            tab.emulate_media(color_scheme=scheme)
            found += [f"{width} {scheme}: {line}" for line in findings(tab)]
    return found


def test_a_page_in_one_file(opened: Opened) -> None:
    assert found_in(opened.tab) == []
    opened.press("k")
    assert found_in(opened.tab) == []


@pytest.mark.parametrize(
    ("button", "dialog"), [("#help", "#keys"), ("[data-do=relabel]", "#classes"), ("#download", "#saving")]
)
def test_a_dialog(opened: Opened, button: str, dialog: str) -> None:
    opened.press("k")  # there is something to download
    opened.tab.click(button)
    opened.tab.locator(f"{dialog}[open]").wait_for()
    assert found_in(opened.tab) == []


def test_the_live_page_its_grids_and_its_map(context: Any, server: Server) -> None:
    live = Live(context, server)
    live.ready()
    live.tab.locator("#further summary").click()
    assert found_in(live.tab) == []
    for key in "gm":
        live.press(key)
        live.ready()
        assert found_in(live.tab) == [], key


def test_the_page_of_a_first_look(demo: Path, tmp_path: Path, browser: Any) -> None:
    page = patient(browser.new_page())
    page.goto(explore(read_listings(demo), output=tmp_path / "look").page.as_uri())
    assert found_in(page) == []
    page.close()
