"""The review as a person meets it: a process of its own, a browser, a journal."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from curation.review.dataset import dataset_name
from tests.review_server import SERVED, Server, start, stop
from tests.test_review import drop_database, make_run, needs_mongod, said, waited_for

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def _database() -> Iterator[None]:
    """Drop the servers' database when all is done."""
    yield
    drop_database(SERVED)


@needs_mongod
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no {CHROMIUM}: apt-get install chromium")
@pytest.mark.usefixtures("_database")
def test_keys_pressed_in_a_browser_are_in_the_journal_and_stopping_leaves_no_process(tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    run = make_run(tmp_path)
    server = start(run, tmp_path / "log")
    try:
        started = psutil.Process(server.process.pid).children(recursive=True)
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
            page = browser.new_page(viewport={"width": 1500, "height": 900})
            page.goto(server.url)
            page.wait_for_selector('[data-item-id="@curate/review/keep"]', timeout=60_000)
            page.wait_for_selector("[data-cy=looker]", timeout=60_000)
            assert "token" not in page.url
            assert page.locator("[data-cy=entry-counts]").inner_text().startswith("8")
            page.locator("[data-cy=looker]").first.click()
            modal = page.locator("#modal")
            modal.get_by_text("reason 0").first.wait_for(timeout=20_000)
            page.keyboard.press("k")
            assert waited_for(lambda: said(run) == [("L0", "keep", None)])
            modal.get_by_text("reason 1").first.wait_for(timeout=20_000)  # the next one opened by itself
            page.keyboard.press("e")
            form = page.locator("[data-cy=operators-prompt-modal]")
            form.get_by_role("button", name="Relabel").click(timeout=20_000)
            assert waited_for(lambda: said(run)[1:] == [("L1", "relabel", "lamp")])
            modal.get_by_text("reason 2").first.wait_for(timeout=20_000)
            page.keyboard.press("a")
            assert waited_for(lambda: said(run)[2:] == [("L2", "relabel", "chair")])
            modal.get_by_text("reason 3").first.wait_for(timeout=20_000)
            stop(server)  # with the page still open
            browser.close()
    finally:
        stop(server)
    assert server.process.returncode == 0
    assert {decision.reviewer for decision in run.decisions()[0]} == {"ana"}
    assert "Decisions of this session: 1 keep, 2 relabel. 5 of 8 flagged are left." in server.log.read_text()
    assert "Traceback" not in server.log.read_text()
    assert waited_for(lambda: not any(process.is_running() for process in started))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, _database: None) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    server = start(make_run(folder), folder / "log")
    yield server
    stop(server)


@needs_mongod
class TestServer:
    def test_the_printed_address_lets_in_and_hides_its_token(self, server):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        parts = urlsplit(server.url)
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        assert answer.status == 303
        assert server.token not in answer.headers["Location"]
        assert answer.headers["Location"].endswith("?workspace=review&view=to-review")
        assert "HttpOnly" in answer.headers["Set-Cookie"]
        connection.close()
        assert server.ask(parts.path)[0] == 200

    def test_our_operators_are_there(self, server):
        body = json.dumps({"dataset_name": dataset_name(server.run)})
        status, content = server.ask("/operators", method="POST", body=body)
        answer = json.loads(content)
        assert status == 200
        assert not answer["errors"]
        ours = {item["uri"] for item in answer["operators"] if item["uri"].startswith("@curate/")}
        assert {f"@curate/review/{name}" for name in ("keep", "accept", "relabel", "delete", "undo")} <= ours

    def test_it_is_silent(self, server):
        lines = server.log.read_text().splitlines()
        assert [line.split()[0] for line in lines] == ["Opening", "Open", "Keys:"]
