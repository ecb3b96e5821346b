"""Pictures and charts of a sheet after some of its rows were removed."""

from __future__ import annotations

import html
import re
from typing import Any

from curation.listings.shifted_rows import GONE, Shift

__all__ = ["follow_drawings", "followed_chart"]

#: What a series of a chart shows, and the values that are kept beside it.
_SHOWS = re.compile(r"<((?:\w+:)?f)>([^<]+)</\1>(\s*<((?:\w+:)?(?:num|str|multiLvlStr)Cache)>.*?</\4>)?", re.DOTALL)

#: English Metric Units, in which drawings are measured, of a point, in which rows are.
_POINT = 12_700
#: Height of a row in points if the sheet names none.
_ROW = 15.0


def follow_drawings(page: Any, shift: Shift) -> int:
    """Let pictures and charts follow the rows that they lie in, before these are removed.

    A picture that lies in removed rows alone belongs to them and goes with them; a chart stays, where they were.

    Parameters
    ----------
    page : openpyxl worksheet
        The sheet, changed in place; its rows are still where they were.
    shift : Shift
        The rows that go.

    Returns
    -------
    int
        How many pictures are gone.
    """
    before = len(page._images)
    page._images = [image for image in page._images if _moved(image.anchor, page, shift, keep=False)]
    for chart in page._charts:
        _moved(chart.anchor, page, shift, keep=True)
    return before - len(page._images)


def _moved(anchor: Any, page: Any, shift: Shift, *, keep: bool) -> bool:
    """Move a drawing; return whether any of its rows is left."""
    start = getattr(anchor, "_from", None)
    if start is None or getattr(anchor, "editAs", None) == "absolute":
        # it lies at a place of the page, whatever the rows do
        return True
    first, last = start.row + 1, _last_row(anchor, page, shift.removed[-1])
    left = shift.span(first, last) is not None
    if not left and not keep:
        return False
    end = getattr(anchor, "to", None)
    rows = end.row - start.row if end is not None else 0
    _lift(start, shift)
    if end is not None and left and anchor.editAs != "oneCell":
        _lift(end, shift)
    elif end is not None:
        end.row = start.row + rows
    return True


def _lift(marker: Any, shift: Shift) -> None:
    """Move the place of a corner, which is a row and the distance below its upper edge."""
    row = marker.row + 1
    if shift.row(row) is None:
        marker.rowOff = 0
    marker.row = shift.edge(row - 1)


def _last_row(anchor: Any, page: Any, most: int) -> int:
    """Return the last row that a drawing reaches into, or one below `most` if that is further down."""
    first = int(anchor._from.row) + 1
    if (end := getattr(anchor, "to", None)) is not None:
        return max(first, int(end.row) + (1 if end.rowOff else 0))
    bottom = (anchor._from.rowOff or 0) + anchor.ext.height
    row = first
    while row <= most and (bottom := bottom - _height(page, row)) > 0:
        row += 1
    return row


def _height(page: Any, row: int) -> float:
    own = page.row_dimensions[row].height if row in page.row_dimensions else None
    # rows without any would make the search endless
    return max(1.0, own or page.sheet_format.defaultRowHeight or _ROW) * _POINT


def followed_chart(xml: bytes, shift: Shift) -> tuple[bytes, bool]:
    """Return the file of a chart that shows the cells where they are after rows were removed.

    Parameters
    ----------
    xml : bytes
        The file.
    shift : Shift
        The rows that are gone.

    Returns
    -------
    xml : bytes
        The new file. A spreadsheet reads the values of what changed from the cells.
    empty : bool
        Whether some of it showed removed rows alone, and shows nothing now.
    """
    text = xml.decode()
    new = _SHOWS.sub(lambda match: _shown(match, shift), text)
    return new.encode(), new.count(GONE) > text.count(GONE)


def _shown(match: re.Match[str], shift: Shift) -> str:
    old = html.unescape(match[2])
    new = shift.formula(f"={old}", own=False)[1:]
    return match[0] if new == old else f"<{match[1]}>{html.escape(new, quote=False)}</{match[1]}>"
