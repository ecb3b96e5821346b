"""Connections to web servers: they end in time, and lead to public addresses where they must."""

from __future__ import annotations

import functools
import http.client
import io
import ipaddress
import socket
import urllib.request
from collections.abc import Callable
from typing import Any

from curation.remote.bounds import NotFetchedError, Task

__all__ = ["PrivateAddressError", "is_public", "make_opener"]

#: IPv6 addresses that stand for one of IPv4 in their last 32 bits, where the network translates them.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
#: The same with a prefix of a network's own, and the old form of it that leads nowhere public.
_OF_NETWORKS = (ipaddress.IPv6Network("64:ff9b:1::/48"), ipaddress.IPv6Network("::/96"))


class PrivateAddressError(OSError):
    """A public name led to a private address."""


def is_public(host: str | None) -> bool:
    """Return whether all addresses of a host are public, or none is known here.

    Parameters
    ----------
    host : str or None
        A name, or an address in any form that the machine understands.

    Examples
    --------
    >>> is_public("127.0.0.1"), is_public("2130706433"), is_public("64:ff9b::7f00:1"), is_public("8.8.8.8")
    (False, False, False, True)
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        # only a proxy knows it, or nobody does
        return True
    return all(_is_public_address(str(address[0])) for *_, address in found)


def _is_public_address(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address in _TRANSLATED:
            return _is_public_address(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return _is_public_address(str(inner))
        if address.is_site_local or any(address in network for network in _OF_NETWORKS):
            return False
    return address.is_global and not address.is_multicast


class _Watched(io.RawIOBase):
    """What a server sends, its headers included, for as long as a task may take."""

    def __init__(self, raw: Any, task: Task, begin: float, most: int) -> None:
        self._raw, self._task, self._begin, self._most = raw, task, begin, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # each piece in time is not enough: a server may send a byte now and then, for ever
        self._task.check(self._begin, self._task.received)
        if self._task.received > self._most:
            raise NotFetchedError("has headers without end")
        count = int(self._raw.readinto(buffer) or 0)
        self._task.received += count
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _answer(
    task: Task, begin: float, most: int, sock: socket.socket, *args: Any, **options: Any
) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(sock, *args, **options)
    response.fp = io.BufferedReader(_Watched(response.fp.detach(), task, begin, most))
    return response


def _check_peer(connection: http.client.HTTPConnection) -> None:
    # what a name leads to may change between two looks
    if not _is_public_address(connection.sock.getpeername()[0]):
        connection.close()
        raise PrivateAddressError("leads to a private address")


class _PublicHTTP(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _check_peer(self)


class _PublicHTTPS(http.client.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _check_peer(self)


def _made(kind: type[http.client.HTTPConnection], answer: Callable[..., Any], *args: Any, **options: Any) -> Any:
    connection = kind(*args, **options)
    connection.response_class = answer  # type: ignore[assignment]
    return connection


class _Handler(urllib.request.AbstractHTTPHandler):
    """Opens http and https."""

    def __init__(self, task: Task, begin: float, most: int, *, public: bool) -> None:
        super().__init__()
        answer = functools.partial(_answer, task, begin, most)
        self._http = functools.partial(_made, _PublicHTTP if public else http.client.HTTPConnection, answer)
        self._https = functools.partial(_made, _PublicHTTPS if public else http.client.HTTPSConnection, answer)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._http, req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._https, req)

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_


def make_opener(request: urllib.request.Request, task: Task, begin: float, most: int, *, public: bool) -> Any:
    """Return what opens a request, through the proxies of the environment, and follows no redirect.

    Parameters
    ----------
    request : Request
        Of http or https.
    task : Task
        How long it may take; counts what is received.
    begin : float
        When it began, by :func:`time.monotonic`.
    most : int
        Bytes that may come, headers included.
    public : bool
        Whether it must lead to a public address. Where a proxy leads, only the proxy knows.

    Returns
    -------
    OpenerDirector
        Its ``open`` raises :class:`PrivateAddressError` as the reason of a URLError.
    """
    opener = urllib.request.OpenerDirector()
    # a proxy has a private address itself, and looks up the names
    proxied = request.type in urllib.request.getproxies() and not urllib.request.proxy_bypass(request.host)
    for handler in (
        urllib.request.ProxyHandler(),
        _Handler(task, begin, most, public=public and not proxied),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener
