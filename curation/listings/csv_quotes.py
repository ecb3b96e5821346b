"""Quotes that nobody closed: rows of a CSV that such a quote has taken into one cell."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

__all__ = ["Span", "first_open_quote", "rows_without_quoting"]

#: The number of a row, its first line (from 0), and the line after its last one.
Span = tuple[int, int, int]


def first_open_quote(
    lines: Sequence[str],
    spans: Iterable[Span],
    columns: Sequence[Sequence[str | None]],
    delimiter: str,
    *,
    sparing: bool,
) -> Span | None:
    r"""Return the first row that holds others, which a quote has taken into one of its cells.

    A cell may well have lines, and delimiters in them. It holds rows if text follows the closing quote, which no
    program writes, and a line is as wide as the header; or if every line is, and what is in it looks like the columns.

    Parameters
    ----------
    lines : sequence of str
        The lines of the file.
    spans : iterable of (int, int, int)
        The rows that take several lines.
    columns : sequence of M sequences of str
        The cells of the rows that take one line.
    delimiter : str
        What stands between cells.
    sparing : bool
        Whether only cells that need it are quoted in this file. Where all are, rows that lost theirs are none.

    Examples
    --------
    >>> lines = ['1,lamp,"Mint', '2,desk,x"', '3,desk,ok']
    >>> first_open_quote(lines, [(2, 0, 2)], [["3"], ["desk"], ["ok"]], ",", sparing=True)
    (2, 0, 2)
    """
    width = len(columns)
    kinds: list[set[str]] = []
    for span in spans:
        inside = lines[span[1] : span[2]]
        if _is_cut(inside, delimiter):
            if any(len(_cells(line, delimiter)) == width for line in inside[1:]):
                return span
        elif sparing and width > 1 and all(line.count(delimiter) == width - 1 for line in inside):
            kinds = kinds or [set(map(_kind, column)) for column in columns]
            fitting = [line for line in inside[1:] if _fits(line.rstrip("\r").split(delimiter), kinds)]
            if 2 * len(fitting) >= len(inside) - 1:
                return span
    return None


def rows_without_quoting(lines: Sequence[str], delimiter: str) -> list[tuple[int, list[str]]] | None:
    """Return the rows and their numbers if quotes mean nothing in this file; None if it doesn't look so.

    Every row then has as many cells as the header, and no cell stands in quotes.

    Parameters
    ----------
    lines : sequence of str
        The lines of the file, from the header on.
    delimiter : str
        What stands between cells.
    """
    rows = [(number, line.rstrip("\r").split(delimiter)) for number, line in enumerate(lines, start=1)]
    rows = [(number, row) for number, row in rows if any(map(str.strip, row))]
    width = len(rows[0][1])
    if width < 2 or any(len(row) != width or any(map(_is_quoted, row)) for _, row in rows):
        return None
    return rows


def _is_quoted(cell: str) -> bool:
    text = cell.strip(" ")
    return len(text) > 1 and text.startswith('"') and text.endswith('"')


def _is_cut(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether text follows a closing quote."""
    try:
        list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True))
    except csv.Error:
        return True
    return False


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _kind(cell: str | None) -> str:
    """Return what a cell looks like: a number, a code, or text; with a blank before it where there is one."""
    text = (cell or "").strip().strip('"')
    if not text:
        return ""
    blank = " " if (cell or "")[0].isspace() else ""
    try:
        float(text.replace(",", "."))
    except ValueError:
        is_code = not any(map(str.isspace, text)) and any(map(str.isdigit, text))
        return blank + ("code" if is_code else "text")
    return f"{blank}number"


def _fits(cells: Sequence[str], kinds: Sequence[set[str]]) -> bool:
    """Return whether each cell looks like those of its column."""
    return all(
        not (kind := _kind(cell)) or kind in known or (kind in ("code", "number") and "text" in known)
        for cell, known in zip(cells, kinds, strict=True)
    )
