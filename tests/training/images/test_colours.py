"""Photos of every colour mode, of which an earlier version saw nothing: what they show is seen after decoding."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from training.images import decode

SIZE = 48


def encoded(image, form="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def spread(pixels):
    return pixels.reshape(-1, 3).std(axis=0).max()


def drawing(shape, mode, ink, paper):
    image = Image.new(mode, (120, 90), paper)
    draw = ImageDraw.Draw(image)
    getattr(draw, shape)((20, 15, 80, 70), fill=ink)
    return image


def in_16_bits(top, bits=16, low=0):
    """Return a grey gradient from `low` to `top` as a 16-bit PNG."""
    values = np.linspace(low, top, 64 * 64).reshape(64, 64).astype(f"uint{bits}")
    return encoded(Image.fromarray(values))


def rgb_of_16_bits(pixels):
    """Return a PNG with 16 bits a colour, which Pillow reads and can't write."""
    import struct
    import zlib

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_a_white_drawing_on_transparency_is_seen(mode):
    image = drawing("ellipse", "RGBA", (255, 255, 255, 255), (255, 255, 255, 0))
    other = drawing("rectangle", "RGBA", (255, 255, 255, 255), (255, 255, 255, 0))
    if mode == "P":
        # white and transparent white, both in the palette
        image, other = (Image.fromarray((np.asarray(each)[..., 3] > 0).astype(np.uint8)) for each in (image, other))
        for each in (image, other):
            each.putpalette([255] * 6)
        contents = [encoded(each, transparency=0) for each in (image, other)]
    else:
        contents = [encoded(each.convert(mode)) for each in (image, other)]
    one, two = (decode(content, SIZE)[0] for content in contents)
    assert min(spread(one), spread(two)) > 50
    assert np.abs(one.astype(int) - two).max() > 200


def test_a_dark_drawing_on_transparency_still_lies_on_white():
    image = drawing("ellipse", "RGBA", (10, 10, 60, 255), (0, 0, 0, 0))
    assert decode(encoded(image), SIZE)[0][0, 0].tolist() == [255] * 3


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (30, 90, 200)])
def test_what_is_transparent_everywhere_is_a_blank_photo(colour):
    assert decode(encoded(Image.new("RGBA", (40, 30), (*colour, 0))), SIZE)[0].min() == 255


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_grey_photos_of_every_depth_have_all_their_shades(bits):
    pixels, _ = decode(in_16_bits(2**bits - 1), SIZE)
    assert pixels.min() < 20
    assert pixels.max() > 235
    assert 120 < pixels.mean() < 135


def test_a_dark_photo_of_16_bits_stays_dark():
    pixels, _ = decode(in_16_bits(20_000), SIZE)
    assert 70 < pixels.max() < 80


@pytest.mark.parametrize(("low", "top"), [(30_000, 31_000), (65_000, 65_400), (100, 110)])
def test_a_small_range_of_grey_levels_is_stretched(low, top):
    pixels, _ = decode(in_16_bits(top, low=low), SIZE)
    assert pixels.min() < 20
    assert pixels.max() > 235


def test_one_grey_level_of_16_bits_is_a_blank_photo():
    for level in (0, 3, 900, 30_000, 65_535):
        assert spread(decode(encoded(Image.fromarray(np.full((30, 40), level, dtype=np.uint16))), SIZE)[0]) == 0


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 1, 64 * 64, dtype=np.float32),
        np.linspace(0, 255, 64 * 64, dtype=np.float32),
        np.linspace(0, 4e6, 64 * 64, dtype=np.float32),
        np.linspace(-40, 90, 64 * 64, dtype=np.float32),
        np.linspace(-2, -1, 64 * 64, dtype=np.float32),
        np.append(np.linspace(0, 1, 64 * 64 - 1, dtype=np.float32), np.float32("nan")),
        np.append(np.linspace(0, 1, 64 * 64 - 1, dtype=np.float32), np.float32("inf")),
        np.linspace(0, 2**31 - 1, 64 * 64).astype(np.int32),
        np.linspace(-200, -100, 64 * 64).astype(np.int32),
    ],
    ids=[
        "0 to 1",
        "0 to 255",
        "millions",
        "some below 0",
        "all below 0",
        "with NaN",
        "with infinity",
        "32 bits",
        "ints",
    ],
)
def test_grey_photos_of_floats_and_whole_numbers_are_seen(values):
    pixels, _ = decode(encoded(Image.fromarray(values.reshape(64, 64)), "TIFF"), SIZE)
    assert spread(pixels) > 40


def test_a_colour_photo_of_16_bits_with_a_small_range_is_seen():
    shades = np.linspace(0, 1023, 32 * 32).reshape(32, 32)
    dim = np.stack([shades, shades[::-1], np.zeros_like(shades)], axis=2)
    assert spread(decode(rgb_of_16_bits(dim), SIZE)[0]) > 50
    # and one with all its shades is as it was
    full = np.abs(decode(rgb_of_16_bits(dim * 64), SIZE)[0].astype(int) - decode(rgb_of_16_bits(dim), SIZE)[0])
    assert full.max() < 90


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_that_begins_blank_the_first_frame_that_shows_something_counts(form):
    blank = Image.new("RGB", (120, 90), "white")
    frames = [blank, drawing("ellipse", "RGB", "red", "white"), drawing("rectangle", "RGB", "blue", "white")]
    options = {} if form == "TIFF" else {"duration": 100}
    content = encoded(blank, form, save_all=True, append_images=frames, **options)
    pixels, size = decode(content, SIZE)
    assert size == (120, 90)
    red, green, blue = pixels[22, 20].astype(int)
    assert red > 180
    assert max(green, blue) < 80


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_an_animation_of_blank_frames_is_a_blank_photo(form):
    frames = [Image.new("RGB", (40, 30), (250, 250, level)) for level in (250, 251)]
    pixels, _ = decode(encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=50), SIZE)
    assert spread(pixels) < 3


def test_an_animation_that_begins_blank_and_is_cut_short_is_blank_or_an_error_and_never_a_crash():
    noise = np.random.default_rng(0).integers(0, 255, (90, 120), dtype=np.uint8)
    content = encoded(Image.new("L", (120, 90), 255), "GIF", save_all=True, append_images=[Image.fromarray(noise)])
    pixels, _ = decode(content[: len(content) - 4000], SIZE)
    assert pixels.shape == (SIZE, SIZE, 3)
