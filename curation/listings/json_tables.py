"""Text of JSON as rows, and rows as text that looks like it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from training.utils.bounded import parse_json as parse_json_text

__all__ = ["JsonStyle", "as_json", "literal", "parse_json"]

#: Characters that the style is recognised by.
_SAMPLE = 10_000
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class JsonStyle:
    """How a table is written as JSON.

    Attributes
    ----------
    frame : str
        What is around the rows: ``list``; ``lines`` (a row is a line); ``columns`` (an object of columns, each an
        object of cells by row); or the JSON of an object in which the rows are to be put at `key`.
    key : str
        See `frame`.
    indent : int or None
        Spaces that rows are indented by; None if all is on one line.
    tight : bool
        Whether no blank follows ``,`` and ``:``.
    ascii : bool
        Whether other characters than those of ASCII are escaped.
    """

    frame: str = "list"
    key: str = ""
    indent: int | None = None
    tight: bool = False
    ascii: bool = False


def parse_json(text: str, *, lines: bool) -> tuple[list[dict[str, Any]], JsonStyle]:
    """Read rows from a list of objects, an object with one such list, an object of columns, or lines of objects.

    Parameters
    ----------
    text : str
        The whole file.
    lines : bool
        Whether its name says that each line is an object.

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
    rows, frame, key = _rows_in(content)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is no list of objects, one for each listing")
    return rows, replace(style, frame=frame, key=key, indent=len(indent[1]) if indent else None)


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


def _rows_in(content: Any) -> tuple[Any, str, str]:
    """Return the rows, and the frame and key of :class:`JsonStyle`."""
    if not isinstance(content, dict):
        return content, "list", ""
    lists = [key for key, value in content.items() if isinstance(value, list) and value]
    columns = [value for value in content.values() if isinstance(value, dict)]
    if len(lists) == 1 and all(isinstance(row, dict) for row in content[lists[0]]):
        return content[lists[0]], json.dumps({**content, lists[0]: None}), lists[0]
    if content and len(columns) == len(content):
        # as pandas writes it
        return [{name: cells.get(row) for name, cells in content.items()} for row in columns[0]], "columns", ""
    return content, "list", ""


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
    if style.frame == "columns":
        content: Mapping[str, Any] = {
            name: {str(number): row.get(name) for number, row in enumerate(rows)} for name in header
        }
    else:
        content = {**json.loads(style.frame), style.key: rows}
    return _dumped(content, style) + "\n"


def _dumped(value: Any, style: JsonStyle) -> str:
    comma = "," if style.tight or style.indent is not None else ", "
    colon = ":" if style.tight else ": "
    text = json.dumps(value, ensure_ascii=style.ascii, indent=style.indent, separators=(comma, colon))
    # half of a character that takes two fits into no encoding
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
