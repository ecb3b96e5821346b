"""Cells of a sheet whose formula failed, such as ``#DIV/0!``: a price that is one is no price."""

from __future__ import annotations

import html
import re

import pandas as pd

from curation.listings.sheet_marks import ELEMENT, place_of

__all__ = ["errors_of", "with_errors"]

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
