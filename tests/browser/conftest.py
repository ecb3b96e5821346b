"""Chromium, a profile of it for each test, and the review of a run as one page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from curation.run.folder import RunFolder
from tests.support.chromium import chromium, patient
from tests.support.review_page import Opened, open_page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    """A profile of its own: clearing the storage of a shared one may take effect only in the next test."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    yield patient(context)
    context.close()


@pytest.fixture
def opened(run: RunFolder, context: Any) -> Opened:
    return open_page(run, context)
