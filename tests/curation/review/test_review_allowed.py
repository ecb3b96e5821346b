"""Bodies that a review takes, without a server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from curation.review.server.allowed import AppRules, refuse_body
from curation.review.server.guard import Guard


def refused(**asked: Any) -> tuple[int, str] | None:
    body = {"operator_uri": "@curate/review/relabel", "dataset_name": "curate shop", "params": {}, **asked}
    return refuse_body("/operators/execute", json.dumps(body).encode())


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"params": {"note": 5}}, "note must be a text, got a number."),
        ({"params": {"note": False}}, "note must be a text, got yes or no."),
        ({"params": {"label": ["x"]}}, "label must be a text, got a list."),
        ({"params": {"new_class": 0}}, "new_class must be a text, got a number."),
        ({"params": {"price": {"a": 1}}}, "price must be a text, got an object."),
        ({"params": {"action": []}}, "action must be a text, got a list."),
        ({"params": None}, "params must be an object, got nothing."),
        ({"params": []}, "params must be an object, got a list."),
        ({"params": "note"}, "params must be an object, got a text."),
        ({"selected": "00"}, "selected must be a list of ids, got a text."),
        ({"selected": [5]}, "selected must be a list of ids, got a list with a number."),
        ({"current_sample": {}}, "current_sample must be a text, got an object."),
        ({"dataset_name": 1.5}, "dataset_name must be a text, got a number."),
    ],
    ids=str,
)
def test_a_parameter_of_another_type_is_refused_by_name(asked: dict[str, Any], why: str) -> None:
    assert refused(**asked) == (400, why)


@pytest.mark.parametrize(
    "asked",
    [
        {"params": {"label": "desk", "new_class": None, "note": "his words", "price": "12"}},
        {"params": {"other": 5}},
        {"selected": None, "current_sample": None},
        {"params": {"note": 5}, "operator_uri": "@me/mine/other"},
        {"selected": ["0" * 24], "current_sample": "0" * 24},
    ],
    ids=str,
)
def test_what_the_app_sends_passes(asked: dict[str, Any]) -> None:
    assert refused(**asked) is None


def status_of(length: str, wait: float) -> int:
    """Return the status that the guard answers to a request whose body never comes; 0 if none within `wait` seconds."""

    async def never() -> Any:
        await asyncio.Event().wait()

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    names = {"host": "127.0.0.1:5151", "cookie": "curate_review_5151=secret", "content-length": length}
    headers = [(name.encode(), value.encode()) for name, value in names.items()]
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/operators/execute", "query_string": b""}
    guard = Guard(
        never, address="127.0.0.1", port=5151, token="secret", use_code=lambda code: False, rules=AppRules(frozenset())
    )
    try:
        asyncio.run(asyncio.wait_for(guard({**scope, "headers": headers}, never, send), wait))
    except TimeoutError:
        return 0
    return int(sent[0]["status"])


@pytest.mark.parametrize("length", [str(64 * 1024 * 1024 + 1), str(10**18), "9" * 5000])
def test_a_body_that_says_that_it_is_too_large_is_refused_at_once(length: str) -> None:
    assert status_of(length, 60) == 413


def test_a_body_of_64_mib_is_waited_for() -> None:
    assert status_of(str(64 * 1024 * 1024), 0.2) == 0
