"""`curate review` of datasets with names as people give them: the printed address opens the App at their listings."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.run.folder import RunFolder
from tests.curation.review.test_review import (
    drop_database,
    journal_of,
    make_run,
    needs_mongod,
    our_fiftyone,
)
from tests.support.chromium import chromium, patient
from tests.support.review_server import SERVED, start, stop, visit
from tests.support.waiting import waited_for

pytestmark = needs_mongod
#: What each name has that FiftyOne's link lacks, or that a link can't hold as it is.
NAMES = [
    "my_shop.v2",
    "My Shop, Möbel & Küche",
    "日本語の店",
    "🎁🛍",
    "Seller_Export.2026 " + "x" * 61,
    "100% off? #1/2 +more",
]


@pytest.fixture(scope="module", autouse=True)
def _database() -> Iterator[None]:
    """Keep one mongod for all reviews of this file, and drop what they made."""
    our_fiftyone()
    yield
    drop_database(SERVED)


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with chromium() as browser:
        yield patient(browser.new_page(viewport={"width": 1600, "height": 900}))


def called(name: str, folder: Path) -> RunFolder:
    """Return a run of 13 listings whose dataset has such a name, in a run folder that is called so, too."""
    run = make_run(folder)
    named = RunFolder(run.folder.parent / name.replace("/", "_")[:80])
    shutil.move(run.folder, named.folder)
    named.update(dataset={**named.record()["dataset"], "name": name})
    return named


@pytest.mark.parametrize("name", NAMES)
def test_the_app_opens_and_takes_decisions_whatever_the_dataset_is_called(page, tmp_path, name):
    server = start(called(name, tmp_path), tmp_path / "log")
    sent: list[int] = []
    page.on("response", lambda answer: "/media?" in answer.url and sent.append(answer.status))
    try:
        visit(page, server)
        count = page.locator("[data-cy=entry-counts]")
        assert waited_for(lambda: count.inner_text().split()[:1] == ["8"]), count.inner_text()  # the flagged ones
        # a damaged photo is among them; asking the page lets its answers arrive
        assert waited_for(lambda: count.inner_text() and len(sent) >= 8), sent
        assert set(sent) <= {200, 206, 304}
        assert page.get_by_text("No dataset selected").count() == 0
        page.wait_for_selector('[data-item-id="@curate/review/keep"]')
        tile = page.locator("[data-cy=looker]").first
        tile.hover()
        tile.locator("xpath=..").locator("label[data-cy^=looker-checkbox]").first.click()
        page.keyboard.press("k")
        assert waited_for(lambda: journal_of(server.run) == [("L0", "keep", None)])
    finally:
        stop(server)
