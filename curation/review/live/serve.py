"""The live page, served by this process until a signal stops it."""

from __future__ import annotations

import asyncio
import secrets
import warnings
import webbrowser

from curation.errors import ReviewError
from curation.review.chosen import said_of_rest
from curation.review.live.application import application
from curation.review.live.desk import Desk
from curation.review.live.learner import Learner
from curation.review.live.rules import PageRules
from curation.review.live.session import Session
from curation.review.outcome import ReviewOutcome, outcome_of
from curation.review.server.failures import Failures, logged
from curation.review.server.guard import Guard
from curation.review.server.hosting import Signals, listening, names_of, printed, serve_until, warn_of_others
from curation.review.server.links import codes
from curation.review.server.messages import about_colleagues
from curation.review.server.team import present
from curation.run.carry_over import carry_over
from curation.run.folder import RunFolder
from curation.run.journal import check_reviewer, reviewer_name
from curation.run.overlap import Overlap
from training.utils.noise import noise_to
from training.utils.progress import Reporter

__all__ = ["serve_page"]

_KEYS = (
    "Keys: k keep, a accept suggestion, e relabel, d delete, u undo, g grids, m map, ? all others. Stop with Ctrl-C."
)


def serve_page(
    run: RunFolder,
    *,
    address: str = "127.0.0.1",
    port: int = 5151,
    reviewer: str | None = None,
    open_browser: bool = False,
    first: int | None = None,
    learn: bool = True,
    blind: float = 0.0,
    conflicts: bool = False,
    overlap: float | None = None,
    reporter: Reporter,
) -> ReviewOutcome:
    """Show a run on a live page until Ctrl-C, SIGTERM, or the end of the terminal.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    address, port, reviewer, open_browser, reporter
        As for :func:`curation.review.server.serve.run_review`.
    first : int, optional
        Only so many listings, the most urgent ones.
    learn : bool
        Whether the order of what is left, and its suggestions, follow what is decided.
    blind : float
        The share of the listings whose suggestion is hidden until they are decided, in [0, 1].
    conflicts : bool
        Show the listings on which reviewers disagree, to settle them.
    overlap : float, optional
        The share of the listings that two reviewers decide on, in [0, 1]; by default as the run has it.

    Returns
    -------
    ReviewOutcome

    Raises
    ------
    ReviewError
        If the port is taken, the photos have disappeared, or no decision could be recorded.
    RunError
        If the run has not finished.
    InputError
        If the run has another overlap.
    """
    run.require_finished()
    doubled = Overlap(run, overlap)
    reviewer = check_reviewer(reviewer_name() if reviewer is None else reviewer)
    signals = Signals()
    with signals.caught(), listening(address, port) as listener, codes() as entry:
        port = listener.getsockname()[1]
        with present(run, reviewer, port, str(entry.folder)) as others:
            for line in about_colleagues(others, reviewer):
                reporter.say(line)
            _take_over(run, reporter)
            learner = Learner(run) if learn else None
            session = Session(
                run,
                reviewer,
                port=port,
                first=first,
                learner=learner,
                blind=blind,
                address=address,
                conflicts=conflicts,
                overlap=doubled,
                desk=Desk(run, reviewer, "conflicts" if conflicts else "queue"),
            )
            if not conflicts:
                flagged = int(session.queue.cards.flagged.sum())
                for line in said_of_rest(len(session.queue), flagged, "flagged listing"):
                    reporter.say(line)
            if doubled.share:
                reporter.say(
                    f"Two reviewers decide on {100 * doubled.share:g} % of the listings, each without knowing what the "
                    "other one said."
                )
            if conflicts and not len(session.queue):
                reporter.say("Reviewers disagree on nothing: there is no conflict to settle.")
            for line in session.followed.messages:
                reporter.say(f"warning: {line}")
            earlier = session.followed.last
            warn_of_others(address, port, reporter)
            guard = Guard(
                Failures(application(session), reporter, "the review's server"),
                address=address,
                port=port,
                token=secrets.token_urlsafe(24),
                use_code=entry.use,
                rules=PageRules(),
                hosts=names_of(address),
            )
            entry.opened(run, f"{printed(address, port)}/")
            url = entry.link()
            signals.opened()
            reporter.say(f"Open {url}")
            reporter.say("The link works once. For a new one: `review_links()`")
            reporter.say(_KEYS)
            ready = (lambda: webbrowser.open(url)) if open_browser else None
            with logged(run.folder), noise_to(run.log_file), warnings.catch_warnings(action="ignore"):
                asyncio.run(serve_until(guard, listener, signals, ready))
            reporter.say("Stopping.")
            session.close()
    return outcome_of(run, session.queue.order, reviewer=reviewer, earlier=earlier, source="page", conflicts=conflicts)


def _take_over(run: RunFolder, reporter: Reporter) -> None:
    try:
        taken = carry_over(run, reporter=reporter)
    except OSError as error:
        raise ReviewError(
            f"no decision could be recorded: {error.filename} can't be written ({error.strerror})"
        ) from error
    if taken is not None:
        reporter.say(str(taken))
