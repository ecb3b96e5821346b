"""One photo from the web, within bounds: its bytes, or the reason why there are none."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import time
import urllib.error
import urllib.request
import zlib
from threading import Event
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import PIL.Image

from curation.listings.folders import photo_formats
from training.images.decoding import check_photo
from training.images.reading import BadPhotoError

__all__ = ["MOST_BYTES", "NotFetchedError", "download", "photo_ending"]

#: Most bytes of one photo.
MOST_BYTES = 20 * 10**6
#: Seconds that a server may be silent, and that one photo may take.
_SILENCE = 10.0
_DURATION = 60.0
_REDIRECTS = 5
_PIECE = 1 << 16
#: Some servers refuse programs that do not look like a browser.
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; curate)",
    "Accept": "image/*,*/*;q=0.5",
    "Accept-Encoding": "gzip, identity",
}
_MOVED = (301, 302, 303, 307, 308)
#: What stands for itself in a URL, escapes included.
_KEPT = "/%:@!$&'()*+,;=~-._?[]"


class NotFetchedError(Exception):
    """Why a URL gives no photo, as the end of a sentence about it: ``"is larger than 20 MB"``."""


def download(url: str, stop: Event) -> bytes:
    """Return what a URL holds.

    The hosts that a table names are asked whoever they are. A redirect is followed to http and https only, and never
    from a public address to a private one, which the table does not name.

    Parameters
    ----------
    url : str
        http or https; may hold blanks and letters that are not ASCII.
    stop : Event
        Ends the download when set.

    Raises
    ------
    NotFetchedError
    """
    end = time.monotonic() + _DURATION
    try:
        for _ in range(_REDIRECTS + 1):
            target = _encoded(url)
            try:
                # `_opener` opens http and https alone
                request = urllib.request.Request(target, headers=_HEADERS)  # noqa: S310
                with _opener().open(request, timeout=_SILENCE) as response:
                    return _body(response, end, stop)
            except urllib.error.HTTPError as answer:
                # its body is not read: that of a redirect may be endless
                answer.close()
                where = answer.headers.get("Location")
                if answer.code not in _MOVED or where is None:
                    raise NotFetchedError(f"gives HTTP {answer.code} {answer.reason}".strip()) from None
                url = urljoin(target, where)
                _check_redirect(target, url)
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        raise NotFetchedError(_reason(error)) from error
    raise NotFetchedError(f"is redirected more than {_REDIRECTS} times")


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens http and https, through the proxies of the environment, and follows no redirect."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _encoded(url: str) -> str:
    """Return a URL in ASCII, as servers want it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotFetchedError("is no address of a photo")
    host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    return urlunsplit((parts.scheme, netloc, quote(parts.path, safe=_KEPT), quote(parts.query, safe=_KEPT), ""))


def _check_redirect(here: str, there: str) -> None:
    parts = urlsplit(there)
    if parts.scheme not in ("http", "https"):
        raise NotFetchedError(f"is redirected to {parts.scheme or 'nothing'}, which is not http")
    host = urlsplit(here).hostname
    if parts.hostname != host and not _is_public(parts.hostname) and _is_public(host):
        raise NotFetchedError("is redirected to a private address")


def _is_public(host: str | None) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        # only a proxy knows it, or nobody does
        return True
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global for *_, address in found)


def _body(response: http.client.HTTPResponse, end: float, stop: Event) -> bytes:
    """Read an answer piece by piece, as it may be endless, or come a byte at a time."""
    packed = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    if packed not in ("identity", "gzip", "x-gzip"):
        raise NotFetchedError(f"is packed as {packed}")
    unpack = None if packed == "identity" else zlib.decompressobj(zlib.MAX_WBITS | 16)
    content = bytearray()
    while piece := response.read1(_PIECE):
        # of a packed piece that grows beyond the bound, the rest is never unpacked
        content += piece if unpack is None else unpack.decompress(piece, MOST_BYTES + 1)
        if len(content) > MOST_BYTES or (unpack and unpack.unconsumed_tail):
            raise NotFetchedError(f"is larger than {MOST_BYTES // 10**6} MB")
        if stop.is_set():
            raise NotFetchedError("was interrupted")
        if time.monotonic() > end:
            raise NotFetchedError(f"takes longer than {_DURATION:.0f} s")
    if response.length or (unpack and not unpack.eof):
        raise NotFetchedError("broke off before its end")
    return bytes(content)


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"gives no answer within {_SILENCE:.0f} s"
    if isinstance(cause, socket.gaierror):
        return "names a server that does not exist"
    if isinstance(cause, http.client.IncompleteRead | zlib.error):
        return "broke off before its end"
    if isinstance(cause, ValueError):
        return "is no address of a photo"
    what = cause.strerror if isinstance(cause, OSError) else ""
    return f"can't be reached ({what or type(cause).__name__})"


def photo_ending(content: bytes) -> str:
    """Return the ending of a photo's name, as its content has it.

    Raises
    ------
    NotFetchedError
        If it is no photo, or a damaged one.

    Examples
    --------
    >>> import io
    >>> photo = io.BytesIO()
    >>> PIL.Image.new("RGB", (2, 2)).save(photo, "PNG")
    >>> photo_ending(photo.getvalue())
    '.png'
    """
    if not content:
        raise NotFetchedError("is no photo")
    formats = photo_formats()
    try:
        return formats[check_photo(content, list(formats))]
    except PIL.UnidentifiedImageError:
        start = content[:1024].lstrip().lower()
        page = start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))
        raise NotFetchedError("is no photo but a web page" if page else "is no photo") from None
    except BadPhotoError as error:
        raise NotFetchedError(f"is no usable photo: {error}") from error
    except Exception as error:
        # decoders raise anything for damaged files
        raise NotFetchedError("is a damaged photo") from error
