"""Text of JSON as rows, and rows as text that looks like it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from curation.errors import some
from curation.listings.headers import likely
from curation.listings.json_keys import keyed, keyed_rows, shape_of
from curation.listings.json_nodes import flat, inner_of, require_no_pages, said_of_inner, said_of_pages, spans_of
from curation.listings.json_spelling import Span, entries, place_of, respelled
from training.utils.bounded import parse_json as parse_json_text

__all__ = ["JsonStyle", "as_json", "literal", "parse_json", "said_of_json", "spelled_rows"]

#: Characters that the style is recognised by.
_SAMPLE = 10_000
_ADVICE = "as to_json(orient='records') of pandas writes it"
#: The lists of COCO, and what joins them to a table of listings.
_COCO = frozenset({"images", "annotations", "categories"})
_JOINED_COCO = (
    "import pandas as pd; images, marks, classes = map(pd.DataFrame, pd.read_json(FILE, typ='series')"
    "[['images', 'annotations', 'categories']]); marks[['image_id', 'category_id']].drop_duplicates()"
    ".merge(images, left_on='image_id', right_on='id').merge(classes[['id', 'name']].set_axis(['category_id', 'label'],"
    " axis=1))[['id', 'file_name', 'label']].to_csv('listings.csv', index=False)"
)
_NO_PLACE = "what is around its rows has no place for them"
#: What may stand between two rows.
_BETWEEN = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
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
    tabs : bool
        Whether rows are indented by tabs.
    between : str
        What stands between two rows of a list; empty where `indent` and `tight` say it.
    inner : str
        The key of the object in each row that holds its cells; empty where a row holds them itself.
    """

    frame: str = "list"
    key: str = ""
    within: str = ""
    indent: int | None = None
    tight: bool = False
    ascii: bool = False
    keys: str = ""
    tabs: bool = False
    between: str = ""
    inner: str = ""


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
    indent = re.match(r"\s*[\[{]\n( +|\t*)", text)
    style = JsonStyle(
        tight=not re.search(r'": |": ?\n', text[:_SAMPLE]),
        ascii=text.isascii() and "\\u" in text,
    )
    if lines:
        return _flat(_lines(text), replace(style, frame="lines"), names)
    try:
        content = parse_json_text(text)
    except ValueError as error:
        first, _, rest = text.strip().partition("\n")
        if first.startswith("{") and first.endswith("}") and rest.lstrip().startswith("{"):
            return _flat(_lines(text), replace(style, frame="lines"), names)
        raise ValueError(_broken(text, str(error))) from None
    rows, style = _rows_in(content, text, style, names)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(_no_rows(rows))
    style = replace(style, indent=len(indent[1]) if indent else None, tabs=bool(indent and "\t" in indent[1]))
    return _flat(rows, style, names) if style.frame != "columns" else (rows, style)


def _no_rows(content: Any) -> str:
    if isinstance(content, dict) and content and all(isinstance(value, str) for value in content.values()):
        line = "pd.read_json(FILE, typ='series').rename_axis('image').reset_index(name='label')"
        rows = f"make rows with pandas: import pandas as pd; {line}.to_csv('listings.csv', index=False)"
        return f"it has a text for each key: if these are photos and labels, {rows}"
    return f"it is no list of objects, one for each listing, {_ADVICE}"


def _flat(
    rows: list[dict[str, Any]], style: JsonStyle, names: Collection[str]
) -> tuple[list[dict[str, Any]], JsonStyle]:
    """Return the rows with the cells of an object in each of them."""
    require_no_pages(rows, names, lines=style.frame == "lines")
    if inner := inner_of(rows, names):
        return [flat(row, inner) for row in rows], replace(style, inner=inner)
    return rows, style


