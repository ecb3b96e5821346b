"""What an audit says, as a result of the public API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from curation.auditing.estimate import Interval
from curation.rendering.results import Result

__all__ = ["Audit"]


@dataclass(frozen=True)
class Audit(Result):
    """An audit of a run: what was drawn, what is decided of it, and what that says about all labels.

    All intervals are 95 % intervals. Estimates are None as long as nothing is decided that they could be made from.

    Attributes
    ----------
    run : Path
        Its folder.
    size : int
        Listings that were drawn.
    decided : int
        Drawn listings that are decided.
    listings : int
        Labelled listings, which the audit is about.
    known : int
        Listings that are known without an estimate: decided before the draw, or at the beginning of the queue, where
        everything is decided.
    flagged : int
        Labelled listings with a flagged label.
    wrong : Interval or None
        Wrong labels among all.
    wrong_share : Interval or None
        The same as a share, 0 to 1.
    left : Interval or None
        Wrong labels among the listings without a decision: what is left if one stops now.
    precision : Interval or None
        Share of the flagged labels that are wrong, 0 to 1; None without flags.
    recall : Interval or None
        Share of the wrong labels that are flagged, 0 to 1.
    expected : float
        Wrong labels that the run's chances expect.
    recalibrated : float or None
        What they expect once they agree with the audit.
    offset, slope : float or None
        What is done to the log-odds of the chances for that.
    classes : DataFrame
        By class of the given label, where enough is audited: ``class``, ``listings``, ``audited``, ``low``,
        ``wrong``, ``high`` (wrong labels).
    confusion : DataFrame
        ``given``, ``true``, ``listings``: how many listings of each given and true class there are, as many as the
        audited ones stand for. A class that no audited listing has is missing.
    page : Path or None
        The page to review the sample on; None if everything is decided.
    notes : tuple of str
        What a person should know.
    damaged : tuple of str
        A message for each damaged line of the journal: a decision may be lost in each.
    """

    run: Path
    size: int
    decided: int
    listings: int
    known: int
    flagged: int
    wrong: Interval | None
    wrong_share: Interval | None
    left: Interval | None
    precision: Interval | None
    recall: Interval | None
    expected: float
    recalibrated: float | None
    offset: float | None
    slope: float | None
    classes: pd.DataFrame
    confusion: pd.DataFrame
    page: Path | None
    notes: tuple[str, ...]
    damaged: tuple[str, ...]
