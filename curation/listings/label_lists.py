"""Lists of labels where one label is wanted: a list of one is that label, longer ones are refused."""

from __future__ import annotations

import ast
import csv
import json
import re
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from curation.errors import ListingsError, short_repr, some
from curation.listings.faults import Faults
from curation.listings.twins import count_labels, name_key
from curation.rendering.words import agree, many

__all__ = ["single_label", "single_labels"]

_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
#: As NumPy writes lists: without commas, which Python would take for one text.
_WITHOUT_COMMAS = re.compile(r"""\[\s*(?:(?:'[^']*'|"[^"]*")\s*)+\]""")
#: What people write between several labels.
_SEPARATORS = ("|", ";", "\n", ",")
#: Those that names of single classes hardly ever have.
_RARE_IN_NAMES = ("|", ";", "\n")
#: How Python reads the text of a list, called `cell`: module, expression, function.
_READERS: tuple[tuple[str, str, Callable[[str], Any]], ...] = (
    ("json", "json.loads(cell)", json.loads),
    ("ast", "ast.literal_eval(cell)", ast.literal_eval),
    ("shlex", "shlex.split(cell[1:-1])", lambda cell: shlex.split(cell[1:-1])),
    (
        "csv",
        "next(csv.reader([cell[1:-1]], skipinitialspace=True), [])",
        lambda cell: next(csv.reader([cell[1:-1]], skipinitialspace=True), []),
    ),
    ("ast", "sorted(ast.literal_eval(cell))", lambda cell: sorted(ast.literal_eval(cell))),
)
#: What objects call the name of a class, the surest first; and what reads Python's as well as JSON's.
_NAMES_IN_OBJECTS = ("name", "label", "title", "category", "class", "value")
_LITERAL = ("ast", "ast.literal_eval")
#: Names that a suggested line leaves as they are.
_MOST_NAMES = 5


def single_labels(
    label: pd.Series, *, column: str, named: Collection[str], separator: str | None, faults: Faults
) -> tuple[pd.Series, tuple[str, ...]]:
    """Return one label for each listing, and a note if lists were read.

    Parameters
    ----------
    label : Series of str
        As the table has them.
    column : str
        What the table calls them, for messages.
    named : collection of str
        Labels that the user names as such: they are no lists.
    separator : str or None
        What stands between the levels of a label: it separates no labels.
    faults : Faults
        Takes the fault that a listing has several labels; the first of them counts then.

    Raises
    ------
    ListingsError
        If a listing has several labels.
    """
    cell = f"table[{column!r}]"
    label = _without_objects(label, cell, named, faults)
    counts = _without(named, count_labels(label))
    read = {name: entries for name in counts if (entries := _entries(name)) is not None}
    if several := [name for name, entries in read.items() if len(entries) > 1]:
        faults.add(_refused(several, counts, _first_of_lists(cell, counts, read)))
    if read:
        first = {name: entries[0] if entries else None for name, entries in read.items()}
        label = label.map(lambda name: first.get(name, name)).astype("string")
    joined = _without(named, count_labels(label))
    for between in _SEPARATORS:
        if (separator or "").strip() != between.strip() and (several := _joined_labels(joined, between)):
            faults.add(_refused(several, joined, _first_of_joined(cell, several, joined, between), between))
            label = label.replace({name: name.split(between)[0].strip() for name in several})
            label = label.mask(label == "")
            break
    ones = {name: count for name, count in counts.items() if len(read.get(name, ())) == 1}
    return label, (_note(ones),) if ones else ()


def single_label(text: str) -> str:
    """Return the label that a text is: the entry of a list of one, otherwise the text.

    Examples
    --------
    >>> single_label('["Desktops"]'), single_label("Desktops")
    ('Desktops', 'Desktops')
    """
    entries = _entries(text)
    return entries[0] if entries and len(entries) == 1 else text


def _without(named: Collection[str], counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name not in named}


