"""What stands beside the listings of a sheet, behind an empty column: a small table of its own, or notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Beside", "beside_of"]

_LEAST_COLUMNS = 2
#: Share of the listings' rows that columns of the listings fill.
_FILLED = 0.5


@dataclass(frozen=True)
class Beside:
    """Columns behind an empty one that few of the listings' rows fill.

    Attributes
    ----------
    column : int
        The first of them, counted from 1; 0 if there are none.
    apart : bool
        Whether they are a table of its own: two columns at least, in rows without a gap that all fill all of them.
    """

    column: int = 0
    apart: bool = False

    def lost(self, page: Any, removed: Collection[int]) -> list[str]:
        """Return the cells that go with removed rows, e.g. ``H5``."""
        if not self.column or self.apart:
            return []
        rows = set(removed)
        return sorted(
            cell.coordinate
            for (row, column), cell in page._cells.items()
            if row in rows and column >= self.column and cell.value is not None
        )


def beside_of(page: Any, header: int, rows: Sequence[int]) -> Beside:
    """Return what stands beside the listings.

    Parameters
    ----------
    page : openpyxl worksheet
        The sheet.
    header : int
        The row that names the columns, counted from 1.
    rows : sequence of int
        The rows of the listings.
    """
    filled: dict[int, set[int]] = defaultdict(set)
    for (row, column), cell in page._cells.items():
        if row >= header and cell.value is not None:
            filled[column].add(row)
    if not filled or not rows:
        return Beside()
    gaps = [column for column in range(min(filled), max(filled)) if column not in filled]
    if not gaps:
        return Beside()
    behind = {column: held for column, held in filled.items() if column > gaps[0]}
    if any(len(held) > _FILLED * len(rows) for held in behind.values()):
        return Beside()
    first = min(behind)
    block = behind[first]
    whole = max(behind) - first + 1 == len(behind) and all(held == block for held in behind.values())
    without_gap = max(block) - min(block) + 1 == len(block)
    return Beside(first, len(behind) >= _LEAST_COLUMNS and len(block) > 1 and whole and without_gap)
