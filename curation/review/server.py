"""The App, served by this process until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import signal
import socket
import tempfile
import webbrowser
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from curation.decisions import Decision, current_decisions, reviewer_name
from curation.errors import ReviewError, some
from curation.review.dataset import Collected, Opened, collect_decisions, open_dataset
from curation.review.environment import load_fiftyone
from curation.review.guard import App, Guard, servable
from curation.review.look import WORKSPACE, slug
from curation.review.mongod import check_mongod
from curation.review.table import review_table
from curation.review.thumbnails import Thumbnails
from curation.runs import Run

__all__ = ["ReviewOutcome", "run_review"]

_PLUGIN = Path(__file__).parent / "plugin"


@dataclass(frozen=True)
class ReviewOutcome:
    """What a review came to.

    Attributes
    ----------
    decisions : dict of str to int
        Decisions recorded in this session, by action, ``undo`` among them; empty if none.
    flagged, undecided : int
        Listings that can be looked at and have an issue, and those of them that nobody has decided on yet.
    """

    decisions: dict[str, int]
    flagged: int
    undecided: int


def run_review(
    run: Run,
    *,
    address: str = "127.0.0.1",
    port: int = 5151,
    reviewer: str | None = None,
    open_browser: bool = False,
    say: Callable[[str], None],
) -> ReviewOutcome:
    """Show a run in the FiftyOne App until Ctrl-C or SIGTERM.

    Parameters
    ----------
    run : Run
        A finished run whose listings have photos.
    address : str
        Where to listen. With any other than this machine's own, whoever has the printed address can review.
    port : int
        The port; 0 takes a free one.
    reviewer : str, optional
        Who decides; ``CURATE_REVIEWER`` or the name of the account if left out.
    open_browser : bool
        Open the address in a browser.
    say : callable
        Gets every message for the person, one line at a time; among them the address to open.

    Returns
    -------
    ReviewOutcome

    Raises
    ------
    ReviewError
        When the port is taken, there is no MongoDB, or there are no photos.
    RunError
        When the run has not finished.

    Notes
    -----
    Once for each process, and in its main thread: FiftyOne's server is imported with this run's settings. A mongod
    that was started for it ends with the process.
    """
    run.require_finished()
    review_table(run)  # photos or no photos: said at once, not after FiftyOne has been imported
    check_mongod()
    with _listen(address, port) as listener, _plugins(os.environ.get("FIFTYONE_PLUGINS_DIR")) as plugins:
        if reviewer:
            os.environ["CURATE_REVIEWER"] = reviewer
        say("Opening the run in FiftyOne; the first time takes up to a minute.")
        app = _load_app(plugins)
        opened = open_dataset(run)
        _say_opened(opened, say)
        known = len(run.decisions()[0])
        port = listener.getsockname()[1]
        guard, url = _guarded(app, opened, address, port, say)
        say(f"Open {url}")
        say("Keys: k keep, a accept suggestion, e relabel, d delete, u undo. Stop with Ctrl-C.")
        asyncio.run(_serve(guard, listener, (lambda: webbrowser.open(url)) if open_browser else None))
        say("Stopping.")
        _say_collected(collect_decisions(run), say)
    decisions = run.decisions()[0]
    return _outcome(run, decisions, decisions[known:])


def _outcome(run: Run, decisions: list[Decision], added: list[Decision]) -> ReviewOutcome:
    # another reviewer may have worked on the same run meanwhile
    reviewer = reviewer_name()
    mine = Counter(decision.action for decision in added if (decision.source, decision.reviewer) == ("app", reviewer))
    table = review_table(run)
    flagged = set(table["id"][table["issues"].str.len() > 0])
    return ReviewOutcome(dict(mine), len(flagged), len(flagged - set(current_decisions(decisions))))


@contextmanager
def _listen(address: str, port: int) -> Iterator[socket.socket]:
    """Take the port before the slow part, and hold it: nobody waits a minute to learn that it is taken."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.create_server((address, port), family=family)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise ReviewError(
                f"port {port} is in use, perhaps by another review. Stop that one, or choose: --port {port + 1}"
            ) from None
        raise ReviewError(
            f"can't listen on {address} port {port} ({error}). Choose another --address or --port"
        ) from None
    with listener:
        yield listener


