"""Probabilities taken apart: the numbers, and what the rows and the columns are called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.errors import ProbabilitiesError, some
from curation.evidence.given_files import ID_NAMES, GivenKind
from curation.evidence.given_tables import names_of, not_numbers, numbers_of, with_ids
from curation.evidence.probability_lists import with_scores_apart
from curation.evidence.probability_scale import scale_of
from curation.listings.meant import find_meant
from training.utils.arrays import Float64

__all__ = ["PROBABILITIES", "Parts", "Wanted", "of_frame"]

PROBABILITIES = GivenKind(
    "probabilities",
    "probs",
    "one column per class",
    ProbabilitiesError,
    {
        "probs": ("pred_probs", "probabilities", "proba", "y_proba", "y_prob", "predicted_probabilities", "arr_0"),
        "id": ID_NAMES,
        "classes": ("class_names", "classes_", "class_name", "label_names", "target_names", "categories"),
    },
    ("fold",),
)

#: What another program calls a column without a name, and a column of row numbers.
_NAMELESS = re.compile(r"(?:Unnamed: \d+|index|level_\d+|__index_level_\d+__)?")
_EXAMPLES = 3


@dataclass(frozen=True)
class Parts:
    """Probabilities, taken apart.

    Attributes
    ----------
    name : str
        What an error calls them.
    probs : ndarray of numbers
        Of any shape and scale.
    ids, classes : list of str, optional
        What the rows and the columns are called; None if nobody says so.
    fold : ndarray of float64, shape (N,), optional
        The fold of each row.
    notes : tuple of str
        How they were read, where that was not certain: a sentence each.
    """

    name: str
    probs: npt.NDArray[Any]
    ids: list[str] | None = None
    classes: list[str] | None = None
    fold: Float64 | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What probabilities are wanted of.

    Attributes
    ----------
    ids : list of str, length N
        The listings.
    labels : list of str, length K
        The distinct given labels, sorted.
    id_column : str
        What the dataset's own table calls the ids.
    photos : mapping of str to str
        Id → its photo, of listings that have one.
    """

    ids: list[str]
    labels: list[str]
    id_column: str = "id"
    photos: Mapping[str, str] = field(default_factory=dict)


def of_frame(frame: pd.DataFrame, wanted: Wanted, name: str) -> Parts:
    """Take a table apart: a column of ids, a column per class, and whatever else another program writes beside them.

    Parameters
    ----------
    frame : DataFrame
        Numbers, or numbers as text.
    wanted : Wanted
        The listings and their labels.
    name : str
        What an error calls the table.

    Raises
    ------
    ProbabilitiesError
        If there is no column of ids, or a column of a class does not hold numbers.
    """
    frame = with_scores_apart(frame)
    frame, ids, id_column = with_ids(frame, wanted.ids, wanted.id_column, name, PROBABILITIES, wanted.photos)
    columns = [str(column).strip() for column in frame.columns]
    if len(set(columns)) < len(columns):
        raise ProbabilitiesError(f"{name} names a class twice", got=some(columns))
    frame = frame.set_axis(columns, axis="columns")
    fold = _fold(frame, name) if "fold" in frame and "fold" not in wanted.labels else None
    frame = frame.drop(columns="fold") if fold is not None else frame
    written = _written_around(list(frame.columns), wanted.labels)
    meant = find_meant(frame.columns, wanted.labels).names | written
    ours = [column for column in frame.columns if meant.get(column, column) in wanted.labels]
    if len(ours) < len(wanted.labels) and (column := _labels_in_cells(frame, wanted.labels)):
        raise ProbabilitiesError(
            f"{name} has a row for each class of a listing",
            got=f"classes in column {column!r}",
            wanted="a column per class",
            fix=f"Turn it: table.pivot(index='id', columns={column!r}, values='...').",
        )
    numbers = {}
    for column in frame.columns:
        if (values := numbers_of(frame[column])) is not None:
            numbers[column] = values
        elif column in ours:
            raise _no_numbers(frame[column], ids, column, name)
    if not numbers:
        raise _no_columns(frame, name)
    kept = _columns_used(numbers, ours) if len(ours) == len(wanted.labels) else list(numbers)
    notes = [] if id_column == "id" else [f"The ids of {name} are taken from {id_column}."]
    if left_out := [column for column in frame.columns if column not in kept]:
        notes.append(f"Columns of {name} that are no class of the listings are left out: {some(left_out)}.")
    probs = np.column_stack([numbers[column] for column in kept]) if kept else np.empty((len(frame), 0))
    return Parts(name, probs, ids, [written.get(column, column) for column in kept], fold, tuple(notes))


