"""The live page itself: the same as the one in a file, but that it asks its server."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from curation import __version__
from curation.rendering.html import fill_page
from curation.review.commands import PAGE_MARK
from curation.review.page.scripts import LIVE_SCRIPT, LIVE_STYLE, joined

__all__ = ["ASSETS", "asset", "fill"]

#: The files that a page loads, and their types.
ASSETS = {"page.js": "text/javascript", "page.css": "text/css"}


def fill(name: str, data: dict[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    name : str
        The run's, for people.
    data : dict
        Of :meth:`curation.review.live.session.Session.opening`.
    """
    page = fill_page("review/page/page.html.jinja", live=True, name=name, version=__version__, data=data)
    return PAGE_MARK + page


@lru_cache
def asset(name: str) -> str:
    """Return one of `ASSETS`."""
    return joined(*(LIVE_SCRIPT if name == "page.js" else LIVE_STYLE))