def _entries(text: str) -> list[str] | None:
    """Return the entries of a list as JSON, Python, NumPy or PostgreSQL writes it; None for any other text.

    >>> [_entries(text) for text in ('["a", "b"]', "['a' 'b']", "{a,b}", "('a',)", "[1.0]")]
    [['a', 'b'], ['a', 'b'], ['a', 'b'], ['a'], ['1']]
    >>> _entries("[]"), _entries("[new]"), _entries("Cables (2)"), _entries('[{"name": "a"}]'), _entries('[["a"]]')
    ([], None, None, None, None)
    """
    if len(text) < 2 or _BRACKETS.get(text[0]) != text[-1] or _object(text):
        return None
    if _WITHOUT_COMMAS.fullmatch(text):
        return _texts(single or double for single, double in _QUOTED.findall(text))
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, dict):
            # an object is no list
            return None if value else []
        # ("Cables") is a name in brackets
        return _texts(sorted(value) if isinstance(value, set) else value) if not isinstance(value, str) else None
    inside = _between_commas(text)
    return _texts(inside) if text[0] == "{" or (text[0] == "[" and len(inside) > 1) else None


def _without_objects(label: pd.Series, cell: str, named: Collection[str], faults: Faults) -> pd.Series:
    """Return labels of which none is or holds an object, such as ``{"id": 0, "name": "Desktops"}``: a fault."""
    counts = _without(named, count_labels(label))
    read = {name: value for name in counts if name[:1] in _BRACKETS and (value := _object(name))}
    if not read:
        return label
    most = sorted(read, key=lambda name: (-counts[name], name))
    listings = sum(counts[name] for name in read)
    keys = [
        key
        for key in _NAMES_IN_OBJECTS
        if all(isinstance(each.value, dict) and _text(each.value.get(key) or "") for each in read.values())
    ]
    faults.add(
        ListingsError(
            f"{many(listings, 'listing')} {agree(listings, 'has', 'have')} an object as a label",
            got=some((f"{short_repr(name)} ({counts[name]:,})" for name in most), 3),
            wanted="one label for each listing",
            fix=_name_of_objects(cell, keys[0], read)
            if keys and all(each.depth <= 1 for each in read.values())
            else f"Name the label of each in dataset.toml, below [labels]: {most[0]!r} = 'one label'.",
        )
    )
    names = {name: _text(each.value[keys[0]]) if keys else name for name, each in read.items()}
    return label.map(lambda name: names.get(name, name)).astype("string")


def _name_of_objects(cell: str, key: str, read: Mapping[str, _Object]) -> str:
    """Return the advice that takes what objects call themselves, also out of lists with one entry."""
    json_alone = all(each.module == "json" for each in read.values())
    module, function = ("json", "json.loads") if json_alone else _LITERAL
    signs = tuple(sorted({name[0] for name in read}))
    begins = repr(signs[0]) if len(signs) == 1 else repr(signs)
    listed = "not isinstance(cell, dict) and pd.api.types.is_list_like(cell)"
    only = f".map(lambda cell: next(filter(None, cell), None) if {listed} else cell)"
    return (
        f"Take its {key} with pandas: import {module}; {cell} = {cell}"
        f".map(lambda cell: {function}(cell) if isinstance(cell, str) and cell.startswith({begins}) else cell)"
        f"{only if any(each.depth for each in read.values()) else ''}"
        f".map(lambda cell: cell[{key!r}] if isinstance(cell, dict) else cell)."
    )


@dataclass(frozen=True)
class _Object:
    """A label that is an object or a list of lists: the module that reads it, what it holds, and in how many lists."""

    module: str
    value: Any
    depth: int


def _object(text: str) -> _Object | None:
    """Return what a text holds, if that is an object with names or stands in a list inside a list; otherwise None."""
    for module, read in (("json", json.loads), ("ast", ast.literal_eval)):
        try:
            value = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        depth = 0
        while isinstance(value, list | tuple | set) and len(entries := [e for e in value if e is not None]) == 1:
            value, depth = entries[0], depth + 1
        is_object = isinstance(value, dict) and (bool(value) or depth > 0)
        nested = depth > 1 or (depth == 1 and isinstance(value, list | tuple | set))
        return _Object(module, value, depth) if is_object or nested else None
    return None


