"""What the browser may ask of the server of a live page."""

from __future__ import annotations

from collections.abc import Sequence

from curation.review.live.numbers import read_json

__all__ = ["PageRules"]

_READ = (
    "/",
    "/favicon.ico",
    "/changes",
    "/order",
    "/queue",
    "/rows",
    "/cards",
    "/find",
    "/photo",
    "/counts",
    "/points",
)
_ASSETS = "/assets/"
#: What is too long for an address is posted, too.
_SEND = ("/steps", "/learn", "/grids", "/narrow", "/suggestions", "/map")
# scripts and styles are files of ours; the page sends nothing elsewhere and nobody may show it in a frame
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PageRules:
    """The routes of a live page.

    Attributes
    ----------
    largest_body : int
        Bytes: many listings and a long note.
    """

    largest_body = 8 * 1024 * 1024

    def refuse_request(self, method: str, path: str, query: Sequence[tuple[str, str]]) -> str:
        """Return why a request is refused, or an empty text."""
        names = [name for name, _ in query]
        if len(names) != len(set(names)):
            return "Malformed request."
        if path in _SEND:
            return "" if method == "POST" else "Not available in a review."
        name = path.removeprefix(_ASSETS)
        known = path in _READ or (path.startswith(_ASSETS) and "/" not in name)
        return "" if known and method in ("GET", "HEAD") else "Not available in a review."

    def refuse_body(self, path: str, body: bytes) -> tuple[int, str] | None:
        """Return status and reason if the body of a request is refused, or None."""
        try:
            content = read_json(body)
        except (ValueError, RecursionError):
            return 400, "Malformed request."
        return None if isinstance(content, dict) else (400, "Malformed request.")

    def policy(self, path: str) -> bytes:
        """Return the Content-Security-Policy of an answer."""
        return _POLICY
