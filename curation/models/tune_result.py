"""The result of a search for settings: its trials, the gain, and why not to take it at face value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from curation.models.scores import SCORES, score_text
from curation.models.search_space import SearchSpace
from curation.rendering.results import Result
from training.settings import Recipe
from training.utils.csv_files import write_csv
from training.utils.files import write_json

__all__ = ["TrialResult", "TuneResult"]

_STATES = ("complete", "unfinished", "pruned", "diverged", "failed")


@dataclass(frozen=True)
class TrialResult:
    """How a trial ended, or how far it is.

    Attributes
    ----------
    number : int
        From 1 on; 1 is the start.
    state : str
        ``complete``, ``pruned`` (ended early, as others were better), ``diverged``, ``unfinished`` or ``failed``.
    score : str
        The one that counts.
    parameters : dict
        Of :func:`curation.models.search_space.parameters_of`.
    folds : list of dict
        Scores of each fold that was trained.
    seconds : float
        Of training.
    repeats : int or None
        The trial with the same parameters that it was copied from.
    """

    number: int
    state: str
    score: str
    parameters: dict[str, Any]
    folds: list[dict[str, float]]
    seconds: float
    repeats: int | None

    @property
    def scores(self) -> list[float]:
        """The score of each fold."""
        return [scores[self.score] for scores in self.folds]

    @property
    def mean(self) -> float | None:
        """Mean over the folds; None without any."""
        return float(np.mean(self.scores)) if self.folds else None

    @property
    def sd(self) -> float | None:
        """Standard deviation over the folds; None with fewer than two."""
        return float(np.std(self.scores, ddof=1)) if len(self.folds) > 1 else None

    @property
    def row(self) -> dict[str, Any]:
        """The row of ``trials.csv``."""
        head = {"number": self.number, "state": self.state, "mean": self.mean, "sd": self.sd}
        folds = {f"fold_{number}": score for number, score in enumerate(self.scores, 1)}
        return {**head, **self.parameters, **folds, "seconds": round(self.seconds, 1)}

    def to_dict(self) -> dict[str, Any]:
        """Return it as ``tune.json`` has it."""
        return {
            "number": self.number,
            "state": self.state,
            "mean": self.mean,
            "sd": self.sd,
            "parameters": self.parameters,
            "folds": self.folds,
            "seconds": round(self.seconds, 1),
            "repeats": self.repeats,
        }

    def __str__(self) -> str:
        return f"{score_text(self.score, self.mean or 0.0, named=True)} (trial {self.number})"


@dataclass(frozen=True)
class TuneResult(Result):
    """A search for better settings.

    Attributes
    ----------
    folder : Path
        Of the study.
    target : str
        ``label`` or ``price``.
    currency : str or None
        Of prices.
    folds : int
        Number of folds that judge a trial.
    listings : dict of str to int
        How many were ``searched`` with, how many are the ``test`` set, and ``all``.
    settings : Recipe
        Where the search started.
    space : SearchSpace
        What was searched.
    started : tuple of TrialResult
        All trials that began, in their order.
    best_trial : TrialResult or None
        The best of the complete trials; None if none is complete.
    best : Recipe or None
        Its settings, for :func:`curation.train`.
    importances : dict of str to float, or None
        Share of each parameter in how scores differ; None with fewer than eight complete trials.
    warnings : list of str
        What weakens the models.
    next : str or None
        The command that trains with the best settings.
    """

    folder: Path
    target: str
    currency: str | None
    folds: int
    listings: dict[str, int]
    settings: Recipe
    space: SearchSpace
    started: tuple[TrialResult, ...]
    best_trial: TrialResult | None
    best: Recipe | None
    importances: dict[str, float] | None
    warnings: list[str]
    next: str | None

    @property
    def score(self) -> str:
        """What a trial is judged by."""
        return SCORES[self.target][0]

    @property
    def lower_is_better(self) -> bool:
        """Whether less of the score is better."""
        return self.target == "price"

    @property
    def ranked(self) -> list[TrialResult]:
        """Complete trials from the best on, then those that came far."""
        sign = 1 if self.lower_is_better else -1
        return sorted(
            self.started,
            key=lambda trial: (_STATES.index(trial.state), -len(trial.folds), sign * (trial.mean or 0.0)),
        )

    @property
    def trials(self) -> pd.DataFrame:
        """A row per trial, best first: the content of ``trials.csv``."""
        return pd.DataFrame([trial.row for trial in self.ranked])

    @property
    def counts(self) -> dict[str, int]:
        """Number of trials by state."""
        return {state: sum(trial.state == state for trial in self.started) for state in _STATES}

    @property
    def seconds(self) -> float:
        """Seconds of training in all."""
        return round(sum(trial.seconds for trial in self.started), 1)

    @property
    def gain(self) -> dict[str, float] | None:
        """How much better than the first trial the best is, ``mean`` and ``sd`` over the folds; None without both."""
        if self.best_trial is None or self.started[0].state != "complete":
            return None
        better = np.subtract(self.best_trial.scores, self.started[0].scores) * (-1 if self.lower_is_better else 1)
        return {"mean": float(better.mean()), "sd": float(better.std(ddof=1))}

    @property
    def cautions(self) -> list[str]:
        """Why not to take the best score at face value."""
        if self.best_trial is None:
            return []
        cautions = []
        compared, gain = self.counts["complete"] + self.counts["pruned"], self.gain
        if compared > 1:
            cautions.append(
                f"the best of {compared} trials looks better than it is, because its score chose it; the test set, "
                "which took no part, shows how good it is: train it and look there"
            )
        if gain is not None and self.best_trial.number > 1 and gain["mean"] <= gain["sd"]:
            cautions.append("the gain is no larger than its spread over the folds: it may be chance")
        if self.started[0].state == "diverged":
            cautions.append("the settings as given diverge, so the gain over them is unknown")
        return cautions

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``tune.json``."""
        return {
            "folder": str(self.folder),
            "target": self.target,
            "currency": self.currency,
            "score": self.score,
            "lower_is_better": self.lower_is_better,
            "folds": self.folds,
            "listings": self.listings,
            "settings": self.settings.to_dict(),
            "space": self.space.to_dict(),
            "counts": self.counts,
            "seconds": self.seconds,
            "trials": [trial.to_dict() for trial in self.ranked],
            "best": None if self.best_trial is None else self.best_trial.number,
            "best_settings": None if self.best is None else self.best.to_dict(),
            "gain": self.gain,
            "importances": self.importances,
            "warnings": self.warnings,
            "cautions": self.cautions,
            "next": self.next,
        }

    def write(self) -> None:
        """Write ``tune.json`` and ``trials.csv``."""
        write_csv(self.folder / "trials.csv", self.trials)
        write_json(self.folder / "tune.json", self.to_dict())

    def _shown(self) -> Iterator[tuple[str, Any]]:
        return ((name, getattr(self, name)) for name in ("folder", "trials", "best", "gain"))
