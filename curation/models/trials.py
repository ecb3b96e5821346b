"""The trials of a search in Optuna's SQLite file."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from curation.errors import RunError
from curation.models.scores import SCORES
from curation.models.search_space import SearchSpace, parameters_of, start_parameters
from curation.models.tune_result import TrialResult
from training.settings import Recipe
from training.utils.machine import machine_error, mark_resumable

__all__ = ["Trials", "quiet"]

#: Of the study in the file, which may hold others.
_NAME = "curate tune"
#: Attributes of a trial beside Optuna's own.
_FOLDS, _SECONDS, _DIVERGED, _REPEATS = "folds", "seconds", "diverged", "repeats"
#: Complete trials before one is ended early.
_START_UP = 4
#: Seconds to wait while another program reads the file.
_PATIENCE = 60
#: Complete trials below which importances are chance.
_ENOUGH = 8


@dataclass(frozen=True)
class Trials:
    """The trials of one search.

    Attributes
    ----------
    study : optuna.Study
    storage : RDBStorage
        Where it is.
    start : Recipe
        The first trial.
    space : SearchSpace
        What the others are drawn from.
    """

    study: optuna.Study
    storage: RDBStorage
    start: Recipe
    space: SearchSpace

    @classmethod
    def open(cls, file: Path, start: Recipe, space: SearchSpace) -> Trials:
        """Open the trials in a file, or begin with the start.

        A trial is ended early if none of its means over the folds so far reaches the median of the complete trials
        after as many folds (the median stopping rule of Golovin et al., "Google Vizier", KDD 2017). The rule assumes
        nothing about the distribution of scores, and works from the first fold on. Optuna's signed-rank test over the
        folds shows nothing with 3 folds (its least p is 1/8), and successive halving needs more steps.

        Raises
        ------
        RunError
            If the file can't be read.
        """
        url = URL.create("sqlite", database=str(file.resolve())).render_as_string()
        try:
            _check(file)
            storage = RDBStorage(url, engine_kwargs={"connect_args": {"timeout": _PATIENCE}})
            study = optuna.create_study(
                storage=storage,
                study_name=_NAME,
                load_if_exists=True,
                direction="minimize" if start.target == "price" else "maximize",
                pruner=MedianPruner(n_startup_trials=_START_UP),
            )
            fresh = not study.get_trials(deepcopy=False)
        except (sqlite3.Error, SQLAlchemyError, RuntimeError) as error:
            # the trials before are kept
            mark_resumable(error)
            if (refusal := machine_error(error)) is not None:
                # a full disk is no fault of the file
                raise refusal from error
            raise RunError(
                f"{file} can't be used",
                got=str(error).splitlines()[0],
                wanted="the trials of a study",
                fix="Close other programs that use it; or move it away, and the study starts again.",
            ) from error
        if fresh:
            study.enqueue_trial(start_parameters(start))
        return cls(study, storage, start, space)

    @property
    def score(self) -> str:
        """The score that the search improves; less is better of prices."""
        return SCORES[self.start.target][0]

    def begin(self, most: int) -> Trial | None:
        """Resume the trial that was interrupted, or begin the next one; None if `most` have ended.

        What is drawn depends on the seed, the number of the trial and those before it, not on interruptions.
        """
        trials = self.study.get_trials(deepcopy=False)
        if sum(trial.state.is_finished() for trial in trials) >= most:
            return None
        drawn = [trial for trial in trials if trial.state != TrialState.WAITING]
        self.study.sampler = TPESampler(seed=self.start.seed + len(drawn))
        unfinished = [trial.number for trial in drawn if not trial.state.is_finished()]
        trial = self._resume(unfinished[0]) if unfinished else self.study.ask()
        self.space.draw(trial)
        return trial

    def _resume(self, number: int) -> Trial:
        study = self.storage.get_study_id_from_name(_NAME)
        return Trial(self.study, self.storage.get_trial_id_from_study_id_trial_number(study, number))

    def _stored(self, trial: Trial) -> FrozenTrial:
        return self.study.get_trials(deepcopy=False)[trial.number]

    def result(self, trial: Trial | FrozenTrial) -> TrialResult:
        """Return how a trial ended, or how far it is."""
        stored = trial if isinstance(trial, FrozenTrial) else self._stored(trial)
        attributes = stored.user_attrs
        return TrialResult(
            number=stored.number + 1,
            state="diverged" if _DIVERGED in attributes else _STATES[stored.state],
            score=self.score,
            parameters=parameters_of(stored.params, self.start),
            folds=attributes.get(_FOLDS, []),
            seconds=attributes.get(_SECONDS, 0.0),
            repeats=attributes.get(_REPEATS),
        )

    def all(self) -> list[TrialResult]:
        """Return all trials that began, in their order."""
        trials = self.study.get_trials(deepcopy=False)
        return [self.result(trial) for trial in trials if trial.state != TrialState.WAITING]

    def best(self) -> TrialResult | None:
        """Return the best of the complete trials, the first of equal ones; None without any."""
        complete = [trial for trial in self.all() if trial.state == "complete"]
        sign = -1 if self.start.target == "price" else 1
        return max(complete, key=lambda trial: sign * (trial.mean or 0.0), default=None)

    def add_fold(self, trial: Trial, scores: dict[str, float], seconds: float) -> None:
        """Store the scores of a trial's next fold, and the seconds that it took."""
        folds = [*trial.user_attrs.get(_FOLDS, []), scores]
        step = len(folds) - 1
        # killed between the two, only the first was written
        if step not in self._stored(trial).intermediate_values:
            trial.report(float(np.mean([each[self.score] for each in folds])), step)
        trial.set_user_attr(_SECONDS, trial.user_attrs.get(_SECONDS, 0.0) + seconds)
        trial.set_user_attr(_FOLDS, folds)

    def complete(self, trial: Trial) -> None:
        """End a trial of which all folds were trained."""
        self.study.tell(trial, self.result(trial).mean)

    def prune(self, trial: Trial, diverged: str | None = None) -> None:
        """End a trial early; `diverged` says why training can't go on."""
        if diverged is not None:
            trial.set_user_attr(_DIVERGED, diverged)
        self.study.tell(trial, state=TrialState.PRUNED)

    def repeat(self, trial: Trial) -> bool:
        """End a trial that has the parameters of an earlier one as that did; return whether there is one."""
        parameters = self.result(trial).parameters
        for earlier in self.study.get_trials(deepcopy=False)[: trial.number]:
            if earlier.state.is_finished() and self.result(earlier).parameters == parameters:
                for name, value in earlier.user_attrs.items():
                    trial.set_user_attr(name, value)
                trial.set_user_attr(_SECONDS, 0.0)
                trial.set_user_attr(_REPEATS, earlier.number + 1)
                for step, value in earlier.intermediate_values.items():
                    trial.report(value, step)
                value = earlier.value if earlier.state == TrialState.COMPLETE else None
                self.study.tell(trial, value, earlier.state)
                return True
        return False

    def importances(self) -> dict[str, float] | None:
        """Return the share of each parameter in how scores differ (PED-ANOVA, Watanabe et al., IJCAI 2023).

        None with fewer than eight complete trials: there, it would be chance.
        """
        if len(self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) < _ENOUGH:
            return None
        shares = get_param_importances(self.study, evaluator=PedAnovaImportanceEvaluator())
        return {name: float(share) for name, share in shares.items()}


_STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "unfinished",
    TrialState.FAIL: "failed",
}


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Optuna while the block runs."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)


def _check(file: Path) -> None:
    """Refuse a file that SQLite finds damaged."""
    if not file.exists():
        return
    with closing(sqlite3.connect(file)) as connection:
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise sqlite3.DatabaseError(problem)
