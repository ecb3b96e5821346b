"""Photos are decoded upright and whole."""

import io

import numpy as np
import pytest
from PIL import Image

from training.photos import decode


def encoded(image, form="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def left_red_right_blue(size=(40, 20)):
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return image


def colour(pixels, row, column):
    return ["red", "green", "blue"][int(pixels[row, column].argmax())]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_common_formats_become_an_rgb_square(form):
    pixels, size = decode(encoded(left_red_right_blue(), form), 16)
    assert pixels.shape == (16, 16, 3)
    assert size == (40, 20)
    assert (colour(pixels, 8, 3), colour(pixels, 8, 12)) == ("red", "blue")


def test_a_photo_turned_by_exif_is_decoded_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels, size = decode(encoded(left_red_right_blue(), "JPEG", exif=exif, quality=95), 16)
    assert size == (20, 40)
    assert (colour(pixels, 3, 8), colour(pixels, 12, 8)) == ("red", "blue")


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "LA", "1"])
def test_other_colour_modes_are_converted(mode):
    source = left_red_right_blue().convert(mode)
    pixels, _ = decode(encoded(source, "TIFF" if mode == "CMYK" else "PNG"), 16)
    assert pixels.shape == (16, 16, 3)
    assert pixels[8, 2].tolist() != pixels[8, 13].tolist()


def test_transparent_parts_become_white():
    pixels, _ = decode(encoded(Image.new("RGBA", (20, 20), (0, 0, 0, 0))), 16)
    assert pixels.min() == 255


def test_sixteen_bit_photos_keep_their_shades():
    shades = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    pixels, _ = decode(encoded(Image.fromarray(shades)), 16)
    assert pixels.min() < 20
    assert pixels.max() > 235
    assert 100 < pixels.mean() < 155


def test_large_jpegs_keep_their_look_although_they_are_decoded_small():
    large = left_red_right_blue((1600, 800))
    from_jpeg, size = decode(encoded(large, "JPEG", quality=95), 32)
    from_png, _ = decode(encoded(large), 32)
    assert size == (1600, 800)
    assert np.abs(from_jpeg.astype(int) - from_png.astype(int)).mean() < 6
