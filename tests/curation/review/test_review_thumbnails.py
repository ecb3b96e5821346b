"""The files that the App shows: photos, copies made when they are asked for, and tiles where there is no photo."""

from __future__ import annotations

import asyncio
import io
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import numpy as np
import pytest
from PIL import Image

from curation.review.app.thumbnails import Source, Thumbnails, sources, thumbnail_of, whole_of
from curation.review.app.tiles import CANNOT_BE_OPENED, NO_PHOTO, NOT_FOUND, tile


def request(files: dict[str, Source], path: str, folder: Path, *damaged: str) -> list[str]:
    """Ask for a file as the App does; return the file that the server behind is asked for, if there is one."""
    found: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.extend(name for name in parse_qs(scope["query_string"].decode())["filepath"] if Path(name).is_file())

    query = urlencode({"filepath": path}).encode()
    guarded = Thumbnails(app, files, folder, frozenset(damaged))
    asyncio.run(guarded({"type": "http", "path": "/media", "query_string": query}, None, None))
    return found


def test_a_thumbnail_is_small_upright_and_there_when_it_is_asked_for(tmp_path):
    photo, folder = tmp_path / "a.jpg", tmp_path / "thumbnails"
    small = folder / "a b.webp"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (1600, 800), "red").save(photo, exif=exif)
    files = {str(small): Source(str(photo), 256)}
    assert request(files, str(small), folder) == [str(small)]
    with Image.open(small) as image:
        assert image.size == (128, 256)
    made = small.stat().st_mtime_ns
    request(files, str(small), folder)
    assert small.stat().st_mtime_ns == made


def test_a_listing_without_a_photo_is_shown_a_tile_that_says_so(tmp_path):
    files = sources({"photo": None}, tmp_path / "tiles")
    (file,) = files
    (shown,) = request(files, file, tmp_path / "tiles")
    assert shown == file == str(tmp_path / "tiles" / f"{NO_PHOTO}.webp")
    assert Path(shown).read_bytes() == tile(NO_PHOTO)


@pytest.mark.parametrize("large", [True, False])
def test_a_photo_that_is_gone_or_damaged_is_shown_as_a_tile_that_says_what_it_is(tmp_path, large):
    photos, tiles = tmp_path / "photos", tmp_path / "tiles"
    photos.mkdir()
    (photos / "damaged.jpg").write_bytes(b"no photo")
    for name, words in (("gone.jpg", NOT_FOUND), ("damaged.jpg", CANNOT_BE_OPENED)):
        size = {"sha256": name, "width": 4000, "height": 10} if large else {}
        files = sources({"photo": str(photos / name), **size}, tiles)
        assert len(files) == 1 + large
        for file in files:
            (shown,) = request(files, file, tiles, str(photos / "damaged.jpg"))
            assert Path(shown).read_bytes() == tile(words)
    assert sorted(path.name for path in photos.iterdir()) == ["damaged.jpg"]


def test_a_photo_that_was_damaged_and_is_mended_is_shown_itself(tmp_path):
    photo = tmp_path / "a.jpg"
    Image.new("RGB", (60, 40), "red").save(photo)
    files = sources({"photo": str(photo)}, tmp_path / "tiles")
    assert request(files, str(photo), tmp_path / "tiles", str(photo)) == [str(photo)]


@pytest.mark.parametrize("name", [b"a.tif", b"caf\xe9.jpg", b"a.ppm", b"A.TIFF"])
def test_a_photo_that_no_browser_or_database_takes_is_shown_as_a_copy(tmp_path, name):
    photo, folder = os.fsdecode(os.fsencode(tmp_path) + b"/" + name), tmp_path / "copies"
    stream = io.BytesIO()
    Image.new("RGB", (3000, 1500), "red").save(stream, "TIFF")
    Path(photo).write_bytes(stream.getvalue())
    row = {"photo": photo, "sha256": "5f", "width": 3000, "height": 1500}
    files = sources(row, folder)
    whole, small = whole_of(photo, folder), thumbnail_of(row, folder)
    assert set(files) == {whole, small}
    for file, size in ((whole, (2048, 1024)), (small, (256, 128))):
        file.encode()  # MongoDB takes it
        (shown,) = request(files, file, folder)
        with Image.open(shown) as image:
            assert (image.format, image.size) == ("WEBP", size)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [Path(photo).name]


def test_nothing_is_made_that_is_no_file_of_the_run(tmp_path):
    photo, other = tmp_path / "a.jpg", tmp_path / "other.jpg"
    Image.new("RGB", (1600, 800), "red").save(photo)
    assert request({str(tmp_path / "small.webp"): Source(str(photo), 256)}, str(other), tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_small_photos_and_those_nothing_is_known_of_are_shown_themselves(tmp_path):
    row = {"photo": "/p/a.jpg", "sha256": "5f", "width": 300, "height": 512}
    assert thumbnail_of(row, tmp_path) == "/p/a.jpg"
    assert thumbnail_of({**row, "height": 513}, tmp_path) == str(tmp_path / "5f.webp")
    assert thumbnail_of({**row, "sha256": None, "width": None, "height": None}, tmp_path) == "/p/a.jpg"
    assert thumbnail_of({"photo": "/p/a.jpg"}, tmp_path) == "/p/a.jpg"


def test_each_tile_has_words_of_its_own_within_its_frame():
    grounds, drawn = set(), []
    for words in (NO_PHOTO, NOT_FOUND, CANNOT_BE_OPENED):
        with Image.open(io.BytesIO(tile(words))) as image:
            pixels = np.asarray(image.convert("L"), dtype=int)
        bright = pixels > 150
        assert bright[260:340].any()
        assert not bright[:, [0, -1]].any()
        grounds.add(int(pixels[4, 4]))
        drawn.append(bright[260:340].sum())
    assert len(grounds) == 1
    assert len(set(drawn)) == 3
