"""Tables of numbers with ids that a person made elsewhere: where the ids are, and cells as numbers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from curation.errors import closest, some
from curation.evidence.given_files import GivenKind
from curation.evidence.photo_ids import ids_of_photos
from curation.listings.cells import as_text
from curation.listings.headers import NAMELESS, are_row_numbers
from curation.listings.none_words import none_cells
from training.utils.arrays import Float64

__all__ = ["names_of", "not_numbers", "numbers_of", "with_ids"]


def names_of(values: Any) -> list[str]:
    """Return names as text, as a table has them: 1.0 among whole numbers is ``"1"``; what is missing is empty.

    Examples
    --------
    >>> names_of([1.0, 2.0]), names_of([b"lamp ", True])
    (['1', '2'], ['lamp', 'True'])
    """
    return as_text(pd.DataFrame({"name": pd.Series(values)}))["name"].fillna("").tolist()


def with_ids(
    frame: pd.DataFrame,
    ids: Collection[str],
    id_column: str,
    name: str,
    kind: GivenKind,
    photos: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, list[str], str]:
    """Take the ids out of a table.

    Parameters
    ----------
    frame : DataFrame
        With ids as its index, in a column called so, or in the one column that has those of the listings.
    ids : collection of str
        The listings.
    id_column : str
        What the dataset's own table calls the ids.
    name : str
        What an error calls the table.
    kind : GivenKind
        What is in it.
    photos : mapping of str to str, optional
        Id → its photo: their names may stand in place of the ids.

    Returns
    -------
    frame : DataFrame
        Without the ids.
    ids : list of str
        As they are written.
    where : str
        Where they were.

    Raises
    ------
    InputError
        Of the kind's class, if there are none.
    """
    named = [level for level in frame.index.names if level is not None]
    if any(level in frame.columns for level in named):
        # a class is called as the index is
        if frame.index.names == ["id"]:
            return frame, names_of(frame.index), "id"
        raise kind.error(
            f"{name} has an index and a column of the same name", got=some(map(str, named)), fix="Call the index id."
        )
    if named:
        frame = frame.reset_index(level=named)
    exact = [column for column in frame.columns if str(column).strip() == "id"]
    alike = [
        column for column in frame.columns if str(column).strip().casefold() in ("id", "ids", id_column.casefold())
    ]
    if found := exact or alike:
        return frame.drop(columns=found[0]), names_of(frame[found[0]]), str(found[0]).strip()
    known, rows = set(ids), names_of(frame.index)
    are_numbers = pd.api.types.is_numeric_dtype(frame.index.dtype)
    if not named and (set(rows) == known if are_numbers else known & set(rows)):
        return frame, rows, "its index"
    fitting = [column for column in frame.columns if set(names_of(frame[column])) == known]
    if len(fitting) == 1:
        return frame.drop(columns=fitting[0]), names_of(frame[fitting[0]]), f"column {str(fitting[0])!r}"
    for column in frame.columns if photos else ():
        names = names_of(frame[column])
        if owners := ids_of_photos(names, photos or {}):
            listings = [owners[each] for each in names]
            return frame.drop(columns=column), listings, f"column {str(column)!r}, which names their photos"
    columns = [str(column).strip() for column in frame.columns]
    raise kind.error(
        f"{name} has no column 'id'",
        got=some(columns),
        wanted=f"id and {kind.columns}",
        fix=_way_to_ids(frame, columns, known, kind),
    )


def _way_to_ids(frame: pd.DataFrame, columns: Sequence[str], known: set[str], kind: GivenKind) -> str:
    """Return how a table gets a column of ids."""
    # classes may be numbers, as some ids are
    if 2 * len(known & set(columns)) > max(len(columns), len(known)):
        return "Its columns are listings: turn it with table.T."
    numbered = [names_of(frame.index)] if pd.api.types.is_integer_dtype(frame.index.dtype) else []
    numbered += [names_of(frame.iloc[:, 0])] if columns and columns[0] == NAMELESS else []
    if any(are_row_numbers(pd.Series(rows)) and known & set(rows) for rows in numbered):
        # ids of 1 to 24 beside rows of 0 to 23
        return "Its rows are only numbered, unlike the ids. Add these: table.insert(0, 'id', listings['id'])."
    if columns and all(re.fullmatch(r"[-+.\deE]*\d[-+.\deE]*", column) for column in columns):
        saved = f"np.save('{kind.values[0]}.npy', {kind.values})"
        return f"It begins with numbers: save an array without names as .npy: {saved}."
    return closest("id", list(columns)) or "Add them before saving: table.insert(0, 'id', listings['id'])."


def numbers_of(column: pd.Series) -> Float64 | None:
    """Return a column as numbers, NaN where a cell is empty; None if it holds something else."""
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return None
    if pd.api.types.is_numeric_dtype(column.dtype):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    text = column.astype("string").str.strip()
    if text.dropna().str.endswith("%").all():
        text = text.str.rstrip("% ")
    values = pd.to_numeric(text, errors="coerce")
    if not_numbers(text, values).any():
        # as a spreadsheet writes numbers in many countries
        values = pd.to_numeric(text.str.replace(",", ".", regex=False), errors="coerce")
    return None if not_numbers(text, values).any() else np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def not_numbers(text: pd.Series, values: pd.Series) -> pd.Series:
    """Return which cells hold something that is no number; `values` are those that were read."""
    missing = text.isna() | none_cells(text)
    return values.isna() & ~missing
