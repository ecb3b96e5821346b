"""Photos are decoded upright and whole."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from curation.exploration.headers import read_headers
from curation.rendering.thumbnails import make_thumbnail
from training.images import decode
from training.utils.progress import silent


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


# which side of the upright photo the first stored row and the first stored column are (EXIF 2.32, 4.6.4 A)
STORED = {
    1: lambda upright: upright,  # top, left
    2: lambda upright: upright[:, ::-1],  # top, right
    3: lambda upright: upright[::-1, ::-1],  # bottom, right
    4: lambda upright: upright[::-1],  # bottom, left
    5: lambda upright: upright.swapaxes(0, 1),  # left, top
    6: lambda upright: upright.swapaxes(0, 1)[::-1],  # right, top
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],  # right, bottom
    8: lambda upright: upright.swapaxes(0, 1)[:, ::-1],  # left, bottom
}


def upright_photo():
    """Return 48 x 32 pixels, each corner of another colour."""
    pixels = np.zeros((32, 48, 3), dtype=np.uint8)
    pixels[:16, :24], pixels[:16, 24:], pixels[16:, :24] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    pixels[16:, 24:] = 255
    return pixels


def turned_photo(orientation, form):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright_photo())))
    return encoded(image, form, exif=exif, **({"quality": 95, "subsampling": 0} if form == "JPEG" else {}))


def corners(pixels):
    """Return the colours of the four corners, a little inside: upper row first."""
    height, width, _ = pixels.shape
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    names = {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}
    return [names[tuple((pixels[row, column] > 128).astype(int))] for row in rows for column in columns]


UPRIGHT = ["red", "green", "blue", "white"]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_of_any_exif_orientation_is_decoded_upright(orientation, form):
    pixels, size = decode(turned_photo(orientation, form), 16)
    assert corners(pixels) == UPRIGHT
    assert size == (48, 32)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pages_show_a_photo_of_any_exif_orientation_upright(orientation, tmp_path):
    file = tmp_path / "photo.jpg"
    file.write_bytes(turned_photo(orientation, "JPEG"))
    shown = make_thumbnail(file, 48).content
    with Image.open(io.BytesIO(shown)) as image:
        assert image.size == (48, 32)
        assert image.getexif().get(0x0112, 1) == 1
        assert corners(np.asarray(image)) == UPRIGHT


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_explore_says_the_upright_size_of_a_photo_of_any_exif_orientation(orientation, form, tmp_path):
    (tmp_path / "photo").write_bytes(turned_photo(orientation, form))
    (header,) = read_headers([tmp_path / "photo"], silent)
    assert (header.width, header.height, header.turned) == (48, 32, orientation != 1)


def test_explore_reads_a_format_whose_reader_closes_the_file(tmp_path):
    path = tmp_path / "texture.ftu"
    # 4 x 2 pixels of 3 bytes
    path.write_bytes(b"FTEX" + struct.pack("<8i", 1, 4, 2, 1, 1, 1, 32, 24) + bytes(24))
    (header,) = read_headers([path], silent)
    assert (header.width, header.height, header.format, header.error) == (4, 2, "FTEX", None)
    assert decode(path.read_bytes(), 8)[1] == (4, 2)


def test_an_exif_orientation_that_there_is_none_of_turns_nothing():
    exif = Image.Exif()
    exif[0x0112] = 9
    pixels, size = decode(encoded(left_red_right_blue(), "JPEG", exif=exif), 16)
    assert size == (40, 20)
    assert (colour(pixels, 8, 3), colour(pixels, 8, 12)) == ("red", "blue")


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


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_photos_of_60_megapixels_are_decoded(form):
    image = left_red_right_blue((10_000, 6_000))
    pixels, size = decode(encoded(image, form, **({"compress_level": 1} if form == "PNG" else {})), 32)
    assert size == (10_000, 6_000)
    assert (colour(pixels, 16, 7), colour(pixels, 16, 24)) == ("red", "blue")


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "MPO", "TIFF"])
def test_of_several_frames_the_first_one_counts(form):
    first, others = left_red_right_blue(), [Image.new("RGB", (40, 20), name) for name in ("lime", "black")]
    content = encoded(first, form, save_all=True, append_images=others)
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.n_frames == 3
    pixels, size = decode(content, 16)
    assert size == (40, 20)
    assert (colour(pixels, 8, 3), colour(pixels, 8, 12)) == ("red", "blue")


def in_print_colours(red):
    """Return red or blue as CMYK: one half each, no black."""
    left = np.array([0, 255, 255, 0] if red else [255, 255, 0, 0], dtype=np.uint8)
    return Image.fromarray(np.broadcast_to(left, (32, 32, 4)).copy(), "CMYK")


@pytest.mark.parametrize("red", [True, False])
def test_cmyk_jpegs_are_not_inverted(red):
    pixels, _ = decode(encoded(in_print_colours(red), "JPEG", quality=95), 16)
    assert np.abs(pixels.mean((0, 1)) - ([255, 0, 0] if red else [0, 0, 255])).max() < 12


@pytest.mark.parametrize("red", [True, False])
def test_ycck_jpegs_are_not_inverted(red):
    # Pillow can't write them: luminance and colour differences in the place of the inks, and Adobe's mark that says so
    cyan, magenta, yellow, black = in_print_colours(red).split()
    differences = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()
    inverted = [band.point(lambda value: 255 - value) for band in differences]
    content = encoded(Image.merge("CMYK", (*inverted, black)), "JPEG", quality=95)
    transform = content.index(b"Adobe") + 11
    content = content[:transform] + b"\x02" + content[transform + 1 :]
    pixels, _ = decode(content, 16)
    assert np.abs(pixels.mean((0, 1)) - ([255, 0, 0] if red else [0, 0, 255])).max() < 12


def test_what_is_transparent_in_a_palette_becomes_white_and_the_rest_keeps_its_colour():
    image = left_red_right_blue().convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    pixels, _ = decode(encoded(image, transparency=image.getpixel((0, 0))), 16)
    assert pixels[8, 3].tolist() == [255, 255, 255]
    assert colour(pixels, 8, 12) == "blue"


def test_black_and_white_photos_of_one_bit_have_both():
    image = Image.new("1", (40, 20), 1)
    image.paste(0, (0, 0, 20, 20))
    pixels, _ = decode(encoded(image), 16)
    assert (pixels[8, 3].tolist(), pixels[8, 12].tolist()) == ([0] * 3, [255] * 3)


def test_grey_photos_with_transparency_are_mixed_with_white():
    pixels, _ = decode(encoded(Image.new("LA", (20, 20), (0, 128))), 16)
    assert np.abs(pixels.astype(int) - 127).max() <= 1


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_file_that_was_cut_short_is_an_error_and_not_half_a_photo(form):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    content = encoded(noise, form)
    with pytest.raises(Exception, match=r"truncated|broken|could not|not enough|cannot"):
        decode(content[: len(content) // 2], 16)
