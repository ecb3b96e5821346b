"""The row that names the columns, which may stand below a title."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

__all__ = ["LOOKED_AT", "header_place", "likely", "normal_name", "said_of_header"]

#: Rows that are looked at for the header.
LOOKED_AT = 20
#: Names in a row below the first that make it the header.
_ENOUGH = 2
_SHOWN = 60


def normal_name(name: str) -> str:
    """Return a name in lower case with underscores: ``itemID``, ``Item-ID`` and ``item id`` are ``item_id``."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[\W_]+", "_", apart).strip("_").lower()


def likely(row: Iterable[str], names: Collection[str]) -> int:
    """Return how many likely names of columns a row has.

    Parameters
    ----------
    row : iterable of str
        Its cells.
    names : collection of str
        The likely names, in lower case.
    """
    return len({name.strip().lower() for name in row} & set(names) | {normal_name(name) for name in row} & set(names))


def header_place(counts: Sequence[int]) -> int:
    """Return which row is the header: the first, or the one with likely names if the first has none.

    Parameters
    ----------
    counts : sequence of int
        How many likely names each of the first rows has; at least one row.

    Examples
    --------
    >>> header_place([0, 0, 4, 1]), header_place([1, 4]), header_place([0, 1])
    (2, 0, 0)
    """
    if counts[0]:
        return 0
    return next((place for place, count in enumerate(counts) if count >= _ENOUGH), 0)


def said_of_header(row: int, above: Iterable[str]) -> str:
    """Say in which row the header was found, and what stands above it.

    Parameters
    ----------
    row : int
        The row, counted from 1.
    above : iterable of str
        The cells above it.
    """
    text = " ".join(filter(None, (cell.strip() for cell in above)))
    return f"The header was found in row {row}, below {text[:_SHOWN]!r}."
