"""Any photo as RGB with 8 bits a channel, in a way that what it shows can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.utils.arrays import Float64

__all__ = ["first_that_shows", "rgb"]

Turn = Callable[[Image.Image], Image.Image]

#: Largest grey level of a depth: of floats, and of the bits that cameras and files use.
_LARGEST = (1, *(2**bits - 1 for bits in (8, 10, 12, 14, 16)))
#: Fewer grey levels of 255 can't be seen: the range of the photo is stretched.
_FEW_LEVELS = 16
#: Standard deviation, at 16 x 16 pixels, below which a photo shows hardly anything.
_SHOWS = 8.0
#: At most this many frames, and pixels in all, are searched for one that shows something.
_FRAMES = 50
_PIXELS = 256 * 10**6
#: Pixels that are converted at a time.
_BAND = 4 * 10**6


def rgb(image: Image.Image, *, deep: bool = False) -> Image.Image:
    """Return a photo of any colour mode in RGB.

    What is transparent becomes white; black, where a drawing would not be seen on white. Grey levels of more than 8
    bits are divided by the largest value of their depth, and stretched if hardly anything would be seen of them.

    Parameters
    ----------
    image : Image
        Of any mode.
    deep : bool
        Whether the file has 16 bits a colour, of which Pillow keeps the upper 8.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_grey(np.asarray(image))).convert("RGB")
    if "transparency" in image.info or image.mode in ("RGBA", "RGBa", "LA", "La", "PA"):
        image = _opaque(image if image.mode == "RGBA" else image.convert("RGBA"))
    image = image if image.mode == "RGB" else image.convert("RGB")
    return _stretched(image) if deep else image


def first_that_shows(opened: Image.Image, *, turned: Turn, deep: bool = False) -> Image.Image:
    """Return the first frame of an opened photo that is not blank, upright in RGB; the first one, if all are.

    Animations often begin with an empty frame. A later frame that is damaged ends the search.

    Parameters
    ----------
    opened : Image
        Loaded.
    turned : callable
        Turns a frame upright.
    deep : bool
        As for :func:`rgb`.
    """
    first = rgb(turned(opened), deep=deep)
    if not getattr(opened, "is_animated", False) or _spread(first) >= _SHOWS:
        return first
    left = _PIXELS
    with suppress(EOFError, OSError, ValueError, SyntaxError):
        for number in range(1, _FRAMES):
            opened.seek(number)
            left -= opened.width * opened.height
            if left < 0:
                break
            frame = rgb(turned(opened), deep=deep)
            if _spread(frame) >= _SHOWS:
                return frame
    return first


def _grey(stored: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return grey levels from 0 to 255 of numbers of any range, shape (height, width)."""
    bands = [slice(*band) for band in _bands(stored.shape[1], stored.shape[0])]
    largest = max(float(np.nanmax(band := stored[rows], where=np.isfinite(band), initial=0)) for rows in bands)

    def values(rows: slice) -> Float64:
        return np.nan_to_num(stored[rows].astype(np.float64), posinf=largest)

    low, high = min(float(values(rows).min()) for rows in bands), max(float(values(rows).max()) for rows in bands)
    # a depth of which these are grey levels; none for temperatures and other measures
    top = next((top for top in _LARGEST if low >= 0 and high <= top), None)
    stretched = high > low and (top is None or (high - low) / top * 255 < _FEW_LEVELS)
    grey = np.empty(stored.shape, dtype=np.uint8)
    for rows in bands:
        levels = (values(rows) - low) / (high - low) if stretched else values(rows) / (top or 1)
        grey[rows] = (levels * 255).clip(0, 255).astype(np.uint8)
    return grey


def _stretched(image: Image.Image) -> Image.Image:
    """Stretch the range of a photo whose upper 8 bits hold hardly anything."""
    pixels = np.asarray(image)
    low, high = int(pixels.min()), int(pixels.max())
    if low == high or high - low >= _FEW_LEVELS:
        return image
    return Image.fromarray(np.rint((pixels - low) * (255 / (high - low))).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    on_white = _on(image, "white")
    if (spread := _spread(on_white)) >= _SHOWS:
        return on_white
    on_black = _on(image, "black")
    return on_black if _spread(on_black) > spread else on_white


def _on(image: Image.Image, colour: str) -> Image.Image:
    whole = Image.new("RGB", image.size)
    for top, bottom in _bands(*image.size):
        band = image.crop((0, top, image.width, bottom))
        whole.paste(Image.alpha_composite(Image.new("RGBA", band.size, colour), band).convert("RGB"), (0, top))
    return whole


def _bands(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Yield the first row of each band of a photo and the one after it: copies of a large one would fill the memory."""
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        yield top, min(height, top + rows)


def _spread(image: Image.Image) -> float:
    """Return the standard deviation of the red, green or blue of 16 x 16 pixels, whichever is largest."""
    small = np.asarray(image.resize((16, 16), Image.Resampling.BOX, reducing_gap=1.0), dtype=np.float64)
    return float(small.std(axis=(0, 1)).max())
