"""A dataset whose photos are URLs goes through `find-issues` and the review."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import curation
from tests.cli.test_cli import curate
from tests.support.photo_server import PhotoServer, serve_photos


@pytest.fixture(scope="module")
def server() -> Iterator[PhotoServer]:
    with serve_photos() as photos:
        yield photos


def test_photos_by_url_are_trained_on_and_shown_in_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: PhotoServer
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_CACHE_DIR", str(tmp_path / "cache"))
    rows = range(24)
    table = pd.DataFrame(
        {
            "sku": [f"L{row:02}" for row in rows],
            "image_url": [f"{server.address}/{row * 10}.jpg?size=large" for row in rows],
            "category": ["lamp" if row < 12 else "sofa" for row in rows],
        }
    )
    table.loc[3, "image_url"] = f"{server.address}/gone"
    table.to_csv("shop.csv", index=False)
    found = curate("find-issues", "shop.csv", "--fetch", "--no-text")
    assert found.exit_code == 0, found.output
    assert "23 photos were fetched." in found.stderr
    run = curation.open_run()
    issues = run.issues.set_index("id")
    assert issues.index[issues["is_unreadable_issue"]].tolist() == ["L03"]
    page = curate("review", "--html")
    assert page.exit_code == 0, page.output
    # thumbnails of the worst listings
    assert (run.folder / "report.html").read_text().count('<img src="data:image/') >= 3
