"""Out-of-fold probabilities that the user provides, as a file, a table or an array: checked, and brought into order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.errors import ProbabilitiesError, closest, some
from curation.evidence.column_order import check_order, doubt_of_rows, usual_order
from curation.evidence.photo_ids import ids_of_photos
from curation.evidence.probability_files import parts_of_file
from curation.evidence.probability_parts import Parts, Wanted, of_frame
from curation.evidence.probability_scale import normalised
from curation.listings.columns import class_numbers, sorted_labels
from curation.listings.meant import Meant, find_meant
from curation.run.probabilities import Probabilities
from training.utils.arrays import Int64
from training.utils.files import sha256_of_file
from training.utils.memory import release_unused
from training.utils.progress import SILENT, Reporter

__all__ = ["Given", "Probabilities", "describe_given", "given_probabilities"]

#: What the user provides: a file, a table, an array in the order of the listings, or probabilities with their own ids.
Given = Path | pd.DataFrame | npt.NDArray[Any] | Probabilities


def describe_given(given: Given | None) -> dict[str, str | None]:
    """Return what run.json records of the user's probabilities: where they were, and the SHA-256 of their content."""
    if given is None:
        return {"probabilities": None, "probabilities_sha256": None}
    if isinstance(given, Path):
        return {"probabilities": str(given.resolve()), "probabilities_sha256": sha256_of_file(given)}
    if isinstance(given, pd.DataFrame):
        content = given.to_csv().encode()
        return {"probabilities": "a table", "probabilities_sha256": hashlib.sha256(content).hexdigest()}
    parts = [given.probs, given.ids, np.array(given.classes)] if isinstance(given, Probabilities) else [given]
    content = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
    return {"probabilities": "an array", "probabilities_sha256": hashlib.sha256(content).hexdigest()}


def given_probabilities(
    given: Given,
    ids: Sequence[str],
    labels: Sequence[str | None],
    *,
    id_column: str = "id",
    photos: Mapping[str, str] | None = None,
    reporter: Reporter = SILENT,
) -> Probabilities:
    """Check the user's probabilities, and bring them into the order of the listings.

    Parameters
    ----------
    given : Path, DataFrame, ndarray or Probabilities
        A file, see :func:`curation.evidence.probability_files.parts_of_file`; a table with a column ``id``, or ids as
        its index, and a column per class; an array of numbers, shape (N, K), with a row per listing in the order of
        `ids` and a column per class in the order of the sorted labels, whole numbers in numeric order; or
        probabilities with ids and classes of their own.
    ids : sequence of str, length N
        The listings.
    labels : sequence of str or None, length N
        Their given labels.
    id_column : str
        What the dataset's own table calls the ids.
    photos : mapping of str to str, optional
        Id → its photo: their names may stand in place of the ids.
    reporter : Reporter
        Is told how they were read, where that was not certain.

    Returns
    -------
    Probabilities
        In the order of `ids`; new arrays, float32. Classes are called as the labels are.

    Raises
    ------
    ProbabilitiesError
        If ids, classes, shape or type don't match, rows are no probabilities, or the columns agree far better with
        the labels in another order.

    Examples
    --------
    >>> given_probabilities(np.array([[0.5, 0.5, 0.0]] * 2), ["a", "b"], ["lamp", "sofa"])
    Traceback (most recent call last):
    ...
    curation.errors.ProbabilitiesError: probs has shape (2, 3) where (2, 2) was wanted: listings by sorted labels. \
Name the columns: give classes beside probs.
    """
    known = pd.Series(list(labels), dtype="string")
    wanted = Wanted(list(ids), list(sorted_labels(known.dropna().unique())), id_column, photos or {})
    parts = _parts(given, wanted)
    without_ids = parts.ids is wanted.ids
    _check_numbers(parts)
    parts = _called_as_known(_named_by_photos(parts, wanted), wanted)
    _check_shape(parts)
    _check_classes(parts, wanted)
    order, copies = _order(parts, wanted)
    release_unused()
    probs, notes = normalised(parts.probs, order, wanted.ids, parts.name)
    classes = tuple(parts.classes or ())
    numbers = class_numbers(known, classes)
    doubt = check_order(probs, numbers, classes, parts.name)
    doubt = doubt or doubt_of_rows(probs, numbers, parts.name, without_ids=without_ids)
    for note in (*parts.notes, *copies, *notes, *doubt):
        reporter.say(note)
    return Probabilities(np.array(wanted.ids, dtype=np.str_), classes, probs, _whole_folds(parts)[order])


