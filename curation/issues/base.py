"""What every issue kind is given, and what it must give back."""

from __future__ import annotations

from collections.abc import Callable
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
        The kind's word in columns and files: ``is_<name>_issue``, ``<name>_score``.
    order : int
        Place among the kinds in summaries, 1 first.
    title : str
        For people, plural: ``"Wrong labels"``.
    help : str
        One line: what is flagged, and how it is found.
    find : callable
        Evidence → DataFrame with the evidence's index: ``is_<name>_issue`` (bool), ``<name>_score`` (float in
        [0, 1], low = bad, NaN without evidence), more columns of the kind, and ``reason`` (plain words; empty if not
        flagged).
    """

    name: str
    order: int
    title: str
    help: str
    find: Callable[[Evidence], pd.DataFrame]

    @property
    def flag(self) -> str:
        """Name of the yes/no column."""
        return f"is_{self.name}_issue"

    @property
    def score(self) -> str:
        """Name of the score column."""
        return f"{self.name}_score"
