"""Tables as Markdown, for pull requests."""

from __future__ import annotations

import re
from collections.abc import Sequence

from curation.rendering.visible import visible

__all__ = ["escaped", "table"]


def escaped(text: str) -> str:
    r"""Return text that Markdown shows as it is: ids and classes may hold any character.

    Examples
    --------
    >>> print(escaped("a|b *c*"))
    a\|b \*c\*
    """
    return re.sub(r"([\\`*_\[\]<>|~#&$])", r"\\\1", visible(" ".join(text.split())))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Return the lines of a table.

    Parameters
    ----------
    headings : sequence of str
    rows : sequence of sequences of str
        Cells; escaped here.
    right : sequence of int
        Numbers of the columns that are aligned to the right.
    """
    ruler = ["---:" if number in right else "---" for number in range(len(headings))]
    lines = [[escaped(cell) for cell in row] for row in (headings, *rows)]
    return [f"| {' | '.join(line)} |" for line in (lines[0], ruler, *lines[1:])]