def spelled_rows(text: str, rows: Sequence[Mapping[str, Any]], style: JsonStyle) -> tuple[dict[int, str], JsonStyle]:
    """Return the rows that would be written otherwise than they stand, e.g. 10.50 as 10.5, and what is between rows.

    Parameters
    ----------
    text : str
        The whole file.
    rows, style
        Of :func:`parse_json`.

    Returns
    -------
    dict of int to str
        Row → its text.
    JsonStyle
        The style, with `between`.
    """
    spans = _spans(text, style)
    usual = {row: _row_text({key: rows[row][key] for key in rows[row] if key != style.keys}, style) for row in spans}
    lines = {row: line for row, (start, end) in spans.items() if (line := text[start:end]) != usual[row]}
    if style.frame in ("columns", "index", "lines") or len(spans) < 2:
        return lines, style
    between = text[spans[0][1] : spans[1][0]]
    return lines, style if between == _between(style) else replace(style, between=between)


def said_of_json(rows: Sequence[Mapping[str, Any]], style: JsonStyle) -> tuple[str, ...]:
    """Say where the cells stand, unless in each row itself, and whether there may be more rows elsewhere.

    Parameters
    ----------
    rows, style
        Of :func:`parse_json`.
    """
    inner = (said_of_inner(rows, style.inner),) if style.inner else ()
    return (*inner, *(said_of_pages(parse_json_text(style.frame), _path(style), len(rows)) if style.key else ()))


def _spans(text: str, style: JsonStyle) -> dict[int, Span]:
    """Return where each row stands in a file; none where a row stands in several places."""
    if style.frame == "columns":
        return {}
    if style.frame == "lines":
        lines = text.split("\n")
        starts = itertools.accumulate((len(line) + 1 for line in lines[:-1]), initial=0)
        placed = zip(starts, lines, strict=True)
        inner = [(start + len(line) - len(line.lstrip()), line.strip()) for start, line in placed if line.strip()]
        return dict(enumerate((start, start + len(line)) for start, line in inner))
    path = [] if style.frame in ("list", "index") else _path(style)
    return dict(enumerate(entries(text, place_of(text, path)[0]).values()))


def _broken(text: str, error: str) -> str:
    """Return why a text can't be read, with what to do where programs write such text."""
    if error.startswith("Extra data") and text.lstrip().startswith("{"):
        return "it holds objects one after the other: make a list of them, e.g. with jq -s . FILE > listings.json"
    if re.match(r"\s*\[?\s*\{\s*'", text):
        written = "json.dump(ast.literal_eval(open(FILE).read()), open('listings.json', 'w'))"
        return f"it is no JSON but what Python prints: write JSON, e.g. with import ast, json; {written}"
    return error


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


def _rows_in(content: Any, text: str, style: JsonStyle, names: Collection[str]) -> tuple[Any, JsonStyle]:
    """Return the rows, and the style with what is around them."""
    if not isinstance(content, dict):
        return content, style
    if shape := shape_of(content, names):
        return _keyed_in(content, shape, style, names)
    if content.keys() >= _COCO:
        raise ValueError(f"it is COCO, whose lists belong together: join them with pandas: {_JOINED_COCO}")
    if len(content) == 1 and isinstance(inner := next(iter(content.values())), dict) and len(inner) > 1:
        key = next(iter(content))
        if shape_of(inner, names) == "index" and not likely(content, names):
            raise ValueError(
                f"its rows are in the object {key!r}: take it out, e.g. with jq '.{key}' FILE > listings.json"
            )
    if path := _path_of_rows(content):
        rows = content
        for key in path:
            rows = rows[key]
        start, end = place_of(text, path)
        within = json.dumps(path[:-1]) if path[1:] else ""
        return rows, replace(style, frame=f"{text[:start]}null{text[end:]}".strip(), key=path[-1], within=within)
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


def literal(value: Any) -> str:
    """Return a value as JSON in ASCII, which every file and every column of text can hold."""
    return json.dumps(value)