def _between_commas(text: str) -> list[str]:
    try:
        return next(csv.reader([text[1:-1]], skipinitialspace=True), [])
    except csv.Error:
        return []


def _texts(entries: Any) -> list[str] | None:
    if not isinstance(entries, Iterable):
        return None
    texts = [_text(entry) for entry in entries if entry is not None]
    return list(dict.fromkeys(text for text in texts if text))


def _text(entry: Any) -> str:
    return str(int(entry)) if isinstance(entry, float) and entry.is_integer() else str(entry).strip()


def _joined_labels(counts: Mapping[str, int], between: str) -> list[str]:
    """Return the labels that are several: their parts are classes themselves."""
    parts = {name: [name_key(part) for part in name.split(between) if part.strip()] for name in counts}
    alone = {keys[0] for name, keys in parts.items() if keys and between not in name}
    joined = {name: keys for name, keys in parts.items() if len(keys) > 1}
    several = [name for name, keys in joined.items() if set(keys) <= alone]
    if between not in _RARE_IN_NAMES:
        return several
    # "laptop|used" and "tablet|used", where nothing is labelled "used" alone
    uses = pd.Series([key for keys in joined.values() for key in set(keys)], dtype=object).value_counts()
    known = alone | set(uses[uses > 1].index)
    lists = [name for name, keys in joined.items() if set(keys) <= known and alone & set(keys)]
    return lists if 2 * len(lists) > len(joined) else several


def _first_of_lists(cell: str, names: Iterable[str], read: Mapping[str, list[str]]) -> str:
    """Return the line that takes the first entry of each list; empty if no line is right for all of them.

    The lists of JSON and Parquet are text here; in the table that the person reads they may be lists already.
    """
    signs = tuple(sorted({name[0] for name in read}))
    begins = repr(signs[0]) if len(signs) == 1 else repr(signs)
    texts = [name for name in names if name.startswith(signs)]
    for module, expression, reader in _READERS:
        if all(name in read and _reads(reader, name, read[name]) for name in texts):
            return (
                f"import {module}; {cell} = {cell}"
                f".map(lambda cell: {expression} if isinstance(cell, str) and cell.startswith({begins}) else cell)"
                ".map(lambda cell: next(filter(None, cell), None) if pd.api.types.is_list_like(cell) else cell)"
            )
    return ""


def _reads(reader: Callable[[str], Any], text: str, entries: list[str]) -> bool:
    try:
        value = reader(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, csv.Error):
        return False
    if not isinstance(value, list | tuple):
        return False
    first = next(filter(None, value), None)
    return (str(first).strip() if first is not None else None) == (entries[0] if entries else None)


def _first_of_joined(cell: str, several: Collection[str], names: Iterable[str], between: str) -> str:
    """Return the line that takes the first of several labels; empty if too many single ones hold the separator."""
    first = f"{cell}.str.split({between!r}).str[0].str.strip()"
    single = sorted(name for name in names if between in name and name not in several)
    if not single:
        return f"{cell} = {first}"
    return f"{cell} = {cell}.where({cell}.isin({single}), {first})" if len(single) <= _MOST_NAMES else ""


def _refused(several: list[str], counts: Mapping[str, int], line: str, between: str = "") -> ListingsError:
    listings = sum(counts[name] for name in several)
    most = sorted(several, key=lambda name: (-counts[name], name))
    levels = f"; or, if these are levels of one label, add `label_separator={between!r}`" if between.strip() else ""
    first = f"Choose the first with pandas: {line}; or name" if line else "Name"
    return ListingsError(
        f"{many(listings, 'listing')} {agree(listings, 'has', 'have')} a list of labels",
        got=some((f"{short_repr(name)} ({counts[name]:,})" for name in most), 3),
        wanted="one label for each listing",
        fix=f"{first} each list in dataset.toml, below [labels]: {most[0]!r} = 'one label'{levels}.",
    )


def _note(ones: Mapping[str, int]) -> str:
    listings = sum(ones.values())
    first = sorted(ones, key=lambda name: (-ones[name], name))[0]
    return (
        f"The labels of {many(listings, 'listing')} are lists with one entry, such as {first}; the entry is the label."
    )
