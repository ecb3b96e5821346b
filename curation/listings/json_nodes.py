"""Rows of JSON whose cells stand one level down, as GraphQL, other APIs and Label Studio write them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from curation.errors import short_repr
from curation.listings.headers import normal_name
from curation.listings.json_spelling import Span, entries, place_of
from curation.rendering.words import agree, many

__all__ = ["flat", "inner_of", "require_no_pages", "said_of_inner", "said_of_pages", "spans_of"]

#: What makes a row a listing.
_MEANT = frozenset({"image", "label"})
#: Where Label Studio's tasks have their cells, and what annotators did, now and in early versions.
_TASK, _ANNOTATIONS = "data", ("annotations", "completions")
#: What programs call the object that holds a listing; another, such as a seller, may have a photo of its own.
_HOLDERS = frozenset(
    {"node", "data", "attributes", "source", "fields", "properties", "product", "listing", "item", "record", "doc"}
)
#: Lists in a listing that are no listings.
_BESIDE = frozenset({"images", "photos", "pictures", "media", "variants", "annotations", "predictions", "categories"})
#: What envelopes call the number of all listings, and whether there are more than they hold; in lower case.
_TOTALS = frozenset({"total", "total_count", "count", "total_results", "total_items", "nb_hits", "num_found"})
_MORE = frozenset({"next", "next_page", "has_next_page", "has_next", "has_more", "next_cursor", "next_page_token"})


def inner_of(rows: Sequence[Mapping[str, Any]], names: Collection[str]) -> str:
    """Return the key of the object in every row that holds its cells; empty where a row holds them itself.

    Parameters
    ----------
    rows : sequence of mapping
        The rows.
    names : mapping of str to str
        Likely names of columns, in lower case, each with what it means; nothing is found without the meanings.

    Examples
    --------
    >>> inner_of([{"cursor": "a", "node": {"id": 1, "image": "1.jpg"}}], {"id": "id", "image": "image"})
    'node'
    """
    if not rows or not isinstance(names, Mapping):
        return ""
    if all(isinstance(row.get(_TASK), dict) and any(key in row for key in _ANNOTATIONS) for row in rows):
        return _TASK
    outer = _means(rows[0], names) & _MEANT
    held = {key: _means(value, names) & _MEANT for key, value in rows[0].items() if isinstance(value, dict)}
    sure = {key: means for key, means in held.items() if normal_name(key) in _HOLDERS or means == _MEANT}
    objects = [key for key, means in sure.items() if means and not means & outer]
    fitting = [key for key in objects if all(isinstance(row.get(key), dict) for row in rows)]
    return fitting[0] if len(fitting) == 1 else ""


def require_no_pages(rows: Sequence[Mapping[str, Any]], names: Collection[str], *, lines: bool) -> None:
    """Refuse rows that are pages, each with a list of listings.

    Parameters
    ----------
    rows : sequence of mapping
        The rows.
    names : mapping of str to str
        As for :func:`inner_of`.
    lines : bool
        Whether each row is a line.

    Raises
    ------
    ValueError
        If they are; the message is one line.
    """
    if not rows or not isinstance(names, Mapping) or _means(rows[0], names) & _MEANT:
        return
    for key, value in rows[0].items():
        held = value[0] if isinstance(value, list) and value else None
        if isinstance(held, dict) and _means(held, names) & _MEANT and normal_name(key) not in _BESIDE:
            joined = f"jq {'-s ' if lines else ''}'[.[].{key}[]]' FILE > listings.json"
            raise ValueError(f"each of its rows is a page with listings in {key!r}: join them, e.g. with {joined}")


def _means(row: Mapping[str, Any], names: Mapping[str, str]) -> set[str]:
    return {names[name] for name in map(normal_name, row) if name in names}


def flat(row: Mapping[str, Any], inner: str) -> dict[str, Any]:
    """Return a row with the entries of an object in it, and the choices of Label Studio's annotators, as its cells.

    Parameters
    ----------
    row : mapping of str to object
        The row.
    inner : str
        Of :func:`inner_of`.

    Examples
    --------
    >>> annotation = {"result": [{"type": "choices", "from_name": "kind", "value": {"choices": ["lamp"]}}]}
    >>> row = flat({"id": 1, "data": {"id": 7, "image": "1.jpg"}, "annotations": [annotation]}, "data")
    >>> row["id"], row["data.id"], row["image"], row["kind"]
    (1, 7, '1.jpg', 'lamp')
    """
    outer = {key: value for key, value in row.items() if key != inner}
    named = {_name(key, outer, inner): value for key, value in row[inner].items()}
    return {**{name: _chosen([value for _, value in each]) for name, each in _choices(row).items()}, **outer, **named}


def _name(key: str, outer: Collection[str], inner: str) -> str:
    return f"{inner}.{key}" if key in outer else key


def _choices(row: Mapping[str, Any]) -> dict[str, list[tuple[list[str | int], list[str]]]]:
    """Return what annotators chose, by the name of the question: each with the path to it."""
    found: dict[str, list[tuple[list[str | int], list[str]]]] = {}
    for path, result in _results(row):
        value, name = result.get("value"), result.get("from_name")
        chosen = value.get("choices") if isinstance(value, dict) and isinstance(name, str) else None
        if isinstance(chosen, list) and chosen and all(isinstance(each, str) for each in chosen):
            found.setdefault(str(name), []).append(([*path, "value", "choices"], chosen))
    return found


def _results(row: Mapping[str, Any]) -> Iterator[tuple[list[str | int], Mapping[str, Any]]]:
    key = next((key for key in _ANNOTATIONS if isinstance(row.get(key), list)), None)
    for number, annotation in enumerate(row[key] if key else ()):
        results = annotation.get("result") if isinstance(annotation, dict) else None
        if isinstance(results, list) and not annotation.get("was_cancelled"):
            for place, result in enumerate(results):
                if isinstance(result, dict):
                    yield [str(key), number, "result", place], result


def _chosen(choices: Sequence[Sequence[str]]) -> str | list[str]:
    distinct = list(dict.fromkeys(each for chosen in choices for each in chosen))
    return distinct[0] if len(distinct) == 1 else distinct


def spans_of(line: str, row: Mapping[str, Any], inner: str) -> tuple[dict[str, list[Span]], Span]:
    """Return where the cells of a row stand in its text, and the object in it that takes new ones.

    Parameters
    ----------
    line : str
        The row's text.
    row : mapping of str to object
        What it holds.
    inner : str
        Of :func:`inner_of`.
    """
    outer = {str(key): span for key, span in entries(line).items()}
    last = outer.pop(inner)
    spans = {key: [span] for key, span in outer.items()}
    for key, span in entries(line, last[0]).items():
        spans[_name(str(key), outer, inner)] = [span]
    for name, each in _choices(row).items():
        if name not in spans and isinstance(_chosen([chosen for _, chosen in each]), str):
            spans[name] = [place_of(line, [*path, 0]) for path, _ in each]
    return spans, last


def said_of_inner(rows: Sequence[Mapping[str, Any]], inner: str) -> str:
    """Say which object in each row holds its cells, and where its labels are from.

    Parameters
    ----------
    rows : sequence of mapping
        The rows.
    inner : str
        Of :func:`inner_of`.
    """
    chosen = list(dict.fromkeys(name for row in rows for name in _choices(row)))
    choices = (
        f", and {' and '.join(map(repr, chosen))} {agree(len(chosen), 'is', 'are')} what annotators chose"
        if chosen
        else ""
    )
    return f"the entries of {inner!r} in each row are its columns{choices}."


def said_of_pages(around: Any, path: Sequence[str], count: int) -> tuple[str, ...]:
    """Say that there seem to be more listings than an envelope holds: it may be one page of several.

    Parameters
    ----------
    around : object
        The envelope.
    path : sequence of str
        Keys that lead to its rows.
    count : int
        How many rows these are.

    Examples
    --------
    >>> said_of_pages({"items": [], "total": 300}, ["items"], 24)
    ("'total' is 300, and 24 rows are in the file, which may be one page of several.",)
    """
    for key in (*path, ""):
        beside = [around, *(value for value in around.values() if isinstance(value, dict))]
        for name, value in (pair for each in beside for pair in each.items()):
            whole = isinstance(value, int) and not isinstance(value, bool)
            more = whole and value > count if normal_name(name) in _TOTALS else value not in (None, "", False, 0)
            if more and normal_name(name) in _TOTALS | _MORE and not isinstance(value, list | dict):
                rows = f"{many(count, 'row')} {agree(count, 'is', 'are')} in the file"
                return (f"{name!r} is {short_repr(value)}, and {rows}, which may be one page of several.",)
        around = around.get(key)
        if not isinstance(around, dict):
            break
    return ()
