"""Out-of-fold probabilities that the user provides, as a file or an array: read, checked, brought into order."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.errors import ProbabilitiesError, closest, some
from curation.run.probabilities import Probabilities
from training.utils.arrays import Float64, Int64
from training.utils.files import sha256_of_file

__all__ = [
    "Given",
    "Probabilities",
    "describe_given",
    "given_probabilities",
    "read_probabilities",
]

#: Rows that sum to 1 within this are renormalised, because float16 is as coarse as that.
TOLERANCE = 0.01

Strings = npt.NDArray[np.str_]


#: What the user provides: a file, an array in the order of the table, or probabilities with ids of their own.
Given = Path | npt.NDArray[Any] | Probabilities


def describe_given(given: Given | None) -> dict[str, str | None]:
    """Return what run.json records of the user's probabilities: where they were, and the SHA-256 of their content."""
    if given is None:
        return {"probabilities": None, "probabilities_sha256": None}
    if isinstance(given, Path):
        return {"probabilities": str(given.resolve()), "probabilities_sha256": sha256_of_file(given)}
    parts = [given.probs, given.ids, np.array(given.classes)] if isinstance(given, Probabilities) else [given]
    content = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
    return {"probabilities": "an array", "probabilities_sha256": hashlib.sha256(content).hexdigest()}


def given_probabilities(given: Given, ids: Sequence[str], labels: Sequence[str]) -> Probabilities:
    """Check the user's probabilities, and bring them into the order of the listings.

    Parameters
    ----------
    given : Path, ndarray or Probabilities
        A file, see :func:`read_probabilities`; an array of numbers, shape (N, K), with a row per listing in the order
        of `ids` and a column per class in the order of the sorted labels; or probabilities with ids and classes of
        their own.
    ids : sequence of str, length N
        The listings.
    labels : sequence of str, length K
        The distinct given labels.

    Returns
    -------
    Probabilities
        In the order of `ids`; new arrays.

    Raises
    ------
    ProbabilitiesError
        If ids, classes, shape or type don't match, or rows don't sum to 1 within 0.01.

    Examples
    --------
    >>> given_probabilities(np.array([[0.5, 0.5, 0.0]]), ["a"], ["lamp", "sofa"])
    Traceback (most recent call last):
    ...
    curation.errors.ProbabilitiesError: probs has shape (1, 3) where (1, 2) was wanted: listings by sorted labels
    """
    if isinstance(given, Path):
        return read_probabilities(given, ids, labels)
    if not isinstance(given, Probabilities):
        given = _of_array(given, ids, labels)
    return _checked(given, ids, labels, "probs")


def _of_array(probs: Any, ids: Sequence[str], labels: Sequence[str]) -> Probabilities:
    if not isinstance(probs, np.ndarray):
        raise ProbabilitiesError(
            "probs is not an array",
            got=type(probs).__name__,
            wanted="a file, an ndarray of shape (N, K), or Probabilities",
        )
    if probs.dtype.kind not in "fiu":
        raise ProbabilitiesError("probs has the wrong type", got=f"dtype {probs.dtype}", wanted="real numbers")
    shape = (len(ids), len(labels))
    if probs.shape != shape:
        raise ProbabilitiesError(f"probs has shape {probs.shape} where {shape} was wanted: listings by sorted labels")
    return _in_table_order(probs.astype(np.float64), ids, labels)


def _in_table_order(probs: Float64, ids: Sequence[str], labels: Sequence[str]) -> Probabilities:
    no_fold = np.full(len(ids), -1, dtype=np.int64)
    return Probabilities(np.array(ids, dtype=np.str_), tuple(sorted(labels)), probs, no_fold)


