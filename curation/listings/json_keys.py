"""JSON whose rows have keys: an object of columns, or an object of rows, as pandas writes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from curation.listings.headers import likely, normal_name

__all__ = ["keyed", "keyed_rows", "shape_of"]

#: Likely names that make the keys of an object those of columns.
_ENOUGH = 2


def shape_of(content: Mapping[str, Any], names: Collection[str]) -> Literal["columns", "index", ""]:
    """Return whether an object has columns of cells by row, or rows by key (``index``); empty if it has neither.

    Parameters
    ----------
    content : mapping of str to object
        The object.
    names : collection of str
        Likely names of columns, in lower case.

    Examples
    --------
    >>> names = ["id", "image", "label"]
    >>> shape_of({"image": {"A": "1.jpg"}, "label": {"A": "lamp"}}, names)
    'columns'
    >>> shape_of({"A": {"image": "1.jpg", "label": "lamp"}, "B": {"image": "2.jpg", "label": "desk"}}, names)
    'index'
    """
    parts = [value for value in content.values() if isinstance(value, dict)]
    if len(parts) < max(2, len(content)):
        return ""
    if likely(content, names) < _ENOUGH and all(likely(part, names) >= _ENOUGH for part in parts):
        return "index"
    return "columns" if all(part.keys() == parts[0].keys() for part in parts) else ""


def keyed_rows(
    rows: Mapping[str, Mapping[str, Any]], columns: Collection[str], names: Collection[str]
) -> tuple[list[dict[str, Any]], str]:
    """Return rows with their keys as a column, and its name; without, if the keys only number the rows.

    The keys are the ids where no column has these.

    Parameters
    ----------
    rows : mapping of str to mapping
        Key → row.
    columns : collection of str
        Their columns.
    names : collection of str
        Likely names of columns, in lower case; as a mapping, each with what it means.
    """
    if list(rows) == [str(number) for number in range(len(rows))]:
        return [dict(row) for row in rows.values()], ""
    means = names if isinstance(names, Mapping) else {}
    has_ids = any("id" in (name, means.get(name.lower()), means.get(normal_name(name))) for name in columns)
    # e.g. of rows that were shuffled
    numbers = {str(number) for number in range(len(rows))} == set(rows)
    name = "index" if has_ids or numbers else "id"
    while name in columns:
        name = f"_{name}"
    return [{name: key, **row} for key, row in rows.items()], name


def keyed(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    """Return rows by their keys, which a column has; without such a column, they are numbered.

    Parameters
    ----------
    rows : sequence of mapping
        The rows.
    name : str
        The column of their keys, which is left out of them; empty if there is none.

    Raises
    ------
    ValueError
        If two have one key.
    """
    keys = [str(row[name]) if row.get(name) is not None else str(place) for place, row in enumerate(rows)]
    if len(set(keys)) < len(keys):
        raise ValueError(f"two of its rows have one key in {name!r}")
    return {
        key: {each: value for each, value in row.items() if each != name} for key, row in zip(keys, rows, strict=True)
    }
