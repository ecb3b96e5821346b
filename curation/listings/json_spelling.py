"""Rows of JSON as they stand in their file, where a program would have written them otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["Span", "entries", "place_of", "respelled"]

_BLANKS = re.compile(r"[ \t\n\r]*")
_CLOSED = {"[": "]", "{": "}"}
_DECODER = json.JSONDecoder()
#: Where a text begins, and where it ends.
Span = tuple[int, int]


def entries(text: str, start: int = 0) -> dict[str | int, Span]:
    """Return where the entries of a list or an object stand: by their place, or by their key.

    Parameters
    ----------
    text : str
        JSON that has been read.
    start : int
        Where the list or object begins.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> text = '{"price": 10.50, "tags": ["x"]}'
    >>> {key: text[slice(*span)] for key, span in entries(text).items()}
    {'price': '10.50', 'tags': '["x"]'}
    """
    at = _past_blanks(text, start)
    opened = text[at : at + 1]
    if opened not in _CLOSED:
        raise ValueError("there is no list or object")
    spans: dict[str | int, Span] = {}
    at = _past_blanks(text, at + 1)
    while text[at] != _CLOSED[opened]:
        key: str | int = len(spans)
        if opened == "{":
            key, at = _DECODER.raw_decode(text, at)
            at = _past_blanks(text, _past_blanks(text, at) + 1)
        _, end = _DECODER.raw_decode(text, at)
        spans[key] = (at, end)
        at = _past_blanks(text, end)
        if text[at] == ",":
            at = _past_blanks(text, at + 1)
    return spans


def _past_blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def place_of(text: str, path: Iterable[str | int]) -> Span:
    """Return where the value stands that keys and places lead to.

    Parameters
    ----------
    text : str
        JSON that has been read.
    path : iterable of str or int
        From the outermost to the innermost.

    Raises
    ------
    ValueError
        If they lead to nothing.
    """
    span = (_past_blanks(text, 0), len(text))
    for key in path:
        spans = entries(text, span[0])
        if key not in spans:
            raise ValueError(f"there is no {key!r}")
        span = spans[key]
    return span


def respelled(
    line: str,
    cells: Mapping[str, str],
    spans: Mapping[str, Sequence[Span]],
    write: Callable[[object], str],
    last: Span | None = None,
) -> str | None:
    """Return a row as it stands in its file, with new text where a cell changed; None if one of its cells is gone.

    Parameters
    ----------
    line : str
        The row's text.
    cells : mapping of str to str
        Key → the cell as JSON in ASCII.
    spans : mapping of str to sequence of (int, int)
        Key → where its value stands in the text.
    write : callable
        Writes a value.
    last : (int, int), optional
        Where the object stands that takes new keys; by default, the whole text.

    Examples
    --------
    >>> line, cells = '{"id":  1, "price": 10.50}', {"id": "2", "price": "10.5", "label": '"lamp"'}
    >>> respelled(line, cells, {key: [span] for key, span in entries(line).items()}, json.dumps)
    '{"id":  2, "price": 10.50, "label": "lamp"}'
    """
    if not spans.keys() <= cells.keys():
        return None
    changes = [
        (start, end, write(json.loads(cells[key])))
        for key, each in spans.items()
        for start, end in each
        if json.dumps(json.loads(line[start:end])) != cells[key]
    ]
    if new := [key for key in cells if key not in spans]:
        start, end = last or (_past_blanks(line, 0), len(line.rstrip()))
        inner = entries(line, start)
        lead = line[start + 1 : _past_blanks(line, start + 1)] if inner else ""
        at = max((stop for _, stop in inner.values()), default=start + 1)
        between = "," + (lead or " ") if inner else ""
        text = f",{lead or ' '}".join(f"{write(key)}: {write(json.loads(cells[key]))}" for key in new)
        changes.append((at, at, between + text))
    for start, end, text in sorted(changes, reverse=True):
        line = line[:start] + text + line[end:]
    return line