def _checked(probabilities: Probabilities, ids: Sequence[str], labels: Sequence[str], name: str) -> Probabilities:
    """Return probabilities in the order of the listings; `name` is what an error calls them."""
    _check_shape(probabilities, name)
    _check_classes(probabilities.classes, labels, name)
    probs = _normalised(probabilities, name)
    order = _order(probabilities.ids, ids, name)
    return Probabilities(np.array(ids, dtype=np.str_), probabilities.classes, probs[order], probabilities.fold[order])


def read_probabilities(path: Path, ids: Sequence[str], labels: Sequence[str]) -> Probabilities:
    """Read probabilities from a file, in the order of the listings.

    Parameters
    ----------
    path : Path
        ``.npz`` with ``probs``, ``id``, ``classes`` and, optionally, ``fold``; ``.csv`` with a column ``id`` and one
        column per class; ``.npy`` with ``probs`` alone, rows in the order of the table and columns in the order of
        the sorted labels.
    ids : sequence of str, length N
        The listings.
    labels : sequence of str
        The distinct given labels; each must be one of the file's classes.

    Returns
    -------
    Probabilities
        In the order of `ids`.

    Raises
    ------
    ProbabilitiesError
        If ids, classes or rows don't match, or rows don't sum to 1 within 0.01.
    """
    if not path.is_file():
        raise ProbabilitiesError("there is no such file of probabilities", got=str(path))
    readers = {".npz": _read_npz, ".npy": _read_npy, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ProbabilitiesError(f"{path.name} can't be read", got=path.suffix, wanted=", ".join(readers))
    try:
        probabilities = reader(path, ids, labels)
    except (ValueError, OSError, EOFError, BadZipFile, zlib.error) as error:
        # what NumPy and pandas raise for a damaged file
        raise ProbabilitiesError(f"{path.name} can't be read", got=str(error).splitlines()[0]) from error
    return _checked(probabilities, ids, labels, path.name)


def _read_npz(path: Path, ids: Sequence[str], labels: Sequence[str]) -> Probabilities:
    with path.open("rb") as stream:
        content = np.load(stream, allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise ValueError("an array alone, which is a .npy")
        missing = [key for key in ("probs", "id", "classes") if key not in content]
        if missing:
            raise ProbabilitiesError(
                f"{path.name} lacks {some(missing)}",
                got=some(content.files),
                wanted="probs, id, classes",
                fix=closest(missing[0], content.files),
            )
        probs = np.asarray(content["probs"], dtype=np.float64)
        own_ids, classes = content["id"].astype(np.str_), content["classes"].astype(np.str_)
        for name, values in (("id", own_ids), ("classes", classes)):
            if values.ndim != 1:
                raise ProbabilitiesError(
                    f"{path.name} does not fit together",
                    got=f"{name} of shape {values.shape}",
                    wanted="a list of names",
                )
        fold = content["fold"] if "fold" in content else np.full(len(own_ids), -1)
        return Probabilities(own_ids, tuple(classes.tolist()), probs, np.asarray(fold, dtype=np.int64))


def _read_npy(path: Path, ids: Sequence[str], labels: Sequence[str]) -> Probabilities:
    # NumPy leaves a file that it can't read open
    with path.open("rb") as stream:
        loaded = np.load(stream, allow_pickle=False)
    if not isinstance(loaded, np.ndarray):
        raise ValueError("several arrays, which is a .npz")
    probs = np.asarray(loaded, dtype=np.float64)
    if probs.shape != (len(ids), len(labels)):
        raise ProbabilitiesError(
            f"{path.name} does not fit the listings",
            got=f"shape {probs.shape}",
            wanted=f"({len(ids)}, {len(labels)}): a row per listing as in the table, a column per sorted label",
            fix="A .npz with probs, id and classes needs no particular order.",
        )
    return _in_table_order(probs, ids, labels)


def _read_csv(path: Path, ids: Sequence[str], labels: Sequence[str]) -> Probabilities:
    # an id or a class may well be called "NA"
    table = pd.read_csv(path, dtype={"id": str}, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    if "id" not in table:
        raise ProbabilitiesError(
            f"{path.name} has no column 'id'", got=some(table.columns), wanted="id and one column per class"
        )
    columns = [str(name) for name in table.columns if name not in ("id", "fold")]
    probs = table[columns].to_numpy(dtype=np.float64)
    fold = table["fold"].to_numpy(dtype=np.int64) if "fold" in table else np.full(len(table), -1, dtype=np.int64)
    return Probabilities(table["id"].to_numpy(dtype=np.str_), tuple(columns), probs, fold)


def _check_shape(probabilities: Probabilities, name: str) -> None:
    n, classes = len(probabilities.ids), len(probabilities.classes)
    if probabilities.fold.shape != (n,):
        raise ProbabilitiesError(
            f"{name} does not fit together",
            got=f"fold of shape {probabilities.fold.shape}",
            wanted=f"({n},): one per id",
        )
    if probabilities.probs.shape != (n, classes):
        raise ProbabilitiesError(
            f"{name} does not fit together",
            got=f"probs of shape {probabilities.probs.shape}",
            wanted=f"({n}, {classes}): {n} ids, {classes} classes",
        )
    if len(set(probabilities.classes)) != classes:
        raise ProbabilitiesError(f"{name} names a class twice", got=some(probabilities.classes))


def _check_classes(classes: Sequence[str], labels: Sequence[str], name: str) -> None:
    unknown = sorted(set(labels) - set(classes))
    if unknown:
        raise ProbabilitiesError(
            f"{name} does not have a column for every label",
            got=f"classes {some(classes)}",
            wanted=f"also {some(unknown)}",
            fix=closest(unknown[0], list(classes)),
        )


def _normalised(probabilities: Probabilities, name: str) -> Float64:
    probs, ids = probabilities.probs, probabilities.ids
    # a row of NaN is a listing that the model could not score, e.g. because it has no readable photo
    unscored = np.asarray(np.isnan(probs).all(axis=1))
    probs = np.where(unscored[:, None], 1 / probs.shape[1], probs)
    bad = ~np.isfinite(probs).all(axis=1) | (probs < -TOLERANCE).any(axis=1)
    if unscored.all() or bad.any():
        raise ProbabilitiesError(
            f"{name} has missing, infinite or negative values",
            got=f"{(bad | unscored).sum()} of {len(probs)} rows, ids {some(ids[bad | unscored])}",
            wanted="probabilities between 0 and 1, or NaN in the whole row of a listing that was not scored",
        )
    sums = probs.sum(axis=1)
    off = np.abs(sums - 1) > TOLERANCE
    if off.any():
        raise ProbabilitiesError(
            f"the rows of {name} don't all sum to 1",
            got=f"{off.sum()} of {len(sums)} that don't, e.g. {sums[off][0]:.4g} for id {ids[off][0]}",
            wanted=f"1 within {TOLERANCE}",
            fix="If these are logits, apply softmax first.",
        )
    clipped = probs.clip(0)
    normal = clipped / clipped.sum(axis=1, keepdims=True)
    return np.asarray(np.where(unscored[:, None], np.nan, normal), dtype=np.float64)


def _order(own_ids: Strings, ids: Sequence[str], name: str) -> Int64:
    index = pd.Index(own_ids)
    if index.has_duplicates:
        raise ProbabilitiesError(f"{name} has duplicate ids", got=some(index[index.duplicated()].unique()))
    order = index.get_indexer(pd.Index(ids))
    missing = [id for id, row in zip(ids, order, strict=True) if row < 0]
    extra = sorted(set(own_ids.tolist()) - set(ids))
    if missing or extra:
        parts = [f"no row for {some(missing)}"] if missing else []
        parts += [f"ids that are not listings: {some(extra)}"] if extra else []
        raise ProbabilitiesError(f"the ids of {name} don't match the listings", got="; ".join(parts))
    return np.asarray(order, dtype=np.int64)
