"""The interface of an issue kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from curation.evidence.evidence import Evidence

__all__ = ["IssueKind"]


@dataclass(frozen=True)
class IssueKind:
    """One kind of issue; each lives in a file of its own, as ``KIND``.

    Attributes
    ----------
    name : str
        The kind's name in columns and files: ``is_<name>_issue``, ``<name>_score``.
    order : int
        Place among the kinds in summaries and in the columns of ``issues.csv``, 1 first. A new kind takes the next
        number, so that the columns of others keep their places.
    title : str
        Its title for people, plural: ``"Wrong labels"``.
    help : str
        One line: what is flagged, and how it is detected.
    columns : mapping of str to str
        The kind's columns and their dtypes, in their order: ``is_<name>_issue``, usually ``<name>_score``, and others.
    worth : float or None
        Share of the flags that call for a change, 0 to 1: how much one counts in the queue. None if the score is
        itself the chance that all is well.
    find : callable
        Evidence → DataFrame with the evidence's index: the columns above, and ``reason`` (plain words; empty if not
        flagged). Flags are yes or no; scores are in [0, 1], low = bad, NaN without evidence.
    """

    name: str
    order: int
    title: str
    help: str
    columns: Mapping[str, str]
    worth: float | None
    find: Callable[[Evidence], pd.DataFrame]

    @property
    def flag(self) -> str:
        """Name of the yes/no column."""
        return f"is_{self.name}_issue"

    @property
    def score(self) -> str:
        """Name of the score column."""
        return f"{self.name}_score"
