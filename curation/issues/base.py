"""What every issue kind is given, and what it must give back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Evidence", "IssueKind"]


@dataclass(frozen=True)
class Evidence:
    """Everything a kind may look at. Detectors read these columns and no others.

    Attributes
    ----------
    listings : DataFrame
        One row per listing: ``id``, ``image``, ``label``, ``price``, ``title``, ``group``, ``split``, ``fold``,
        ``sha256`` (of the photo's content), ``unreadable`` (why the photo can't be decoded). Missing values are NA.
    classes : tuple of str
        The K class names, in the order of the columns of `probs`.
    probs : ndarray of float64, shape (N, K)
        Out-of-fold probabilities; NaN rows where there are none.
    trained : ndarray of bool, shape (N, K), or None
        Whether the model that scored the listing had seen any member of the class; None when models
        were trained elsewhere.
    currency : str or None
        Currency of the prices.
    """

    listings: pd.DataFrame
    classes: tuple[str, ...]
    probs: npt.NDArray[np.float64]
    trained: npt.NDArray[np.bool_] | None = None
    currency: str | None = None

    @property
    def given(self) -> npt.NDArray[np.int64]:
        """Class number of the given label, shape (N,); -1 where there is none."""
        return pd.Categorical(self.listings["label"], categories=self.classes).codes.astype(np.int64)

    @property
    def scored(self) -> npt.NDArray[np.bool_]:
        """Whether there are probabilities, shape (N,)."""
        return np.logical_not(np.isnan(self.probs).any(axis=1))


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
