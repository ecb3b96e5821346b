"""A review in a process of its own, for the tests to talk to."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from curation.review.app.dataset import dataset_name
from curation.review.server.links import make_links
from curation.run.folder import RunFolder
from tests.curation.review.test_review import DATABASE
from tests.support.ports import own_port
from tests.support.waiting import PATIENCE, waited_for

SERVED = f"{DATABASE}_app"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Server:
    """A review in a process of its own, as `curate review` starts it."""

    process: subprocess.Popen[bytes]
    run: RunFolder
    log: Path

    @property
    def printed(self) -> str:
        """The link that it printed, which works once; empty until it is open."""
        found = re.search(r"Open (http://\S+)\s", self.log.read_text())
        return found[1] if found else ""

    @property
    def url(self) -> str:
        """A new link."""
        (link,) = make_links(self.run, self.port)
        return link.url

    @property
    def port(self) -> int:
        return urlsplit(self.printed).port or 0

    @cached_property
    def token(self) -> str:
        """What its cookie holds."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", f"{parts.path}?{parts.query}")
        cookie = connection.getresponse().headers["Set-Cookie"]
        connection.close()
        return str(cookie).partition(";")[0].partition("=")[2]

    def answer(
        self, path: str, *, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request with the right cookie, unless `headers` say otherwise."""
        sent = {"Host": f"127.0.0.1:{self.port}", "Cookie": f"curate_review_{self.port}={self.token}", **headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        # as it is: http.client would refuse to send what an attacker sends
        connection._validate_path = lambda url: None  # type: ignore[attr-defined]
        connection.request(
            method, path, body=body, headers={name.replace("_", "-"): value for name, value in sent.items() if value}
        )
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, content

    def ask(self, path: str, *, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, bytes]:
        """Send one request; return status and content."""
        status, _, content = self.answer(path, method=method, body=body, **headers)
        return status, content

    def post(self, path: str, asked: Any, **headers: str) -> tuple[int, bytes]:
        """Send JSON, as the App does."""
        return self.ask(path, method="POST", body=json.dumps(asked), **{"Content-Type": "application/json", **headers})

    def operate(self, operator: str, samples: list[str] | None = None, **params: Any) -> tuple[int, bytes]:
        """Run an operator on samples, as a key or a button of the App does."""
        asked = {"operator_uri": operator, "dataset_name": dataset_name(self.run), "params": params, "view": []}
        return self.post("/operators/execute", {**asked, "selected": samples or []})

    def photo(self, path: Path | str) -> int:
        return self.ask(f"/media?filepath={quote(str(path))}")[0]


def environment(**more: str) -> dict[str, str]:
    # without compiled modules FiftyOne takes five times as long to import, and its mongod imports it once more
    left_out = ("FIFTYONE_PRIVATE_DATABASE_PORT", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "PYTHONPATH": str(ROOT), "FIFTYONE_DATABASE_NAME": SERVED, **more}


def command(run: RunFolder, *options: str) -> list[str]:
    """Return the command line of `curate review`."""
    main = "from curation.cli import main; main(prog_name='curate')"
    return [sys.executable, "-c", main, "review", "--run", str(run.folder), "--port", "0", "--no-browser", *options]


def start(run: RunFolder, log: Path, *options: str, reviewer: str = "ana", **more: str) -> Server:
    """Start `curate review` and wait until it can be opened; `more` is for its environment."""
    server = launch(run, log, *options, reviewer=reviewer, **more)
    if not waited_for(lambda: server.printed or server.process.poll() is not None) or not server.printed:
        server.process.kill()
        pytest.fail(f"the server did not start:\n{log.read_text()}")
    return server


def launch(run: RunFolder, log: Path, *options: str, reviewer: str = "ana", **more: str) -> Server:
    """Start `curate review` in a group of processes of its own, as a shell does."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(run, "--reviewer", reviewer, *options),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(**more),
            start_new_session=True,
        )
    return Server(process, run, log)


def stop(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)
    try:
        server.process.wait(PATIENCE)
    finally:
        server.process.kill()


def mongod(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start a MongoDB of the test's own; return its process and address."""
    import importlib.util

    spec = importlib.util.find_spec("fiftyone")
    assert spec is not None
    assert spec.submodule_search_locations
    binary = Path(spec.submodule_search_locations[0]) / "db" / "bin" / "mongod"
    port = own_port()
    folder.mkdir()
    words = [str(binary), "--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    # mongod's journal takes 300 MB at once; a test needs none
    process = subprocess.Popen([*words, "--nojournal"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not waited_for(lambda: _answers(port)):
        process.kill()
        pytest.fail("the test's mongod did not start")
    return process, f"mongodb://127.0.0.1:{port}"


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def visit(page: Any, server: Server) -> None:
    """Open the App in a browser, as a person does: who sees no photos for a minute loads the page again."""
    page.goto(server.url)
    tiles = page.locator("[data-cy=looker]")
    if not waited_for(lambda: tiles.count() > 0, seconds=60):
        page.reload()
        assert waited_for(lambda: tiles.count() > 0), page.inner_text("body")
