"""Text of JSON as rows, and rows as text that looks like it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from curation.errors import some
from curation.listings.json_keys import keyed, keyed_rows, shape_of
from training.utils.bounded import parse_json as parse_json_text

__all__ = ["JsonStyle", "as_json", "literal", "parse_json"]

#: Characters that the style is recognised by.
_SAMPLE = 10_000
_ADVICE = "as to_json(orient='records') of pandas writes it"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class JsonStyle:
    """How a table is written as JSON.

    Attributes
    ----------
    frame : str
        What is around the rows: ``list``; ``lines`` (a row is a line); ``columns`` (an object of columns, each an
        object of cells by row); ``index`` (an object of rows by key); or the JSON of an object in which the rows are
        to be put at `key`.
    key : str
        See `frame`.
    keys : str
        The column that has the keys of ``columns`` or ``index``; empty if they only number the rows.
    within : str
        The JSON of the list of keys that lead to the object in `frame` which has `key`; empty if it is `frame` itself.
    indent : int or None
        Spaces that rows are indented by; None if all is on one line.
    tight : bool
        Whether no blank follows ``,`` and ``:``.
    ascii : bool
        Whether other characters than those of ASCII are escaped.
    """

    frame: str = "list"
    key: str = ""
    within: str = ""
    indent: int | None = None
    tight: bool = False
    ascii: bool = False
    keys: str = ""


def parse_json(text: str, *, lines: bool, names: Collection[str] = ()) -> tuple[list[dict[str, Any]], JsonStyle]:
    """Read rows from a list of objects, an object with one such list, one of columns or of rows, or lines of objects.

    The list may lie in objects within the object: the one nearest to the top counts, if it is the only one there.

    Parameters
    ----------
    text : str
        The whole file.
    lines : bool
        Whether its name says that each line is an object.
    names : collection of str
        Columns that are likely, in lower case: they tell an object of rows from one of columns.

    Raises
    ------
    ValueError
        If there are no such rows; the message is one line.
    """
    indent = re.match(r"\s*[\[{]\r?\n( *)", text)
    style = JsonStyle(
        tight=not re.search(r'": |": ?\n', text[:_SAMPLE]),
        ascii=text.isascii() and "\\u" in text,
    )
    if lines:
        return _lines(text), replace(style, frame="lines")
    try:
        content = parse_json_text(text)
    except ValueError as error:
        first, _, rest = text.strip().partition("\n")
        if first.startswith("{") and first.endswith("}") and rest.lstrip().startswith("{"):
            return _lines(text), replace(style, frame="lines")
        raise ValueError(str(error)) from None
    rows, style = _rows_in(content, style, names)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"it is no list of objects, one for each listing, {_ADVICE}")
    return rows, replace(style, indent=len(indent[1]) if indent else None)


def _lines(text: str) -> list[dict[str, Any]]:
    rows = []
    # not splitlines(): it also splits at characters that JSON allows within a text
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json_text(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        if not isinstance(row, dict):
            raise ValueError(f"line {number} is not a JSON object")
        rows.append(row)
    return rows


def _rows_in(content: Any, style: JsonStyle, names: Collection[str]) -> tuple[Any, JsonStyle]:
    """Return the rows, and the style with what is around them."""
    if not isinstance(content, dict):
        return content, style
    if shape := shape_of(content, names):
        return _keyed_in(content, shape, style, names)
    if path := _path_of_rows(content):
        rows, frame = _framed(content, path)
        within = json.dumps(path[:-1]) if path[1:] else ""
        return rows, replace(style, frame=json.dumps(frame), key=path[-1], within=within)
    are_columns = bool(content) and all(isinstance(value, dict) for value in content.values())
    return _keyed_in(content, "columns", style, names) if are_columns else (content, style)


def _keyed_in(
    content: Mapping[str, Mapping[str, Any]], shape: str, style: JsonStyle, names: Collection[str]
) -> tuple[list[dict[str, Any]], JsonStyle]:
    """Return the rows of an object of columns or of rows, as pandas writes it."""
    by_key, columns = content, list(dict.fromkeys(name for row in content.values() for name in row))
    if shape == "columns":
        columns = list(content)
        first = next(iter(content.values()))
        by_key = {key: {name: cells.get(key) for name, cells in content.items()} for key in first}
    rows, keys = keyed_rows(by_key, columns, names)
    return rows, replace(style, frame=shape, keys=keys)


def _path_of_rows(content: Mapping[str, Any]) -> list[str]:
    """Return the keys that lead to the one list of objects nearest to the top; none if there is none.

    Raises
    ------
    ValueError
        If there are several.
    """
    level: list[tuple[list[str], Any]] = [([], content)]
    while level:
        level = [([*path, key], value) for path, each in level for key, value in each.items()]
        lists = [
            path
            for path, value in level
            if isinstance(value, list) and value and all(isinstance(r, dict) for r in value)
        ]
        if len(lists) > 1:
            names = some([repr(".".join(path)) for path in lists], 4)
            raise ValueError(f"it has several lists of objects, {names}: save the one of the listings alone, {_ADVICE}")
        if lists:
            return lists[0]
        level = [(path, value) for path, value in level if isinstance(value, dict)]
    return []


def _framed(content: Mapping[str, Any], path: Sequence[str]) -> tuple[Any, dict[str, Any]]:
    """Return what a path leads to, and everything else with null in its place."""
    key, *rest = path
    rows, inner = _framed(content[key], rest) if rest else (content[key], None)
    return rows, {**content, key: inner}


def literal(value: Any) -> str:
    """Return a value as JSON in ASCII, which every file and every column of text can hold."""
    return json.dumps(value)


def as_json(header: Sequence[str], columns: Sequence[Sequence[str | None]], style: JsonStyle) -> str:
    """Write rows as JSON.

    Parameters
    ----------
    header : sequence of str, length M
        Names of the columns.
    columns : sequence of M sequences of str
        The cells as JSON; None is a key that its row does not have.
    style : JsonStyle
        How it looks.
    """
    rows = [
        {name: json.loads(cell) for name, cell in zip(header, cells, strict=True) if cell is not None}
        for cells in zip(*columns, strict=True)
    ]
    if style.frame == "lines":
        return "".join(f"{_dumped(row, style)}\n" for row in rows)
    if style.frame == "list":
        return _dumped(rows, style) + "\n"
    content: Mapping[str, Any]
    if style.frame == "columns":
        named = [name for name in header if name != style.keys]
        by_key = keyed(rows, style.keys)
        content = {name: {key: row.get(name) for key, row in by_key.items()} for name in named}
    elif style.frame == "index":
        content = keyed(rows, style.keys)
    else:
        content = _in_frame(rows, style)
    return _dumped(content, style) + "\n"


def _in_frame(rows: Sequence[Any], style: JsonStyle) -> dict[str, Any]:
    content = place = parse_json_text(style.frame)
    within = parse_json_text(style.within) if style.within else []
    # whoever made the run wrote it
    for key in within if isinstance(within, list) else [None]:
        place = place[key] if isinstance(place, dict) and isinstance(key, str) and key in place else None
    if not isinstance(content, dict) or not isinstance(place, dict):
        raise ValueError("what is around its rows has no place for them")
    place[style.key] = rows
    return content


def _dumped(value: Any, style: JsonStyle) -> str:
    comma = "," if style.tight or style.indent is not None else ", "
    colon = ":" if style.tight else ": "
    text = json.dumps(value, ensure_ascii=style.ascii, indent=style.indent, separators=(comma, colon))
    # half of a character that takes two fits into no encoding
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
