"""What decoding a photo may cost: a small file can't ask for all memory, or for hours."""

from __future__ import annotations

import io
import os
import struct
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


def bomb(width: int, height: int, rows: int | None = None) -> bytes:
    """Return a PNG of one bit a pixel, all of them black, in a few KB; perhaps with fewer rows than it says."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    packer = zlib.compressobj(9)
    line = bytes(1 + (width + 7) // 8)
    packed = b"".join(packer.compress(line) for _ in range(height if rows is None else rows)) + packer.flush()
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
        (b"GRIB\0\0\0\1" + bytes(99), "Pillow does not decode GRIB files"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "Pillow does not decode HDF5 files"),
        (b"FTEX" + struct.pack("<8i", 1, 0, 2, 1, 1, 1, 32, 24) + bytes(24), "not an image"),
    ],
)
def test_what_would_take_too_much_or_has_no_pixels_is_refused_before_it_is_decoded(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    assert why(content) == reason
    (tmp_path / "photo").write_bytes(content)
    (header,) = read_headers([tmp_path / "photo"], silent)
    assert (header.width, header.height, header.error) == (None, None, reason)


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


def claiming(form: str, width: int, height: int) -> bytes:
    """Return a small file that says how large the photo is, and has hardly anything of it."""
    if form == "PNG":
        return bomb(width, height, rows=1)
    small = encoded(Image.new("RGB", (300, 301), "red"), form)
    size, order = (4, (300, 301)) if form == "QOI" else (2, (301, 300))
    claimed = (width, height) if form == "QOI" else (height, width)
    before, after = (b"".join(side.to_bytes(size, "big") for side in sides) for sides in (order, claimed))
    assert small.count(before) == 1
    return small.replace(before, after)


@pytest.mark.parametrize(
    ("form", "largest", "too_large", "reason"),
    [
        ("PNG", (16_000, 8_000), (16_000, 8_001), "it has 128 megapixels (16,000 x 8,001), more than 128 megapixels"),
        ("QOI", (4_000, 4_000), (4_000, 4_001), "it has 16 megapixels (4,000 x 4,001), more than 16 megapixels"),
        ("JPEG", (13_377, 13_377), (13_378, 13_378), "it has more than 179 megapixels"),
    ],
)
def test_a_photo_at_the_bound_of_its_pixels_is_decoded_and_a_larger_one_is_not(
    form: str, largest: tuple[int, int], too_large: tuple[int, int], reason: str
) -> None:
    def check(size: tuple[int, int]) -> None:
        with bounds.open_photo(claiming(form, *size)) as opened:
            assert opened.size == size
            opened.draft("RGB", (8, 8))
            bounds.check_pixels(opened)

    check(largest)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - Pillow has an error of its own
        check(too_large)
    assert why_unreadable(caught.value) == reason


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


def test_a_progressive_jpeg_may_have_100_scans_and_no_more() -> None:
    usual = with_scans(0).count(b"\xff\xda")
    assert decode(with_scans(100 - usual), 8)[1] == (32, 32)
    assert why(with_scans(101 - usual)) == "it has more than 100 scans"


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


@pytest.mark.parametrize(("blank", "shown"), [(49, True), (50, False)])
def test_of_an_animation_that_begins_blank_50_frames_are_searched(blank: int, shown: bool) -> None:
    frames = [Image.new("L", (16, 16), 100 + number) for number in range(blank)]
    frames.append(Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)))
    pixels, _ = decode(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]), 16)
    assert (pixels.std() > 20) == shown


def test_large_photos_are_decoded_one_at_a_time_and_others_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "_LARGE", 16 * 16)
    done = threading.Event()
    large, other = (encoded(Image.new("RGB", (16, side), "red"), "PNG") for side in (17, 16))

    def decode_large() -> None:
        decode(large, 8)
        done.set()

    with bounds.open_photo(large) as opened, bounds.within_bounds(opened, large, opened.size):
        thread = threading.Thread(target=decode_large)
        thread.start()
        assert decode(other, 8)[1] == (16, 16)
        assert not done.wait(0.05)
    thread.join()
    assert done.is_set()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say how much memory is in use")
def test_the_memory_of_a_large_photo_is_given_back(tmp_path: Path) -> None:
    def in_use() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(encoded(Image.new("RGBA", (6000, 4000), (number, 0, 0, 99)), "PNG", compress_level=1))
    kept, before = [], in_use()
    for path in paths:
        store_photos([path], size=8, cache=PhotoCache(tmp_path / "cache", 10**6, 10**5), spare=tmp_path)
        kept.append(in_use() - before)
    # of 310 MB: 96 for the photo, the rest for what is made of it
    assert max(kept) < 200 * 10**6


def test_the_page_names_the_bounds_that_hold() -> None:
    page = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
    section = page[page.index("### Photos\n") : page.index("### Photos by URL")]
    for words in (
        f"| {reading.MAX_BYTES // 10**6} MB, or `--max-photo-mb`",
        f"| {bounds.MAX_PIXELS // 10**6} million; of a baseline JPEG, which is decoded smaller, 179 million",
        f"e.g. QOI, {bounds._MAX_SLOW_PIXELS // 10**6} million |",
        f"| scans of a progressive JPEG | {bounds._MAX_SCANS} |",
        f"| the first {colours._FRAMES}, with {colours._PIXELS // 10**6} million pixels in all",
        f"Files above {reading._LARGE // 10**6} MB, and photos above {bounds._LARGE // 10**6} million pixels",
    ):
        assert words in section


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


def test_a_file_at_the_bound_of_its_bytes_is_read_and_a_larger_one_is_not(tmp_path: Path) -> None:
    content = encoded(Image.new("RGB", (9, 9), "red"), "PNG")
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    for most, error in ((len(content), None), (len(content) - 1, f"it has {len(content)} B, more than")):
        cache = PhotoCache(tmp_path / "cache", 10**6, 10**5)
        _, facts = store_photos([path], size=8, cache=cache, spare=tmp_path, max_bytes=most)
        (header,) = read_headers([path], silent, max_bytes=most)
        thumbnail = make_thumbnail(path, 8, max_bytes=most)
        for found in (facts[0].error, header.error, thumbnail.error):
            assert found is None if error is None else error in found
    # by default, 200 MB
    os.truncate(path, 200 * 10**6 + 1)
    assert read_headers([path], silent)[0].error == "it has 200,000,001 bytes, more than 200,000,000"


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
