"""The site of the documents in a browser, read from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.axe import findings
from tests.support.chromium import patient
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "tutorial.html", "commands.html", "api.html"])
def test_pages_can_be_read_by_everybody(site: Path, browser: Any, name: str, scheme: str) -> None:
    page = patient(browser.new_page(viewport={"width": 400, "height": 900}, color_scheme=scheme))
    page.goto((site / name).as_uri())
    # the theme puts tables into boxes that scroll, once the page is there
    page.wait_for_function(
        "document.querySelectorAll('table').length === document.querySelectorAll('[tabindex] table').length"
    )
    # of less impact are what the theme and Markdown can't do: empty corners of tables, names of the navigation's parts
    assert [line for line in findings(page) if "(serious)" in line or "(critical)" in line] == []
    page.close()
