"""A comparison of models: typed, in words, as a table, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.errors import some
from curation.models.scores import SCORE_NAMES, score_text
from curation.rendering.markdown import escaped, table
from curation.rendering.results import Result
from curation.rendering.words import many
from training.evaluation.bootstrap import Difference

__all__ = ["Candidate", "ModelComparison"]


@dataclass(frozen=True)
class Candidate:
    """A model with an optimizer, cross-validated.

    Attributes
    ----------
    name, model, optimizer : str
        The name is ``<model>-<optimizer>``.
    learning_rate, weight_decay : float
        That it was trained with.
    pooled : dict of str to float
        Scores over all training listings at once, each predicted out-of-fold.
    mean, sd : dict of str to float
        Mean and standard deviation of the folds' scores.
    folds : list of dict
        The scores of each fold.
    behind : Difference or None
        How much worse than the best, by the first score; above 0 is worse. None for the best.
    told_apart : bool or None
        Whether the whole interval of `behind` is above 0.
    per_class : dict
        Scores of each class over all training listings.
    parameters : int
        Numbers that the network learns.
    initial_weights : str
        ``pretrained``, or why it started from scratch.
    seconds_per_fold : float
        Wall-clock seconds of all folds, divided by their number.
    side_by_side : int
        Folds that were trained at a time.
    epochs, best_epochs : list of int
        Of each fold: epochs trained; the epoch whose weights were scored, or None without an early stop.
    command : str
        Trains it on all training listings.
    """

    name: str
    model: str
    optimizer: str
    learning_rate: float
    weight_decay: float
    pooled: dict[str, float]
    mean: dict[str, float]
    sd: dict[str, float]
    folds: list[dict[str, float]]
    behind: Difference | None
    told_apart: bool | None
    per_class: dict[str, Any]
    parameters: int
    initial_weights: str
    seconds_per_fold: float
    side_by_side: int
    epochs: list[int]
    best_epochs: list[int | None]
    command: str

    def __str__(self) -> str:
        return f"{self.model} with {self.optimizer}"

    def behind_by(self, difference: Difference | None) -> Candidate:
        """Return the candidate with its difference from the best."""
        return replace(self, behind=difference, told_apart=None if difference is None else difference.low > 0)

    def over_folds(self, score: str) -> str:
        """Return mean ± standard deviation of a score, for people."""
        return f"{score_text(score, self.mean[score])} ± {score_text(score, self.sd[score])}"

    @property
    def row(self) -> dict[str, Any]:
        """The row of ``models.csv``."""
        behind = {"mean": 0.0, "low": None, "high": None} if self.behind is None else self.behind.to_dict()
        return {
            "model": self.model,
            "optimizer": self.optimizer,
            **self.pooled,
            **{f"behind_{key}": value for key, value in behind.items()},
            "told_apart": self.told_apart,
            **{f"{score}_mean": value for score, value in self.mean.items()},
            **{f"{score}_sd": value for score, value in self.sd.items()},
            "parameters": self.parameters,
            "seconds_per_fold": self.seconds_per_fold,
            "epochs": float(np.mean(self.epochs)),
            "command": self.command,
        }


@dataclass(frozen=True)
class ModelComparison(Result):
    """Models with optimizers, cross-validated on the same folds.

    Attributes
    ----------
    folder : Path
        Of the study.
    target : str
        ``label`` or ``price``.
    currency : str or None
        Of prices.
    scores : tuple of str
        What is scored; the first decides which candidate is the best.
    folds : int
        Number of folds.
    listings : dict of str to int
        How many ``train`` and are scored, how many are the ``test`` set, and ``all``.
    settings : dict
        What all candidates share.
    candidates : tuple of Candidate
        Best first.
    diverged : list of str
        Names of candidates without scores.
    warnings : list of str
        What weakens the models or their scores.
    """

    folder: Path
    target: str
    currency: str | None
    scores: tuple[str, ...]
    folds: int
    listings: dict[str, int]
    settings: dict[str, Any]
    candidates: tuple[Candidate, ...]
    diverged: list[str]
    warnings: list[str]

    @property
    def table(self) -> pd.DataFrame:
        """A row per candidate, best first: the content of ``models.csv``."""
        return pd.DataFrame([candidate.row for candidate in self.candidates])

    @property
    def sentence(self) -> str:
        """Which candidate won, and whether these listings show a clear difference from the next."""
        best, *others = self.candidates
        score, listings = self.scores[0], f"these {self.listings['train']:,} listings"
        value = f"{score_text(score, best.pooled[score], named=True)}{self._unit}"
        difference = others[0].behind if others else None
        if difference is None:
            return f"{best}: {value} over {listings}; there is nothing to compare it with."
        following = others[0]
        distance = f"{score_text(score, difference.mean)}{self._unit} behind"
        distance += f" (95 % interval {score_text(score, difference.low)} to {score_text(score, difference.high)})"
        more = some(str(each) for each in others[1:] if not each.told_apart)
        if following.told_apart:
            verdict, why = "won", "more than the choice of listings explains"
            also = f"No clear difference from {more}."
        else:
            least = f"about {score_text(score, difference.could_show)}{self._unit}"
            verdict, why = "came first", f"less than {listings} can show ({least})"
            also = f"Nor is there a clear difference from {more}."
        parts = [f"{best} {verdict}: {value}.", f"The next, {following}, is {distance}: {why}."]
        return " ".join([*parts, also] if more else parts)

    @property
    def next(self) -> str:
        """The command that trains the best on all training listings."""
        return self.candidates[0].command

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``models.json``."""
        best = {"best": self.candidates[0].name, "next": self.next, "sentence": self.sentence}
        return {**super().to_dict(), **best}

    def cells(self) -> dict[str, list[str]]:
        """Return the cells of the table for people, by heading."""
        first, second = self.scores
        folds = f"of {many(self.folds, 'fold')}"
        behind = f"behind the best{self._unit} (95 % interval)"
        rows = [
            {
                "model": each.model,
                "optimizer": each.optimizer,
                SCORE_NAMES[first]: score_text(first, each.pooled[first]),
                behind: _behind(each.behind, first),
                f"{SCORE_NAMES[first]} {folds}": each.over_folds(first),
                f"{SCORE_NAMES[second]} {folds}": each.over_folds(second),
                "parameters (M)": f"{each.parameters / 1e6:.3g}",
                "seconds a fold": _seconds(each.seconds_per_fold),
                "epochs": _range(each.epochs),
            }
            for each in self.candidates
        ]
        return {heading: [row[heading] for row in rows] for heading in rows[0]}

    def notes(self) -> list[str]:
        """Return what to know when reading the table."""
        side_by_side = max(each.side_by_side for each in self.candidates)
        shared = f"; {side_by_side} at a time shared the cores" if side_by_side > 1 else ""
        trained, tested = many(self.listings["train"], "training listing"), many(self.listings["test"], "test listing")
        return [
            f"{SCORE_NAMES[self.scores[0]]}: over {trained}, each predicted by the model of the other folds; all "
            f"candidates have the same {self.folds} folds. The {tested} took no part.",
            "The interval covers the choice of listings, not the randomness of training.",
            "The best of several looks better than it is; only the test set shows how good it is.",
            f"Seconds are wall-clock, of all folds divided by their number{shared}.",
        ]

    def to_markdown(self) -> str:
        """Return the comparison as Markdown, for a pull request."""
        cells = self.cells()
        lines = [f"**{escaped(self.sentence)}**", ""]
        lines += [f"> {escaped(warning)}" for warning in self.warnings] + [""] * bool(self.warnings)
        lines += table(list(cells), list(zip(*cells.values(), strict=True)), right=range(2, len(cells)))
        lines += ["", *(f"- {escaped(note)}" for note in self.notes())]
        lines += ["", "The best, trained on all training listings and scored on the test set:", ""]
        return "\n".join([*lines, f"    {self.next}"])

    @property
    def _unit(self) -> str:
        return f" {self.currency}" if self.target == "price" and self.currency else ""

    def _facts(self) -> list[tuple[str, str]]:
        return [("folder", str(self.folder)), ("sentence", self.sentence)]

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("table", self.table)]


def _behind(difference: Difference | None, score: str) -> str:
    if difference is None:
        return "best"
    mean, low, high = (score_text(score, value) for value in (difference.mean, difference.low, difference.high))
    return f"{mean} ({low} to {high})"


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"
