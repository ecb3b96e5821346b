"""Thumbnails, and photos that give none."""

import io

import pytest
from PIL import Image

from curation.rendering.thumbnails import make_thumbnail


@pytest.mark.parametrize(("size", "wanted"), [((800, 200), (100, 25)), ((40, 90), (40, 90)), ((1, 3000), (1, 100))])
def test_no_side_is_longer_than_asked_and_nothing_is_enlarged(tmp_path, size, wanted):
    Image.new("RGB", size, "red").save(tmp_path / "a.png")
    with Image.open(io.BytesIO(make_thumbnail(tmp_path / "a.png", 100).content)) as image:
        assert (image.format, image.size) == ("WEBP", wanted)


def test_a_photo_that_can_not_be_read_says_why(tmp_path):
    (tmp_path / "text.jpg").write_bytes(b"no image")
    Image.effect_noise((64, 64), 50).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:500])
    (tmp_path / "folder.jpg").mkdir()
    made = {name: make_thumbnail(tmp_path / name, 32) for name in ("text.jpg", "cut.png", "gone.jpg", "folder.jpg")}
    assert {name: thumbnail.error.partition(" (")[0] for name, thumbnail in made.items()} == {
        "text.jpg": "text.jpg can't be read: not an image",
        "cut.png": "cut.png can't be read: image file is truncated",
        "gone.jpg": "gone.jpg can't be read: no such file",
        "folder.jpg": "folder.jpg can't be read: it is a folder, not a file",
    }
    assert {thumbnail.uri for thumbnail in made.values()} == {None}
