"""What the pages for people share: templates, filled and escaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from curation.rendering.visible import visible
from curation.rendering.words import agree, amount, many, percent

__all__ = ["fill_page"]


def fill_page(template: str, **values: Any) -> str:
    """Fill one of the templates of `curation`; everything is escaped, and made visible.

    Parameters
    ----------
    template : str
        Path of its file inside `curation`, e.g. ``report/page.html.jinja``. Templates name those they include the
        same way.
    **values
        What it shows, besides :func:`many`, :func:`agree`, :func:`percent` and :func:`amount`. A name that the template
        uses and that is missing here is an error.
    """
    # titles and labels are written by strangers: everything is escaped
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_visible_lines,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"many": many, "agree": agree, "percent": percent, "amount": amount}
    return environment.get_template(template).render(**values)


def _visible_lines(value: Any) -> Any:
    """Return a text with its lines, in which no sign turns the direction of what stands beside it on the page."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "\n".join(visible(line) for line in value.split("\n"))
