"""What people do with a run: they decide, in Python, in the App or on a page."""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from curation.api.results import RunResults
from curation.errors import CurateError, InputError, check_range, checked
from curation.rendering.words import many
from curation.run.decisions import decide as record_decision
from curation.run.decisions import named_listings
from training.utils.progress import SILENT, Reporter

# what takes seconds to import is imported where it is used: `curate status` needs none of it
if TYPE_CHECKING:
    from curation.auditing.result import Audit
    from curation.auditing.sample import Sample
    from curation.review.outcome import ReviewOutcome
    from curation.review.page.write import Written
    from curation.review.server.links import Link

__all__ = ["RunReview", "as_path"]


@dataclass(frozen=True)
class RunReview(RunResults):
    """A finished run in review: what is decided, and where.

    Attributes
    ----------
    folder : Path
        ``runs/<dataset>/<number>``, or the one that was named.
    """

    @checked
    def decide(
        self,
        ids: str | Iterable[str],
        action: str,
        *,
        label: str | None = None,
        price: float | str | None = None,
        new_class: bool = False,
        reviewer: str | None = None,
        note: str = "",
        settle: bool = False,
    ) -> pd.DataFrame:
        """Decide on listings; nothing is changed before :meth:`apply_fixes`.

        A reviewer's latest decision on a listing holds. A label and a price can both be corrected: a reprice leaves the
        class of a relabel before it, and a relabel the price of a reprice. Where another reviewer has decided
        otherwise, the listing is in conflict, and stays as it is until somebody settles that.

        Parameters
        ----------
        ids : str or iterable of str
            One listing or several.
        action : str
            ``keep`` (the label is right), ``relabel``, ``reprice`` (the price is wrong), ``delete``, ``ambiguous``
            (several labels fit: the listing stays as it is, and is counted), or ``undo`` (takes your latest decision
            back, and if you have none, that of another reviewer).
        label : str, optional
            The class to relabel to; by default each listing's own suggestion, which of several must be likelier than
            the label.
        price : float or str, optional
            The right price, a number or as sellers write it; by default what would fit each listing, where curate
            suggests it.
        new_class : bool
            Allow `label` to be a class that the dataset does not have yet.
        reviewer : str, optional
            Your name; by default ``CURATE_REVIEWER`` or the name of your account.
        note : str
            Kept with the decision.
        settle : bool
            You know what others have decided on these listings, and yours is to hold in its place.

        Returns
        -------
        DataFrame
            What holds for these listings now, as :meth:`decisions` has it.

        Warns
        -----
        UserWarning
            For each damaged line of the journal, and for a torn one, which this closes.

        Raises
        ------
        DecisionsError
            If a listing, a class or the action is unknown, a price is no number of 0 or more, or listings without a
            label are to be kept, or listings are to be relabelled as suggested that have no such suggestion; nothing
            is recorded then.
        """
        chosen = named_listings(ids)
        closed = record_decision(
            self._files,
            chosen,
            action,
            label=label,
            price=price,
            new_class=new_class,
            reviewer=reviewer,
            note=note,
            settle=settle,
        )
        for line in closed:
            warnings.warn(line, stacklevel=2)
        standing = self.decisions()
        return standing[standing["id"].isin(chosen)].reset_index(drop=True)

    @checked
    def review(
        self,
        *,
        address: str = "127.0.0.1",
        port: int = 5151,
        reviewer: str | None = None,
        browser: bool = True,
        page: bool = False,
        top: int | None = None,
        all: bool = False,
        learn: bool = True,
        blind: float = 0.0,
        conflicts: bool = False,
        overlap: float | None = None,
        reporter: Reporter = SILENT,
    ) -> ReviewOutcome:
        """Look at the run and decide until the process is interrupted (Ctrl-C, or the notebook's stop).

        Parameters
        ----------
        address : str
            Where to listen; any other than this machine's own can be reached by whoever has the printed address.
        port : int
            0 takes a free one.
        reviewer : str, optional
            Your name, kept with every decision; by default ``CURATE_REVIEWER`` or the name of your account.
        browser : bool
            Open a browser.
        page : bool
            Show a page of one listing at a time, made for keys, instead of the FiftyOne App: it needs neither FiftyOne
            nor MongoDB, and opens in seconds.
        top : int, optional
            Only so many of the listings that are left, those to look at first; by default 5,000. Others are loaded
            once these are decided, and nothing that was decided is lost.
        all : bool
            Load all listings.
        learn : bool
            With `page`: whether the order of what is left, and its suggestions, follow what is decided.
        blind : float
            With `page`: the share of the listings whose suggestion, chance and reasons are hidden until they are
            decided, in [0, 1]. The page then says how much more often decisions agree with suggestions in sight.
        conflicts : bool
            With `page`: show the listings on which reviewers disagree, with what each said. A decision settles one.
        overlap : float, optional
            With `page`: the share of the listings that two reviewers decide on, each without knowing what the other one
            said, in [0, 1]. The run keeps it; by default it is that, or 0. :meth:`agreement` says how far they agree.
        reporter : Reporter, optional
            Gets the address to open, and what a person should know.

        Raises
        ------
        ReviewError
            If there is no MongoDB, the port is taken, or the photos are gone.
        InputError
            If `learn`, `blind`, `conflicts` or `overlap` is given without `page`, `top` is not 1 or more or given with
            `all`, either is given with `conflicts`, `blind` or `overlap` is no share, or the run has another overlap.
        RunInUseError
            If decisions of an earlier run are to be taken over while another command works on this one.
        """
        from curation.review.chosen import chosen_top

        first = chosen_top(top, all=all)
        if page:
            from curation.review.live.serve import serve_page

            check_range("blind", "share of the listings", blind, 0, 1)
            check_range("overlap", "share of the listings", overlap, 0, 1)
            if conflicts and (all or top is not None):
                name = "all" if all else "top"
                raise InputError(
                    f"`{name}` has no effect with `conflicts`", fix="Leave it out: all are shown.", parameter=name
                )
            return serve_page(
                self._files,
                address=address,
                port=port,
                reviewer=reviewer,
                open_browser=browser,
                first=None if conflicts else first,
                learn=learn,
                blind=blind,
                conflicts=conflicts,
                overlap=overlap,
                reporter=reporter,
            )
        idle = {"learn": not learn, "blind": bool(blind), "conflicts": conflicts, "overlap": overlap is not None}
        for name, given in idle.items():
            if given:
                raise InputError(
                    f"`{name}` has no effect in the FiftyOne App",
                    fix="Leave it out, or say `page=True`.",
                    parameter=name,
                )
        from curation.review.server.serve import run_review

        return run_review(
            self._files,
            address=address,
            port=port,
            reviewer=reviewer,
            open_browser=browser,
            top=first,
            reporter=reporter,
        )

    @checked
    def review_links(self, *, port: int | None = None) -> list[Link]:
        """Make a new link into each review of this run that you have open on this machine, in another process.

        A link works once, within a quarter of an hour: its code becomes a cookie of the browser.

        Parameters
        ----------
        port : int, optional
            Only the review that listens there.

        Raises
        ------
        ReviewError
            If there is none.
        """
        from curation.review.server.links import make_links

        return make_links(self._files, port)

    @checked
    def review_page(
        self,
        *,
        output: str | Path | None = None,
        top: int | None = None,
        all: bool = False,
        test: bool = False,
        budget: int | None = None,
        reviewer: str | None = None,
        reporter: Reporter = SILENT,
    ) -> Written:
        """Write the review as one page to decide in with any browser: no MongoDB, no server.

        Parameters
        ----------
        output : str or Path, optional
            The file; by default ``review.html`` in the run's folder, or ``test.html`` with `test`.
        top : int, optional
            Only so many flagged listings, those to look at first; by default 5,000.
        all : bool
            Write all flagged listings.
        test : bool
            Instead of the queue, test listings that are drawn at random, without suggestions, chances, issues and
            reasons: those that say most about whether cleaning helped. The run keeps the draw, and `retrain` estimates
            the difference on true labels from it.
        budget : int, optional
            With `test`: how many to draw. If more than were drawn before, others join them; without it, or if fewer,
            it stays at those.
        reviewer : str, optional
            Who will decide; by default the page asks.
        reporter : Reporter, optional
            Shows progress.

        Raises
        ------
        ReviewError
            If no listing has a photo, or the photos are gone.
        InputError
            If the file can't be written, no test listing can be drawn, or `top` is not 1 or more, or given with `all`.
        RunInUseError
            If another command works on the run while test listings are drawn.
        """
        from curation.review.chosen import chosen_top, said_of_rest
        from curation.review.page.write import TEST_PAGE, write_page

        first = chosen_top(top, all=all)
        written = write_page(
            self._files,
            output=self._files.folder / TEST_PAGE if test and output is None else as_path(output),
            first=first,
            only=self._drawn(budget, reporter) if test else None,
            # labels that follow suggestions say nothing of what suggestions are worth
            drawn="test listings, drawn at random" if test else "",
            reviewer=reviewer,
            reporter=reporter,
        )
        if not test:
            for line in said_of_rest(
                written.listings, written.flagged, "flagged listing", again="review_page(all=True)"
            ):
                reporter.say(line)
        return written

    def _drawn(self, budget: int | None, reporter: Reporter) -> list[str]:
        """Return the test listings that are drawn for a review."""
        from curation.comparison.sample import draw_sample, read_sample

        with self._files.holding("review_page", reporter=reporter):
            sample = read_sample(self._files) if budget is None else draw_sample(self._files, budget)
        if sample is None:
            raise InputError(
                "no test listing was drawn yet",
                wanted="how many to draw",
                fix="Say so with `budget`, e.g. `budget=200`.",
                parameter="budget",
            )
        if budget is not None and budget > sum(sample.drawn):
            reporter.say(
                f"The test set has only {many(sum(sample.drawn), 'listing')} to draw, not {budget:,}: all of them are "
                "drawn."
            )
        return sample.listings

    @checked
    def audit(
        self,
        size: int | None = None,
        *,
        seed: int = 0,
        again: bool = False,
        decisions: str | Path | None = None,
        reviewer: str | None = None,
        reporter: Reporter = SILENT,
    ) -> Audit:
        """Draw listings by chance to review blind, or say what those that were drawn tell about all labels.

        With `size`, listings are drawn, and a page is written that shows them without suggestions, chances and reasons.
        Without it, all that is decided of them becomes estimates with 95 % intervals. Decisions of the review don't
        bias them.

        Parameters
        ----------
        size : int, optional
            Listings to draw from the labelled ones without a decision: more of where labels may be wrong.
        seed : int
            The same seed draws the same listings, 0 or more.
        again : bool
            Draw although an audit was drawn before. What is decided is known then.
        decisions : str or Path, optional
            The decisions of the page; they are recorded first. Nothing is applied.
        reviewer : str, optional
            Name for decisions that carry none.
        reporter : Reporter, optional
            Shows progress.

        Returns
        -------
        Audit

        Raises
        ------
        DecisionsError
            If the decisions can't be read, or fit no listing or class.
        InputError
            If an audit was drawn already, or there are not so many listings.
        RunError
            If none was drawn, or its file is damaged.
        RunInUseError
            If another command works on the run.

        Examples
        --------
        >>> import curation, numpy as np
        >>> demo = curation.demo("shop", listings=120)
        >>> listings = curation.read_listings("shop")
        >>> guesses = np.random.default_rng(0).dirichlet(np.ones(12), size=120)
        >>> run = curation.find_issues(listings, probabilities=guesses, text=False)
        >>> drawn = run.audit(40)
        >>> drawn.size, drawn.decided, drawn.wrong
        (40, 0, None)
        """
        from curation.auditing.report import audit_of
        from curation.auditing.sample import read_sample
        from curation.fixes.recorded import record_decisions

        if size is None and (again or seed):
            name = "again" if again else "seed"
            raise InputError(f"`{name}` has no effect without `size`", fix="Say how many to draw.", parameter=name)
        if size is not None and decisions is not None:
            raise InputError(
                "`decisions` has no effect with `size`", fix="Record them first, then draw.", parameter="decisions"
            )
        sample = read_sample(self._files) if size is None else self._drawn_to_audit(size, seed, again, reporter)
        if decisions is not None:
            recorded = record_decisions(self._files, Path(decisions), reviewer=reviewer)
            for note in (*recorded.notes, _told(recorded.ids, sample.ids)):
                reporter.say(note)
        found = audit_of(self._files, sample)
        return (
            found if found.decided == found.size else replace(found, page=self._audit_page(sample, reviewer, reporter))
        )

    def _drawn_to_audit(self, size: int, seed: int, again: bool, reporter: Reporter) -> Sample:
        from curation.auditing.report import people_decided
        from curation.auditing.sample import MOST_SEED, draw_sample, require_none

        check_range("size", "number of listings", size, 1, math.inf)
        check_range("seed", "seed", seed, 0, MOST_SEED)
        with self._files.holding("audit", reporter=reporter):
            if not again:
                require_none(self._files)
            return draw_sample(self._files, size, seed, people_decided(self._files))

    def _audit_page(self, sample: Sample, reviewer: str | None, reporter: Reporter) -> Path | None:
        """Return the page of an audit, written if it is not there; None if it can't be written."""
        from curation.auditing.sample import AUDIT_PAGE
        from curation.review.commands import audit_decisions
        from curation.review.page.write import write_page
        from curation.run.status import AUDIT

        page = self._files.folder / AUDIT_PAGE
        # that of an earlier sample is older: a command may have been killed between the two
        if page.exists() and page.stat().st_mtime_ns >= (self._files.folder / AUDIT).stat().st_mtime_ns:
            return page
        try:
            return write_page(
                self._files,
                output=page,
                only=sample.ids,
                drawn="listings of an audit, drawn at random",
                command=audit_decisions(self._files.folder),
                reviewer=reviewer,
                reporter=reporter,
            ).path
        except CurateError as error:
            reporter.say(
                f"warning: {page} could not be written: {str(error).rstrip('.')}. The sample is kept, and once that is "
                "mended, `audit()` writes the page."
            )
            return None


def _told(recorded: Collection[str], drawn: Collection[str]) -> str:
    """Say how many decisions were recorded, and how many of them are on listings of an audit."""
    if not recorded:
        return "No decision was recorded: what the file says holds already, or something later does."
    of_audit = len(set(recorded) & set(drawn))
    which = "all" if of_audit == len(set(recorded)) else f"{of_audit:,}" if of_audit else "none"
    return f"{many(len(recorded), 'decision')} recorded, {which} on listings of this audit."


def as_path(path: str | Path | None) -> Path | None:
    """Return a path that may be text."""
    return None if path is None else Path(path)
