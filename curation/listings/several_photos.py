"""Cells that name several photos, as shops export them: ``a.jpg, b.jpg``, ``["a.jpg", "b.jpg"]``, or objects."""

from __future__ import annotations

import re
from collections.abc import Callable

from curation.listings.cell_objects import each_photo, photos_of
from curation.listings.folders import is_photo

__all__ = ["each_name", "names_of"]

#: Signs between names, the surest first: names hold commas now and then, and the others hardly ever.
_BETWEEN = ("|", "\n", ";", ",")
#: A list as programs write it, and a name in it.
_LIST = re.compile(r"""\s*\[\s*(?:(?:"[^"\\]*"|'[^'\\]*')\s*(?:,\s*(?=["'])|(?=\])))+\]\s*""")
_QUOTED = re.compile(r"""(["'])((?:(?!\1).)*)\1""", re.DOTALL)
#: Or as databases write it.
_BARE = re.compile(r"\s*(?:\[([^\[\]\"']*)\]|\{([^{}\"']*)\})\s*")


def names_of(cell: str) -> list[str]:
    """Return the names in a cell, as far as it holds several, or one in brackets or quotes.

    Quotes and brackets elsewhere are part of a name, and so is a comma before a piece without the ending of a photo.

    Examples
    --------
    >>> names_of("a.jpg, b c.jpg"), names_of('["a.jpg"]'), names_of("a.jpg|b.jpg|"), names_of("a.jpg")
    (['a.jpg', 'b c.jpg'], ['a.jpg'], ['a.jpg', 'b.jpg'], ['a.jpg'])
    >>> names_of("Levi's.jpg,p[1].jpg"), names_of("a.jpg, x, y.jpg")
    (["Levi's.jpg", 'p[1].jpg'], ['a.jpg', 'x, y.jpg'])
    """
    return photos_of(cell) or [cell[start:end] for start, end in _spans(cell)]


def each_name(cell: str, change: Callable[[str], str]) -> str:
    """Return a cell with each of its names changed, and all else as it is.

    Parameters
    ----------
    cell : str
        The cell.
    change : callable
        Name → its new name.

    Examples
    --------
    >>> each_name('["a.jpg", "b.jpg"]', lambda name: f"../{name}")
    '["../a.jpg", "../b.jpg"]'
    """
    if photos_of(cell):
        return each_photo(cell, change)
    parts, at = [], 0
    for start, end in _spans(cell):
        parts += [cell[at:start], change(cell[start:end])]
        at = end
    return "".join((*parts, cell[at:]))


def _spans(cell: str) -> list[tuple[int, int]]:
    """Return where each name begins and ends."""
    if _LIST.fullmatch(cell):
        return [match.span(2) for match in _QUOTED.finditer(cell) if match[2]]
    if bare := _BARE.fullmatch(cell):
        return _between(cell, *bare.span(1 if bare[2] is None else 2))
    if quoted := _QUOTED.fullmatch(cell.strip()):
        start = cell.index(quoted[0]) + 1
        return [(start, start + len(quoted[2]))]
    return _between(cell, 0, len(cell))


def _between(cell: str, first: int, last: int) -> list[tuple[int, int]]:
    """Return the spans of the names in a part of a cell: between the surest sign that it has."""
    sign = next((sign for sign in _BETWEEN if sign in cell[first:last]), None)
    if sign is None:
        return _stripped(cell, [(first, last)])
    pieces, start = [], first
    for end in [*(match.start() for match in re.finditer(re.escape(sign), cell[first:last])), last - first]:
        pieces.append((start, first + end))
        start = first + end + 1
    return _stripped(cell, _joined(cell, pieces) if sign == "," else pieces)


def _joined(cell: str, pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join pieces without the ending of a photo with those that follow, if others have one."""
    ends = [is_photo(name := cell[start:end].strip()) or "://" in name for start, end in pieces]
    if not any(ends):
        return pieces
    joined, begun = list[tuple[int, int]](), None
    for (start, end), ends_here in zip(pieces, ends, strict=True):
        begun = start if begun is None else begun
        if ends_here:
            joined.append((begun, end))
            begun = None
    # what follows the last photo is a name of its own
    return joined if begun is None else [*joined, (begun, pieces[-1][1])]


def _stripped(cell: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans without blanks at their ends, and none of blanks alone."""
    stripped = []
    for start, end in spans:
        text = cell[start:end]
        if name := text.strip():
            begin = start + text.index(name)
            stripped.append((begin, begin + len(name)))
    return stripped