@contextmanager
def _plugins(theirs: str | None) -> Iterator[Path]:
    """Yield a folder with links to our plugin and the person's own ones.

    FiftyOne has one plugins folder. Writing into theirs would leave a stale link behind after an uninstall.
    """
    own = Path(theirs) if theirs else Path.home() / "fiftyone" / "__plugins__"
    with tempfile.TemporaryDirectory(prefix="curate-plugins-") as name:
        folder = Path(name)
        for plugin in sorted(own.iterdir()) if own.is_dir() else []:
            (folder / plugin.name).symlink_to(plugin.resolve())
        (folder / "curate-review").unlink(missing_ok=True)
        (folder / "curate-review").symlink_to(_PLUGIN)
        yield folder


def _load_app(plugins: Path) -> App:
    """Import FiftyOne's server. It finds its plugins folder once, while it is imported."""
    os.environ.pop("FIFTYONE_DISABLE_SERVICES", None)
    os.environ["FIFTYONE_SERVER"] = "1"
    os.environ["FIFTYONE_PLUGINS_DIR"] = str(plugins)
    # it watches MongoDB for changes of panels that we don't have, in a thread that stops seconds late
    os.environ.setdefault("FIFTYONE_EXECUTION_STORE_NOTIFICATION_SERVICE_DISABLED", "true")
    fo = load_fiftyone()
    fo.config.plugins_dir = str(plugins)  # in case FiftyOne had been imported before
    from fiftyone.server.app import app

    app.debug = False  # no tracebacks in answers
    loaded: App = app
    return loaded


def _guarded(app: App, opened: Opened, address: str, port: int, say: Callable[[str], None]) -> tuple[Guard, str]:
    from fiftyone.server.events import set_port

    set_port(port)
    photos, outside = servable(opened.photos)
    if outside:
        say(f"{outside:,} photos are links to files outside their folder and are not shown.")
    here = {socket.gethostname().lower(), socket.getfqdn().lower()}
    token = secrets.token_urlsafe(24)
    app = Thumbnails(app, opened.thumbnails)
    guard = Guard(app, address=address, port=port, token=token, photos=photos, hosts=here)
    if address not in ("127.0.0.1", "localhost", "::1"):
        say(
            "Warning: this review can be reached from other machines, unencrypted, by whoever has its address. "
            f"Safer: leave out --address, and on the other machine type ssh -L {port}:localhost:{port} {min(here)}"
        )
    shown = "127.0.0.1" if address in ("0.0.0.0", "") else f"[{address}]" if ":" in address else address
    page = f"workspace={slug(WORKSPACE)}&view={slug(opened.first_view)}"
    return guard, f"http://{shown}:{port}/datasets/{quote(opened.dataset.slug)}?{page}&token={token}"


async def _serve(app: App, listener: socket.socket, ready: Callable[[], Any] | None) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{os.dup(listener.fileno())}"]
    config.loglevel = "ERROR"
    config.graceful_timeout = 1  # an open page keeps a stream of events open for ever
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if ready:
        loop.call_later(0.5, ready)
    await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]


def _say_opened(opened: Opened, say: Callable[[str], None]) -> None:
    for message in opened.messages:
        say(message)
    _say_collected(opened.collected, say)


def _say_collected(collected: Collected, say: Callable[[str], None]) -> None:
    if collected.decisions:
        ids = some(decision.id for decision in collected.decisions)
        say(f"{len(collected.decisions):,} labels edited in the Annotate tab are now decisions: {ids}")
    if collected.unusable:
        say(f"{len(collected.unusable):,} labels edited in the Annotate tab are no class: {some(collected.unusable)}")
    if collected.vanished:
        say(
            f"{len(collected.vanished):,} listings were removed inside FiftyOne. That is no decision; they come back "
            f"when the run is opened again: {some(collected.vanished)}"
        )
