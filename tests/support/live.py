"""A live review in this process, asked as a browser would ask it but without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from curation.review.live.application import application
from curation.review.live.rules import PageRules
from curation.review.live.session import Session
from curation.review.server.guard import Guard
from curation.run.folder import RunFolder

PORT, TOKEN = 5151, "secret"


def _times() -> Iterator[str]:
    latest = datetime.now(UTC)
    while True:
        latest = max(datetime.now(UTC), latest + timedelta(microseconds=1))
        yield latest.isoformat(timespec="microseconds")


_keys = _times()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


def key() -> str:
    """A time to the microsecond, later than the ones before."""
    return next(_keys)


class Live:
    """An open review of a run, behind its guard."""

    def __init__(self, run: RunFolder, reviewer: str = "ana", first: int | None = None, **more: Any) -> None:
        self.run = run
        self.session = Session(run, reviewer, port=PORT, first=first, **more)
        self.app = Guard(
            application(self.session),
            address="127.0.0.1",
            port=PORT,
            token=TOKEN,
            use_code=lambda code: code == "once",
            rules=PageRules(),
        )

    def ask(self, path: str, *, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        """Send one request with the right cookie, unless `headers` say otherwise; a blank one is left out."""
        path, _, query = path.partition("?")
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"host": f"127.0.0.1:{PORT}", "cookie": f"curate_review_{PORT}={TOKEN}", **headers}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": query.encode(),
            "server": ("127.0.0.1", PORT),
            "client": ("127.0.0.1", 40000),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items() if value],
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]))

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask(f"{path}?{urlencode(query)}")
        assert answer.status == 200, answer
        return answer.json

    def send(self, *steps: dict[str, Any], since: int = 0) -> Any:
        """Send steps, and return the answer."""
        answer = self.ask("/steps", method="POST", body={"session": self.id, "since": since, "steps": list(steps)})
        assert answer.status == 200, answer
        return answer.json

    def say(self, ids: str | list[str], action: str, **more: Any) -> Any:
        """Decide, and return what became of it."""
        (result,) = self.send(step(ids, action, **more))["results"]
        return result

    def news(self, since: int = 0) -> Any:
        return self.get("/changes", session=self.id, since=since)

    @property
    def id(self) -> str:
        return self.session.id


def step(ids: str | list[str], action: str, **more: Any) -> dict[str, Any]:
    """A step of one part, under a new key."""
    return {"key": key(), "parts": [{"ids": [ids] if isinstance(ids, str) else ids, "action": action, **more}]}
