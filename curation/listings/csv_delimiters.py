"""Files that were joined although other signs stand between their cells."""

from __future__ import annotations

from collections.abc import Sequence

from curation.errors import some
from curation.rendering.words import agree, many

__all__ = ["require_one_delimiter"]

_LEAST_WIDTH, _LEAST_ROWS = 3, 2


def require_one_delimiter(short: Sequence[tuple[int, str]], header: Sequence[str], delimiter: str, signs: str) -> None:
    """Refuse rows with another sign between their cells than the header has.

    Parameters
    ----------
    short : sequence of (int, str)
        Number and text of the rows with fewer cells than the header.
    header : sequence of str
        The names of the columns.
    delimiter : str
        What stands between the header's cells.
    signs : str
        What may stand there.

    Raises
    ------
    ValueError
    """
    width = len(header)
    for sign in signs.replace(delimiter, ""):
        rows = [(number, text) for number, text in short if text.count(sign) == width - 1]
        again = any(text.split(sign) == list(header) for _, text in rows)
        if again or (width >= _LEAST_WIDTH and len(rows) >= _LEAST_ROWS):
            numbers = some([number for number, _ in rows], 4)
            have = agree(len(rows), "has", "have")
            raise ValueError(
                f"{many(len(rows), 'row')} ({numbers}) {have} {sign!r} between the cells, and the header has "
                f"{delimiter!r}: files of both were joined. Save them with one sign, and join them then"
            )
