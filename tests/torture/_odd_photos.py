"""Odd photos by script: every format and mode, cut, flipped and mislabelled, and what is no file."""

from __future__ import annotations

import io
import os
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["OddPhoto", "cut", "encoded", "flipped", "image_of", "no_files", "sparse", "whole", "written"]

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


def written(content: bytes) -> Callable[[Path], None]:
    """Return what writes this content to a path."""
    return lambda path: path.write_bytes(content) and None


@cache
def image_of(mode: str, size: tuple[int, int]) -> Image.Image:
    """Return noise of a colour mode."""
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
                    content = encoded(image_of(mode, size), form, **options)
                    with Image.open(io.BytesIO(content)) as opened:
                        opened.load()
                except Exception:  # a format has only some of the modes and sizes
                    continue
                how = "-".join(str(value) for value in options.values())
                name = f"{form}{how}-{mode.replace(';', '')}-{size[0]}x{size[1]}.{ending}"
                bases.append((f"whole {form}", name, content))
    return tuple(bases)


def whole() -> Iterator[OddPhoto]:
    """Yield sound photos of every format and mode; with another ending, and with junk behind them, too."""
    for kind, name, content in _bases():
        yield OddPhoto(kind, name, written(content), "")
        if "-37x21" in name:
            yield OddPhoto("wrong ending", f"{Path(name).stem}-as.txt.png", written(content), "")
            yield OddPhoto("garbage after it", f"junk-{name}", written(content + b"\0junk" * 99))


def cut() -> Iterator[OddPhoto]:
    """Yield photos that were cut short."""
    for kind, name, content in _bases():
        if "-64x48" in name:
            for tenth in range(1, 10):
                part = content[: len(content) * tenth // 10]
                yield OddPhoto(f"cut {kind.split()[1]}", f"cut{tenth}-{name}", written(part))


def flipped(base: OddPhoto, number: int, seed: int) -> OddPhoto:
    """Return a photo in which some bytes are others."""

    def make(path: Path) -> None:
        base.make(path)
        draw, content = random.Random(seed), bytearray(path.read_bytes())
        for _ in range(draw.choice((1, 3, 20))):
            # headers more often than the rest
            place = draw.randrange(min(len(content), draw.choice((64, len(content)))))
            content[place] = draw.choice((0, 255, content[place] ^ 1 << draw.randrange(8)))
        path.write_bytes(content)

    return OddPhoto(f"flipped {base.kind.split()[-1]}", f"flip{number}-{base.name}", make)


def sparse(size: int, path: Path) -> None:
    """Make a file that has no content and claims a size."""
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


def no_files() -> Iterator[OddPhoto]:
    """Yield what is no file, or has no content of its own."""
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
    yield OddPhoto("sparse", "sparse-3GB.jpg", partial(sparse, 3 * 10**9), "more than 200 MB")
    yield OddPhoto("sparse", "sparse-100TB.jpg", partial(sparse, 15 * 10**12), "more than 200 MB")


def _link(target: str, path: Path) -> None:
    path.symlink_to(target)
