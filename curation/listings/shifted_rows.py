"""References to rows of a sheet after some of them were removed, as a spreadsheet changes them itself."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["GONE", "Shift"]

#: What a spreadsheet writes for a reference to cells that are gone.
GONE = "#REF!"
_CELL = re.compile(r"(\$?[A-Z]{1,3}\$?)(\d+)")
_RANGE = re.compile(r"(\$?[A-Z]{1,3}\$?)(\d+):(\$?[A-Z]{1,3}\$?)(\d+)")
_COLUMN = re.compile(r"\$?([A-Z]{1,3})\$?\d")
_ROWS = re.compile(r"(\$?)(\d+):(\$?)(\d+)")


@dataclass(frozen=True)
class Shift:
    """Where the rows of a sheet are after some were removed.

    Attributes
    ----------
    sheet : str
        Name of the sheet.
    removed : sequence of int
        The rows, ascending, counted from 1.
    beside : int
        The first column, counted from 1, of a table beside these rows, which stays where it is; 0 if there is none.
    """

    sheet: str
    removed: Sequence[int]
    beside: int = 0

    def cell(self, row: int, column: int) -> int | None:
        """Return the new row of a cell; None if it was removed."""
        return row if self.stays(column) else self.row(row)

    def stays(self, column: int) -> bool:
        """Return whether a column is one of the table beside the rows."""
        return 0 < self.beside <= column

    def row(self, row: int) -> int | None:
        """Return the new number of a row; None if it was removed."""
        before = bisect_left(self.removed, row)
        gone = before < len(self.removed) and self.removed[before] == row
        return None if gone else row - before

    def edge(self, row: int) -> int:
        """Return how many rows are left of those down to a row, 0 or more: where its lower edge is."""
        return row - bisect_right(self.removed, row)

    def span(self, first: int, last: int) -> tuple[int, int] | None:
        """Return the new first and last row of a range; None if all of it was removed."""
        start = first - bisect_left(self.removed, first)
        end = last - bisect_right(self.removed, last)
        return (start, end) if start <= end else None

    def reference(self, text: str) -> str:
        """Return a reference to cells of the sheet; one to removed cells is ``#REF!``.

        Examples
        --------
        >>> shift = Shift("Goods", [3, 5])
        >>> [shift.reference(text) for text in ("B2", "$B$4", "B3", "A2:A6", "A5:B5", "B:B", "3:4")]
        ['B2', '$B$3', '#REF!', 'A2:A4', '#REF!', 'B:B', '3:3']
        """
        if self.beside and (named := _COLUMN.match(text)):
            from openpyxl.utils import column_index_from_string

            if self.stays(column_index_from_string(named[1])):
                return text
        if cell := _CELL.fullmatch(text):
            row = self.row(int(cell[2]))
            return GONE if row is None else f"{cell[1]}{row}"
        match = _RANGE.fullmatch(text) or _ROWS.fullmatch(text)
        if not match:
            return text
        span = self.span(int(match[2]), int(match[4]))
        return GONE if span is None else f"{match[1]}{span[0]}:{match[3]}{span[1]}"

    def ranges(self, text: str) -> str:
        """Return several ranges, with blanks between them, without those that were removed."""
        return " ".join(new for old in text.split() if (new := self.reference(old)) != GONE)

    def formula(self, text: str, *, own: bool) -> str:
        """Return a formula, which begins with ``=``.

        Parameters
        ----------
        text : str
            The formula.
        own : bool
            Whether it stands in the sheet itself, so that a reference without a sheet means this one.

        Examples
        --------
        >>> shift = Shift("My goods", [3])
        >>> shift.formula('=SUM(A2:A6)*B4&"A4"', own=True), shift.formula("=A4+'My goods'!A4", own=False)
        ('=SUM(A2:A5)*B3&"A4"', "=A4+'My goods'!A3")
        """
        from openpyxl.formula import Tokenizer
        from openpyxl.formula.tokenizer import Token

        tokens = Tokenizer(text).items
        return "=" + "".join(
            self.place(token.value, own=own) if token.subtype == Token.RANGE else token.value for token in tokens
        )

    def place(self, text: str, *, own: bool) -> str:
        """Return a reference, perhaps with the name of its sheet, e.g. of a link.

        Parameters
        ----------
        text : str
            The reference.
        own : bool
            Whether it stands in the sheet itself, so that a reference without a sheet means this one.
        """
        sheet, sign, cells = text.rpartition("!")
        named = sheet[1:-1].replace("''", "'") if sheet.startswith("'") else sheet
        about_this = own if not sign else named.casefold() == self.sheet.casefold()
        return f"{sheet}{sign}{self.reference(cells)}" if about_this else text
