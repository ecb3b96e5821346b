"""Thumbnails, made when the grid requests them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from PIL import Image

from curation.review.app.thumbnails import Thumbnails, thumbnail_of


def request(thumbnails: dict[str, str], path: str) -> list[str]:
    """Ask for a file as the grid does; return the files that the app behind finds."""
    files: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        files.extend(name for name in [path] if Path(name).is_file())

    query = urlencode({"filepath": path}).encode()
    asyncio.run(Thumbnails(app, thumbnails)({"type": "http", "path": "/media", "query_string": query}, None, None))
    return files


def test_a_thumbnail_is_small_upright_and_there_when_it_is_asked_for(tmp_path):
    photo, small = tmp_path / "a.jpg", tmp_path / "thumbnails" / "a b.webp"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (1600, 800), "red").save(photo, exif=exif)
    assert request({str(small): str(photo)}, str(small)) == [str(small)]
    with Image.open(small) as image:
        assert image.size == (128, 256)
    made = small.stat().st_mtime_ns
    request({str(small): str(photo)}, str(small))
    assert small.stat().st_mtime_ns == made


def test_a_photo_that_is_gone_or_damaged_gets_none_and_the_app_answers(tmp_path):
    small = tmp_path / "thumbnails" / "a.webp"
    assert request({str(small): str(tmp_path / "gone.jpg")}, str(small)) == []
    (tmp_path / "damaged.jpg").write_bytes(b"no photo")
    assert request({str(small): str(tmp_path / "damaged.jpg")}, str(small)) == []
    assert not any(tmp_path.glob("thumbnails/*"))


def test_nothing_is_made_that_is_no_thumbnail_of_the_run(tmp_path):
    photo, other = tmp_path / "a.jpg", tmp_path / "other.jpg"
    Image.new("RGB", (1600, 800), "red").save(photo)
    assert request({str(tmp_path / "small.webp"): str(photo)}, str(other)) == []
    assert not other.exists()


def test_small_photos_and_those_nothing_is_known_of_are_shown_themselves(tmp_path):
    row = {"photo": "/p/a.jpg", "sha256": "5f", "width": 300, "height": 512}
    assert thumbnail_of(row, tmp_path) == "/p/a.jpg"
    assert thumbnail_of({**row, "height": 513}, tmp_path) == str(tmp_path / "5f.webp")
    assert thumbnail_of({**row, "sha256": None, "width": None, "height": None}, tmp_path) == "/p/a.jpg"
    assert thumbnail_of({"photo": "/p/a.jpg"}, tmp_path) == "/p/a.jpg"
