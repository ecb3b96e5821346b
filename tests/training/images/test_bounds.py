"""What decoding a photo may cost: a small file can't ask for all memory, or for hours."""

from __future__ import annotations

import io
import os
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curation.exploration.headers import read_headers
from curation.rendering.thumbnails import make_thumbnail
from training.images import bounds, colours, decode, reading
from training.images.cache import PhotoCache
from training.images.ingest import store_photos
from training.images.reading import BadPhotoError, photo_content, why_unreadable
from training.utils.progress import silent

#: Those who read many photos silence Pillow's warning that one is large.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of one bit a pixel, all of them black, in a few KB."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    packer = zlib.compressobj(9)
    line = bytes(1 + (width + 7) // 8)
    packed = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def why(content: bytes) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it gets words
        decode(content, 8)
    return why_unreadable(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bomb(13_300, 13_300), "it has 177 megapixels (13,300 x 13,300), more than 128 megapixels"),
        (bomb(65_000, 65_000)[:5000], "it has more than 179 megapixels"),
        (b"", "the file is empty"),
        (b"<html>", "not an image"),
        (encoded(Image.new("RGB", (9, 9)), "EPS"), "an EPS file is a program that draws, not a photo"),
    ],
)
def test_what_would_take_too_much_is_refused_before_it_is_decoded(content: bytes, reason: str) -> None:
    assert why(content) == reason


def test_a_bomb_is_a_finding_of_the_run_of_explore_and_of_a_thumbnail(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(13_300, 13_300))
    _, facts = store_photos([path], size=8, cache=PhotoCache(tmp_path / "cache", 10**6, 10**5), spare=tmp_path)
    (header,) = read_headers([path], silent)
    reason = "it has 177 megapixels (13,300 x 13,300), more than 128 megapixels"
    assert (facts[0].error, header.error, make_thumbnail(path, 8).error) == (
        reason,
        reason,
        f"bomb.png can't be read: {reason}",
    )


def test_a_format_that_is_decoded_in_python_has_a_lower_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "_MAX_SLOW_PIXELS", 99)
    photo = Image.new("RGB", (10, 10), "red")
    assert why(encoded(photo, "QOI")).endswith("more than 0 megapixels")
    assert decode(encoded(photo, "PNG"), 8)[1] == (10, 10)


def with_scans(count: int) -> bytes:
    """Return a progressive JPEG whose last scan comes `count` times more."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8))
    whole = encoded(noise, "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * count + whole[-2:]


def test_a_progressive_jpeg_of_thousands_of_scans_is_refused_and_a_usual_one_is_not() -> None:
    assert decode(with_scans(0), 8)[1] == (32, 32)
    assert why(with_scans(5000)) == "it has more than 100 scans"


def test_scans_are_counted_to_the_end_of_the_photo_and_not_in_what_lies_inside_of_it_or_follows() -> None:
    usual = with_scans(0)
    thumbnail = b"\xff\xe1" + (2 + 400).to_bytes(2, "big") + b"\xff\xda" * 200
    assert decode(usual[:2] + thumbnail + usual[2:] + b"\xff\xda\x00\x02" * 200, 8)[1] == (32, 32)
    # two ends inside of a segment end nothing
    ends = b"\xff\xe1" + (2 + 8).to_bytes(2, "big") + b"\xff\xda\xff\xd9" * 2
    many = with_scans(5000)
    assert why(many[:2] + ends + many[2:]) == "it has more than 100 scans"


def test_an_animation_of_blank_frames_is_searched_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colours, "_PIXELS", 64 * 64 * 3)
    seen = []
    spread = colours._spread
    monkeypatch.setattr(colours, "_spread", lambda image: seen.append(image.size) or spread(image))
    blank = [Image.new("L", (64, 64), 100 + number) for number in range(9)]
    decode(encoded(blank[0], "GIF", save_all=True, append_images=blank[1:]), 8)
    # the first, and three more
    assert len(seen) == 4


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16", "I", "F"])
def test_bands_of_a_large_photo_give_the_pixels_of_the_whole(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).integers(0, 2**16, (61, 47))
    image = Image.fromarray(values.astype(np.uint8)) if mode in ("RGBA", "LA") else None
    if image is None:
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        image = Image.fromarray(values.astype(kind))
    else:
        image = image.convert(mode)
        image.putalpha(Image.fromarray(values.astype(np.uint8)).rotate(90))
    whole = np.asarray(colours.rgb(image))
    monkeypatch.setattr(colours, "_BAND", 47 * 5)
    assert np.array_equal(np.asarray(colours.rgb(image)), whole)


def test_large_files_are_held_one_at_a_time_and_small_ones_do_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_LARGE", 10)
    (tmp_path / "large").write_bytes(bytes(11))
    (tmp_path / "small").write_bytes(bytes(10))
    taken = threading.Event()

    def take() -> None:
        with photo_content(tmp_path / "large"):
            taken.set()

    with photo_content(tmp_path / "large"):
        other = threading.Thread(target=take)
        other.start()
        with photo_content(tmp_path / "small") as content:
            assert len(content) == 10
        assert not taken.wait(0.05)
    other.join()
    assert taken.is_set()


def test_what_is_no_file_is_a_finding_in_every_place_that_reads_photos(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "sparse.jpg").touch()
    os.truncate(tmp_path / "sparse.jpg", 3 * 10**9)
    reasons = {
        "pipe.jpg": "it is a named pipe, not a file",
        "zero.jpg": "it is a device, not a file",
        "loop.jpg": "it is a link that leads to itself",
        "sparse.jpg": "it has 3 GB, more than 200 MB",
    }
    paths = [tmp_path / name for name in reasons]
    _, facts = store_photos(paths, size=8, cache=PhotoCache(tmp_path / "cache", 10**6, 10**5), spare=tmp_path)
    assert [fact.error for fact in facts] == list(reasons.values())
    assert [header.error for header in read_headers(paths, silent)] == list(reasons.values())
    for path in paths:
        assert make_thumbnail(path, 8).error == f"{path.name} can't be read: {reasons[path.name]}"


def test_a_reason_is_one_short_line_whatever_the_file_put_into_it() -> None:
    assert why_unreadable(ValueError("bad\x1b[31m\nname")) == "bad [31m name"
    assert len(why_unreadable(ValueError("x" * 10**6))) == 201
    assert why_unreadable(MemoryError()) == "there is not enough memory for it"
    assert why_unreadable(BadPhotoError()) == "BadPhotoError"
