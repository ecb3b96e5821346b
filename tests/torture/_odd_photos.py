"""Odd photos by script and seed: every format and mode, cut, flipped and mislabelled; bombs; and what is no file."""

from __future__ import annotations

import io
import os
import random
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["OddPhoto", "odd_photos"]

#: Of fewer photos, none is large: they take seconds each to make and to refuse.
_ALL = 1000
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F")
_SIZES = ((1, 1), (37, 21), (64, 48))
#: Pillow's name of a format, how it is saved, and the usual ending.
_FORMATS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("AVIF", {}, "avif"),
    ("BLP", {}, "blp"),
    ("BMP", {}, "bmp"),
    ("DDS", {}, "dds"),
    ("DIB", {}, "dib"),
    ("GIF", {}, "gif"),
    ("ICNS", {}, "icns"),
    ("ICO", {}, "ico"),
    ("IM", {}, "im"),
    ("JPEG", {}, "jpg"),
    ("JPEG", {"progressive": True}, "jpg"),
    ("JPEG2000", {}, "jp2"),
    ("MPO", {}, "mpo"),
    ("MSP", {}, "msp"),
    ("PCX", {}, "pcx"),
    ("PNG", {}, "png"),
    ("PPM", {}, "ppm"),
    ("QOI", {}, "qoi"),
    ("SGI", {}, "sgi"),
    ("SPIDER", {}, "spider"),
    ("TGA", {"compression": "tga_rle"}, "tga"),
    *(("TIFF", {"compression": name}, "tif") for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")),
    ("TIFF", {"compression": "group4"}, "tif"),
    ("WEBP", {}, "webp"),
    ("WEBP", {"lossless": True}, "webp"),
    ("XBM", {}, "xbm"),
)


@dataclass(frozen=True)
class OddPhoto:
    """One photo, or what stands in its place.

    Attributes
    ----------
    kind : str
        What is odd about it.
    name : str
        Of its file.
    make : callable
        Makes it at a path.
    reason : str or None
        A part of the reason that it must have: "" if it must be read, None if either will do.
    """

    kind: str
    name: str
    make: Callable[[Path], None]
    reason: str | None = None


