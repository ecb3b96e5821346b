"""What the pages for people share: templates, and photos inside the page."""

from __future__ import annotations

import base64
import io
import warnings
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image

from training.images.decoding import decode

__all__ = ["data_uri", "fill_page", "thumbnail"]


def fill_page(template: str, **values: Any) -> str:
    """Fill one of the templates of this package; everything is escaped.

    Parameters
    ----------
    template : str
        Path of its file inside `curation`, e.g. ``report/page.html.jinja``; so it names those that it includes.
    **values
        What it shows. A name that it uses and that is not given is an error.
    """
    # titles and labels are strangers' words: everything is escaped
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def data_uri(content: bytes, kind: str) -> str:
    """Return an image as an address that holds it."""
    return f"data:image/{kind};base64," + base64.b64encode(content).decode()


def thumbnail(path: Path, side: int) -> str | None:
    """Return a small, upright JPEG as a data URI; None for a photo that can't be read, which is a finding of its own.

    Parameters
    ----------
    path : Path
        The photo.
    side : int
        Its longer side in pixels; a smaller photo stays as small as it is.
    """
    try:
        # opening a pipe would wait forever
        if not path.is_file():
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels, (width, height) = decode(path.read_bytes(), side)
    except Exception:  # a damaged file can raise anything in a decoder
        return None
    scale = min(1.0, side / max(width, height))
    sides = (max(1, round(width * scale)), max(1, round(height * scale)))
    content = io.BytesIO()
    Image.fromarray(pixels).resize(sides, Image.Resampling.BILINEAR).save(content, "JPEG", quality=80)
    return data_uri(content.getvalue(), "jpeg")