def as_json(
    header: Sequence[str],
    columns: Sequence[Sequence[str | None]],
    style: JsonStyle,
    lines: Mapping[int, str] = MappingProxyType({}),
) -> str:
    """Write rows as JSON.

    Parameters
    ----------
    header : sequence of str, length M
        Names of the columns.
    columns : sequence of M sequences of str
        The cells as JSON; None is a key that its row does not have.
    style : JsonStyle
        How it looks.
    lines : mapping of int to str
        Row → its text as it stood in the file, of :func:`spelled_rows`.
    """
    cells = [
        {name: cell for name, cell in zip(header, row, strict=True) if cell is not None}
        for row in zip(*columns, strict=True)
    ]
    if style.frame == "columns":
        named = [name for name in header if name != style.keys]
        by_key = keyed([_loaded(row) for row in cells], style.keys)
        content = {name: {key: row.get(name) for key, row in by_key.items()} for name in named}
        return _dumped(content, style) + "\n"
    written = [_written(row, lines.get(place), style) for place, row in enumerate(cells)]
    if style.frame == "lines":
        return "".join(f"{text}\n" for text in written)
    if style.frame == "list":
        return _listed(written, style) + "\n"
    if style.frame == "index":
        keys = list(keyed([_loaded(row) for row in cells], style.keys))
        colon = ":" if style.tight else ": "
        texts = [f"{_dumped(key, style)}{colon}{text}" for key, text in zip(keys, written, strict=True)]
        return _listed(texts, style, ("{", "}")) + "\n"
    return _in_frame(_listed(written, style), style) + "\n"


def _written(row: Mapping[str, str], line: str | None, style: JsonStyle) -> str:
    """Return the text of a row, in its own spelling where it has one."""
    cells = {key: cell for key, cell in row.items() if style.frame != "index" or key != style.keys}
    try:
        text = None if line is None else _respelled(line, cells, style)
    except (ValueError, LookupError, AttributeError):
        # whoever made the run wrote it
        text = None
    return _row_text(_loaded(cells), style) if text is None else text


def _respelled(line: str, cells: Mapping[str, str], style: JsonStyle) -> str | None:
    row = parse_json_text(line)
    spans, last = {str(key): [span] for key, span in entries(line).items()}, None
    if style.inner:
        spans, last = spans_of(line, row, style.inner)
    return respelled(line, cells, spans, lambda value: _dumped(value, replace(style, indent=None)), last)


def _loaded(row: Mapping[str, str]) -> dict[str, Any]:
    return {name: json.loads(cell) for name, cell in row.items()}


def _depth(style: JsonStyle) -> int:
    """Return in how many lists and objects a row is."""
    if style.frame == "lines":
        return 0
    return 1 if style.frame in ("list", "index") else len(_path(style)) + 1


def _path(style: JsonStyle) -> list[str]:
    """Return the keys that lead to the rows; whoever made the run wrote them."""
    within = parse_json_text(style.within) if style.within else []
    if not isinstance(within, list):
        raise ValueError(_NO_PLACE)
    return [*within, style.key]


def _indented(style: JsonStyle, depth: int) -> str:
    """Return the line end and the indent at a depth; nothing where all is on one line."""
    return "" if style.indent is None else "\n" + ("\t" if style.tabs else " ") * (style.indent * depth)


def _row_text(row: Mapping[str, Any], style: JsonStyle) -> str:
    return _dumped(row, style).replace("\n", _indented(style, _depth(style)))


def _between(style: JsonStyle) -> str:
    if style.indent is not None:
        return "," + _indented(style, _depth(style))
    return "," if style.tight else ", "


def _listed(texts: Sequence[str], style: JsonStyle, brackets: tuple[str, str] = ("[", "]")) -> str:
    """Return rows as a list, or as an object of rows."""
    first, last = brackets
    if not texts:
        return first + last
    depth, given = _depth(style), _BETWEEN.fullmatch(style.between)
    between = style.between if given else _between(style)
    return f"{first}{_indented(style, depth)}{between.join(texts)}{_indented(style, depth - 1)}{last}"


def _in_frame(rows: str, style: JsonStyle) -> str:
    parse_json_text(style.frame)
    try:
        start, end = place_of(style.frame, _path(style))
    except (ValueError, TypeError):
        raise ValueError(_NO_PLACE) from None
    return style.frame[:start] + rows + style.frame[end:]


def _dumped(value: Any, style: JsonStyle) -> str:
    comma = "," if style.tight or style.indent is not None else ", "
    colon = ":" if style.tight else ": "
    indent = style.indent if style.indent is None or not style.tabs else "\t" * style.indent
    text = json.dumps(value, ensure_ascii=style.ascii, indent=indent, separators=(comma, colon))
    # half of a character that takes two fits into no encoding
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
