"""Who is let in to a review: the checks that stand in front of the App's server and of the page's.

By itself, FiftyOne's server has no password, sends any file that its process can read, answers to any host name, and
runs operators for any web page.
"""

from __future__ import annotations

import asyncio
import html
import ipaddress
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlencode

from curation.review.commands import NEW_LINK
from curation.review.server.asgi import App, Message, Receive, Scope, Send, answer
from curation.review.server.links import CODE, VALID

__all__ = ["Guard", "Rules"]

# added to every answer, beside the policy of the rules: no other page may show ours in a frame, or use what we send
_HEADERS = (
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
# digits of its length: leading zeros are nobody's
_LONGEST_LENGTH = 20
# seconds in which a body must be here
_SLOWEST_BODY = 60
_NO_COOKIE = (
    "This browser has not been let in. Open the link that the review printed when it started; a link works once. "
    f"For a new one, type: {NEW_LINK}\n"
)
_USED_UP = (
    f"This link has been used, or is older than {VALID // 60} minutes. For a new one, type: {NEW_LINK}\n"
    "If you have not used it, somebody else on this machine may have: stop the review, and start it again.\n"
)
_PAGE = (
    "<!doctype html><meta charset=utf-8><title>Review</title>"
    '<meta http-equiv=refresh content="0; url={place}"><p>Opening the review … <a href="{place}">Continue</a>'
)
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
# to compare with what was asked for; nothing is bound here
_WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104  # nosec B104


class Rules(Protocol):
    """What a browser that was let in may ask of the app.

    Attributes
    ----------
    largest_body : int
        Bytes of a body at most.
    """

    largest_body: int

    def refuse_request(self, method: str, path: str, query: Sequence[tuple[str, str]]) -> str:
        """Return why a request is refused, or an empty text."""

    def refuse_body(self, path: str, body: bytes) -> tuple[int, str] | None:
        """Return status and reason if the body of a request is refused, or None."""

    def policy(self, path: str) -> bytes:
        """Return the Content-Security-Policy of an answer."""


class Guard:
    """An ASGI app that lets only the reviewer's own browser through to another app.

    * ``Host`` must be this machine, which stops DNS rebinding.
    * ``Origin``, when sent, must be the page itself, which stops other web pages.
    * A link has a code that works once and becomes a cookie, which stops other users.
    * Routes and bodies that a review does not need are refused, by its rules.
    * Every answer forbids other pages to use it.

    Parameters
    ----------
    app : ASGI app
        Who answers.
    address : str
        The address that the server listens on.
    port : int
        The port, for the cookie's name: browsers share cookies between the ports of a host.
    token : str
        The secret of this review, which the cookie holds.
    use_code : callable
        Uses a code of a link up; returns whether it lets somebody in.
    rules : Rules
        What a browser may ask of `app`.
    hosts : iterable of str
        Further names of this machine, in lower case.
    """

    def __init__(
        self,
        app: App,
        *,
        address: str,
        port: int,
        token: str,
        use_code: Callable[[str], bool],
        rules: Rules,
        hosts: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._token = token
        self._use_code = use_code
        self._rules = rules
        self._cookie = f"curate_review_{port}"
        self._anywhere = address in _WILDCARDS
        self._hosts = {*_LOCAL, address, f"[{address}]", *hosts} - {*_WILDCARDS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or pass on one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        given = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        headers = dict(given)
        # several are one list, of which HTTP/2 makes several
        headers["cookie"] = ";".join(value for name, value in given if name == "cookie")
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["type"] == "websocket":
            # the App does not use them
            await send({"type": "websocket.close", "code": 1008})
            return
        send = _for_us_only(send, self._rules.policy(scope["path"]))
        refused = self._refuse_page(headers) or _refuse_form(scope, [name for name, _ in given])
        if not refused and scope["method"] == "GET" and CODE in dict(query):
            await self._enter(scope, headers, query, send)
        elif refused := refused or self._refuse(scope, headers, query):
            await answer(send, *refused)
        elif scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        else:
            await self._read_first(scope, receive, send, headers)

    def _refuse(self, scope: Scope, headers: dict[str, str], query: list[tuple[str, str]]) -> tuple[int, str] | None:
        if not self._is_in(headers):
            return 401, _NO_COOKIE
        why = self._rules.refuse_request(scope["method"], scope["path"], query)
        return (403, why) if why else None

    def _refuse_page(self, headers: dict[str, str]) -> tuple[int, str] | None:
        """Refuse what another page asks for, also one of another port of this machine, to which cookies are sent."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            return 403, "Unknown host."
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return 403, "Not from another page."
        opens = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not opens:
            return 403, "Not from another page."
        return None

    def _is_in(self, headers: dict[str, str]) -> bool:
        return _same(self._cookies(headers).get(self._cookie, ""), self._token)

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

    async def _enter(self, scope: Scope, headers: dict[str, str], query: list[tuple[str, str]], send: Send) -> None:
        """Exchange a code for the cookie."""
        if "prefetch" in headers.get("sec-purpose", "") + headers.get("purpose", ""):
            # a browser that guesses what will be opened must not use the code up
            await answer(send, 403, "Not in advance.")
            return
        codes = [value for name, value in query if name == CODE]
        # a code that lies about is used up, also by somebody who is in
        entered = len(codes) == 1 and self._use_code(codes[0])
        if not entered and not self._is_in(headers):
            await answer(send, 401, _USED_UP)
            return
        rest = urlencode([(name, value) for name, value in query if name != CODE])
        place = quote("/" + scope["path"].lstrip("/")) + (f"?{rest}" if rest else "")
        cookie = f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
        extra = [(b"set-cookie", cookie.encode()), (b"cache-control", b"no-store")]
        # a page, for a redirection from another site would arrive without a cookie that is strict; the history of the
        # browser keeps the next address instead of this one
        page = _PAGE.format(place=html.escape(place))
        await answer(send, 200, page, extra, kind="text/html")

    async def _read_first(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        """Read the whole body, check it, and pass it on."""
        most = self._rules.largest_body
        try:
            async with asyncio.timeout(_SLOWEST_BODY):
                # what says that it is too large is not waited for
                body = None if _claims_too_much(headers, most) else await _body(receive, most)
        except TimeoutError:
            await answer(send, 408, "Too slow.", [(b"connection", b"close")])
            return
        if body is None:
            await answer(send, 413, "Too large.", [(b"connection", b"close")])
            return
        if refused := self._rules.refuse_body(scope["path"], body):
            await answer(send, *refused)
            return
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


def _claims_too_much(headers: dict[str, str], most: int) -> bool:
    length = headers.get("content-length", "").strip()
    # Python reads no number of thousands of digits
    return length.isdecimal() and (len(length) > _LONGEST_LENGTH or int(length) > most)


async def _body(receive: Receive, most: int) -> bytes | None:
    """Return the body of a request; None if it is too large. A cut-off one is malformed."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"\0"
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            return None
    return bytes(body)


def _refuse_form(scope: Scope, names: list[str]) -> tuple[int, str] | None:
    """Refuse a request that two programs may read in two ways."""
    if scope["http_version"] not in ("1.0", "1.1"):
        return 505, "HTTP/1.1 only."
    once = ("host", "origin", "content-length", "transfer-encoding", "content-type")
    if any(names.count(name) > 1 for name in once) or {"content-length", "transfer-encoding"} <= set(names):
        return 400, "Malformed request."
    return None


def _for_us_only(send: Send, policy: bytes) -> Send:
    """Return a `send` that replaces the app's headers by those that keep an answer from other pages."""
    ours = dict([*_HEADERS, (b"content-security-policy", policy)])

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            theirs = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in ours]
            message = {**message, "headers": [*theirs, *ours.items()]}
        await send(message)

    return sent


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())
