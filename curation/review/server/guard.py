"""The checks that FiftyOne's server lacks.

By itself, the server has no password, sends any file that its process can read, answers to any host name, and runs
operators for any web page. :class:`Guard` stands in front of it.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from curation.review.server.allowed import refuse_body, refuse_path

__all__ = ["Guard", "servable"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# added to every answer: no other page may show ours in a frame, or use what we send
_HEADERS = (
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
# a photo may be an SVG from a marketplace; opened by itself, it must not run as a part of our page
_MEDIA_POLICY = (
    b"content-security-policy",
    b"sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
)
_LARGEST_BODY = 64 * 1024 * 1024
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_WILDCARDS = ("0.0.0.0", "::", "")


def servable(photos: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the files that may be sent to a browser, and the photos that may not.

    The files are the photos of the dataset, with links in their folders' paths resolved. A photo that is itself a link
    out of its folder is left out, because a dataset must not publish other files.
    """
    folders: dict[str, str] = {}
    files, outside = set(), set()
    for photo in photos:
        folder = photo.rpartition(os.sep)[0]
        real_folder = folders.setdefault(folder, os.path.realpath(folder))
        real = os.path.realpath(photo)
        if real.startswith(real_folder.rstrip(os.sep) + os.sep):
            files.add(real)
        else:
            outside.add(photo)
    return frozenset(files), frozenset(outside)


class Guard:
    """An ASGI app that lets only the reviewer's own browser through to another app.

    * ``Host`` must be this machine, which stops DNS rebinding.
    * ``Origin``, when sent, must be the page itself, which stops other web pages.
    * A token in the address printed at the start becomes a cookie, which stops other users.
    * ``/media`` sends the photos of the dataset and nothing else.
    * Routes, operators and bodies that a review does not need are refused, see :mod:`curation.review.server.allowed`.
    * Every answer forbids other pages to use it.

    Parameters
    ----------
    app : ASGI app
        FiftyOne's server.
    address : str
        The address that the server listens on.
    port : int
        The port, for the cookie's name: browsers share cookies between the ports of a host.
    token : str
        The secret of this review.
    photos : frozenset of str
        The files that may be sent, from :func:`servable`.
    hosts : iterable of str
        Further names of this machine, in lower case.
    """

    def __init__(
        self, app: App, *, address: str, port: int, token: str, photos: frozenset[str], hosts: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._token = token
        self._photos = photos
        self._cookie = f"curate_review_{port}"
        self._anywhere = address in _WILDCARDS
        self._hosts = {*_LOCAL, address, f"[{address}]", *hosts} - {*_WILDCARDS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or pass on one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["type"] == "websocket":
            # the App does not use them
            await send({"type": "websocket.close", "code": 1008})
            return
        send = _for_us_only(send, scope["path"])
        refused = self._refuse(scope, headers, query)
        if self._offers_token(query) and scope["method"] == "GET" and not self._refuse_origin(headers):
            await self._let_in(scope, query, send)
        elif refused:
            await _answer(send, *refused)
        elif scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        else:
            await self._read_first(scope, receive, send)

    def _refuse(self, scope: Scope, headers: dict[str, str], query: list[tuple[str, str]]) -> tuple[int, str] | None:
        if why := self._refuse_origin(headers):
            return 403, why
        if not _same(self._cookies(headers).get(self._cookie, ""), self._token):
            return 401, "Open the address that was printed when the review started, with its token."
        if why := refuse_path(scope["method"], scope["path"]):
            return 403, why
        if scope["path"].rstrip("/") == "/media":
            # every value, because the server uses the last one
            paths = [value for name, value in query if name == "filepath"]
            if not paths or any("\0" in path or os.path.realpath(path) not in self._photos for path in paths):
                return 403, "Not a photo of this dataset."
        return None

    def _refuse_origin(self, headers: dict[str, str]) -> str:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return "Unknown host."
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return "Not from another page."
        return ""

    def _is_ours(self, host: str) -> bool:
        # the port may differ: `ssh -L 8080:localhost:5151` changes it
        name = host.lower().rsplit(":", 1)[0] if not host.endswith("]") else host.lower()
        if name in self._hosts:
            return True
        if not self._anywhere:
            return False
        try:
            # rebinding needs a name; an address can't point elsewhere
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _cookies(self, headers: dict[str, str]) -> dict[str, str]:
        pairs = (part.partition("=") for part in headers.get("cookie", "").split(";"))
        return {name.strip(): value.strip() for name, _, value in pairs}

    def _offers_token(self, query: list[tuple[str, str]]) -> bool:
        return any(name == "token" and _same(value, self._token) for name, value in query)

    async def _let_in(self, scope: Scope, query: list[tuple[str, str]], send: Send) -> None:
        """Exchange the token for a cookie, so that no later link, history entry or Referer has it."""
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        place = quote("/" + scope["path"].lstrip("/")) + (f"?{rest}" if rest else "")
        # Lax, not Strict: after a click on the address in another page, the redirect would arrive without it
        cookie = f"{self._cookie}={self._token}; HttpOnly; SameSite=Lax; Path=/"
        extra = [(b"location", place.encode()), (b"set-cookie", cookie.encode()), (b"cache-control", b"no-store")]
        await _answer(send, 303, "", extra)

    async def _read_first(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the whole body, check it, and pass it on."""
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > _LARGEST_BODY:
                await _answer(send, 413, "Too large.")
                return
        if refused := refuse_body(scope["path"], body):
            await _answer(send, *refused)
            return
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


def _for_us_only(send: Send, path: str) -> Send:
    """Return a `send` that replaces FiftyOne's headers by those that keep an answer from other pages."""
    ours = dict([*_HEADERS, _MEDIA_POLICY] if path.rstrip("/") == "/media" else _HEADERS)

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            theirs = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in ours]
            message = {**message, "headers": [*theirs, *ours.items()]}
        await send(message)

    return sent


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())


async def _answer(send: Send, status: int, text: str, extra: Iterable[tuple[bytes, bytes]] = ()) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