def _parts(given: Given, wanted: Wanted) -> Parts:
    if isinstance(given, Path):
        parts = parts_of_file(given, wanted)
    elif isinstance(given, Probabilities):
        fold = given.fold.astype(np.float64)
        parts = Parts("probs", given.probs, [str(id) for id in given.ids], list(given.classes), fold)
    elif isinstance(given, pd.DataFrame):
        parts = of_frame(given, wanted, "probs")
    elif isinstance(given, np.ndarray):
        parts = Parts("probs", given)
    else:
        raise ProbabilitiesError(
            "probs is not an array",
            got=type(given).__name__,
            wanted="a file, a DataFrame, an ndarray of shape (N, K), or Probabilities",
            fix="np.asarray(probs) makes an array of it.",
        )
    return parts if parts.ids is not None else _in_table_order(parts, wanted)


def _in_table_order(parts: Parts, wanted: Wanted) -> Parts:
    if parts.classes is not None and len(parts.probs) == len(wanted.ids):
        return replace(parts, ids=wanted.ids)
    shape = (len(wanted.ids), len(wanted.labels))
    if parts.probs.shape != shape:
        raise ProbabilitiesError(
            f"{parts.name} has shape {parts.probs.shape} where {shape} was wanted: listings by sorted labels",
            fix=_reshaped(parts.probs, shape),
        )
    return replace(parts, ids=wanted.ids, classes=list(usual_order(wanted.labels, parts.name)))


def _reshaped(probs: npt.NDArray[Any], wanted: tuple[int, int]) -> str:
    """Return how an array gets the shape that is wanted."""
    rows, columns = wanted
    if probs.shape == (columns, rows):
        return "Its rows are classes: give probs.T."
    if probs.shape in ((rows,), (rows, 1)) and columns == 2:
        return "For the probability p of the second class, give np.column_stack([1 - p, p])."
    if probs.shape in ((rows,), (rows, 1)):
        return "It holds one value for each listing: predicted classes? Give predict_proba(...), a column per class."
    if probs.ndim == 2 and probs.shape[1] == columns and probs.shape[0] == rows + 1:
        return (
            "One row is too many: if the names of the columns became a row, give probs[1:]; if a row of the table is a "
            "copy, it is read once: give id beside probs."
        )
    if probs.ndim == 2 and probs.shape[1] == columns and probs.shape[0] == rows - 1:
        return "One row is missing: if the first was taken for names of columns, read it with header=None."
    if probs.ndim == 2 and probs.shape[1] == columns:
        return "Name the rows: give id beside probs. Rows of the table that are copies are read once."
    if probs.ndim == 2 and probs.shape[0] == rows:
        return "Name the columns: give classes beside probs."
    return ""


def _check_numbers(parts: Parts) -> None:
    if parts.probs.dtype.kind not in "fiu":
        raise ProbabilitiesError(
            f"{parts.name} has the wrong type",
            got=f"dtype {parts.probs.dtype}",
            wanted="real numbers",
            fix="Turn it into numbers first: probs.astype(float).",
        )


def _named_by_photos(parts: Parts, wanted: Wanted) -> Parts:
    """Give rows that are called as photos the ids of their listings."""
    names = parts.ids or []
    if set(names) & set(wanted.ids) or not (named := ids_of_photos(names, wanted.photos)):
        return parts
    note = f"The ids of {parts.name} are names of photos, and each is taken for the listing that has it."
    return replace(parts, ids=[named[name] for name in names], notes=(*parts.notes, note))


def _called_as_known(parts: Parts, wanted: Wanted) -> Parts:
    """Call rows and columns as the listings and their labels are, where that is what they mean."""
    notes = parts.notes
    called = []
    for what, written, known in (("id", parts.ids, wanted.ids), ("class", parts.classes, wanted.labels)):
        meant = find_meant(written or [], known, what=what)
        if meant.doubtful:
            raise _doubtful(parts.name, what, meant)
        notes += tuple(f"{parts.name}: {note}" for note in meant.notes)
        called.append([meant.names.get(name, name) for name in written or []])
    return replace(parts, ids=called[0], classes=called[1], notes=notes)


