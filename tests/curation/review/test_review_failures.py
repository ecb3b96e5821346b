"""What the browser is told where a review's server fails, and where it says by itself that it can't go on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from curation.review.live.application import application
from curation.review.server.asgi import App, Receive, Scope, Send
from curation.review.server.failures import Failures, logged
from curation.run.folder import RunFolder
from tests.support.live import Live
from training.utils.progress import SILENT


def answered(app: App, path: str = "/") -> tuple[int, Any]:
    """Return status and content of what a browser gets."""
    sent: list[Any] = []
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "root_path": ""}
    scope |= {"query_string": b"session=x&since=0", "headers": [], "scheme": "http", "server": ("localhost", 1)}

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Failures(app, SILENT)(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(part.get("body", b"") for part in sent[1:]))


def app_saying(status: int, content: bytes, kind: bytes = b"application/json") -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": content})

    return app


def test_a_page_of_a_run_that_has_changed_is_told_so(run: RunFolder) -> None:
    live = Live(run)
    run.write_table(run.issues_file, run.issues().assign(price=1.0))
    status, content = answered(application(live.session), "/changes")
    assert (status, "have changed" in content["stopped"]) == (503, True)


@pytest.mark.parametrize("path", ["/cards?places=0", "/rows?places=0", "/find?words=x"])
def test_a_page_of_a_run_that_is_gone_is_told_so(run: RunFolder, path: str) -> None:
    live = Live(run)
    run.folder.rename(run.folder.with_name("elsewhere"))
    answer = live.ask(path)
    assert (answer.status, str(run.folder) in answer.json["stopped"]) == (503, True)


@pytest.mark.parametrize(("status", "kind"), [(500, b"application/json"), (502, b"text/plain"), (503, b"text/plain")])
def test_what_failed_is_a_sentence_without_its_traceback(status: int, kind: bytes) -> None:
    told = answered(app_saying(status, b'{"error": "Traceback (most recent call last) /home"}', kind))
    assert told[0] == 500
    assert "This failed in" in told[1]["error"]
    assert "home" not in told[1]["error"]


def test_a_traceback_in_what_an_app_says_by_itself_is_kept_from_the_browser() -> None:
    _, content = answered(app_saying(503, b'{"error": "Traceback (most recent call last) /home"}'))
    assert "/home" not in json.dumps(content)


def test_a_log_that_cannot_be_written_ends_no_review(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logged(tmp_path / "gone"):
        assert answered(app_saying(500, b"why", b"text/plain"))[0] == 500
    assert capsys.readouterr().err == ""
