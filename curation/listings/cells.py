"""Tables in memory as text: the cells as they are written, and as they are read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from curation.errors import ListingsError
from curation.listings.cell_objects import plain_value

__all__ = ["as_text", "as_written", "stripped"]

#: Whole numbers up to here are exact as floats.
_EXACT = 2**53


def as_text(raw: pd.DataFrame) -> pd.DataFrame:
    """Return a new table with every column as text without blanks around it; what is empty is NA.

    Whole numbers are written as such, whatever the column holds them as: 1.0 is ``"1"``, for a column of integers
    becomes one of floats as soon as a value is missing.

    Raises
    ------
    ValueError
        If two columns have the same name.
    """
    return stripped(as_written(raw))


def stripped(text: pd.DataFrame) -> pd.DataFrame:
    """Return a table of text without blanks around its cells; what is empty is NA."""
    bare = {name: column.str.strip() for name, column in text.items()}
    return pd.DataFrame({name: column.mask(column == "") for name, column in bare.items()})


def as_written(raw: pd.DataFrame) -> pd.DataFrame:
    """Return a new table with every column as text: :func:`as_text` with the blanks around cells.

    Raises
    ------
    ValueError
        If two columns have the same name.
    """
    # a named index is a column; one without a name only numbers the rows, perhaps those of a larger table
    named = [name for name in raw.index.names if name is not None and not _repeats_a_column(raw, name)]
    raw = raw.reset_index(level=named).reset_index(drop=True) if named else raw.reset_index(drop=True)
    raw.columns = [str(name).strip() for name in raw.columns]
    _require_different(raw.columns.tolist())
    return pd.DataFrame({name: _text_of(raw[name]) for name in raw.columns})


def _repeats_a_column(raw: pd.DataFrame, name: Hashable) -> bool:
    """Whether an index is also a column, as after ``frame.set_index("id", drop=False)``."""
    if name not in raw:
        return False
    if not raw.index.get_level_values(raw.index.names.index(name)).equals(pd.Index(raw[name])):
        raise ListingsError("the table has a column and an index of one name that differ", got=repr(name))
    return True


def _text_of(column: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(column.dtype):
        number = column.astype("float64")
        whole = (number % 1 == 0) & (number.abs() <= _EXACT)
        # one number with a fraction makes a column of measures: its 3.0 stays 3.0
        column = number.astype("Int64") if (whole | number.isna()).all() else column
    elif column.dtype == object:
        # not map(): it takes whole numbers beside missing cells for floats
        column = pd.Series([_cell(value) for value in column], dtype=object)
    return column.astype("string")


def _cell(value: Any) -> Any:
    """Return a cell of a column of objects, e.g. of JSON or Excel, as it would be written."""
    value = plain_value(value)
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    if isinstance(value, str) and not value.isascii():
        # JSON may hold half of a character that takes two
        return value.encode("utf-8", errors="backslashreplace").decode()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def _require_different(names: Sequence[str]) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"two columns called {twice[0]!r}")