def odd_photos(count: int, seed: int) -> Iterator[OddPhoto]:
    """Yield this many odd photos, in an order that the seed decides."""
    draw = random.Random(seed)
    fixed = [*_no_files(), *_small_bombs(), *_whole(), *_cut()]
    draw.shuffle(fixed)
    # a quarter is flipped
    fixed = [*(_large_bombs() if count >= _ALL else ()), *fixed][: count - count // 4]
    yield from fixed
    bases = [photo for photo in _whole() if photo.reason == ""]
    for number in range(len(fixed), count):
        yield _flipped(draw.choice(bases), number, draw.randrange(2**32))


def _written(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


@cache
def _image(mode: str, size: tuple[int, int]) -> Image.Image:
    pixels = np.random.default_rng(len(mode)).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    if mode == "I;16":
        return Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    if mode in ("I", "F"):
        return Image.fromarray(pixels[..., 0].astype({"I": np.int32, "F": np.float32}[mode]))
    if mode == "LAB":
        return Image.merge("LAB", image.split())
    return image.convert("L").convert(mode) if mode == "LA" else image.convert(mode)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """Return the file of an image."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


@cache
def _bases() -> tuple[tuple[str, str, bytes], ...]:
    """Return kind, name and content of every format in every mode that it has."""
    bases = []
    for form, options, ending in _FORMATS:
        for mode in _MODES:
            for size in _SIZES:
                try:
                    content = encoded(_image(mode, size), form, **options)
                    with Image.open(io.BytesIO(content)) as opened:
                        opened.load()
                except Exception:  # a format has only some of the modes and sizes
                    continue
                how = "-".join(str(value) for value in options.values())
                name = f"{form}{how}-{mode.replace(';', '')}-{size[0]}x{size[1]}.{ending}"
                bases.append((f"whole {form}", name, content))
    return tuple(bases)


def _whole() -> Iterator[OddPhoto]:
    for kind, name, content in _bases():
        yield OddPhoto(kind, name, _written(content), "")
        if "-37x21" in name:
            yield OddPhoto("wrong ending", f"{Path(name).stem}-as.txt.png", _written(content), "")
            yield OddPhoto("garbage after it", f"junk-{name}", _written(content + b"\0junk" * 99))


def _cut() -> Iterator[OddPhoto]:
    for kind, name, content in _bases():
        if "-64x48" in name:
            for tenth in range(1, 10):
                part = content[: len(content) * tenth // 10]
                yield OddPhoto(f"cut {kind.split()[1]}", f"cut{tenth}-{name}", _written(part))


def _flipped(base: OddPhoto, number: int, seed: int) -> OddPhoto:
    def make(path: Path) -> None:
        base.make(path)
        draw, content = random.Random(seed), bytearray(path.read_bytes())
        for _ in range(draw.choice((1, 3, 20))):
            # headers more often than the rest
            place = draw.randrange(min(len(content), draw.choice((64, len(content)))))
            content[place] = draw.choice((0, 255, content[place] ^ 1 << draw.randrange(8)))
        path.write_bytes(content)

    return OddPhoto(f"flipped {base.kind.split()[-1]}", f"flip{number}-{base.name}", make)


def _sparse(size: int, path: Path) -> None:
    path.touch()
    os.truncate(path, size)


def _bound(path: Path) -> None:
    # a socket's path may have 107 characters
    here = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f"/proc/self/fd/{here}/{path.name}")
    finally:
        os.close(here)


def _no_files() -> Iterator[OddPhoto]:
    yield OddPhoto("no file", "pipe.jpg", os.mkfifo, "named pipe")
    yield OddPhoto("no file", "socket.jpg", _bound, "socket")
    yield OddPhoto("no file", "folder.jpg", Path.mkdir, "folder")
    yield OddPhoto("no file", "gone.jpg", lambda path: None, "no such file")
    yield OddPhoto("no file", "self.jpg", lambda path: path.symlink_to(path), "leads to itself")
    yield OddPhoto("no file", "broken.jpg", lambda path: path.symlink_to(path.with_name("none")), "no such file")
    if os.geteuid() == 0:
        device = partial(os.mknod, mode=0o20600, device=os.makedev(1, 5))
        yield OddPhoto("no file", "device.jpg", lambda path: device(path), "device")
    for target in ("/dev/zero", "/dev/random", "/dev/tty", "/dev/stdin"):
        yield OddPhoto("no file", f"to{target.replace('/', '-')}.jpg", partial(_link, target), "not a file")
    for target in ("/proc/self/mem", "/proc/self/pagemap", "/proc/kmsg", "/proc/self/environ", "/proc/kpagecount"):
        yield OddPhoto("system file", f"to{target.replace('/', '-')}.jpg", partial(_link, target))
    for target in ("/sys/kernel/mm/transparent_hugepage/enabled", "/proc/kcore", "/sys/power/wakeup_count"):
        yield OddPhoto("system file", f"to{target.replace('/', '-')}.jpg", partial(_link, target))
    yield OddPhoto("empty", "empty.jpg", Path.touch, "empty")
    yield OddPhoto("sparse", "sparse-3GB.jpg", partial(_sparse, 3 * 10**9), "more than 200 MB")
    yield OddPhoto("sparse", "sparse-100TB.jpg", partial(_sparse, 15 * 10**12), "more than 200 MB")


def _link(target: str, path: Path) -> None:
    path.symlink_to(target)


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


def _small_bombs() -> Iterator[OddPhoto]:
    for name, content in _claiming():
        yield OddPhoto("claims 65,000²", name, _written(content))
    small = Image.new("RGB", (40, 30), "red")
    noise = _image("RGB", (64, 48))
    jpeg = encoded(noise, "JPEG", progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    yield OddPhoto("many scans", "scans.jpg", _written(jpeg[:-2] + last * 20_000 + jpeg[-2:]), "scans")
    frames = [Image.new("L", (64, 64), number % 250) for number in range(300)]
    for form, name in (("GIF", "frames.gif"), ("TIFF", "frames.tif"), ("PNG", "frames.png"), ("WEBP", "frames.webp")):
        content = encoded(frames[0], form, save_all=True, append_images=frames[1:])
        yield OddPhoto("300 frames", name, _written(content), "")
    text = _chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50 * 10**6), 9))
    yield OddPhoto("text of 50 MB", "text.png", _written(png_bomb(64, text, text)))
    icc = _chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(90 * 10**6), 9))
    yield OddPhoto("ICC of 90 MB", "icc.png", _written(png_bomb(64, icc)))
    yield OddPhoto("large ICC", "icc.jpg", _written(encoded(small, "JPEG", icc_profile=bytes(16 * 10**6))), "")
    exif = Image.Exif()
    for tag in range(0x9000, 0x9000 + 1500):
        exif[tag] = "x" * 9
    yield OddPhoto("1,500 EXIF tags", "exif.jpg", _written(encoded(small, "JPEG", exif=exif)), "")
    for orientation in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield OddPhoto("odd orientation", f"turned{orientation}.jpg", _written(encoded(small, "JPEG", exif=exif)), "")
    tiff = bytearray(encoded(small, "TIFF"))
    # the next directory is this one
    place = int.from_bytes(tiff[4:8], "little")
    end = place + 2 + 12 * int.from_bytes(tiff[place : place + 2], "little")
    tiff[end : end + 4] = tiff[4:8]
    yield OddPhoto("looping TIFF", "loop.tif", _written(bytes(tiff)), "")
    yield OddPhoto("EPS", "program.jpg", _written(encoded(small, "EPS")), "program that draws")
    for word in (
        b"<html>gone</html>",
        b"%PDF-1.7\n",
        b"PK\3\4" + bytes(99),
        b"<svg xmlns='x'/>",
        b"\x7fELF" + bytes(99),
    ):
        yield OddPhoto("no photo", f"word{len(word)}.jpg", _written(word), "not an image")


def _large_bombs() -> Iterator[OddPhoto]:
    yield OddPhoto("bomb of 13,300²", "bomb.png", lambda path: _written(png_bomb(13_300))(path), "megapixels")
    yield OddPhoto("large and sound", "large.png", lambda path: _written(png_bomb(11_300))(path), "")
    yield OddPhoto("sparse", "sparse-190MB.jpg", partial(_sparse, 190 * 10**6), "not an image")
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
    for form, mode, side in (
        ("PNG", "RGBA", 11_300),
        ("PNG", "I;16", 11_300),
        ("QOI", "RGB", 4000),
        ("JPEG2000", "RGB", 11_300),
    ):
        yield OddPhoto(f"at the bound {form}", f"bound-{form}-{mode}.bin", partial(_large, form, mode, side, {}), "")
    ico = b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, 0, 22)
    yield OddPhoto("ICO with a bomb", "bomb.ico", lambda path: _written(ico + png_bomb(13_300))(path))

    def icns(path: Path) -> None:
        inner = png_bomb(13_300)
        body = b"ic10" + struct.pack(">I", len(inner) + 8) + inner
        path.write_bytes(b"icns" + struct.pack(">I", len(body) + 8) + body)

    yield OddPhoto("ICNS with a bomb", "bomb.icns", icns)
    frames = partial(_frames, side=5000, count=60)
    yield OddPhoto("60 large blank frames", "large-frames.gif", frames, "")


def _large(form: str, mode: str, side: int, options: dict[str, Any], path: Path) -> None:
    image = Image.new(mode, (side, side))
    image.save(path, form, **({"compress_level": 1} if form == "PNG" else options))


def _frames(path: Path, side: int, count: int) -> None:
    frames = (Image.new("L", (side, side), 100 + number) for number in range(1, count))
    Image.new("L", (side, side), 100).save(path, "GIF", save_all=True, append_images=frames)
