"""What the pages for people share: templates, and pictures inside the page."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import jinja2

from curation.rendering.words import agree, many

__all__ = ["data_uri", "fill_page"]


def fill_page(template: str, **values: Any) -> str:
    """Fill one of the templates of `curation`; everything is escaped.

    Parameters
    ----------
    template : str
        Path of its file inside `curation`, e.g. ``report/page.html.jinja``. Templates name those they include the
        same way.
    **values
        What it shows, besides :func:`many` and :func:`agree`. A name that the template uses and that is missing here
        is an error.
    """
    # titles and labels are written by strangers: everything is escaped
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"many": many, "agree": agree}
    return environment.get_template(template).render(**values)


def data_uri(content: bytes, kind: str) -> str:
    """Return an image as a data URI; `kind` is the second half of its media type, e.g. ``png``."""
    return f"data:image/{kind};base64," + base64.b64encode(content).decode()
