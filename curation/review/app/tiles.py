"""Drawn tiles that stand where a listing has no photo to show."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

__all__ = ["CANNOT_BE_OPENED", "NOT_FOUND", "NO_PHOTO", "tile"]

NO_PHOTO = "no photo"
NOT_FOUND = "photo not found"
CANNOT_BE_OPENED = "photo can't be opened"

_SIZE = (512, 384)
_GROUND, _LINE, _WORDS = "#3a3f44", "#7d858c", "#e8eaed"


def tile(words: str) -> bytes:
    """Return a grey tile with a crossed-out photo and some words below it.

    Parameters
    ----------
    words : str
        A few words in Latin letters.

    Returns
    -------
    bytes
        A WebP file of 512 x 384 pixels.
    """
    image = Image.new("RGB", _SIZE, _GROUND)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((156, 84, 356, 224), radius=16, outline=_LINE, width=8)
    draw.ellipse((196, 112, 228, 144), fill=_LINE)
    draw.line([(172, 208), (240, 150), (280, 188), (304, 168), (340, 208)], fill=_LINE, width=8, joint="curve")
    draw.line((140, 236, 372, 72), fill=_GROUND, width=24)
    draw.line((140, 236, 372, 72), fill=_WORDS, width=8)
    draw.text((256, 300), words, fill=_WORDS, font=ImageFont.load_default(44), anchor="mm")
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=80)
    return stream.getvalue()
