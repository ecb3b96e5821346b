"""Out-of-fold probabilities: those of a run, and those that somebody brings, as a file or an array."""

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

#: Rows that sum to 1 within this are renormalised, so that float16 files work.
TOLERANCE = 0.01

Strings = npt.NDArray[np.str_]


#: Probabilities that somebody brings: a file, an array in the order of the table, or some that carry their ids.
Given = Path | npt.NDArray[Any] | Probabilities


def describe_given(given: Given | None) -> dict[str, str | None]:
    """Return what run.json keeps of given probabilities: where they were, and the SHA-256 of their content."""
    if given is None:
        return {"probabilities": None, "probabilities_sha256": None}
    if isinstance(given, Path):
        return {"probabilities": str(given.resolve()), "probabilities_sha256": sha256_of_file(given)}
    parts = [given.probs, given.ids, np.array(given.classes)] if isinstance(given, Probabilities) else [given]
    content = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
    return {"probabilities": "an array", "probabilities_sha256": hashlib.sha256(content).hexdigest()}


def given_probabilities(given: Given, ids: Sequence[str], labels: Sequence[str]) -> Probabilities:
    """Check probabilities that somebody brings, and bring them into the order of the listings.

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
    wanted = (len(ids), len(labels))
    if probs.shape != wanted:
        raise ProbabilitiesError(f"probs has shape {probs.shape} where {wanted} was wanted: listings by sorted labels")
    unknown = np.full(len(ids), -1, dtype=np.int64)
    return Probabilities(np.array(ids, dtype=np.str_), tuple(sorted(labels)), probs.astype(np.float64), unknown)


def _checked(given: Probabilities, ids: Sequence[str], labels: Sequence[str], name: str) -> Probabilities:
    """Return probabilities in the order of the listings; `name` is what they are called in an error."""
    _check_shape(given, name)
    _check_classes(given.classes, labels, name)
    probs = _normalised(given, name)
    order = _order(given.ids, ids, name)
    return Probabilities(np.array(ids, dtype=np.str_), given.classes, probs[order], given.fold[order])


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
        brought = reader(path, ids, labels)
    except (ValueError, OSError, EOFError, BadZipFile, zlib.error) as error:
        # NumPy's and pandas' words for a damaged file
        raise ProbabilitiesError(f"{path.name} can't be read", got=str(error).splitlines()[0]) from error
    return _checked(brought, ids, labels, path.name)


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
        found, classes = content["id"].astype(np.str_), content["classes"].astype(np.str_)
        for name, values in (("id", found), ("classes", classes)):
            if values.ndim != 1:
                raise ProbabilitiesError(
                    f"{path.name} does not fit together",
                    got=f"{name} of shape {values.shape}",
                    wanted="a list of names",
                )
        fold = content["fold"] if "fold" in content else np.full(len(found), -1)
        return Probabilities(found, tuple(classes.tolist()), probs, np.asarray(fold, dtype=np.int64))


def _read_npy(path: Path, ids: Sequence[str], labels: Sequence[str]) -> Probabilities:
    # NumPy leaves a file that it can't read open
    with path.open("rb") as stream:
        loaded = np.load(stream, allow_pickle=False)
    if not isinstance(loaded, np.ndarray):
        raise ValueError("several arrays, which is a .npz")
    probs = np.asarray(loaded, dtype=np.float64)
    if probs.ndim != 2 or probs.shape != (len(ids), len(labels)):
        raise ProbabilitiesError(
            f"{path.name} does not fit the listings",
            got=f"shape {probs.shape}",
            wanted=f"({len(ids)}, {len(labels)}): a row per listing as in the table, a column per sorted label",
            fix="A .npz with probs, id and classes needs no particular order.",
        )
    return Probabilities(
        np.array(ids, dtype=np.str_), tuple(sorted(labels)), probs, np.full(len(probs), -1, dtype=np.int64)
    )


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


def _check_shape(brought: Probabilities, name: str) -> None:
    wanted = (len(brought.ids), len(brought.classes))
    if brought.fold.shape != wanted[:1]:
        raise ProbabilitiesError(
            f"{name} does not fit together",
            got=f"fold of shape {brought.fold.shape}",
            wanted=f"{wanted[:1]}: one per id",
        )
    if brought.probs.shape != wanted:
        raise ProbabilitiesError(
            f"{name} does not fit together",
            got=f"probs of shape {brought.probs.shape}",
            wanted=f"{wanted}: {wanted[0]} ids, {wanted[1]} classes",
        )
    if len(set(brought.classes)) != len(brought.classes):
        raise ProbabilitiesError(f"{name} names a class twice", got=some(brought.classes))


def _check_classes(classes: Sequence[str], labels: Sequence[str], name: str) -> None:
    unknown = sorted(set(labels) - set(classes))
    if unknown:
        raise ProbabilitiesError(
            f"{name} does not have a column for every label",
            got=f"classes {some(classes)}",
            wanted=f"also {some(unknown)}",
            fix=closest(unknown[0], list(classes)),
        )


def _normalised(brought: Probabilities, name: str) -> Float64:
    # a row of NaN is a listing that the model could not score, e.g. for want of a readable photo
    unscored = np.asarray(np.isnan(brought.probs).all(axis=1))
    probs = np.where(unscored[:, None], 1 / len(brought.classes), brought.probs)
    bad = ~np.isfinite(probs).all(axis=1) | (probs < -TOLERANCE).any(axis=1)
    if unscored.all() or bad.any():
        raise ProbabilitiesError(
            f"{name} has missing, infinite or negative values",
            got=f"{(bad | unscored).sum()} of {len(probs)} rows, ids {some(brought.ids[bad | unscored])}",
            wanted="probabilities between 0 and 1, or NaN in the whole row of a listing that was not scored",
        )
    sums = probs.sum(axis=1)
    off = np.abs(sums - 1) > TOLERANCE
    if off.any():
        raise ProbabilitiesError(
            f"the rows of {name} don't all sum to 1",
            got=f"{off.sum()} of {len(sums)} that don't, e.g. {sums[off][0]:.4g} for id {brought.ids[off][0]}",
            wanted=f"1 within {TOLERANCE}",
            fix="If these are logits, apply softmax first.",
        )
    clipped = probs.clip(0)
    normal = clipped / clipped.sum(axis=1, keepdims=True)
    return np.asarray(np.where(unscored[:, None], np.nan, normal), dtype=np.float64)


def _order(brought: Strings, ids: Sequence[str], name: str) -> Int64:
    place = pd.Index(brought)
    if place.has_duplicates:
        raise ProbabilitiesError(f"{name} has duplicate ids", got=some(place[place.duplicated()].unique()))
    order = place.get_indexer(pd.Index(ids))
    missing = [id for id, found in zip(ids, order, strict=True) if found < 0]
    extra = sorted(set(brought.tolist()) - set(ids))
    if missing or extra:
        parts = [f"no row for {some(missing)}"] if missing else []
        parts += [f"ids that are not listings: {some(extra)}"] if extra else []
        raise ProbabilitiesError(f"the ids of {name} don't match the listings", got="; ".join(parts))
    return np.asarray(order, dtype=np.int64)