def _doubtful(name: str, what: str, meant: Meant) -> ProbabilitiesError:
    return ProbabilitiesError(
        f"{name} has {'ids' if what == 'id' else 'classes'} that fit several",
        got=meant.first_doubt(),
        wanted=f"the {what} as the listings have it",
        fix=meant.advice("Keep them as text, e.g. with pd.read_csv(..., dtype=str)."),
    )


def _check_shape(parts: Parts) -> None:
    ids, classes = parts.ids or [], parts.classes or []
    n, k = len(ids), len(classes)
    if parts.fold is not None and parts.fold.shape != (n,):
        raise ProbabilitiesError(
            f"{parts.name} does not fit together", got=f"fold of shape {parts.fold.shape}", wanted=f"({n},): one per id"
        )
    if parts.probs.shape != (n, k):
        raise ProbabilitiesError(
            f"{parts.name} does not fit together",
            got=f"probs of shape {parts.probs.shape}",
            wanted=f"({n}, {k}): {n} ids, {k} classes",
            fix=_reshaped(parts.probs, (n, k)),
        )
    if len(set(classes)) != k:
        raise ProbabilitiesError(f"{parts.name} names a class twice", got=some(classes))


def _check_classes(parts: Parts, wanted: Wanted) -> None:
    classes = parts.classes or []
    unknown = sorted(set(wanted.labels) - set(classes))
    if not unknown:
        return
    fix = closest(unknown[0], classes)
    if set(classes) == {str(number) for number in range(len(wanted.labels))}:
        fix = f"Its columns are only numbered: call them as the labels, if that is their order: {some(wanted.labels)}."
    elif len(wanted.labels) == 2 and len(classes) == 1:
        fix = "For two classes, add the other one's column: 1 - p."
    raise ProbabilitiesError(
        f"{parts.name} does not have a column for every label",
        got=f"classes {some(classes)}",
        wanted=f"also {some(unknown)}",
        fix=fix,
    )


def _whole_folds(parts: Parts) -> Int64:
    if parts.fold is None:
        return np.full(len(parts.ids or []), -1, dtype=np.int64)
    fold = np.where(np.isnan(parts.fold), -1, parts.fold)
    if (fold != np.floor(fold)).any():
        raise ProbabilitiesError(
            f"fold of {parts.name} is not a whole number",
            got=some([f"{value:g}" for value in np.unique(fold[fold != np.floor(fold)])]),
            wanted="the number of the fold, e.g. 0 to 4; or no fold at all",
        )
    return fold.astype(np.int64)


def _order(parts: Parts, wanted: Wanted) -> tuple[Int64, tuple[str, ...]]:
    """Return the row of each listing, and a note on rows that are there twice."""
    index = pd.Index(parts.ids or [])
    twice = index.duplicated()
    if twice.any():
        rows = pd.DataFrame(parts.probs.astype(np.float64)).set_axis(index)
        if len(rows.reset_index().drop_duplicates()) > index.nunique():
            raise ProbabilitiesError(
                f"{parts.name} has duplicate ids",
                got=some(index[twice].unique()),
                wanted="one row per listing",
            )
    once = np.flatnonzero(~twice)
    order = index[once].get_indexer(pd.Index(wanted.ids))
    missing = [wanted.ids[row] for row in np.flatnonzero(order < 0)]
    extra = sorted(set(parts.ids or []) - set(wanted.ids))
    if missing or extra:
        told = [f"no row for {some(missing)}"] if missing else []
        told += [f"ids that are not listings: {some(extra)}"] if extra else []
        fix = ""
        if extra and not missing:
            fix = "Keep the rows of the listings only."
        elif missing and not extra:
            fix = "Add a row of NaN for each listing that was not scored."
        raise ProbabilitiesError(f"the ids of {parts.name} don't match the listings", got="; ".join(told), fix=fix)
    copies = f"Copied rows of {parts.name} are read once: {some(index[twice].unique())}."
    return np.asarray(once[order], dtype=np.int64), (copies,) if twice.any() else ()
