"""What fails in a review's server: a plain sentence for the browser, and the traceback in the run's ``review.log``."""

from __future__ import annotations

import json
import logging
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from curation.rendering.visible import visible
from curation.review.server.asgi import App, Message, Receive, Scope, Send
from training.utils.progress import Reporter

__all__ = ["LOG", "Failures", "logged"]

#: The file of a run.
LOG = "review.log"
_TRACEBACK = "Traceback (most recent call last)"
# where FiftyOne puts tracebacks: the first are nothing else, the others may be messages
_FRAMES, _MESSAGES = ("stack",), ("delegation_error", "error", "error_message", "errors", "loading_errors", "message")


class _Lines(logging.Formatter):
    """Records whose texts can't forge another record, or steer the terminal that shows the file."""

    def format(self, record: logging.LogRecord) -> str:
        first, *more = super().format(record).split("\n")
        return "\n    ".join(visible(line) for line in (first, *more))


class _Log(logging.FileHandler):
    """A log that stops nothing where it can't be written: on a full disk, or in a folder that is gone."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing: whoever reviews can do nothing about it in the terminal."""


@contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Write what FiftyOne and its server log as errors to the log of a run, instead of to the terminal.

    Parameters
    ----------
    folder : Path
        The run. The file is written with the first record.
    """
    handler = _Log(folder / LOG, encoding="utf-8", errors="backslashreplace", delay=True)
    handler.setLevel(logging.ERROR)
    handler.setFormatter(_Lines("%(asctime)s %(name)s: %(message)s"))
    # FiftyOne's packages have handlers of their own, which print
    loggers = [logging.getLogger(name) for name in (None, "fiftyone", "eta")]
    before = [logger.handlers for logger in loggers]
    for logger, own in zip(loggers, before, strict=True):
        logger.handlers = [*own, handler] if logger is loggers[0] else []
    try:
        yield
    finally:
        for logger, own in zip(loggers, before, strict=True):
            logger.handlers = own
        with suppress(OSError):  # what is left to write finds no room
            handler.close()


class Failures:
    """An ASGI app that keeps the tracebacks of another one from the browser.

    Parameters
    ----------
    app : ASGI app
        The server.
    reporter : Reporter
        Hears of the first failure.
    where : str
        What failed, in words.
    """

    def __init__(self, app: App, reporter: Reporter, where: str = "FiftyOne's server") -> None:
        self._app = app
        self._where = where
        self._reporter = reporter
        self._log = logging.getLogger("curate.review")
        self._said = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, lambda details: self._failed(scope, details))
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            sentence = self._failed(scope, traceback.format_exc())
            if not answer.begun:
                await answer.refuse(sentence)

    def _failed(self, scope: Scope, details: str) -> str:
        """Log a failure, and return what a person is told."""
        reference = secrets.token_hex(4)
        # no query: it names files, and once held a token
        self._log.error("%s: %s %s\n%s", reference, scope["method"], scope["path"], details)
        sentence = f"This failed in {self._where}. The run's {LOG} says why, at {reference}."
        if not self._said:
            self._said = True
            self._reporter.say(f"{scope['path']}: {sentence}")
        return sentence


class _Answer:
    """One answer on its way: held back while it may have a traceback."""

    def __init__(self, send: Send, failed: Any) -> None:
        self.begun = False
        self._send, self._failed = send, failed
        self._start: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            if not self._is_held(message):
                self.begun = True
                await self._send(message)
            return
        if message["type"] != "http.response.body" or self.begun or self._start is None:
            await self._send(self._without_traceback(message) if message.get("body") else message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        if _is_failure(self._start):
            await self.refuse(self._failed(_text(self._body)))
            return
        body = self._scrubbed(bytes(self._body))
        self.begun = True
        headers = [(name, value) for name, value in self._start["headers"] if name.lower() != b"content-length"]
        await self._send({**self._start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body})

    def _is_held(self, start: Message) -> bool:
        return _is_failure(start) or _is_json(start)

    async def refuse(self, sentence: str) -> None:
        """Answer 500 with a sentence, in the form that the App shows."""
        body = json.dumps({"kind": "Server Error", "error": sentence, "message": sentence, "stack": sentence}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        self.begun = True
        await self._send({"type": "http.response.start", "status": 500, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def _without_traceback(self, message: Message) -> Message:
        """Return a part of a stream, whose lines are JSON."""
        body = bytes(message["body"])
        if _TRACEBACK.encode() not in body:
            return message
        return {**message, "body": b"\n".join(self._scrubbed(line) for line in body.split(b"\n"))}

    def _scrubbed(self, body: bytes) -> bytes:
        if _TRACEBACK.encode() not in body and b'"stack"' not in body:
            return body
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return json.dumps(self._failed(_text(body))).encode()
        return json.dumps(self._plain(content)).encode()

    def _plain(self, value: Any, name: str = "") -> Any:
        """Return JSON in which a sentence stands for each traceback."""
        if name in _FRAMES and value:
            return self._failed(value if isinstance(value, str) else "".join(map(str, value)))
        if isinstance(value, dict):
            return {key: self._plain(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._plain(item, name) for item in value]
        if name in _MESSAGES and isinstance(value, str) and _TRACEBACK in value:
            return self._failed(value)
        return value


def _is_failure(start: Message) -> bool:
    # 503 with JSON is what an app says by itself to a page of its own, which shows it
    return bool(start["status"] >= 500 and not (start["status"] == 503 and _is_json(start)))


def _is_json(start: Message) -> bool:
    kind: bytes = dict(start.get("headers", ())).get(b"content-type", b"")
    return kind.startswith(b"application/json")


def _text(body: bytes | bytearray) -> str:
    return body.decode("utf-8", "backslashreplace")
