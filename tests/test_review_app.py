"""The review as a person meets it: a process of its own, a browser, a journal."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psutil
import pytest

from curation.review.dataset import dataset_name
from curation.review.guard import DENIED_OPERATORS
from curation.runs import Run
from tests.test_review import DATABASE, drop_database, make_run, needs_mongod, said, waited_for

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
SERVED = f"{DATABASE}_app"


@dataclass(frozen=True)
class Server:
    """A review in a process of its own, as `curate review` starts it."""

    process: subprocess.Popen[bytes]
    run: Run
    log: Path

    @property
    def url(self) -> str:
        found = re.search(r"Open (http://\S+)", self.log.read_text())
        return found[1] if found else ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.url).query)["token"][0]

    def ask(self, path: str, *, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, bytes]:
        """Send one request with the right cookie, unless `headers` say otherwise."""
        sent = {"Host": f"127.0.0.1:{self.port}", "Cookie": f"curate_review_{self.port}={self.token}", **headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body=body, headers={name: value for name, value in sent.items() if value})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def photo(self, path: Path | str) -> int:
        return self.ask(f"/media?filepath={quote(str(path))}")[0]


def start(run: Run, log: Path) -> Server:
    code = (
        "import sys; from pathlib import Path; from curation.runs import Run; from curation.review import run_review\n"
        "print(run_review(Run(Path(sys.argv[1])), port=0, reviewer='ana', say=lambda text: print(text, flush=True)))"
    )
    # without compiled modules FiftyOne takes five times as long to import, and its mongod imports it once more
    left_out = ("FIFTYONE_PRIVATE_DATABASE_PORT", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(run.folder)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environment, "FIFTYONE_DATABASE_NAME": SERVED},
        )
    server = Server(process, run, log)
    if not waited_for(lambda: server.url or process.poll() is not None, 90) or not server.url:
        process.kill()
        pytest.fail(f"the server did not start:\n{log.read_text()}")
    return server


def stop(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)
    try:
        server.process.wait(20)
    finally:
        server.process.kill()


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
            page.get_by_text("Dismiss").click()  # FiftyOne's advertisement, once for each browser
            page.locator("[data-cy=looker]").first.click()
            modal = page.locator("#modal")
            modal.get_by_text("reason 0").wait_for(timeout=20_000)
            page.keyboard.press("k")
            assert waited_for(lambda: said(run) == [("L0", "keep", None)])
            modal.get_by_text("reason 1").wait_for(timeout=20_000)  # the next one opened by itself
            page.keyboard.press("e")
            form = page.locator("[data-cy=operators-prompt-modal]")
            form.get_by_role("button", name="Relabel").click(timeout=20_000)
            assert waited_for(lambda: said(run)[1:] == [("L1", "relabel", "lamp")])
            modal.get_by_text("reason 2").wait_for(timeout=20_000)
            page.keyboard.press("a")
            assert waited_for(lambda: said(run)[2:] == [("L2", "relabel", "chair")])
            modal.get_by_text("reason 3").wait_for(timeout=20_000)
            stop(server)  # with the page still open
            browser.close()
    finally:
        stop(server)
    assert server.process.returncode == 0
    assert {decision.reviewer for decision in run.decisions()[0]} == {"ana"}
    assert "{'keep': 1, 'relabel': 2}, flagged=8, undecided=5" in server.log.read_text()
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

    @pytest.mark.parametrize("cookie", ["", "curate_review=x", "curate_review_{port}=wrong"])
    def test_nobody_gets_in_without_the_token(self, server, cookie):
        cookie = cookie.format(port=server.port)
        assert server.ask("/", Cookie=cookie)[0] == 401
        assert server.ask("/?token=wrong", Cookie=cookie)[0] == 401
        assert server.ask("/graphql", method="POST", body="{}", Cookie=cookie)[0] == 401

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:5151", "127.0.0.1.evil.example", "192.0.2.1"])
    def test_another_host_name_is_refused_even_with_the_token(self, server, host):
        assert server.ask("/", Host=host)[0] == 403
        assert server.ask(f"/?token={server.token}", Host=host)[0] == 403

    def test_the_page_works_through_a_tunnel_with_another_port(self, server):
        assert server.ask("/", Host="localhost:8080", Origin="http://localhost:8080")[0] == 200

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3000"])
    def test_another_page_can_not_run_operators(self, server, origin):
        body = json.dumps({"operator_uri": "@curate/review/undo", "params": {}})
        assert server.ask("/operators/execute", method="POST", body=body, Origin=origin)[0] == 403

    def test_photos_of_the_run_are_shown(self, server):
        assert server.photo(server.run.photo_root / "0.jpg") == 200

    def test_no_other_file_is_given_out(self, server):
        photos = server.run.photo_root
        secret = photos.parent / "secret.jpg"
        shutil.copy(photos / "0.jpg", secret)
        (photos / "link.jpg").symlink_to(secret)
        (photos / "notes.txt").write_text("not a photo")
        for path in ("/etc/passwd", secret, photos / ".." / "secret.jpg", photos / "link.jpg", photos / "notes.txt"):
            assert server.photo(path) == 403, path

    def test_a_second_path_does_not_slip_through(self, server):
        good = quote(str(server.run.photo_root / "0.jpg"))
        for query in (f"filepath={good}&filepath=/etc/passwd", f"filepath=/etc/passwd&filepath={good}"):
            assert server.ask(f"/media?{query}")[0] == 403
            assert server.ask(f"/media/?{query}")[0] == 403
            assert server.ask(f"/%6dedia?{query}")[0] == 403

    def test_operators_that_read_files_or_remove_samples_are_refused(self, server):
        for operator in sorted(DENIED_OPERATORS):
            body = json.dumps({"operator_uri": operator, "params": {"path": "/etc"}})
            for path in ("/operators/execute", "/operators/execute/generator", "/operators/resolve-type"):
                assert server.ask(path, method="POST", body=body)[0] == 403

    def test_our_operators_are_there(self, server):
        body = json.dumps({"dataset_name": dataset_name(server.run)})
        status, content = server.ask("/operators", method="POST", body=body)
        answer = json.loads(content)
        assert status == 200
        assert not answer["errors"]
        ours = {item["uri"] for item in answer["operators"] if item["uri"].startswith("@curate/")}
        assert {f"@curate/review/{name}" for name in ("keep", "accept", "relabel", "delete", "undo")} <= ours

    def test_a_web_socket_without_the_token_is_refused(self, server):
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        assert server.ask("/events", Cookie="", **upgrade, **{"Sec-WebSocket-Key": "c2l4dGVlbiBieXRlcyE="})[0] == 403

    def test_it_is_silent(self, server):
        lines = server.log.read_text().splitlines()
        assert [line.split()[0] for line in lines] == ["Opening", "Open", "Keys:"]
