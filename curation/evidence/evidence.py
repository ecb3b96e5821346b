"""What issue kinds work on: the checked table and the outputs of all models."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from curation.evidence.belief import Belief, believe
from curation.evidence.fitted import Fitted, Values
from curation.evidence.hierarchy import Hierarchy
from curation.evidence.known import Known
from curation.evidence.sources import Source, gather
from curation.evidence.twins import twins_as_one
from curation.listings.columns import class_numbers, groups_of
from curation.photos.near_duplicates import BLANK
from training.crossval.folds import connect
from training.utils.arrays import Bool, Float32, Float64, Int64
from training.utils.blocks import finite_rows

__all__ = ["CLEANLAB", "CURATE", "FLAGS", "Evidence", "Nearby"]

#: Whose flags of wrong labels hold: ours, from all evidence, or cleanlab's, from the probabilities alone.
CURATE = "curate"
CLEANLAB = "cleanlab"
FLAGS = (CURATE, CLEANLAB)
#: Number of folds for listings that have none, as with your own probabilities.
_FOLDS = 5


@dataclass(frozen=True)
class Nearby:
    """The photos of an earlier run that are most like those of n listings.

    Attributes
    ----------
    distance : ndarray of float32, shape (n,)
        Mean distance to the nearest ones, see :func:`training.features.neighbours.nearest_of_others`; NaN without any.
    ids : list of str, length n
        The nearest listing.
    labels : list of str or None, length n
        Its given label.
    """

    distance: Float32
    ids: list[str]
    labels: list[str | None]


@dataclass(frozen=True)
class Evidence:
    """Everything that an issue kind may use. Kinds read these columns and no others.

    Attributes
    ----------
    listings : DataFrame
        One row per listing: ``id``, ``image``, ``label``, ``price``, ``title``, ``group``, ``split``, ``fold``,
        ``sha256`` (of the photo's content), ``unreadable`` (why the photo can't be decoded),
        ``text_share`` and ``text`` (how much of the photo is text, and its words). Missing values are NA.
    classes : tuple of str
        The K class names, in the order of the columns of `probs`.
    probs : ndarray of float32 or float64, shape (N, K)
        Out-of-fold probabilities; NaN rows where there are none.
    trained : ndarray of bool, shape (N, K), or None
        Whether the model that scored the listing was trained on any member of the class; None if models were trained
        elsewhere.
    currency : str or None
        Currency of the prices.
    in_fold, neighbours : ndarray of float32, shape (N, K), or None
        Other outputs of the same training; see :class:`training.crossval.cross_validate.CrossValidated`.
    features : ndarray of float32, shape (N, D), or None
        Features of the photos, computed without labels; see :func:`training.features.extract.compute_features`.
        Zeros for unreadable photos; None if models were trained elsewhere.
    spellings : mapping of str to str
        Labels that are other spellings of a class → the class; :attr:`twins_as_one` adds those that are found.
    titles : ndarray of float32, shape (N, D), or None
        Features of what the titles mean, see :func:`curation.evidence.title_features.title_features`; zeros without a
        title. None if titles are compared by their words alone.
    flags : str
        Whose flags of wrong labels hold, one of :data:`FLAGS`.
    refitted : ndarray of float32, shape (N, K), or None
        Out-of-fold probabilities of models that learned doubtful labels less, of the same training as `neighbours`.
        What the photo shows is taken from them, where there are any.
    known : Known or None
        What people decided. Then all models above learned those labels, and the given labels are judged by them; the
        labels of others may have been decided since they were given.
    worth : str or None
        The column of `listings` that says what each is worth, ``worth`` or ``price``; None if all are worth the same.
    fitted : Fitted or None
        Keeps what is learned from these listings; or what an earlier run learned, by which they are judged: then none
        of them teaches anything. None if nothing is kept.
    posted : ndarray of float32, shape (N, K), or None
        With what an earlier run learned: how many listings of that run have the same photo, by their labels.
    nearest : Nearby or None
        With what an earlier run learned: the photos of that run that are most like those of the listings.
    reposts : DataFrame or None
        With what an earlier run learned: what :mod:`curation.issues.near_duplicate` says of the listings among all.
    """

    listings: pd.DataFrame
    classes: tuple[str, ...]
    probs: Float32 | Float64
    trained: Bool | None = None
    currency: str | None = None
    in_fold: Float32 | None = None
    neighbours: Float32 | None = None
    features: Float32 | None = None
    spellings: Mapping[str, str] = field(default_factory=dict)
    titles: Float32 | None = None
    flags: str = CURATE
    refitted: Float32 | None = None
    known: Known | None = None
    worth: str | None = None
    fitted: Fitted | None = None
    posted: Float32 | None = None
    nearest: Nearby | None = None
    reposts: pd.DataFrame | None = None

    @property
    def twins_as_one(self) -> Evidence:
        """The evidence in which all spellings of a name are one class; this one, if every class has one spelling."""
        return self._of_one_spelling or self

    @cached_property
    def _of_one_spelling(self) -> Evidence | None:
        joined = twins_as_one(self)
        # held by itself, it would stay in memory when nobody else holds it
        return None if joined is self else joined

    @cached_property
    def labels(self) -> pd.Series:
        """The class of each given label, Series of str of length N; NA without a label."""
        return self._as_classes(self.listings["label"])

    @cached_property
    def given(self) -> Int64:
        """Class number of the given label, shape (N,); -1 without one."""
        return class_numbers(self.labels, self.classes)

    @cached_property
    def taught(self) -> Int64:
        """Class number of the label that is learned from, shape (N,); -1 where there is none.

        It is the given one, unless a person decided on it.
        """
        if self.known is None:
            return self.given
        return class_numbers(self._as_classes(self.known.labels), self.classes)

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """What is above each class."""
        return Hierarchy.of(self.listings)

    @cached_property
    def scored(self) -> Bool:
        """Whether there are probabilities, shape (N,)."""
        return finite_rows(self.probs)

    @property
    def provided(self) -> bool:
        """Whether the probabilities are the user's own."""
        return self.trained is None

    @property
    def applied(self) -> bool:
        """Whether the listings are judged by what an earlier run learned."""
        return self.fitted is not None and self.fitted.applied

    def fit(self, name: str, learn: Callable[[], Values]) -> Values:
        """Return what is learned under a name, from these listings or by an earlier run."""
        return learn() if self.fitted is None else self.fitted(name, learn)

    def number(self, name: str, learn: Callable[[], float]) -> float:
        """Return one number that is learned, as :meth:`fit` does."""
        return float(self.fit(name, lambda: {"number": np.array(learn(), dtype=np.float64)})["number"])

    @cached_property
    def unlabelled(self) -> Bool:
        """Whether there is no given label, shape (N,). A class that an earlier run does not know is a label, too."""
        return self.labels.isna().to_numpy(dtype=bool)

    @property
    def may_train(self) -> Bool:
        """Whether the label may be used for training, shape (N,): not in the test set, and nothing is applied."""
        if self.applied:
            return np.zeros(len(self.listings), dtype=bool)
        return np.asarray((self.taught >= 0) & self._not_test)

    @property
    def _not_test(self) -> Bool:
        if "split" not in self.listings:
            return np.ones(len(self.listings), dtype=bool)
        return (self.listings["split"] != "test").fillna(True).to_numpy(dtype=bool)

    def _by_id(self, chosen: Bool) -> Int64:
        rows = np.flatnonzero(chosen)
        return rows[np.argsort(self.listings["id"].to_numpy(dtype=str)[rows], kind="stable")]

    @property
    def trained_on_label(self) -> Bool:
        """Whether the model that scored the listing knows the given class from training, shape (N,)."""
        labelled = self.given >= 0
        if self.trained is None:
            return labelled
        return np.asarray(labelled & self.trained[np.arange(len(labelled)), self.given])

    @property
    def training_rows(self) -> Int64:
        """The row numbers of `may_train` ordered by id, so that the order of the table does not matter."""
        return self._by_id(self.may_train)

    @property
    def given_rows(self) -> Int64:
        """The row numbers of the given labels that are not in the test set, ordered by id, whatever was decided."""
        return self._by_id((self.given >= 0) & self._not_test)

    @cached_property
    def fold(self) -> Int64:
        """Fold of each listing, shape (N,); without folds, groups and ids are assigned by their hash."""
        if "fold" in self.listings and self.listings["fold"].notna().all() and (self.listings["fold"] >= 0).all():
            return self.listings["fold"].to_numpy(dtype=np.int64)
        keys = self.listings["id"].astype(str)
        if {"group", "sha256"} <= set(self.listings):
            # a group is assigned by its smallest id
            keys = keys.groupby(groups_of(self.listings)).transform("min")
        return np.array([zlib.crc32(key.encode()) % _FOLDS for key in keys.to_numpy(dtype=object)], dtype=np.int64)

    @property
    def shown(self) -> pd.Series:
        """SHA-256 of each photo, shape (N,); NA where it can't be read, or is blank: then it shows nothing to share."""
        table = self.listings
        blank = (table["detail"] < BLANK).fillna(False) if "detail" in table else False
        return table["sha256"].where(table["unreadable"].isna() & ~pd.Series(blank, table.index, dtype=bool))

    @cached_property
    def photo_group(self) -> Int64:
        """The number of each listing's group of equal or nearly equal photos, shape (N,)."""
        table = self.listings
        if "sha256" not in table:
            return np.arange(len(table))
        return connect(self.shown, table["near_group"].astype("string"))

    @cached_property
    def sources(self) -> list[Source]:
        """Every source that says something about at least one listing; see :func:`curation.evidence.sources.gather`."""
        return gather(self)

    def _as_classes(self, label: pd.Series) -> pd.Series:
        return label.replace(dict(self.spellings)) if self.spellings else label

    @cached_property
    def belief(self) -> Belief | None:
        """The combined belief of all sources; None if no given label can be judged."""
        return believe(self, self.sources)
