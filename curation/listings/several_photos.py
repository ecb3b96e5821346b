"""Cells that name several photos, as shops export them: ``a.jpg, b.jpg``, ``a.jpg|b.jpg``, ``["a.jpg", "b.jpg"]``."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["each_name", "names_of"]

#: A name between the signs that stand between and around several.
_NAME = re.compile(r"""[^,;|"'\[\]{}\n]*[^,;|"'\[\]{}\n\s]""")


def names_of(cell: str) -> list[str]:
    """Return the names in a cell, as far as it holds several, or one in brackets or quotes.

    Examples
    --------
    >>> names_of("a.jpg, b c.jpg"), names_of('["a.jpg"]'), names_of("a.jpg|b.jpg;"), names_of("a.jpg")
    (['a.jpg', 'b c.jpg'], ['a.jpg'], ['a.jpg', 'b.jpg'], ['a.jpg'])
    """
    return [name.strip() for name in _NAME.findall(cell)]


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

    def changed(match: re.Match[str]) -> str:
        name = match[0].lstrip()
        return match[0][: len(match[0]) - len(name)] + change(name)

    return _NAME.sub(changed, cell)
