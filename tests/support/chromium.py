"""Chromium, for the tests that use the review as a person does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import PATIENCE

CHROMIUM = "/usr/bin/chromium"
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser, or skip the test where there is none. One at a time, and not for long: asyncio can't be used
    beside it."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS.split(), timeout=1000 * PATIENCE)
        yield browser
        browser.close()


def patient(opened: Any) -> Any:
    """Return a profile or a tab of the browser, which waits for as long as a busy machine may need."""
    opened.set_default_timeout(1000 * PATIENCE)
    return opened
