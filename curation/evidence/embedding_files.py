"""Embeddings that the user provides, taken apart: the numbers, and the ids of their rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from curation.errors import InputError, some
from curation.evidence.given_files import (
    ID_NAMES,
    GivenKind,
    check_file,
    read_npy,
    read_npz,
    read_table,
    told_in_one_line,
)
from curation.evidence.given_tables import names_of, numbers_of, with_ids
from training.utils.arrays import Float64

__all__ = ["EMBEDDINGS", "RawEmbeddings", "no_rows", "of_file", "of_table"]

EMBEDDINGS = GivenKind(
    "embeddings",
    "embeddings",
    "one column per number, or a column of lists",
    partial(InputError, parameter="features"),
    {"embeddings": ("embedding", "features", "feature", "emb", "embs", "vectors", "arr_0"), "id": ID_NAMES},
)
_NUMBERED = re.compile(r"(.*?)(\d+)")
_SEPARATORS = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class RawEmbeddings:
    """Embeddings as they were read.

    Attributes
    ----------
    name : str
        What an error calls them.
    values : ndarray
        Of any shape and type.
    ids : list of str, optional
        What the rows are called; None if nobody says so.
    notes : tuple of str
        How they were read, where that was not certain: a sentence each.
    """

    name: str
    values: npt.NDArray[Any]
    ids: list[str] | None = None
    notes: tuple[str, ...] = ()


def of_file(path: Path, ids: Collection[str], id_column: str) -> RawEmbeddings:
    """Read a file of embeddings.

    Parameters
    ----------
    path : Path
        ``.npz`` with ``embeddings`` and ``id``; ``.npy`` with the numbers alone, or with fields; or any table that
        :func:`curation.listings.tables.read_raw` knows, with a column ``id`` and what :func:`of_table` says.
    ids : collection of str
        The listings.
    id_column : str
        What the dataset's own table calls the ids.

    Raises
    ------
    InputError
        If the file can't be read, or lacks a part.
    """
    check_file(path, EMBEDDINGS)
    with told_in_one_line(path, EMBEDDINGS):
        suffix = path.suffix.lower()
        if suffix == ".npz":
            content = read_npz(path, EMBEDDINGS, id_column)
            return RawEmbeddings(path.name, content.arrays["embeddings"], names_of(content.arrays["id"]), content.notes)
        if suffix == ".npy":
            loaded = read_npy(path, EMBEDDINGS)
            if not loaded.dtype.names:
                return RawEmbeddings(path.name, loaded)
            fields = {
                name: list(loaded[name]) if loaded[name].ndim > 1 else loaded[name] for name in loaded.dtype.names
            }
            return of_table(pd.DataFrame(fields), ids, id_column, path.name)
        table, notes = read_table(path, {"id", id_column.lower()})
        raw = of_table(table, ids, id_column, path.name)
        return replace(raw, notes=(*notes, *raw.notes))


def of_table(frame: pd.DataFrame, ids: Collection[str], id_column: str, name: str) -> RawEmbeddings:
    """Take a table apart: ids, and a column per number or one column of lists.

    Parameters
    ----------
    frame : DataFrame
        The columns of numbers are those that are numbered, e.g. ``e0`` to ``e511``, so that a price beside them is not
        taken for one. Lists may be text, such as ``[0.1, 0.2]``.
    ids : collection of str
        The listings.
    id_column : str
        What the dataset's own table calls the ids.
    name : str
        What an error calls the table.

    Raises
    ------
    InputError
        If there are no rows, ids or numbers, a numbered column is missing, or it is not clear which columns are meant.
    """
    if not len(frame):
        raise no_rows(name, frame.shape)
    frame, own, where = with_ids(frame, ids, id_column, name, EMBEDDINGS)
    frame = frame.set_axis([str(column).strip() for column in frame.columns], axis="columns")
    if twice := list(frame.columns[frame.columns.duplicated()]):
        raise EMBEDDINGS.error(f"{name} has two columns of one name", got=twice[0], fix="Rename one, or leave it out.")
    lists = _list_column(frame, name)
    used = _numbered(frame, name) if lists is None else [lists]
    values = _numbers(frame, used, own, name) if lists is None else _stacked(frame[lists], own, name)
    notes = [] if where == "id" else [f"The ids of {name} are taken from {where}."]
    if left_out := [column for column in frame.columns if column not in used]:
        notes.append(f"Columns of {name} that are no embeddings are left out: {some(left_out)}.")
    return RawEmbeddings(name, values, own, tuple(notes))


def no_rows(name: str, shape: tuple[int, ...]) -> InputError:
    """Return the error that embeddings are those of no listing.

    Parameters
    ----------
    name : str
        What it calls them.
    shape : tuple of int
        Theirs.
    """
    return EMBEDDINGS.error(
        f"{name} has no rows",
        got=f"shape {shape}",
        wanted="a row for each listing",
        fix="Was the loop that makes them run?",
    )


def _list_column(frame: pd.DataFrame, name: str) -> str | None:
    """Return the column whose cells are lists; None if there is none."""
    found = [column for column in frame.columns if _holds_lists(frame[column])]
    if len(found) > 1:
        called = [column for column in found if column.lower() in ("embeddings", *EMBEDDINGS.parts["embeddings"])]
        if len(called) != 1:
            raise EMBEDDINGS.error(
                f"{name} has several columns of lists",
                got=some(found),
                wanted="one of them, or one called embeddings",
                fix="Save each in a file of its own, and give them with + between.",
            )
        found = called
    return found[0] if found else None


def _holds_lists(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return False
    first = next((cell for cell in column if not _is_missing(cell)), None)
    if isinstance(first, str):
        # text such as "[New]" is no list of numbers
        text = first.strip()
        return text[:1] in "[(" and text[-1:] in "])" and len(_list_of(text) or []) > 1
    return isinstance(first, (list, tuple, np.ndarray))


def _is_missing(cell: object) -> bool:
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell))


def _list_of(cell: object) -> list[float] | None:
    """Return the numbers of a cell; None if it holds something else."""
    parts: Any = _SEPARATORS.split(cell.strip().strip("[]()").strip(" ,")) if isinstance(cell, str) else cell
    try:
        return [float(part) for part in parts]
    except (TypeError, ValueError):
        return None


def _stacked(column: pd.Series, ids: Sequence[str], name: str) -> Float64:
    rows = [None if _is_missing(cell) else _list_of(cell) for cell in column]
    bad = [id for id, cell, row in zip(ids, column, rows, strict=True) if row is None and not _is_missing(cell)]
    if bad:
        shortened = any(isinstance(cell, str) and "..." in cell for cell in column)
        raise EMBEDDINGS.error(
            f"column {column.name!r} of {name} does not hold lists of numbers",
            got=f"other cells for {some(bad, 3)}",
            wanted="as many numbers for each listing",
            fix="They were shortened when they were written as text: save them with np.savez." if shortened else "",
        )
    lengths = pd.Series([len(row) for row in rows if row is not None]).value_counts()
    if len(lengths) > 1:
        usual = int(lengths.index[0])
        odd, row = next((id, row) for id, row in zip(ids, rows, strict=True) if row is not None and len(row) != usual)
        raise EMBEDDINGS.error(
            f"lists of {name} are not equally long",
            got=f"{len(row)} numbers for id {odd}",
            wanted=f"{usual}, as most have",
            fix="Give one vector for each photo, made by one model.",
        )
    empty = [np.nan] * int(lengths.index[0])
    return np.array([empty if row is None else row for row in rows], dtype=np.float64)


def _numbered(frame: pd.DataFrame, name: str) -> list[str]:
    """Return the columns whose names differ by a number alone, in the order of these."""
    groups: dict[str, dict[int, str]] = {}
    for column in frame.columns:
        if match := _NUMBERED.fullmatch(column):
            groups.setdefault(match[1], {})[int(match[2])] = column
    groups = {before: columns for before, columns in groups.items() if len(columns) > 1}
    if len(groups) != 1:
        kinds = [f"{columns[min(columns)]} to {columns[max(columns)]}" for columns in groups.values()]
        raise EMBEDDINGS.error(
            f"{name} does not say which columns are the embeddings",
            got=some(kinds or frame.columns) or "no columns beside the ids",
            wanted="columns that are numbered, e.g. e0, e1, …, or one column of lists",
            fix="Save each in a file of its own, and give them with + between." if kinds else "",
        )
    ((before, columns),) = groups.items()
    _require_no_gap(before, columns, name)
    return [columns[number] for number in sorted(columns)]


def _require_no_gap(before: str, columns: Mapping[int, str], name: str) -> None:
    """Refuse numbered columns, `before` their numbers, of which one is missing."""
    numbers = sorted(columns)
    last = next((number for number, following in pairwise(numbers) if following != number + 1), None)
    if last is None:
        return
    digits = columns[last].removeprefix(before)
    # 009 is followed by 010
    missing = before + str(last + 1).zfill(len(digits) if digits.startswith("0") else 0)
    lacking = numbers[-1] - numbers[0] + 1 - len(numbers)
    raise EMBEDDINGS.error(
        f"{name} lacks column {missing}",
        got=f"{columns[numbers[0]]} to {columns[numbers[-1]]} without it" + f" ({lacking:,} missing)" * (lacking > 1),
        wanted="columns that are numbered without a gap",
        fix="Save the embeddings again with all columns; call columns that are none of them otherwise.",
    )


def _numbers(frame: pd.DataFrame, columns: Sequence[str], ids: Sequence[str], name: str) -> Float64:
    values = np.empty((len(frame), len(columns)))
    for place, column in enumerate(columns):
        numbers = numbers_of(frame[column])
        if numbers is None:
            cells = pd.to_numeric(frame[column], errors="coerce")
            first = int(np.argmax(cells.isna().to_numpy()))
            raise EMBEDDINGS.error(
                f"column {column!r} of {name} does not hold numbers",
                got=f"{frame[column].iloc[first]!r} for id {ids[first]}",
            )
        values[:, place] = numbers
    return values