def _no_columns(frame: pd.DataFrame, name: str) -> ProbabilitiesError:
    lists = [str(column) for column in frame if frame[column].astype("string").str.strip().str.startswith("[").all()]
    way = f"table[['id']].join(pd.DataFrame(table['{lists[0]}'].tolist(), columns=classes))" if lists else ""
    return ProbabilitiesError(
        f"{name} has no column of numbers beside the ids",
        got=f"columns {some(map(str, frame.columns))}" if len(frame.columns) else "no other column",
        wanted='a column per class, or lists such as [{"label": "lamp", "score": 0.9}, …]',
        fix=f"Make a column per class of the lists: {way}." if way else "",
    )


def _fold(frame: pd.DataFrame, name: str) -> Float64:
    fold = numbers_of(frame["fold"])
    if fold is None:
        cells = frame["fold"].astype("string").dropna().unique()
        raise ProbabilitiesError(f"column fold of {name} does not hold numbers", got=some(cells), wanted="e.g. 0 to 4")
    return fold


def _written_around(columns: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """Return the label of each column if all have the same words around it, e.g. ``prob_lamp``."""
    if not set(labels) <= set(columns):
        for before, after in _around(columns, labels):
            named = {f"{before}{label}{after}": label for label in labels}
            if set(named) <= set(columns):
                return named
    return {}


def _around(columns: Sequence[str], labels: Sequence[str]) -> set[tuple[str, str]]:
    """Return what may stand before and after a label in the names of columns, e.g. in ``prob_lamp``."""
    return {
        (before, after)
        for column in columns
        if labels[0] in column and column != labels[0]
        for before, _, after in [column.partition(labels[0])]
    }


def _no_numbers(column: pd.Series, ids: Sequence[str], label: str, name: str) -> ProbabilitiesError:
    text = column.astype("string").str.strip()
    bad = np.flatnonzero(not_numbers(text, pd.to_numeric(text.str.replace(",", "."), errors="coerce")))
    cells = [f"{text.iloc[row]!r} for id {ids[row]}" for row in bad[:_EXAMPLES]]
    return ProbabilitiesError(
        f"column {label!r} of {name} does not hold numbers",
        got=some(cells) or f"a column of {column.dtype}",
        wanted="the probability of that class",
    )


def _labels_in_cells(frame: pd.DataFrame, labels: Sequence[str]) -> str:
    """Return the column whose cells are labels, every one of them; empty if there is none."""
    text = [column for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column].dtype)]
    return next((column for column in text if set(names_of(frame[column])) >= set(labels)), "")


def _columns_used(numbers: dict[str, Float64], ours: Sequence[str]) -> list[str]:
    """Return the columns of classes, without what another program wrote beside them."""
    if scale_of(np.column_stack([numbers[column] for column in ours])):
        return list(ours)
    # a model may know classes that no listing has
    return [column for column in numbers if column in ours or not _are_row_numbers(column, numbers[column])]


def _are_row_numbers(column: str, values: Float64) -> bool:
    return bool(_NAMELESS.fullmatch(column)) or any(
        np.array_equal(values, np.arange(first, first + len(values))) for first in (0, 1)
    )
