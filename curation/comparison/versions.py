"""The labels that train each version of the dataset, and the test set that all versions are scored on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.comparison.belief import in_test_set
from curation.comparison.sample import labels_decided
from curation.comparison.scored import CORRECT
from curation.comparison.truth import NO_CLASS
from curation.errors import InputError, RunError
from curation.evidence.split import require_photos
from curation.fixes.edits import labels_after
from curation.fixes.label_weights import read_label_weights
from curation.listings.columns import class_numbers, groups_of
from curation.listings.tables import read_raw
from curation.run.damaged import readable
from curation.run.decidable import new_classes_of
from curation.run.folder import RunFolder
from curation.run.journal import Decision
from curation.run.manifests import call_again
from training.utils.arrays import Bool, Int64
from training.utils.csv_files import restored_cells
from training.utils.targets import SoftLabels

__all__ = ["AFTER", "BEFORE", "Versions"]


BEFORE = "before"
AFTER = "after"
RANDOM, BLIND = "random_deletion", "all_suggestions"
RELABELLED, DELETED = "relabelled_only", "deleted_only"


class Versions:
    """The labels that train each version, and the test set, in the order of `RunFolder.training_table`.

    Parameters
    ----------
    run : RunFolder
        Finished, with photos and ``cleaned/``.
    truth : ndarray of int64, shape (N,), optional
        True labels, of :func:`curation.comparison.truth.read_truth`.
    compare, controls : bool
        Whether to train the version before the fixes, too, and the controls.

    Attributes
    ----------
    classes : list of str, length K
        Classes of the run, and those that people added. Models before the fixes never predict the latter.
    before, after : ndarray of int64, shape (N,)
        Class number of each listing that trains that version's models; -1 for the others.
    test : ndarray of int64, shape (n,)
        Rows of the test set.
    given, reviewed : ndarray of int64, shape (n,)
        Test labels as given, and as reviewed; -1 where a person deleted the listing.
    true : ndarray of int64, shape (n,), or None
        True test labels; -1 where unknown, or none of the classes.
    decided : dict of str to Decision
        Decisions of people on the labels of test listings.
    doubted : int
        Test listings whose label is flagged and undecided.
    left_out : int
        Listings that train no model because they share a photo or a group with a test listing.
    soft : SoftLabels or None
        How much the labels after the fixes count, if these were written with chances.

    Raises
    ------
    RunError
        If there is no cleaned dataset, or no photos.
    InputError
        If nothing is left to train or test on.
    """

    def __init__(
        self, run: RunFolder, truth: Int64 | None = None, *, compare: bool = True, controls: bool = False
    ) -> None:
        table = run.training_table()
        require_photos(run, table)
        self.ids = table["id"].to_numpy(dtype=np.str_)
        changes = _changes(run)
        cleaned = labels_after(table, changes)
        holding = run.holding_decisions()
        decisions, self.damaged = holding.settled, holding.damaged
        added = {*cleaned.dropna().astype(str), *new_classes_of(decisions)} - set(run.classes)
        self.classes = [*run.classes, *sorted(added)]
        self.groups = groups_of(table)
        self.readable = readable = table["unreadable"].isna().to_numpy(dtype=bool)
        given = class_numbers(table["label"], self.classes)
        tests = (table["split"] == "test").to_numpy(dtype=bool)
        apart = ~np.isin(self.groups, self.groups[tests])
        self.left_out = int((~apart & ~tests).sum())
        self._trains = readable & apart
        self.soft = _soft_labels(run, table.assign(label=cleaned), changes, self.classes)
        self.before = np.where(self._trains, given, -1)
        self.after = np.where(self._trains, class_numbers(cleaned, self.classes), -1)
        self.test = np.flatnonzero(in_test_set(table))
        self.given = given[self.test]
        self._by_suggestion = {id for id, decision in decisions.items() if decision.source == "suggestion"}
        labelled = labels_decided(decisions)
        self.decided = {str(id): decisions[id] for id in self.ids[self.test] if id in labelled}
        self.reviewed = _reviewed(self.ids[self.test], self.given, self.decided, self.classes)
        self.true = None if truth is None else np.maximum(truth[self.test], -1)
        self._check()
        issues = run.issues().set_index("id").loc[self.ids]
        flagged = issues["is_label_issue"].fillna(False).to_numpy(dtype=bool)
        suggested = np.where(flagged, class_numbers(issues["suggested_label"], self.classes), -1)
        self.doubted = sum(id not in self.decided for id in self.ids[self.test][flagged[self.test]].tolist())
        self._labels = {BEFORE: self.before, AFTER: self.after} if compare else {AFTER: self.after}
        if controls:
            self._labels |= self._controls(suggested, truth)

    def _check(self) -> None:
        if len(self.test) == 0:
            raise InputError("the test set is empty", wanted="test listings with a label and a readable photo")
        for name, labels in ((BEFORE, self.before), (AFTER, self.after)):
            if (labels >= 0).sum() < 2:
                raise InputError(
                    f"the dataset {name} the fixes leaves nothing to train on", got="fewer than 2 listings"
                )

    @property
    def names(self) -> list[str]:
        """The versions that are trained: ``before``, ``after``, and the controls."""
        return list(self._labels)

    @property
    def weighted(self) -> int:
        """How many training listings don't count fully, or for another label as well, after the fixes."""
        if self.soft is None:
            return 0
        return int((self.soft.weight[self.after >= 0] < 1).sum())

    @property
    def relabelled(self) -> Bool:
        """Training listings that have another label after the fixes, or a label for the first time; shape (N,)."""
        return np.asarray((self.after >= 0) & (self.before != self.after))

    @property
    def deleted(self) -> Bool:
        """Training listings that the fixes deleted; shape (N,)."""
        return np.asarray((self.before >= 0) & (self.after < 0))

    def source(self, row: int) -> str:
        """Return who changed a listing: ``person`` or ``suggestion``."""
        return "suggestion" if self.ids[row] in self._by_suggestion else "person"

    def _controls(self, suggested: Int64, truth: Int64 | None) -> dict[str, Int64]:
        """Return the labels that train each control; for random deletions, those that are drawn from."""
        controls = {RANDOM: self.before, BLIND: np.where(self._trains & (suggested >= 0), suggested, self.before)}
        if self.relabelled.any() and self.deleted.any():
            controls[RELABELLED] = np.where(self.relabelled, self.after, self.before)
            controls[DELETED] = np.where(self.deleted, -1, self.before)
        if truth is not None:
            # a listing of no class is removed, and one without a true label keeps its label
            true = np.where(truth == NO_CLASS, -1, np.where(truth >= 0, truth, self.before))
            controls[CORRECT] = np.where(self.before >= 0, true, -1)
        return controls

    def labels(self, name: str, seed: int) -> Int64:
        """Return the labels that train a version; int64, shape (N,), -1 = does not train.

        Parameters
        ----------
        name : str
            One of `names`.
        seed : int
            Of the model; each has its own random deletions, so that the result is no lucky draw.
        """
        labels = self._labels[name]
        if name != RANDOM:
            return labels
        rows = np.flatnonzero(labels >= 0)
        number = int(self.relabelled.sum() + self.deleted.sum())
        # independent of how the models draw
        deleted = np.random.default_rng([seed, 7919]).choice(rows, min(number, len(rows) - 2), replace=False)
        labels = labels.copy()
        labels[deleted] = -1
        return labels


