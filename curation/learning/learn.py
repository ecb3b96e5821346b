"""A finished run judged again, with everything that people decided since: from its features, in seconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from curation.errors import InputError, RunError
from curation.evidence.evidence import Evidence
from curation.evidence.out_of_fold import fold_plan, trained_classes
from curation.evidence.title_features import kept_titles
from curation.issues import KINDS, find_issues
from curation.issues.label.anchor import Anchor
from curation.issues.label.judge import judge
from curation.issues.queue import at_stake, priorities
from curation.issues.summary import flags_of
from curation.learning.decided import known_of, with_prices
from curation.listings.columns import class_numbers
from curation.listings.worth import worth_column
from curation.run.damaged import readable
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from training.crossval.cross_validate import CrossValidated, FoldPlan
from training.crossval.plan import Plan
from training.crossval.relearn import Networks, relearn
from training.features.refit import Decided
from training.utils.arrays import Float64, Int64
from training.utils.devices import find_device

__all__ = ["Expected", "Learned", "learn", "learned_evidence"]

#: The normal distribution's 97.5 % quantile.
_QUANTILE = 1.96


@dataclass(frozen=True)
class Expected:
    """How many listings are expected to need a change.

    Attributes
    ----------
    listings : int
        How many there are.
    changes : float
        How many of them are expected to need one.
    low, high : float
        The 95 % interval of that number.
    """

    listings: int
    changes: float
    low: float
    high: float


@dataclass(frozen=True)
class Learned:
    """What a run says after it has learned from decisions.

    Attributes
    ----------
    evidence : Evidence
        In the order of :meth:`curation.run.folder.RunFolder.training_table`.
    issues : DataFrame
        As ``issues.parquet`` has it, in the order of the input. Decided listings are not flagged, their
        ``change_chance`` is 0, and they are at the end of the queue.
    chances : Series of float64, length N
        By id, the chance that the given label is wrong as models alone have it, 0 to 1; NaN where it was not judged.
    anchor : Anchor or None
        What these chances need to agree with the decisions; None if no label can be judged.
    decided : int
        How many decisions it knows.
    """

    evidence: Evidence
    issues: pd.DataFrame
    chances: pd.Series
    anchor: Anchor | None
    decided: int

    def expected(self, ids: Collection[str]) -> Expected:
        """Return how many of some listings are expected to need a change.

        Parameters
        ----------
        ids : collection of str
            The listings.
        """
        chosen = self.issues["id"].isin(list(ids))
        change = self.issues.loc[chosen, "change_chance"].to_numpy(dtype=np.float64)
        changes, size = float(change.sum()), len(change)
        chances = self.chances.reindex(self.issues.loc[chosen, "id"]).dropna().to_numpy(dtype=np.float64)
        # a wrong price, or a repost, is no surer than its chance, either
        apart = np.sqrt((change * (1 - change)).sum())
        reach = _QUANTILE * (np.hypot(apart, self.anchor.doubt(chances)) if self.anchor else np.sqrt(changes))
        return Expected(size, changes, max(0.0, changes - reach), min(float(size), changes + reach))


def learn(run: RunFolder, decisions: Mapping[str, Decision]) -> Learned:
    """Judge a run again with what people decided.

    The result depends on the run and on the decisions alone, so it is the same during a review and afterwards.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    decisions : mapping of str to Decision
        Those that hold, in the order in which they were made; see :func:`curation.run.journal.in_order`.

    Returns
    -------
    Learned

    Raises
    ------
    RunError
        If a file of the run is damaged or missing, or all that could be learned from was deleted.
    """
    # as `find_issues` computes: digits must not depend on the number of threads
    with threadpool_limits(1, "blas"):
        evidence = learned_evidence(run, decisions)
        issues, judgement = find_issues(evidence), judge(evidence.twins_as_one)
    rows, ids = run.input_order(evidence.listings["id"]), evidence.listings["id"].astype(str)
    return Learned(
        evidence,
        _left(issues.assign(price=run.training_table()["price"]), decisions).iloc[rows].reset_index(drop=True),
        pd.Series(judgement.chance, index=ids.to_numpy()),
        judgement.anchor,
        len(decisions),
    )


def learned_evidence(run: RunFolder, decisions: Mapping[str, Decision]) -> Evidence:
    """Return the evidence of a run once more, whose models have learned from decisions.

    The linear models, the weights of all sources and the chances are fitted again. Photos, features, folds and test set
    stay as they are, and so does what networks, or the user's own models, said. A listing is still scored by models
    that were not trained on it, so a decision has no part in the evidence about its own listing.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    decisions : mapping of str to Decision
        Those that hold, in the order in which they were made.

    Returns
    -------
    Evidence
        In the order of :meth:`curation.run.folder.RunFolder.training_table`, with what was decided on its labels.

    Raises
    ------
    RunError
        If a file of the run is damaged or missing.
    """
    record, table = run.record(), run.training_table()
    known, table = known_of(run, table, decisions), with_prices(table, decisions)
    currency, features = record["dataset"].get("currency"), run.features()
    if features is None:
        given = run.probabilities().in_order(table["id"].tolist(), run.classes)
        evidence = Evidence(table, given.classes, given.probs.astype(np.float64), currency=currency)
    else:
        classes, taught = run.classes, table.assign(label=known.labels)
        labels, folds = class_numbers(taught["label"], classes), fold_plan(taught)
        decided = Decided(known.sure, class_numbers(table["label"], classes), known.wrong)
        scores = _relearned(run, decided, labels, folds, len(classes))
        evidence = Evidence(
            table,
            tuple(classes),
            scores.probs.astype(np.float64),
            trained_classes(labels, folds, len(classes)),
            currency,
            scores.in_fold,
            scores.neighbours,
            features,
            refitted=scores.refitted,
        )
    worth = worth_column(record["settings"].get("worth"))
    return replace(evidence, titles=kept_titles(run), flags=flags_of(record), known=known, worth=worth)


def _relearned(run: RunFolder, decided: Decided, labels: Int64, folds: FoldPlan, classes: int) -> CrossValidated:
    """Fit the linear models of the run again; what networks said is read from their checkpoints."""
    folder = run.training_folder
    with readable(folder / "plan.json", run=run.folder):
        plan = Plan.load(folder / "plan.json")
    with readable(folder, run=run.folder):
        networks = Networks.of(folder, folds, classes) if plan.recipe.has_network else None
    try:
        # not on a GPU, whose sums differ in the last digits: the page and the command may run on different machines
        return relearn(
            folder / Path(run.record()["features"]).name,
            labels,
            folds,
            decided=decided,
            classes=classes,
            seed=plan.recipe.seed,
            device=find_device("cpu").device,
            networks=networks,
        )
    except InputError as error:
        raise RunError(
            f"the decisions of {run.folder} leave too little to learn from",
            got=error.what,
            wanted="labelled listings with a photo that are not deleted",
            fix="Undo some of the deletions.",
        ) from error


def _left(issues: pd.DataFrame, decisions: Mapping[str, Decision]) -> pd.DataFrame:
    """Return issues of which nothing is left to say about decided listings."""
    decided = issues["id"].isin(list(decisions))
    flags = {kind.flag: issues[kind.flag].mask(decided, False) for kind in KINDS}
    reasons, chance = issues["reasons"].mask(decided, ""), issues["change_chance"].mask(decided, 0.0)
    causes = {name: issues[name].mask(decided) for name in ("price_cause", "price_at_stake")}
    issues = issues.assign(**flags, **causes, reasons=reasons, change_chance=chance)
    if "worth" in issues:
        issues = issues.assign(worth_at_stake=at_stake(issues))
    place = priorities(issues)
    # what is decided comes last, in the same order among itself
    order = np.lexsort((place, decided.to_numpy()))
    priority: Float64 = np.empty(len(order), dtype=np.int64)
    priority[order] = np.arange(1, len(order) + 1)
    return issues.assign(priority=priority)
