"""CSV in which a backslash stands before quotes and delimiters, as MySQL and programs without quoting write it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from curation.errors import short_repr
from curation.rendering.words import agree, many

__all__ = ["said_of_escapes", "way_out_of_escapes"]

#: Rows that are looked at.
_ROWS = 20_000


def way_out_of_escapes(text: str, delimiter: str, name: str) -> str:
    r"""Return how a file is rewritten without backslashes, if all rows fit the header only with them; empty otherwise.

    Parameters
    ----------
    text : str
        The file, from its header on.
    delimiter : str
        What stands between cells.
    name : str
        What the file is called.

    Examples
    --------
    >>> way_out_of_escapes('id,title\n1,a lamp\\, new\n', ",", "shop.csv").splitlines()[0][:60]
    'Backslashes stand before its quotes or delimiters. Rewrite i'
    >>> way_out_of_escapes('id,title\n1,a lamp, new\n', ",", "shop.csv")
    ''
    """
    if not re.search(rf'\\["{re.escape(delimiter)}]', text):
        return ""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, escapechar="\\", doublequote=False)
        widths = {len(row) for row, _ in zip(reader, range(_ROWS), strict=False) if row}
    except csv.Error:
        return ""
    if len(widths) != 1:
        return ""
    sep = "" if delimiter == "," else f", sep={delimiter!r}"
    read = f"pd.read_csv({name!r}{sep}, dtype=str, keep_default_na=False, escapechar='\\\\')"
    new = f"{name.partition('.')[0]}-plain.csv"
    return (
        "Backslashes stand before its quotes or delimiters. Rewrite it with pandas: "
        f"{read}.to_csv({new!r}, index=False)"
    )


def said_of_escapes(columns: Iterable[Sequence[str | None]], step: str) -> tuple[str, ...]:
    """Say that backslashes before quotes stay in cells of a file that could be read.

    Parameters
    ----------
    columns : iterable of sequence of str
        The cells as they are read.
    step : str
        How the file is rewritten, see :func:`way_out_of_escapes`.
    """
    # JSON in a cell has its own
    escaped = [cell for cells in columns for cell in cells if cell and '\\"' in cell and cell[0] not in "[{"]
    if not escaped or not step:
        return ()
    count = len(escaped)
    which = f"{many(count, 'cell')} {agree(count, 'keeps a backslash', 'keep backslashes')} before quotes"
    return (f"{which}, e.g. {short_repr(escaped[0])}. {step}.",)
