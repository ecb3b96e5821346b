"""Files of Parquet, read within what they can hold."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from training.utils.bounded import CELL, check_claim
from training.utils.files import open_regular

__all__ = ["ROW_GROUP", "as_frame", "column_names", "read_frame", "read_table"]

#: Rows of a row group in what is written, so that others can read a large table in parts.
ROW_GROUP = 65_536
#: What Arrow raises for a damaged file.
_DAMAGED = (OSError, MemoryError, pa.ArrowException, ValueError, KeyError, TypeError, OverflowError)


def read_table(file: Path | IO[bytes], columns: Collection[str] | None = None) -> pa.Table:
    """Read a table, and check every value of it.

    Parameters
    ----------
    file : Path or file
        The path, or an open file, which stays open.
    columns : collection of str, optional
        Those to read; by default all.

    Raises
    ------
    ValueError
        If it is no Parquet, is damaged, or claims more than it can hold.
    OSError
        If the file can't be read.
    """
    if isinstance(file, Path):
        # not by its path: folders called key=value would become columns
        with open_regular(file) as stream:
            return read_table(stream, columns)
    held = file.seek(0, 2)
    file.seek(0)
    try:
        opened = pyarrow.parquet.ParquetFile(file, pre_buffer=False)
        told = opened.metadata
        groups = [told.row_group(place) for place in range(told.num_row_groups)]
        claims = sum(group.num_rows for group in groups), sum(group.total_byte_size for group in groups)
        if min(told.num_rows, *claims) < 0:
            raise ValueError("it claims less than no rows")
        # runs of one value take no room, whatever they claim
        check_claim(max(claims[0] * told.num_columns * CELL, claims[1]), held, "its table")
        # Arrow's threads ask for Python's lock, which aborts a process that is about to end (apache/arrow 50482)
        table = opened.read(None if columns is None else list(columns), use_threads=False)
        table.validate(full=True)
    except _DAMAGED as error:
        raise _damaged(error) from None
    return table


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as a DataFrame; what was written by pandas has its index again.

    Raises
    ------
    ValueError
        If what pandas noted of it is damaged, or a value does not exist in pandas.
    """
    try:
        frame: pd.DataFrame = table.to_pandas()
    # notes of pandas are read without checks
    except Exception as error:
        raise _damaged(error) from None
    return frame


def read_frame(path: Path, columns: Collection[str] | None = None) -> pd.DataFrame:
    """Read a table as a DataFrame.

    Parameters
    ----------
    path, columns
        As for :func:`read_table`.

    Raises
    ------
    ValueError, OSError
        As :func:`read_table` and :func:`as_frame`.
    """
    return as_frame(read_table(path, columns))


def column_names(path: Path) -> list[str]:
    """Return the names of the columns of a file.

    Raises
    ------
    ValueError
        If it is no Parquet, or damaged.
    OSError
        If the file can't be read.
    """
    with open_regular(path) as stream:
        try:
            return [str(name) for name in pyarrow.parquet.read_schema(stream).names]
        except _DAMAGED as error:
            raise _damaged(error) from None


def _damaged(error: Exception) -> Exception:
    """Return what is raised for an error of Arrow: its own if the disk is at fault, which has a number."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    lines = str(error).splitlines()
    return ValueError(lines[0] if lines else type(error).__name__)
