"""A review by keys and buttons, in a real browser before the real App; what the database and the journal then hold."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from curation.decisions import current_decisions
from curation.review.dataset import dataset_name
from curation.review.table import review_table
from curation.runs import Run
from tests.review_server import SERVED, Server, start, stop
from tests.test_review import drop_database, needs_mongod, our_fiftyone, waited_for

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PATIENCE = 30_000
pytestmark = [
    needs_mongod,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no {CHROMIUM}: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def server(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A review of a run of its own."""
    folder = tmp_path_factory.mktemp("keys")
    shutil.copytree(finished.folder, folder / "run")
    server = start(Run(folder / "run"), folder / "log")
    yield server
    stop(server)
    drop_database(SERVED)


class App:
    """The App in a browser, as a person sees it."""

    def __init__(self, page: Any, server: Server) -> None:
        self.page, self.run = page, server.run
        page.goto(server.url)
        page.wait_for_selector("[data-cy=looker]", timeout=2 * PATIENCE)
        page.wait_for_selector('[data-item-id="@curate/review/keep"]', timeout=PATIENCE)

    def close(self) -> None:
        """Close the open photo and show the queue."""
        if self.page.locator("[data-listing]").count():
            self.page.keyboard.press("Escape")
            self.page.locator("[data-listing]").wait_for(state="detached", timeout=PATIENCE)
        self.show("to-review")
        left = len(set(queue(self.run)["id"]) - set(held(self.run)))
        assert waited_for(lambda: self.count() == left)

    def open_first(self) -> str:
        self.page.locator("[data-cy=looker]").first.click()
        return self.card("")

    def card(self, before: str) -> str:
        """Return the listing whose card stands, once it is another one."""
        script = """before => { const card = document.querySelector('#modal [data-listing]');
            return card && card.dataset.listing !== before && card.dataset.listing }"""
        return str(self.page.wait_for_function(script, arg=before, timeout=PATIENCE).json_value())

    def press(self, key: str, number: int = 1) -> list[tuple[str, str, str | None]]:
        """Press a key and return the records that it brought, once there are as many."""
        before = len(self.journal)
        self.page.keyboard.press(key)
        assert waited_for(lambda: len(self.journal) >= before + number), key
        return [(record.id, record.action, record.new_label) for record in self.journal[before:]]

    def form(self) -> Any:
        form = self.page.locator("[data-cy=operators-prompt-modal]")
        form.get_by_role("button").last.wait_for(timeout=PATIENCE)
        return form

    def show(self, view: str) -> None:
        """Choose a saved view."""
        self.page.locator("[data-cy=saved-views-selection]").click()
        self.page.locator(f"[data-cy=saved-views-{view}-selection-option]").click()

    def count(self) -> int:
        words = self.page.locator("[data-cy=entry-counts]").inner_text()
        return int(words.split()[0].replace(",", ""))

    @property
    def journal(self) -> list[Any]:
        return self.run.decisions()[0]


@pytest.fixture(scope="module")
def opened(server: Server) -> Iterator[App]:
    """The App, open for all tests of this file: what is decided stays, as it does for a person."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        yield App(page, server)
        browser.close()
    assert failures == []


@pytest.fixture
def app(opened: App) -> Iterator[App]:
    """The App with the queue in its grid."""
    yield opened
    opened.close()


def mirrored(run: Run) -> dict[str, tuple[str | None, str | None]]:
    """Return what the database shows as decided."""
    fiftyone = our_fiftyone()
    database = fiftyone.core.odm.get_db_conn().client[SERVED]
    samples = database["datasets"].find_one({"name": dataset_name(run)})["sample_collection_name"]
    found = database[samples].find({"decision": {"$ne": None}})
    return {sample["listing_id"]: (sample["decision"], sample["new_label"]) for sample in found}


def held(run: Run) -> dict[str, tuple[str, str | None]]:
    holding = current_decisions(run.decisions()[0])
    return {id: (decision.action, decision.new_label) for id, decision in holding.items()}


def queue(run: Run) -> pd.DataFrame:
    table = review_table(run).set_index("id", drop=False)
    return table[table["issues"].str.len() > 0]


def test_keys_decide_on_the_open_photo_and_open_the_next_undecided_one(app):
    first = app.open_first()
    suggested = queue(app.run)["suggested_label"]
    assert first == queue(app.run)["id"].iloc[0]
    assert app.press("a") == [(first, "relabel", suggested[first])]
    second = app.card(first)
    assert app.press("d") == [(second, "delete", None)]
    third = app.card(second)
    assert app.press("k") == [(third, "keep", None)]
    fourth = app.card(third)
    assert [first, second, third, fourth] == queue(app.run)["id"].tolist()[:4]
    assert waited_for(lambda: mirrored(app.run) == held(app.run))


def test_undo_takes_the_latest_decision_back_and_shows_it_again(app):
    first = app.open_first()
    app.press("k")
    after = app.card(first)
    assert app.press("u") == [(first, "undo", None)]
    assert app.card(after) == first
    assert first not in held(app.run)
    assert waited_for(lambda: mirrored(app.run) == held(app.run))


def test_relabel_offers_the_likely_classes_first_and_takes_a_digit_and_enter(app):
    id = app.open_first()
    app.page.keyboard.press("e")
    form = app.form()
    offered = [label.inner_text() for label in form.locator("label:has(input[type=radio])").all()]
    assert offered[0].startswith(f"1: {queue(app.run)['suggested_label'][id]}, ")
    assert len(offered) == len(app.run.classes)
    chosen = offered[2].removeprefix("3: ").rpartition(",")[0]
    app.page.keyboard.press("3")
    assert app.press("Enter") == [(id, "relabel", chosen)]
    assert app.card(id) != id
