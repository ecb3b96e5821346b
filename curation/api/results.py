"""What a finished run holds, read from its files."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from curation.errors import about, check_range, checked
from curation.run import lookup
from curation.run.agreement import Agreement, agreement_of
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.probabilities import Probabilities
from curation.run.status import Status, status_of

# slow to import, and needed by few
if TYPE_CHECKING:
    import fiftyone

    from curation.gate import Gate
    from curation.issues.summary import Summary

__all__ = ["RunResults", "finished_run"]


@dataclass(frozen=True)
class RunResults:
    """The tables and files of a finished run; each is read as it is now.

    Attributes
    ----------
    folder : Path
        ``runs/<dataset>/<number>``, or the one that was named.
    """

    folder: Path

    def _repr_html_(self) -> str:
        """Return the summary, as a notebook shows it."""
        return self.summary()._repr_html_()

    @property
    def _files(self) -> RunFolder:
        with about("folder"):
            return RunFolder(Path(self.folder)).require_finished()

    @property
    def listings(self) -> pd.DataFrame:
        """The N checked listings as they were used, with ``fold``, ``split`` and facts of each photo; a new copy."""
        return self._files.listings()

    @property
    def issues(self) -> pd.DataFrame:
        """One row per listing: ``is_<kind>_issue``, ``<kind>_score`` in [0, 1] (low = bad), suggestion, ``reasons``.

        ``priority`` is a permutation of 1 to N; 1 is to be looked at first. All columns: docs/data.md.
        """
        return self._files.issues()

    @property
    def health(self) -> dict[str, Any]:
        """How sound the given labels are, altogether, of each class, and between pairs of classes."""
        return self._files.health()

    @property
    def report(self) -> Path:
        """``report.html``: one self-contained page for a person."""
        return self._files.report_file

    def probabilities(self) -> Probabilities:
        """Return the out-of-fold probabilities, shape (N, K), with their ids, classes and folds."""
        return self._files.probabilities()

    def decisions(self) -> pd.DataFrame:
        """Return what holds for each listing that was decided on: one row each, in the order of the first decision.

        Returns
        -------
        DataFrame
            ``id``, ``action`` (keep, relabel, reprice, delete, ambiguous), ``new_label``, ``reviewer``, ``time`` (UTC),
            ``source``, ``note``, ``suggested_label``, ``new_price``, ``new_class``, ``suggested_price``, ``saw``:
            whether another reviewer's decision was in sight, where there was one. Of a listing in conflict, the latest.

        Warns
        -----
        UserWarning
            For each damaged line of the journal: a decision may be lost in it.
        """
        holding = self._files.holding_decisions()
        for line in holding.damaged:
            warnings.warn(line, stacklevel=2)
        return _table(holding.decisions.values())

    def conflicts(self) -> pd.DataFrame:
        """Return what each reviewer said of the listings on which they disagree and that nobody has settled.

        Returns
        -------
        DataFrame
            As of :meth:`decisions`, a row for each reviewer of a listing, oldest first. :meth:`apply_fixes` leaves
            these listings as they are.
        """
        words = self._files.holding_decisions().conflicts.values()
        return _table(word for each in words for word in each)

    def agreement(self) -> Agreement:
        """Return how far the reviewers agree on labels, where two or more decided without the others' word in sight.

        Returns
        -------
        Agreement
            Cohen's kappa of each two of them and Krippendorff's alpha of all, with 95 % intervals.
        """
        return agreement_of(self._files)

    def status(self) -> Status:
        """Return where the run stands, and what comes next."""
        return status_of(self._files)

    @checked
    def summary(self, budget: int | None = None) -> Summary:
        """Return what a person wants to know first.

        Parameters
        ----------
        budget : int, optional
            How many listings you are going to look at: the summary then says how many of them are expected to need a
            change.
        """
        from curation.issues.summary import summarise

        check_range("budget", "number of listings", budget, 1, math.inf)
        return summarise(self._files, budget)

    @checked
    def gate(self, fail_if: str | Sequence[str], baseline: str | Path | RunResults | None = None) -> Gate:
        """Compare what the run measures with limits, so that a pipeline can end where a dataset got worse.

        Parameters
        ----------
        fail_if : str or sequence of str
            Limits, e.g. ``"label_errors > 5%"``, ``"reposts[Laptops] > 10"``, ``"new_reposts > 0"`` or
            ``"label_flags > baseline + 2%"``. Measures are those of :data:`curation.gate.measures.MEASURES`, with
            ``new_`` before them of the listings that the baseline lacks, and ``new_classes``, ``missing_classes`` and
            ``removed_listings``.
        baseline : str, Path or Run, optional
            The run of an earlier state of the dataset.

        Returns
        -------
        Gate
            Whether it ``passed``, and what was measured. What is estimated crosses a limit only if all of its 95 %
            interval does.

        Raises
        ------
        InputError
            If a limit can't be understood or measured, or compares with a baseline that there is not; if the baseline
            is of another dataset.
        RunError
            If there is no such baseline.

        Examples
        --------
        >>> import curation, numpy as np
        >>> demo = curation.demo("shop", listings=120)
        >>> listings = curation.read_listings("shop")
        >>> guesses = np.random.default_rng(0).dirichlet(np.ones(12), size=120)
        >>> run = curation.find_issues(listings, probabilities=guesses, text=False)
        >>> run.gate(["listings < 100", "missing_labels > 0"]).passed
        True
        >>> run.gate("listings > 100").limits["verdict"].tolist()
        ['crossed']
        """
        from curation.gate import check_limits

        earlier = None if baseline is None else finished_run(baseline, "baseline")
        return check_limits(self._files, fail_if, earlier)

    def to_fiftyone(self) -> fiftyone.Dataset:
        """Return the run as a dataset of FiftyOne, with all flags, scores and decisions as fields of its samples.

        Raises
        ------
        ReviewError
            If there is no MongoDB, or the photos are gone.
        """
        from curation.review.app.dataset import open_dataset
        from curation.review.database.check import check_mongod

        check_mongod()
        return open_dataset(self._files).dataset


def finished_run(run: RunResults | str | Path, parameter: str) -> RunFolder:
    """Return the folder of a finished run that an argument names or is.

    Parameters
    ----------
    run : Run, str or Path
        The run, its folder, or a name.
    parameter : str
        The argument.

    Raises
    ------
    RunError
        If there is no such run, or it has not finished.
    """
    with about(parameter):
        if isinstance(run, RunResults):
            return RunFolder(Path(run.folder)).require_finished()
        return lookup.open_run(run)


def _table(decisions: Iterable[Decision]) -> pd.DataFrame:
    columns = [field.name for field in fields(Decision)]
    table = pd.DataFrame([astuple(decision) for decision in decisions], columns=columns)
    others = {"new_price": "float64", "suggested_price": "float64", "new_class": "bool", "saw": "boolean"}
    return table.astype({name: others.get(name, "string") for name in columns})
