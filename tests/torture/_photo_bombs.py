"""Photos that ask for more than they are worth: small files of millions of pixels, scans, frames or bytes of text."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.torture._odd_photos import OddPhoto, encoded, image_of, sparse, written

__all__ = ["large_bombs", "png_bomb", "small_bombs"]


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def png_bomb(side: int, *chunks: bytes) -> bytes:
    """Return a PNG of one bit a pixel in a few KB."""
    packer, line = zlib.compressobj(9), bytes(1 + (side + 7) // 8)
    packed = b"".join(packer.compress(line) for _ in range(side)) + packer.flush()
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _claiming() -> Iterator[tuple[str, bytes]]:
    """Yield small files that claim to have 65,000 x 65,000 pixels, or nearly."""
    yield "claims.png", b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 65000, 65000, 8, 6, 0, 0, 0))
    yield "claims.bmp", b"BM" + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 65000, 65000, 1, 24, 0, 0, 0, 0, 0, 0)
    yield (
        "claims.gif",
        b"GIF89a"
        + struct.pack("<HHBBB", 65000, 65000, 0, 0, 0)
        + b","
        + struct.pack("<HHHHB", 0, 0, 65000, 65000, 0)
        + b"\x08\x00;",
    )
    yield "claims.ppm", b"P6\n65000 65000\n255\nabc"
    yield "claims.qoi", b"qoif" + struct.pack(">IIBB", 65000, 65000, 4, 0) + b"\xfe\0\0\0"
    yield "claims.psd", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 65000, 65000, 8, 3) + bytes(99)
    yield "claims.tga", struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, 65000, 65000, 32, 8) + b"\xff\0\0\0\0"
    yield "claims.sgi", struct.pack(">HBBHHHH", 474, 1, 1, 3, 65000, 65000, 3) + bytes(600)
    yield "claims.pcx", b"\x0a\5\1\x08" + struct.pack("<HHHHHH", 0, 0, 64999, 64999, 72, 72) + bytes(112)
    yield "claims.dds", b"DDS " + struct.pack("<IIII", 124, 0x1007, 65000, 65000) + bytes(120)
    for form, ending in (("JPEG", "jpg"), ("WEBP", "webp"), ("JPEG2000", "jp2"), ("TIFF", "tif")):
        content = bytearray(encoded(Image.new("RGB", (300, 300), "red"), form))
        side = struct.pack("<H" if form in ("WEBP", "TIFF") else ">H", 300)
        claimed = struct.pack("<H" if form in ("WEBP", "TIFF") else ">H", 16383 if form == "WEBP" else 65000)
        yield f"claims.{ending}", bytes(content).replace(side, claimed)


def small_bombs() -> Iterator[OddPhoto]:
    """Yield small files that are bombs, or nearly, and small oddities."""
    for name, content in _claiming():
        yield OddPhoto("claims 65,000²", name, written(content))
    small = Image.new("RGB", (40, 30), "red")
    noise = image_of("RGB", (64, 48))
    jpeg = encoded(noise, "JPEG", progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    yield OddPhoto("many scans", "scans.jpg", written(jpeg[:-2] + last * 20_000 + jpeg[-2:]), "scans")
    frames = [Image.new("L", (64, 64), number % 250) for number in range(300)]
    for form, name in (("GIF", "frames.gif"), ("TIFF", "frames.tif"), ("PNG", "frames.png"), ("WEBP", "frames.webp")):
        content = encoded(frames[0], form, save_all=True, append_images=frames[1:])
        yield OddPhoto("300 frames", name, written(content), "")
    text = _chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50 * 10**6), 9))
    yield OddPhoto("text of 50 MB", "text.png", written(png_bomb(64, text, text)))
    icc = _chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(90 * 10**6), 9))
    yield OddPhoto("ICC of 90 MB", "icc.png", written(png_bomb(64, icc)))
    yield OddPhoto("large ICC", "icc.jpg", written(encoded(small, "JPEG", icc_profile=bytes(16 * 10**6))), "")
    exif = Image.Exif()
    for tag in range(0x9000, 0x9000 + 1500):
        exif[tag] = "x" * 9
    yield OddPhoto("1,500 EXIF tags", "exif.jpg", written(encoded(small, "JPEG", exif=exif)), "")
    for orientation in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield OddPhoto("odd orientation", f"turned{orientation}.jpg", written(encoded(small, "JPEG", exif=exif)), "")
    tiff = bytearray(encoded(small, "TIFF"))
    # the next directory is this one
    place = int.from_bytes(tiff[4:8], "little")
    end = place + 2 + 12 * int.from_bytes(tiff[place : place + 2], "little")
    tiff[end : end + 4] = tiff[4:8]
    yield OddPhoto("looping TIFF", "loop.tif", written(bytes(tiff)), "")
    tiff = bytearray(encoded(small, "TIFF"))
    samples = tiff.index(struct.pack("<HHI", 277, 3, 1))
    tiff[samples + 8 : samples + 10] = b"\xff\xff"
    yield OddPhoto("65,535 samples", "samples.tif", written(bytes(tiff)), "not an image")
    ftex = b"FTEX" + struct.pack("<8i", 1, 4, 2, 1, 1, 1, 32, 24) + bytes(24)
    yield OddPhoto("whole FTEX", "texture.ftu", written(ftex), "")
    yield OddPhoto("EPS", "program.jpg", written(encoded(small, "EPS")), "program that draws")
    for form, head in (("GRIB", b"GRIB\0\0\0\1"), ("HDF5", b"\x89HDF\r\n\x1a\n"), ("BUFR", b"BUFR")):
        yield OddPhoto("no pixels", f"stub.{form}", written(head + bytes(99)), f"Pillow does not decode {form} files")
    flat = b"FTEX" + struct.pack("<8i", 1, 0, 2, 1, 1, 1, 32, 24) + bytes(24)
    yield OddPhoto("no pixels", "flat.ftu", written(flat), "not an image")
    for word in (
        b"<html>gone</html>",
        b"%PDF-1.7\n",
        b"PK\3\4" + bytes(99),
        b"<svg xmlns='x'/>",
        b"\x7fELF" + bytes(99),
    ):
        yield OddPhoto("no photo", f"word{len(word)}.jpg", written(word), "not an image")


def large_bombs() -> Iterator[OddPhoto]:
    """Yield photos at the bounds, and far above them."""
    yield OddPhoto("bomb of 13,300²", "bomb.png", lambda path: written(png_bomb(13_300))(path), "megapixels")
    yield OddPhoto("large and sound", "large.png", lambda path: written(png_bomb(11_300))(path), "")
    yield OddPhoto("sparse", "sparse-190MB.jpg", partial(sparse, 190 * 10**6), "not an image")
    for form, mode, options, reason in (
        ("GIF", "P", {}, "megapixels"),
        ("TIFF", "L", {"compression": "tiff_adobe_deflate"}, "megapixels"),
        ("TIFF", "L", {"compression": "tiff_lzw"}, "megapixels"),
        ("WEBP", "RGB", {"lossless": True, "quality": 0, "method": 0}, "megapixels"),
        ("JPEG2000", "L", {}, "megapixels"),
        ("BMP", "1", {}, "megapixels"),
        ("JPEG", "L", {}, ""),
        ("JPEG", "L", {"progressive": True}, ""),
    ):
        name = f"bomb-{form}-{'-'.join(map(str, options.values()))}.bin"
        yield OddPhoto(f"13,300² {form}", name, partial(_large, form, mode, 13_300, options), reason)
    for form, mode, side, options in (
        ("PNG", "RGBA", 11_300, {}),
        ("PNG", "LA", 11_300, {}),
        ("PNG", "I;16", 11_300, {}),
        ("TIFF", "F", 11_300, {"compression": "tiff_adobe_deflate"}),
        ("TIFF", "RGBA", 11_300, {"compression": "tiff_lzw"}),
        ("WEBP", "RGBA", 11_300, {"lossless": True, "quality": 0, "method": 0}),
        ("JPEG2000", "RGBA", 11_300, {}),
        ("JPEG", "CMYK", 13_300, {"progressive": True, "subsampling": 0}),
        ("TGA", "RGBA", 11_300, {"compression": "tga_rle"}),
        ("GIF", "P", 11_300, {}),
    ):
        large = partial(_large, form, mode, side, options)
        yield OddPhoto(f"at the bound {form} {mode}", f"bound-{form}-{mode.replace(';', '')}.bin", large, "")
    yield OddPhoto("at the bound QOI of noise", "bound-noise.qoi", _noise, "")
    yield OddPhoto("at the bound PPM of words", "bound-words.ppm", _words, "")
    yield OddPhoto("animated at the bound PNG", "frames-large.png", partial(_frames, "PNG", 11_300, 3), "")
    yield OddPhoto("animated at the bound WEBP", "frames-large.webp", partial(_frames, "WEBP", 8000, 4), "")
    yield OddPhoto("animated at the bound GIF", "frames-large.gif", partial(_frames, "GIF", 11_300, 3), "")
    ico = b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, 0, 22)
    yield OddPhoto("ICO with a bomb", "bomb.ico", lambda path: written(ico + png_bomb(13_300))(path))

    def icns(path: Path) -> None:
        inner = png_bomb(13_300)
        body = b"ic10" + struct.pack(">I", len(inner) + 8) + inner
        path.write_bytes(b"icns" + struct.pack(">I", len(body) + 8) + body)

    yield OddPhoto("ICNS with a bomb", "bomb.icns", icns)
    yield OddPhoto("60 large blank frames", "large-frames.gif", partial(_frames, "GIF", 5000, 60), "")


def _large(form: str, mode: str, side: int, options: dict[str, Any], path: Path) -> None:
    image = Image.new(mode, (side, side))
    image.save(path, form, **({"compress_level": 1} if form == "PNG" else options))


def _noise(path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4000, 4000, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(path, "QOI")


def _words(path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(b"P3\n4000 4000\n255\n")
        for _ in range(4000):
            stream.write(b"255 0 17 " * 4000 + b"\n")


def _frames(form: str, side: int, count: int, path: Path) -> None:
    mode = "RGB" if form == "WEBP" else "L"
    frames = (Image.new("L", (side, side), 100 + number).convert(mode) for number in range(count))
    quick = {"PNG": {"compress_level": 1}, "WEBP": {"lossless": True, "quality": 0, "method": 0}}.get(form, {})
    next(frames).save(path, form, save_all=True, append_images=frames, **quick)