def _changes(run: RunFolder) -> pd.DataFrame:
    """Return what the fixes changed."""
    file = run.cleaned / "changes.csv"
    if not file.exists():
        raise RunError(
            f"{run.folder} has no cleaned dataset",
            wanted="decisions, applied",
            fix="Call `apply_fixes()` after `review()`, or `apply_fixes(accept_suggestions=True)`.",
        )
    with readable(file, fix=f"Write it again with {call_again(run.cleaned)}."):
        # not the dataset: in class folders an id changes with the label
        return restored_cells(read_raw(file, names=("id", "action", "new_label")).table)


def _soft_labels(
    run: RunFolder, table: pd.DataFrame, changes: pd.DataFrame, classes: Sequence[str]
) -> SoftLabels | None:
    """Return how much the labels after the fixes count; None if those were written without chances."""
    left = table[~table["id"].isin(changes.loc[changes["action"] == "delete", "id"])]
    weights = read_label_weights(run, left.set_index("id")["label"], classes)
    if weights is None:
        return None
    # a listing that has no row there was deleted
    rows = weights.set_index("id").reindex(table["id"])
    weight, second_weight = (rows[name].to_numpy() for name in ("label_weight", "second_weight"))
    return SoftLabels(
        np.nan_to_num(weight, nan=1.0).astype(np.float32),
        class_numbers(rows["second_label"], classes),
        np.nan_to_num(second_weight).astype(np.float32),
    )


def _reviewed(ids: npt.NDArray[np.str_], given: Int64, decided: dict[str, Decision], classes: Sequence[str]) -> Int64:
    number = {name: place for place, name in enumerate(classes)}
    reviewed = given.copy()
    for place, id in enumerate(ids.tolist()):
        decision = decided.get(id)
        if decision is not None and decision.action == "delete":
            reviewed[place] = -1
        elif decision is not None and decision.action == "relabel" and decision.new_label is not None:
            reviewed[place] = number[decision.new_label]
    return reviewed
