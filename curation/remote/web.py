"""One file from the web, within bounds: its bytes, or the reason why there are none."""

from __future__ import annotations

import http.client
import re
import socket
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from curation.remote.addresses import Allowed, parse_address, scheme_of, shown
from curation.remote.bounds import NotFetchedError, Task
from curation.remote.connections import PrivateAddressError, is_public, make_opener
from training.utils.units import bytes_text

__all__ = ["download"]

_REDIRECTS = 5
_PIECE = 1 << 16
#: Some servers refuse programs that do not look like a browser.
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; curate)",
    "Accept": "image/*,*/*;q=0.5",
    "Accept-Encoding": "gzip, identity",
}
_MOVED = (301, 302, 303, 307, 308)
#: Answers that may be others in a moment, besides all above 500.
_AGAIN = (408, 425, 429)
_REFUSED = (401, 403, 407)
_MISSING = (404, 410)
_FAILING = 500
#: Bytes that headers may have, of all redirects.
_HEADERS_MOST = 10**7
_WORD = re.compile(r"[a-z0-9-]{1,20}")
#: Letters of a URL of a server that a message shows.
_SHOWN = 200
#: What stands for itself in a URL, escapes included.
_KEPT = "/%:@!$&'()*+,;=~-._?[]"


def download(url: str, most: int, allowed: Allowed, task: Task) -> bytes:
    """Return what a URL holds, after at most five redirects, each to something that is allowed as well.

    Parameters
    ----------
    url : str
        http or https, allowed; may hold blanks and letters that are not ASCII. A user name and a password in it are
        not sent.
    most : int
        Bytes that it may have, unpacked.
    allowed : Allowed
        What may be asked. A host that no prefix names must have a public address.
    task : Task
        How long it may take.

    Raises
    ------
    NotFetchedError
    """
    begin = time.monotonic()
    try:
        for _ in range(_REDIRECTS + 1):
            target, public = _encoded(url), allowed.only_public(url)
            if public and not is_public(urlsplit(target).hostname):
                raise NotFetchedError("leads to a private address")
            try:
                # `_opener` opens http and https alone
                request = urllib.request.Request(target, headers=_HEADERS)  # noqa: S310
                with make_opener(request, task, begin, 2 * most + _HEADERS_MOST, public=public).open(
                    request, timeout=task.patience.silence
                ) as response:
                    return _body(response, most, task)
            except urllib.error.HTTPError as answer:
                # its body is not read: that of a redirect may be endless
                answer.close()
                where = answer.headers.get("Location")
                if answer.code not in _MOVED or where is None:
                    raise _refused(answer) from None
                url = urljoin(target, where)
                _check_redirect(url, allowed)
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        raise _failed(error, task.patience.silence) from error
    raise NotFetchedError(f"is redirected more than {_REDIRECTS} times")


def _encoded(url: str) -> str:
    """Return a URL in ASCII, as servers want it."""
    try:
        address, parts = parse_address(url), urlsplit(url.strip())
    except (ValueError, UnicodeError):
        raise NotFetchedError("is no address of a photo") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise NotFetchedError("is no address of a photo")
    netloc = address.store.partition("://")[2]
    return urlunsplit((address.scheme, netloc, quote(parts.path, safe=_KEPT), quote(parts.query, safe=_KEPT), ""))


def _check_redirect(there: str, allowed: Allowed) -> None:
    if scheme_of(there) not in ("http", "https"):
        raise NotFetchedError(f"is redirected to {scheme_of(there)[:20] or 'nothing'}, which is not http")
    if not allowed.allows(there):
        where = f"{shown(there).partition('?')[0].rpartition('/')[0]}/"
        if not where.isprintable() or len(where) > _SHOWN:
            where = "a URL that can't be shown"
        raise NotFetchedError(f"is redirected to {where}, which is not allowed")


def _body(response: http.client.HTTPResponse, most: int, task: Task) -> bytes:
    """Read an answer piece by piece, as it may be endless, or come a byte at a time."""
    packed = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    if packed not in ("identity", "gzip", "x-gzip"):
        # a server chose the word
        known = packed if _WORD.fullmatch(packed) else "nothing that is known"
        raise NotFetchedError(f"is packed as {known}")
    too_large = NotFetchedError(f"is larger than {bytes_text(most)}")
    if (response.length or 0) > most:
        raise too_large
    unpack = None if packed == "identity" else zlib.decompressobj(zlib.MAX_WBITS | 16)
    content = bytearray()
    while (unpack is None or not unpack.eof) and (piece := response.read1(_PIECE)):
        for part in (piece,) if unpack is None else _unpacked(unpack, piece):
            content += part
            if len(content) > most:
                raise too_large
            task.room.grow(len(content))
    if not unpack.eof if unpack else response.length:
        raise NotFetchedError("broke off before its end", again=True)
    return bytes(content)


def _unpacked(unpack: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    """Yield what is in a piece bit by bit, as it may be a thousand times as large."""
    while piece and not unpack.eof:
        yield unpack.decompress(piece, _PIECE)
        piece = unpack.unconsumed_tail


def _refused(answer: urllib.error.HTTPError) -> NotFetchedError:
    code = answer.code
    again = code >= _FAILING or code in _AGAIN
    reason = f"gives HTTP {code} {http.client.responses.get(code, '')}".strip()
    of_all = again or code in _REFUSED
    return NotFetchedError(reason, again=again, of_all=of_all, after=_pause(answer), missing=code in _MISSING)


def _pause(answer: urllib.error.HTTPError) -> float:
    """Return the seconds that a server wants one to wait, given as such or as a date."""
    wanted = answer.headers.get("Retry-After", "")
    if wanted.isdecimal():
        return float(wanted)
    try:
        return max(0.0, parsedate_to_datetime(wanted).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _failed(error: Exception, silence: float) -> NotFetchedError:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, PrivateAddressError):
        return NotFetchedError("leads to a private address")
    if isinstance(cause, TimeoutError):
        return NotFetchedError(f"gives no answer within {silence:g} s", again=True, of_all=True)
    if isinstance(cause, socket.gaierror):
        return NotFetchedError("names a server that does not exist", again=cause.errno == socket.EAI_AGAIN, of_all=True)
    if isinstance(cause, http.client.IncompleteRead | zlib.error):
        return NotFetchedError("broke off before its end", again=True)
    if isinstance(cause, ValueError):
        return NotFetchedError("is no address of a photo")
    what = cause.strerror if isinstance(cause, OSError) else ""
    return NotFetchedError(f"can't be reached ({what or type(cause).__name__})", again=True, of_all=True)
