"""A dataset whose photos are URLs goes from `find-issues` to `cleaned/`, which names the URLs again."""

from __future__ import annotations

import tomllib
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


def test_photos_by_url_are_trained_on_reviewed_and_named_by_url_in_the_cleaned_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: PhotoServer
) -> None:
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
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
    found = curate("find-issues", "shop.csv", "--fetch", server.address, "--no-text")
    assert found.exit_code == 0, found.output
    assert "23 photos were fetched." in found.stderr
    run = curation.open_run()
    issues = run.issues.set_index("id")
    assert issues.index[issues["is_unreadable_issue"]].tolist() == ["L03"]
    page = curate("review", "--html")
    assert page.exit_code == 0, page.output
    # thumbnails of the worst listings
    assert (run.folder / "report.html").read_text().count('<img src="data:image/') >= 3
    run.decide("L05", "relabel", label="sofa")
    applied = curate("apply-fixes")
    assert applied.exit_code == 0, applied.output
    written = pd.read_csv(run.folder / "cleaned" / "listings.csv")
    expected = table.copy()
    expected.loc[5, "category"] = "sofa"
    pd.testing.assert_frame_equal(written, expected)
    # not as wide as the cache
    declared = tomllib.loads((run.folder / "cleaned" / "dataset.toml").read_text())
    assert (run.folder / "cleaned" / declared["photos"]).resolve() == tmp_path / "shop"
    # the next program reads the cleaned dataset as it read the input, and nothing is downloaded again
    asked = len(server.asked)
    again = curation.read_listings(run.folder / "cleaned", fetch=server.address)
    assert again.table["image"].notna().sum() == 23
    assert server.asked[asked:] == ["/gone"]
