"""A server of buckets for the tests of what lies in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.s3_server import BucketServer, serve_buckets


@pytest.fixture(scope="package")
def started() -> Iterator[BucketServer]:
    """Start one server for all tests."""
    with serve_buckets() as server:
        yield server


@pytest.fixture
def buckets(started: BucketServer, monkeypatch: pytest.MonkeyPatch) -> BucketServer:
    """Return an empty server that every program here finds."""
    started.forget()
    for name, value in started.environment().items():
        monkeypatch.setenv(name, value)
    return started
