"""The site of the documents in a browser, read from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.site import build_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


@pytest.mark.parametrize("name", ["index.html", "how-to/months.html"])
def test_the_search_finds_pages_and_nothing_leaves_the_folder(site: Path, context: Any, name: str) -> None:
    page = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((site / name).as_uri())
    page.locator(".md-search__input").press_sequentially("krippendorff")
    found = page.locator(".md-search-result__item a").first
    found.wait_for()
    found.click()
    page.locator("article", has_text="Krippendorff").wait_for()
    assert errors == []
    assert [url for url in asked if not url.startswith((site.as_uri(), "data:", "about:"))] == []
