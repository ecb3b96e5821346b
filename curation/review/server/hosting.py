"""What both servers of a review need: a port, an end at a signal, a printed address, and hypercorn between them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from curation.errors import ReviewError
from curation.review.server.asgi import App
from training.utils.progress import Reporter

__all__ = ["LOCAL", "Signals", "listening", "names_of", "printed", "serve_until", "warn_of_others"]

#: Addresses that only this machine reaches.
LOCAL = ("127.0.0.1", "localhost", "::1")


class Signals:
    """Ctrl-C, SIGTERM and the end of the terminal: they abort the opening, stop the server, and then do nothing.

    A second Ctrl-C must not lose the summary or leave a mongod behind.

    Attributes
    ----------
    received : bool
        Whether there was one.
    """

    def __init__(self) -> None:
        self.received = False
        self._opening = True
        self._end: Callable[[], object] | None = None

    def __call__(self, *_: object) -> None:
        """Take a signal."""
        first, self.received = not self.received, True
        if first and self._opening:
            raise KeyboardInterrupt
        if self._end is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed already
                self._end()

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals while the block runs; after the first one, the process ignores them."""
        before = {number: signal.signal(number, self) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                # SIG_IGN, because Python removes its own handlers before everything else has ended
                signal.signal(number, signal.SIG_IGN if self.received else handler)

    def opened(self) -> None:
        """Let signals end the review from now on, instead of aborting the opening."""
        self._opening = False

    def end_with(self, end: Callable[[], object]) -> None:
        """Call `end` at a signal, or at once if there was one already."""
        self._end = end
        if self.received:
            end()


@contextmanager
def listening(address: str, port: int) -> Iterator[socket.socket]:
    """Bind the port before the slow part and hold it, so that nobody waits a minute to learn that it is in use.

    Parameters
    ----------
    address : str
        The address to listen on.
    port : int
        The port; 0 picks a free one.

    Raises
    ------
    ReviewError
        If it can't be bound.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.create_server((address, port), family=family)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise ReviewError(
                f"port {port} is in use, perhaps by another review. Stop that one, or choose `port={port + 1}`"
            ) from None
        raise ReviewError(
            f"can't listen on {address} port {port} ({error}). Choose another `address` or `port`"
        ) from None
    with listener:
        yield listener


def names_of(address: str) -> set[str]:
    """Return the names of this machine that a browser may ask for, in lower case."""
    # the full name is asked of the network's name server, which only makes sense for those who come from there
    return {socket.gethostname().lower(), *([] if address in LOCAL else [socket.getfqdn().lower()])}


def warn_of_others(address: str, port: int, reporter: Reporter) -> None:
    """Tell a person that others can open the review, if so.

    Parameters
    ----------
    address : str
        The address that it listens on.
    port : int
        Its port.
    reporter : Reporter
        Is told.
    """
    if address not in LOCAL:
        reporter.say(
            "Warning: anybody who has the address can open this review from another machine, and the connection is not "
            "encrypted. Safer: leave `address` out, and type on the other machine: "
            f"ssh -L {port}:localhost:{port} {socket.gethostname()}"
        )


def printed(address: str, port: int) -> str:
    """Return the beginning of the address to open.

    Parameters
    ----------
    address : str
        The address that the server listens on.
    port : int
        Its port.
    """
    # what is printed; nothing is bound here
    everywhere = ("0.0.0.0", "")  # noqa: S104  # nosec B104
    host = "127.0.0.1" if address in everywhere else f"[{address}]" if ":" in address else address
    return f"http://{host}:{port}"


async def serve_until(app: App, listener: socket.socket, signals: Signals, ready: Callable[[], Any] | None) -> None:
    """Serve an app until a signal.

    Parameters
    ----------
    app : ASGI app
        The app.
    listener : socket
        Of :func:`listening`.
    signals : Signals
        They end it.
    ready : callable, optional
        Called once the server answers.
    """
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    _only_http_1()
    config = Config()
    config.bind = [f"fd://{os.dup(listener.fileno())}"]
    config.loglevel = "ERROR"
    config.errorlog = logging.getLogger("curate.server")
    config.include_server_header = False
    config.graceful_timeout = 1  # an open page keeps a stream of events open forever
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # a page that is still open is disconnected; Python 3.11 reports that as an error with a traceback
    loop.set_exception_handler(
        lambda loop, context: (
            None
            if isinstance(context.get("exception"), asyncio.CancelledError)
            else loop.default_exception_handler(context)
        )
    )
    signals.end_with(lambda: loop.call_soon_threadsafe(stop.set))
    if ready:
        loop.call_later(0.5, ready)
    await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]


def _only_http_1() -> None:
    """Keep hypercorn from speaking HTTP/2, which no browser asks for without TLS, and whose idle connections stay."""
    from hypercorn.protocol.h11 import H11Protocol

    async def unchanged(protocol: H11Protocol, request: object) -> None:
        """Leave the protocol as it is."""

    H11Protocol._check_protocol = unchanged  # type: ignore[assignment, method-assign]
