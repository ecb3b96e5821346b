"""Words that stand for nothing in any column, such as N/A, NULL and what databases write for it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from curation.errors import some
from curation.rendering.words import agree, many

__all__ = ["none_cells", "says_error", "says_none", "without_none"]

#: In lower case. ``\n`` is what MySQL, PostgreSQL and Hive write, as ``\N``.
_NONE = frozenset(
    {"na", "n/a", "n.a", "n.a.", "nan", "nat", "none", "null", "nil", "\\n", "unknown", "undefined", "missing"}
    | {"tbd", "tba", "tbc", "unlabeled", "unlabelled", "no label"}
)
#: As spreadsheets show a formula that failed, without what stands around it.
_ERRORS = frozenset({"ref!", "value!", "div/0!", "name?", "num!", "null!", "error!", "spill!", "calc!"})
_SIGNS = re.compile(r"[-–—.?]{0,3}")
#: What may stand around a word: ``#N/A``, ``<NA>``, ``(none)``.
_AROUND = "#<>()[] "
#: Columns in which such words are always none; a label may be called so, and a photo.
_COLUMNS = ("title", "group", "split", "currency")


def says_none(text: str) -> bool:
    r"""Return whether a text stands for nothing.

    Parameters
    ----------
    text : str
        A cell.

    Examples
    --------
    >>> [says_none(text) for text in ("N/A", "<NA>", r"\N", "--", "TBD", ".", "", "-1", "nano", "0")]
    [True, True, True, True, True, True, True, False, False, False]
    """
    bare = text.lower().strip(_AROUND)
    return bare in _NONE or _SIGNS.fullmatch(bare) is not None


def says_error(text: str) -> bool:
    """Return whether a text is what a spreadsheet shows of a formula that failed.

    Parameters
    ----------
    text : str
        A cell.

    Examples
    --------
    >>> says_error("#REF!"), says_error("ref")
    (True, False)
    """
    return text.lower().strip(_AROUND) in _ERRORS


def none_cells(column: pd.Series) -> pd.Series:
    """Return which cells hold a word for none; an empty one holds no word.

    Parameters
    ----------
    column : Series of str
        NA where a cell is empty.
    """
    return column.isin([cell for cell in column.dropna().unique() if says_none(str(cell))]).fillna(False).astype(bool)


def without_none(table: pd.DataFrame, columns: Mapping[str, str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table without words for none where they can be nothing else, and a sentence for each such column.

    Parameters
    ----------
    table : DataFrame of str
        With our column names.
    columns : mapping of str to str
        Our column name → the table's own, where they differ.
    """
    notes = []
    for ours in _COLUMNS:
        if ours not in table or not (none := none_cells(table[ours])).any():
            continue
        count = int(none.sum())
        words = some((f"{word} ({n:,})" for word, n in table[ours][none].value_counts().items()), 3)
        notes.append(
            f"{many(count, 'cell')} of {columns.get(ours) or ours} {agree(count, 'is a word', 'are words')} for none, "
            f"and {agree(count, 'counts', 'count')} as empty: {words}."
        )
        table = table.assign(**{ours: table[ours].mask(none)})
    return table, tuple(notes)
