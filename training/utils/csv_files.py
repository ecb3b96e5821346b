"""CSV in which every program finds as many rows and cells as were written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from training.utils.blocks import row_blocks
from training.utils.files import whole_file
from training.utils.formulas import neutral, restored

__all__ = ["Quoting", "csv_cell", "csv_lines", "restored_cells", "write_csv"]

#: Which cells are quoted: those that need it, all, or all but plain numbers.
Quoting = Literal["minimal", "all", "text"]

_QUOTED = re.compile('["\r\n]')
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
    cell = csv_cell(delimiter, quoting)
    for row in rows:
        texts = [text or "" for text in row]
        line = delimiter.join(texts)
        # most lines have no cell that must be quoted, which is seen faster in the whole line than in each
        if quoting != "minimal" or line.count(delimiter) >= len(texts) or _QUOTED.search(line):
            line = delimiter.join(map(cell, texts))
        # an empty line would be no row
        yield (line or '""') + newline


def csv_cell(delimiter: str, quoting: Quoting) -> Callable[[str], str]:
    """Return what makes a cell of a text, in quotes where it must stand in them.

    Parameters
    ----------
    delimiter, quoting
        As for :func:`csv_lines`.

    Examples
    --------
    >>> csv_cell(",", "minimal")("a, b")
    '"a, b"'
    """
    special = re.compile(f'[{re.escape(delimiter)}"\r\n]')

    def cell(text: str) -> str:
        plain = quoting == "minimal" or (quoting == "text" and _NUMBER.fullmatch(text))
        return text if plain and not special.search(text) else '"' + text.replace('"', '""') + '"'

    return cell


def write_csv(path: Path, table: pd.DataFrame, *, raw: bool = False) -> None:
    """Write a table as CSV in UTF-8, completely or not at all, without its index.

    Parameters
    ----------
    path : Path
        The file.
    table : DataFrame
        Missing values become empty cells; numbers keep all their digits.
    raw : bool
        Whether texts are written as they are, for a program. By default, those that a spreadsheet would take for
        formulas get an apostrophe, see :func:`training.utils.formulas.neutral`; :func:`restored_cells` takes it off.
    """
    header = [str(name) if raw else neutral(str(name)) for name in table.columns]
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(csv_lines([header]))
        # as text, a large table takes many times its memory
        for rows in row_blocks(len(table)):
            stream.writelines(csv_lines(zip(*(_texts(table[name].iloc[rows], raw) for name in table), strict=True)))


def restored_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table that was read from what :func:`write_csv` wrote with its texts and names as they were before.

    Examples
    --------
    >>> restored_cells(pd.DataFrame({"id": ["'=1", "'tis"], "price": [-1, 2]}))["id"].tolist()
    ['=1', "'tis"]
    """
    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    cells = table[texts].map(lambda cell: restored(cell) if isinstance(cell, str) else cell)
    columns = [cells[name].astype(table[name].dtype) if name in texts else table[name] for name in table.columns]
    return pd.concat(columns, axis="columns").set_axis([restored(str(name)) for name in table.columns], axis="columns")


def _texts(column: pd.Series, raw: bool) -> list[str | None]:
    """Return a text for each value of a column, None for a missing one."""
    missing = column.isna().to_numpy(dtype=bool)
    if missing.all():
        return [None] * len(column)
    if column.dtype == np.float64:
        # the same digits as by the way below, several times as fast
        values = column.to_list()
    else:
        # not the column itself: it gives a number of 32 bits the digits of one of 64
        values = list(column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array.to_numpy(dtype=object))
    texts = list(map(str, values))
    if not (raw or pd.api.types.is_numeric_dtype(column)):
        texts = [neutral(text) if isinstance(value, str) else text for text, value in zip(texts, values, strict=True)]
    return [None if none else text for text, none in zip(texts, missing.tolist(), strict=True)]
