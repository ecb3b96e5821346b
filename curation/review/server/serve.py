"""The App, served by this process until a signal stops it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import secrets
import signal
import socket
import webbrowser
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from curation.errors import ReviewError
from curation.rendering.results import Result
from curation.review.app.dataset import Opened, open_dataset, put_back_all
from curation.review.app.look import WORKSPACE, slug
from curation.review.app.thumbnails import Thumbnails
from curation.review.database.check import check_mongod, mongod_errors
from curation.review.journal_state import standing_of
from curation.review.server.annotated import Annotated
from curation.review.server.application import linked_plugins, load_app, only_http_1, set_port, without_cleanup
from curation.review.server.asgi import App
from curation.review.server.failures import Failures, logged
from curation.review.server.guard import Guard, servable
from curation.review.server.links import Codes, codes
from curation.review.server.messages import about_colleagues, about_links, about_put_back
from curation.review.server.team import opening, present
from curation.review.table import review_table
from curation.run.folder import RunFolder
from curation.run.journal import Decision, check_reviewer, reviewer_name
from curation.run.own_photos import OwnPhotos
from training.utils.progress import Reporter

__all__ = ["ReviewOutcome", "run_review"]

_KEYS = (
    "Keys: k keep, a accept suggestion, e relabel, f fitting price, p price, s several labels fit, d delete, u undo. "
    "Stop with Ctrl-C."
)


@dataclass(frozen=True)
class ReviewOutcome(Result):
    """The outcome of a review.

    Attributes
    ----------
    decisions : dict of str to int
        Number of decisions recorded in this session, by action, including ``undo``; empty if there are none.
    flagged, undecided : int
        Number of flagged listings, and of those without a decision.
    """

    decisions: dict[str, int]
    flagged: int
    undecided: int


def run_review(
    run: RunFolder,
    *,
    address: str = "127.0.0.1",
    port: int = 5151,
    reviewer: str | None = None,
    open_browser: bool = False,
    reporter: Reporter,
) -> ReviewOutcome:
    """Show a run in the FiftyOne App until Ctrl-C, SIGTERM, or the end of the terminal.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    address : str
        Address to listen on. With another than the default, everybody who has the printed address can review.
    port : int
        The port; 0 picks a free one.
    reviewer : str, optional
        Who decides; by default ``CURATE_REVIEWER``, or the name of the account.
    open_browser : bool
        Whether to open the address in a browser.
    reporter : Reporter
        Shows every message, including the address to open.

    Returns
    -------
    ReviewOutcome

    Raises
    ------
    ReviewError
        If the port is taken, there is no MongoDB, or the photos have disappeared.
    RunError
        If the run has not finished.

    Notes
    -----
    This works once in a process, in its main thread, because FiftyOne's server is imported with the settings of this
    run. A mongod that was started for it ends with the process.
    """
    run.require_finished()
    review_table(run)  # if the photos have moved, fail now and not after FiftyOne has been imported
    reviewer = check_reviewer(reviewer_name() if reviewer is None else reviewer)
    check_mongod()
    signals = _Signals()
    with (
        signals.caught(),
        _listen(address, port) as listener,
        linked_plugins(reviewer, run) as plugins,
        codes() as entry,
    ):
        port = listener.getsockname()[1]
        with present(run, reviewer, port, str(entry.folder)) as others:
            _say_all(about_colleagues(others, reviewer), reporter)
            reporter.say("Opening the run in FiftyOne; the first time takes up to a minute.")
            app = load_app(plugins)
            with opening(run), mongod_errors():
                opened = open_dataset(run, reporter=reporter)
            _say_all([*opened.messages, *about_put_back(opened.put_back)], reporter)
            earlier = run.read_journal().last
            app = Annotated(app, opened.dataset, run, reviewer)
            guard, place = _guarded(app, run, opened, address, port, entry, reporter)
            entry.opened(run, place)
            url = entry.link()
            signals.opened()
            reporter.say(f"Open {url}")
            reporter.say("The link works once. For a new one: `review_links()`")
            reporter.say(_KEYS)
            with logged(run.folder):
                asyncio.run(_serve(guard, listener, signals, (lambda: webbrowser.open(url)) if open_browser else None))
            reporter.say("Stopping.")
            _put_back(run, reporter)
    return _outcome(run, reviewer, earlier)


def _say_all(messages: Iterable[str], reporter: Reporter) -> None:
    for message in messages:
        reporter.say(message)


def _put_back(run: RunFolder, reporter: Reporter) -> None:
    try:
        with mongod_errors():
            _say_all(about_put_back(put_back_all(run)), reporter)
    except ReviewError as error:
        without_cleanup()
        reporter.say(f"{error}. All decisions are in the journal, whatever happened to MongoDB.")


class _Signals:
    """Ctrl-C, SIGTERM and the end of the terminal: they abort the opening, stop the server, and then do nothing.

    A second Ctrl-C must not lose the summary or leave a mongod behind.
    """

    def __init__(self) -> None:
        self.received = False
        self._opening = True
        self._end: Callable[[], object] | None = None

    def __call__(self, *_: object) -> None:
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


def _outcome(run: RunFolder, reviewer: str, earlier: int) -> ReviewOutcome:
    """Count the decisions after the line of the journal that has the number `earlier`."""
    standing, table = standing_of(run), review_table(run)
    # by number: decisions that apply-fixes adds meanwhile come before those of the review
    said = [entry.content for entry in run.read_journal().entries if entry.number > earlier]
    # another reviewer may have worked on the same run
    mine = [each for each in said if isinstance(each, Decision) and each.reviewer == reviewer]
    flagged = set(table["id"][table["issues"].str.len() > 0])
    return ReviewOutcome(
        decisions=dict(Counter(decision.action for decision in mine if decision.source == "app")),
        flagged=len(flagged),
        undecided=len(flagged - standing.holding.keys()),
    )


@contextmanager
def _listen(address: str, port: int) -> Iterator[socket.socket]:
    """Bind the port before the slow part and hold it, so that nobody waits a minute to learn that it is in use."""
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


def _guarded(
    app: App, run: RunFolder, opened: Opened, address: str, port: int, entry: Codes, reporter: Reporter
) -> tuple[Guard, str]:
    set_port(port)
    shown, own = {source.photo for source in opened.files.values() if source.photo}, OwnPhotos(run)
    _, outside = servable(shown)
    outside |= {photo for photo in shown if not own.may_be_shown(photo)}
    _say_all(about_links(len(outside)), reporter)
    # a copy of a photo shows what the photo shows
    files = {file: source for file, source in opened.files.items() if source.photo not in outside}
    photos, _ = servable(files)
    local = address in ("127.0.0.1", "localhost", "::1")
    # the full name is asked of the network's name server, which only makes sense for those who come from there
    here = {socket.gethostname().lower(), *([] if local else [socket.getfqdn().lower()])}
    token = secrets.token_urlsafe(24)
    guarded = Failures(Thumbnails(app, files, opened.copies, opened.damaged, opened.max_bytes), reporter)
    guard = Guard(guarded, address=address, port=port, token=token, use_code=entry.use, photos=photos, hosts=here)
    if not local:
        reporter.say(
            "Warning: anybody who has the address can open this review from another machine, and the connection is not "
            "encrypted. Safer: leave `address` out, and type on the other machine: "
            f"ssh -L {port}:localhost:{port} {socket.gethostname()}"
        )
    # what is printed; nothing is bound here
    everywhere = ("0.0.0.0", "")  # noqa: S104  # nosec B104
    host = "127.0.0.1" if address in everywhere else f"[{address}]" if ":" in address else address
    # FiftyOne looks up a dataset by its name, but views and workspaces by their slugs
    page = f"workspace={slug(WORKSPACE)}&view={slug(opened.first_view)}"
    return guard, f"http://{host}:{port}/datasets/{quote(opened.dataset.name, safe='')}?{page}"


async def _serve(app: App, listener: socket.socket, signals: _Signals, ready: Callable[[], Any] | None) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    only_http_1()
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
