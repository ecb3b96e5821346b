"""A finished run as a person works with it: decide, review, apply, compare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.api.exchanging import RunExchange
from curation.api.reviewing import as_path
from curation.errors import InputError, about, checked, short_repr
from curation.fixes import Fixes, Undone, is_in_force, plan_fixes, undo_fixes
from curation.fixes import apply_fixes as write_fixes
from curation.fixes.cleaned import require_layout
from curation.run.folder import RunFolder
from curation.run.lost_journal import require_journal
from training.images.cache import PhotoCache, open_cache
from training.utils.progress import SILENT, Reporter
from training.utils.units import parse_time

# what takes seconds to import is imported where it is used: `curate status` needs none of it
if TYPE_CHECKING:
    import pandas as pd

    from curation.comparison.result import Comparison, Retrained
    from curation.incoming.check import Checker
    from curation.verification import Verified

__all__ = ["Run"]


@dataclass(frozen=True)
class Run(RunExchange):
    """A finished run: its tables, what people decide, and what becomes of the dataset.

    Made by :func:`find_issues` and :func:`open_run`. Everything is kept in the run's folder, so a run can be opened
    again at any time, also by the command line; each attribute reads the files as they are now.

    Attributes
    ----------
    folder : Path
        ``runs/<dataset>/<number>``, or the one that was named. Its files: docs/data.md.

    Examples
    --------
    >>> import curation, numpy as np
    >>> demo = curation.demo("shop", listings=120)
    >>> listings = curation.read_listings("shop")
    >>> guesses = np.random.default_rng(0).dirichlet(np.ones(12), size=120)
    >>> run = curation.find_issues(listings, probabilities=guesses, text=False)
    >>> run.issues.shape[0], run.probabilities().probs.shape
    (120, (120, 12))
    >>> first, second = run.issues.nsmallest(2, "priority")["id"]
    >>> run.decide(first, "delete", reviewer="ana")["action"].tolist()
    ['delete']
    >>> run.apply_fixes().counts()
    {'relabelled': 0, 'repriced': 0, 'merged': 0, 'deleted': 1, 'kept': 0, 'ambiguous': 0, 'in_conflict': 0}
    """

    @checked
    def apply_fixes(
        self,
        decisions: str | Path | None = None,
        *,
        accept_suggestions: bool = False,
        min_confidence: float | None = None,
        new_classes: str | Iterable[str] = (),
        reviewer: str | None = None,
        format: str | None = None,
        soft: bool = False,
        latest_wins: bool = False,
        as_of: str | date | None = None,
        dry_run: bool = False,
        wait: bool | float = False,
        reporter: Reporter = SILENT,
    ) -> Fixes:
        """Write ``cleaned/``: the dataset with all decisions applied, as a new version. The input is never touched.

        It comes out in the shape that it came in: the same columns, order, delimiter, encoding and layout.

        Parameters
        ----------
        decisions : str or Path, optional
            A CSV with ``id``, ``decision``, ``new_label``, ``new_price``; its decisions override earlier ones of the
            same reviewer.
        accept_suggestions : bool
            Relabel flagged listings without a decision whose suggestion is likelier than the label. Only people change
            labels of the test set.
        min_confidence : float, optional
            Least ``suggested_confidence``, in [0, 1]; by default more than ``label_score``: the suggested label is more
            likely right than the given one, so more labels are expected to be right afterwards.
        new_classes : str or iterable of str
            Classes that the dataset does not have yet and that ``new_label`` may name.
        reviewer : str, optional
            Name for decisions that carry none.
        format : str, optional
            Another shape: ``csv``, ``tsv``, ``xlsx``, ``parquet``, ``json``, ``jsonl``, ``class-folders`` or
            ``imagefolder``.
        soft : bool
            Write ``label_weights.csv`` as well: the chance that each label is right, and the best other label with its
            chance. :meth:`retrain` then trains each listing on both, as far as they count. Nothing needs to be decided.
        latest_wins : bool
            Apply the later decision where reviewers disagree and nobody has settled that. By default such listings stay
            as they are.
        as_of : str, date or datetime, optional
            Apply the decisions that held at that time, and no later ones: a past version, rebuilt. ISO 8601; without a
            time zone it is this machine's, and a date alone is the end of that day. ``"line 12"`` is after the line of
            the journal with that number. Nothing is added to the decisions.
        dry_run : bool
            Return what would change; write nothing.
        wait : bool or float
            Whether to wait while another command works on the run, or for how many seconds; by default that is an
            error.
        reporter : Reporter, optional
            Is told for whom this waits.

        Raises
        ------
        DecisionsError
            If nothing is decided, or a decision fits no listing or class.
        InputError
            If the dataset can't be written in that shape.
        RunError
            If the journal lacks what ``cleaned/`` was made of, or `soft` finds no chances in the run.
        RunInUseError
            If another command works on the run.
        """
        require_layout(format)
        if as_of is not None:
            _require_no_new_decisions(decisions, accept_suggestions, new_classes)
        with about("as_of"):
            moment = None if as_of is None else _moment(as_of)
        # what changes nothing may look at any time
        with nullcontext(self._files) if dry_run else self._held("apply_fixes", wait, reporter) as files:
            if not dry_run:
                require_journal(files)
            with about("decisions"):
                fixes = plan_fixes(
                    files,
                    decisions_file=as_path(decisions),
                    accept_suggestions=accept_suggestions,
                    min_confidence=min_confidence,
                    reviewer=reviewer,
                    new_classes=[new_classes] if isinstance(new_classes, str) else list(new_classes),
                    as_of=moment,
                    soft=soft,
                    latest_wins=latest_wins,
                )
            if dry_run:
                return fixes
            if not is_in_force(files):
                reporter.say(
                    f"warning: {files.cleaned} was not the version that the journal says is in force; somebody has put "
                    "another one there. It is kept in versions/. Look at them with `verify()`."
                )
            done = write_fixes(files, fixes, format)
            self._renew_report(reporter)
            return done

    @checked
    def check(
        self,
        listings: Sequence[Mapping[str, Any]] | pd.DataFrame,
        *,
        root: str | Path | None = None,
        allow_outside: bool = False,
        cache: str | Path | PhotoCache | None = None,
    ) -> pd.DataFrame:
        """Check single listings by the models of this run, each by itself: what `find_issues(since=)` would say of it.

        The first call loads the models; :meth:`checker` keeps them in memory for many calls.

        Parameters
        ----------
        listings : sequence of mapping, or DataFrame
            Fields by the names of the dataset's columns: the path of the photo, label, price, title, and perhaps id and
            group.
        root : str or Path, optional
            The folder that relative paths of photos start from; by default the current one.
        allow_outside : bool
            Whether these paths may lead out of that folder.
        cache : str, Path or PhotoCache, optional
            Folder where the text in photos is kept; by default the user's.

        Returns
        -------
        DataFrame
            One row for each: ``id``, ``error`` (why it can't be checked), ``is_flagged``, ``suggested_label``,
            ``suggested_confidence``, ``none_of_these``, flag and score of each kind of issue, ``price_low``,
            ``price_high``, ``suggested_price``, ``reasons``, ``reposts`` (ids of known listings with the same photo).

        Raises
        ------
        InputError
            If it is one listing, and no sequence of them.
        RunError
            If the run has no models that judge new listings.
        """
        if isinstance(listings, str | Mapping):
            raise InputError(
                "`listings` is no list", got=short_repr(listings), fix="Give a list, also of a single listing."
            )
        rows = listings.to_dict("records") if hasattr(listings, "to_dict") else list(listings)
        with self.checker(allow_outside=allow_outside, cache=cache) as checker:
            return checker.table(rows, Path() if root is None else Path(root))

    @checked
    def checker(self, *, allow_outside: bool = False, cache: str | Path | PhotoCache | None = None) -> Checker:
        """Return what checks single listings and keeps the models in memory, to be used in a ``with`` block.

        Parameters
        ----------
        allow_outside : bool
            As for :meth:`check`.
        cache : str, Path or PhotoCache, optional
            As for :meth:`check`.

        Returns
        -------
        Checker
            Called with listings, it returns a dict for each, as ``curate check`` prints them.

        Raises
        ------
        RunError
            If the run has no models that judge new listings.
        """
        from curation.incoming.check import Checker

        return Checker(RunFolder(Path(self.folder)), open_cache(cache), allow_outside=allow_outside)

    @checked
    def learn(
        self,
        *,
        run: str | Path | None = None,
        command: Sequence[str] = (),
        wait: bool | float = False,
        reporter: Reporter = SILENT,
    ) -> Run:
        """Judge the listings again, with everything that was decided, as a new run.

        Labels that people kept or gave count as the truth. From the features that are there, the linear models, the
        weights of all sources and the chances are fitted again, in seconds. Photos, folds and the test set stay, and
        decisions on test listings teach nothing. What is decided is not flagged any more.

        Parameters
        ----------
        run : str or Path, optional
            Folder of the new run; by default ``runs/<dataset>/<number>`` below the current folder.
        command : sequence of str
            What was typed, for ``run.json``.
        wait : bool or float
            Whether to wait while another command works on `run`, or for how many seconds; by default that is an error.
        reporter : Reporter, optional
            Shows messages.

        Returns
        -------
        Run
            With the decisions of this one.

        Raises
        ------
        RunError
            If the run has no decisions, or `run` holds something else.
        RunInUseError
            If another command works on `run`.

        Examples
        --------
        >>> import curation, numpy as np
        >>> demo = curation.demo("shop", listings=120)
        >>> listings = curation.read_listings("shop")
        >>> guesses = np.random.default_rng(0).dirichlet(np.ones(12), size=120)
        >>> run = curation.find_issues(listings, probabilities=guesses, text=False)
        >>> worst = run.issues.nsmallest(1, "priority")["id"].item()
        >>> _ = run.decide(worst, "keep", reviewer="ana")
        >>> again = run.learn()
        >>> int(again.issues.set_index("id")["priority"][worst]), len(again.decisions())
        (120, 1)
        """
        from curation.learning.follow import follow

        followed = follow(self._files, run_folder=as_path(run), command=command, wait=wait, reporter=reporter)
        return Run(followed.folder)

    @checked
    def undo(self, *, imported: bool = False, wait: bool | float = False, reporter: Reporter = SILENT) -> Undone:
        """Take the last :meth:`apply_fixes` back; decisions of the review stay.

        Parameters
        ----------
        imported : bool
            Take the decisions of the last :meth:`import_decisions` back instead.
        wait : bool or float
            Whether to wait while another command works on the run, or for how many seconds; by default that is an
            error.
        reporter : Reporter, optional
            Is told for whom this waits.

        Raises
        ------
        RunError
            If there is nothing to take back, or the journal lacks what ``cleaned/`` was made of.
        RunInUseError
            If another command works on the run.
        """
        with self._held("undo", wait, reporter) as files:
            if imported:
                from curation.interchange.imported import undo_import

                return undo_import(files)
            undone = undo_fixes(files)
            if not is_in_force(files):
                reporter.say(
                    f"warning: {files.cleaned} is not the version that the journal says is in force; somebody has "
                    "replaced or removed one. Write it again with `apply_fixes()`."
                )
            self._renew_report(reporter)
            return undone

    @checked
    def retrain(
        self,
        *,
        compare: bool = True,
        seeds: int = 5,
        controls: bool = False,
        truth: str | None = None,
        changes: Mapping[str, Any] | None = None,
        cache: str | Path | PhotoCache | None = None,
        command: Sequence[str] = (),
        wait: bool | float = False,
        reporter: Reporter = SILENT,
    ) -> Comparison | Retrained:
        """Train on the dataset before and after the fixes, and compare both on one fixed test set.

        Parameters
        ----------
        compare : bool
            Train on the dataset before the fixes, too.
        seeds : int
            Models per version; a single model does not show the noise of training.
        controls : bool
            Compare with other versions, too: as many listings deleted at random, every suggestion accepted, each kind
            of fix alone and, with `truth`, all labels correct.
        truth : str, optional
            True labels, for benchmarks: a column of the dataset, or a CSV with ``id`` and ``true_label``.
        changes : mapping, optional
            Settings that differ from the run's, e.g. ``{"epochs": 12}``.
        cache : str, Path or PhotoCache, optional
            Folder where decoded photos are kept; by default the user's.
        command : sequence of str
            What was typed, for ``comparison.json``.
        wait : bool or float
            Whether to wait while another command works on the run, or for how many seconds; by default that is an
            error.
        reporter : Reporter, optional
            Shows messages and progress.

        Returns
        -------
        Comparison or Retrained
            The second without `compare`: the scores of the models after the fixes alone.

        Raises
        ------
        RunError
            If there is no cleaned dataset, or no photos.
        InputError
            If the versions train on the same labels.
        RunInUseError
            If another command works on the run.
        """
        from curation.comparison.compare import retrain

        with self._held("retrain", wait, reporter) as files:
            result = retrain(
                files,
                compare=compare,
                seeds=seeds,
                controls=controls,
                truth=truth,
                changes=changes,
                cache=cache,
                command=command,
                reporter=reporter,
            )
            if compare:
                self._renew_report(reporter)
            return result

    def verify(self) -> Verified:
        """Check everything of the run: files, tables, probabilities, journal, and every version of the dataset.

        Nothing is changed. Each version is written once more, to a temporary folder outside the run, and compared.

        Returns
        -------
        Verified
            ``ok``, or what is wrong and what to do.

        Raises
        ------
        RunError
            If it is no run, one of another format, or one that has not finished.
        RunInUseError
            If a command is changing the run.

        Examples
        --------
        >>> import curation, numpy as np
        >>> demo = curation.demo("shop", listings=120)
        >>> listings = curation.read_listings("shop")
        >>> guesses = np.random.default_rng(0).dirichlet(np.ones(12), size=120)
        >>> run = curation.find_issues(listings, probabilities=guesses, text=False)
        >>> run.verify().ok
        True
        >>> file = run.folder / "issues.csv"
        >>> _ = file.write_text(file.read_text() + " ")
        >>> {flaw.where for flaw in run.verify().faults}
        {'issues.csv'}
        """
        from curation.verification import verify_run

        return verify_run(RunFolder(Path(self.folder)))

    @contextmanager
    def _held(self, command: str, wait: bool | float, reporter: Reporter) -> Iterator[RunFolder]:
        """Let no other command change the run while the block reads and changes it."""
        with self._files.holding(command, wait=wait, reporter=reporter):
            # what it waited for may have changed everything
            yield self._files

    def _renew_report(self, reporter: Reporter) -> None:
        """Write the report after what is done already: given again, the command would do it a second time."""
        try:
            self._write_report()
        except OSError as error:
            why = error.strerror or str(error)
            reporter.say(
                f"warning: {self._files.report_file} could not be updated: {why}. The next "
                "`apply_fixes()`, `undo()` or `retrain(compare=True)` writes it."
            )

    def _write_report(self) -> None:
        from curation.report import write_report

        write_report(self._files)


def _require_no_new_decisions(
    decisions: str | Path | None, accept_suggestions: bool, new_classes: str | Iterable[str]
) -> None:
    """Refuse what would add decisions to a past version."""
    given = {"decisions": decisions, "accept_suggestions": accept_suggestions, "new_classes": new_classes}
    for name, value in given.items():
        if value:
            raise InputError(
                f"a past version takes no new decisions: `{name}` has no effect with `as_of`",
                fix=f"Leave out `{name}`, or `as_of`.",
                parameter=name,
            )


def _moment(as_of: object) -> datetime | int:
    line = re.fullmatch(r"line (\d{1,18})", as_of.strip()) if isinstance(as_of, str) else None
    if line:
        return int(line[1])
    if not isinstance(as_of, str | date):
        raise InputError("`as_of` is no time", got=short_repr(as_of), wanted="text, a date or a datetime")
    return parse_time(as_of if isinstance(as_of, str) else as_of.isoformat())
