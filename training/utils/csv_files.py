"""CSV in which every program finds as many rows and cells as were written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from training.utils.files import whole_file

__all__ = ["Quoting", "csv_lines", "write_csv"]

#: Which cells are quoted: those that need it, all, or all but plain numbers.
Quoting = Literal["minimal", "all", "text"]

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)


def csv_lines(
    rows: Iterable[Sequence[str | None]], *, delimiter: str = ",", newline: str = "\n", quoting: Quoting = "minimal"
) -> Iterator[str]:
    r"""Yield rows as lines of a CSV.

    Python before 3.11.9 does not quote a lone carriage return, which most readers take for the end of a row.

    Parameters
    ----------
    rows : iterable of sequence of str
        The header is one of them; a missing cell (None) is written as an empty one.
    delimiter, newline : str
        What stands between cells, and at the end of a row.
    quoting : str
        Which cells are quoted.

    Examples
    --------
    >>> list(csv_lines([["id", "title"], ["a", "red\rlamp"], ["b", None]]))
    ['id,title\n', 'a,"red\rlamp"\n', 'b,\n']
    """
    special = re.compile(f'[{re.escape(delimiter)}"\r\n]')

    def cell(text: str) -> str:
        plain = quoting == "minimal" or (quoting == "text" and _NUMBER.fullmatch(text))
        return text if plain and not special.search(text) else '"' + text.replace('"', '""') + '"'

    for row in rows:
        # an empty line would be no row
        yield (delimiter.join([cell(text or "") for text in row]) or '""') + newline


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV in UTF-8, completely or not at all, without its index.

    Parameters
    ----------
    path : Path
        The file.
    table : DataFrame
        Missing values become empty cells; numbers keep all their digits.
    """
    columns = [_texts(table[name]) for name in table.columns]
    header = [str(name) for name in table.columns]
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(csv_lines([header]))
        stream.writelines(csv_lines(zip(*columns, strict=True)))


def _texts(column: pd.Series) -> list[str | None]:
    # not the column itself: it gives a number of 32 bits the digits of one of 64
    values = column.to_numpy() if isinstance(column.dtype, np.dtype) else column
    return [None if missing else str(value) for value, missing in zip(values, column.isna(), strict=True)]
