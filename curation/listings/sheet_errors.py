"""Cells of a sheet whose formula failed, such as ``#DIV/0!``: they read as empty, and are counted."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

import pandas as pd

from curation.errors import some
from curation.listings.sheet_marks import ELEMENT, place_of
from curation.rendering.words import agree, many

__all__ = ["errors_of", "said_of_errors", "with_errors"]

_FAILED = re.compile(
    rb"<%(n)sc\s([^<>]*\bt=[\"']e[\"'][^<>]*)>\s*(?:<%(n)sf\b(?:[^<>]*/>|[^<>]*>[^<]*</%(n)sf>)\s*)?"
    rb"<%(n)sv>([^<]{1,40})</%(n)sv>" % {b"n": ELEMENT}
)


def errors_of(xml: bytes) -> dict[tuple[int, int], str]:
    """Return the errors of a sheet, by row and column.

    Parameters
    ----------
    xml : bytes
        The file of the sheet.

    Examples
    --------
    >>> errors_of(b'<c r="D5" t="e"><f>A1/0</f><v>#DIV/0!</v></c><c r="D6" t="n"><v>4</v></c>')
    {(5, 4): '#DIV/0!'}
    """
    return {
        place: html.unescape(text.decode("utf-8", "replace"))
        for attributes, text in _FAILED.findall(xml)
        if (place := place_of(attributes))
    }


def said_of_errors(
    errors: Mapping[str, pd.Series], columns: Mapping[str, str], rows: pd.Index, title: str
) -> tuple[str, ...]:
    """Say how many ids, photos, labels and the like are errors, and so read as empty; prices are named elsewhere.

    Parameters
    ----------
    errors : mapping of str to Series of str
        Column of the table → its errors, by the labels of rows.
    columns : mapping of str to str
        Column of ours → the table's own.
    rows : Index
        The rows that are listings.
    title : str
        What the table is called.

    Returns
    -------
    tuple of str
        At most one sentence.
    """
    cells = {}
    for theirs in columns.values():
        if theirs in errors and not (shown := errors[theirs].reindex(rows).dropna()).empty:
            cells[theirs] = shown
    if not cells:
        return ()
    counts = some((f"{many(len(each), 'cell')} of {name!r}" for name, each in cells.items()), len(cells))
    kinds = some(dict.fromkeys(error for each in cells.values() for error in each), 3)
    total = sum(map(len, cells.values()))
    are = agree(total, f"shows the error {kinds}, and reads", f"show errors ({kinds}), and read")
    return (f"{title}: {counts} {are} as empty.",)


def with_errors(table: pd.DataFrame, column: str, errors: pd.Series | None) -> pd.DataFrame:
    """Return a table whose empty cells of a column say which error they hold.

    Parameters
    ----------
    table : DataFrame of str
        The table.
    column : str
        The column.
    errors : Series of str
        The errors, by the labels of rows; None if there are none.
    """
    if errors is None:
        return table
    return table.assign(**{column: table[column].fillna(errors.reindex(table.index))})
