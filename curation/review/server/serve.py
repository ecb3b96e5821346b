"""The App, served by this process until a signal stops it."""

from __future__ import annotations

import asyncio
import secrets
import webbrowser
from collections.abc import Iterable
from urllib.parse import quote

from curation.errors import ReviewError
from curation.review.app.dataset import Opened, open_dataset, put_back_all
from curation.review.app.files import files_of
from curation.review.app.look import WORKSPACE, slug
from curation.review.app.thumbnails import Thumbnails
from curation.review.card import cards_of
from curation.review.database.check import check_mongod, mongod_errors
from curation.review.outcome import ReviewOutcome, outcome_of
from curation.review.server.allowed import AppRules
from curation.review.server.annotated import Annotated
from curation.review.server.application import linked_plugins, load_app, set_port, without_cleanup
from curation.review.server.asgi import App
from curation.review.server.failures import Failures, logged
from curation.review.server.guard import Guard
from curation.review.server.hosting import Signals, listening, names_of, printed, serve_until, warn_of_others
from curation.review.server.links import Codes, codes
from curation.review.server.messages import about_colleagues, about_links, about_put_back
from curation.review.server.team import opening, present
from curation.run.folder import RunFolder
from curation.run.journal import check_reviewer, reviewer_name
from training.utils.progress import Reporter

__all__ = ["run_review"]

_KEYS = (
    "Keys: k keep, a accept suggestion, e relabel, f fitting price, p price, s several labels fit, d delete, u undo. "
    "Stop with Ctrl-C."
)


def run_review(
    run: RunFolder,
    *,
    address: str = "127.0.0.1",
    port: int = 5151,
    reviewer: str | None = None,
    open_browser: bool = False,
    top: int | None = None,
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
    top : int, optional
        How many of the listings that are left are loaded, the most urgent ones; by default all. While others look at
        the run, it stays as it is.
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
    cards = cards_of(run)  # if the photos have moved, fail now and not after FiftyOne has been imported
    reviewer = check_reviewer(reviewer_name() if reviewer is None else reviewer)
    check_mongod()
    signals = Signals()
    with (
        signals.caught(),
        listening(address, port) as listener,
        linked_plugins(reviewer, run) as plugins,
        codes() as entry,
    ):
        port = listener.getsockname()[1]
        with present(run, reviewer, port, str(entry.folder)) as others:
            _say_all(about_colleagues(others, reviewer), reporter)
            reporter.say("Opening the run in FiftyOne; the first time takes up to a minute.")
            app = load_app(plugins)
            with opening(run), mongod_errors():
                opened = open_dataset(run, top=top, keep=bool(others), reporter=reporter)
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
                ready = (lambda: webbrowser.open(url)) if open_browser else None
                asyncio.run(serve_until(guard, listener, signals, ready))
            reporter.say("Stopping.")
            _put_back(run, reporter)
    return outcome_of(run, cards.queue, reviewer=reviewer, earlier=earlier, source="app")


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


def _guarded(
    app: App, run: RunFolder, opened: Opened, address: str, port: int, entry: Codes, reporter: Reporter
) -> tuple[Guard, str]:
    set_port(port)
    files = files_of(run)
    files.start()
    files.add(opened.files)
    _say_all(about_links(len(files.outside)), reporter)
    token = secrets.token_urlsafe(24)
    guarded = Failures(Thumbnails(app, files.sources, opened.copies, opened.damaged, opened.max_bytes), reporter)
    guard = Guard(
        guarded,
        address=address,
        port=port,
        token=token,
        use_code=entry.use,
        rules=AppRules(files.photos),
        hosts=names_of(address),
    )
    warn_of_others(address, port, reporter)
    # FiftyOne looks up a dataset by its name, but views and workspaces by their slugs
    page = f"workspace={slug(WORKSPACE)}&view={slug(opened.first_view)}"
    return guard, f"{printed(address, port)}/datasets/{quote(opened.dataset.name, safe='')}?{page}"
