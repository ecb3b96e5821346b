"""A workbook with changed cells and without some rows: all else in it stays as its author made it."""

from __future__ import annotations

import html
import io
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from curation.errors import some
from curation.listings.excel import as_cell, escaped, sheet_rows
from curation.listings.shifted_rows import Shift
from curation.rendering.words import agree, many

__all__ = ["Book", "edited_book"]

#: Parts of a workbook that a spreadsheet makes again by itself.
_REMADE = frozenset({"_rels", "printerSettings"})
#: A formula as openpyxl writes it: without the value that it had.
_FORMULA = re.compile(r'<c r="([A-Z]+)(\d+)"([^>]*)>(<f[^>]*(?:/>|>[^<]*</f>))<v\s*(?:/>|></v>)')


@dataclass(frozen=True)
class Book:
    """A workbook that a table was read from.

    Attributes
    ----------
    content : bytes
        The file.
    header : int
        The row of its sheet that names the columns, counted from 1.
    rows : tuple of int
        The row of the sheet that each row of the table stands in, ascending.
    """

    content: bytes
    header: int
    rows: tuple[int, ...]

    def take(self, places: Sequence[int]) -> Book:
        """Return the workbook of some of the rows."""
        return Book(self.content, self.header, tuple(self.rows[place] for place in places))


def edited_book(
    book: Book, sheet: str, header: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[bytes, tuple[str, ...]]:
    """Return a workbook with the cells of a table in their places, and without the rows that the table lacks.

    Numbers, texts and times that are the same stay untouched, with their formulas, formats and comments; so does
    everything in other sheets. References in formulas, filters, formats and names follow their rows.

    Parameters
    ----------
    book : Book
        The workbook.
    sheet : str
        The name of the sheet that the table was read from.
    header : sequence of str
        Names of the columns; new ones stand at the end.
    rows : sequence of sequence
        Texts, numbers, times of each row of the book; None is an empty cell.

    Returns
    -------
    content : bytes
        The new workbook.
    notes : tuple of str
        What did not stay as it was.

    Raises
    ------
    ValueError
        If it can't be opened or written.
    """
    from openpyxl import load_workbook

    before = sheet_rows(book.content, sheet)
    with zipfile.ZipFile(io.BytesIO(book.content)) as archive:
        parts = archive.namelist()
    try:
        opened = load_workbook(io.BytesIO(book.content), rich_text=True)
        page = opened[sheet]
    # whatever a part that is read here only makes openpyxl say
    except Exception as error:
        raise ValueError(f"the workbook can't be opened for changes: {str(error).splitlines()[:1]}") from None
    changes = [
        (number, column, value)
        for number, line in zip((book.header, *book.rows), (header, *rows), strict=True)
        for column, value in enumerate(line, start=1)
        if _differs(value, _value(before, number, column))
    ]
    for number, column, value in changes:
        _write(page, number, column, value)
    kept = {book.header, *book.rows}
    filled = (number for number, line in enumerate(before, start=1) if any(cell is not math.nan for cell in line))
    shift = Shift(sheet, [number for number in filled if number > book.header and number not in kept])
    formulas = sum(cell.data_type == "f" for each in opened.worksheets for cell in each._cells.values())
    if shift.removed:
        _remove(opened, page, shift)
    stream = io.BytesIO()
    opened.save(stream)
    stored = {}
    for place, each in enumerate(opened.worksheets, start=1):
        there = _stored(before if each is page else sheet_rows(book.content, each.title))
        stored[f"xl/worksheets/sheet{place}.xml"] = {
            (shift.row(number) if each is page else number, column): value for number, column, value in there
        }
    content = _with_values(stream.getvalue(), stored, opened.epoch)
    return content, tuple(_notes(parts, content, formulas if changes or shift.removed else 0))


def _value(rows: Sequence[Sequence[Any]], row: int, column: int) -> Any:
    line = rows[row - 1] if row <= len(rows) else []
    value = line[column - 1] if column <= len(line) else None
    return None if value is math.nan else value


def _differs(new: Any, old: Any) -> bool:
    return (new or None) != old and (old is None or new is None or as_cell(new) != as_cell(old))


def _write(page: Any, row: int, column: int, value: Any) -> None:
    from openpyxl.cell.cell import MergedCell

    if isinstance(page.cell(row, column), MergedCell):
        place = page.cell(row, column).coordinate
        page.unmerge_cells(next(str(cells) for cells in page.merged_cells.ranges if place in cells))
    cell = page.cell(row, column)
    cell.value = escaped(value)
    if isinstance(value, str):
        # a text that begins with = is no formula
        cell.data_type = "s"


def _remove(book: Any, page: Any, shift: Shift) -> None:
    """Remove rows of a sheet, and let everything that refers to its rows follow."""
    cells = {}
    for (row, column), cell in page._cells.items():
        if (new := shift.row(row)) is not None:
            cell.row = new
            cells[new, column] = cell
            if cell.hyperlink:
                cell.hyperlink.ref = cell.coordinate
    page._cells = cells
    sizes = list(page.row_dimensions.items())
    page.row_dimensions.clear()
    for row, size in sizes:
        if (new := shift.row(row)) is not None:
            size.index = new
            page.row_dimensions[new] = size
    for merged in list(page.merged_cells.ranges):
        span = shift.span(merged.min_row, merged.max_row)
        if span is None:
            page.merged_cells.ranges.remove(merged)
        else:
            merged.min_row, merged.max_row = span
    _shift_areas(page, shift)
    for sheet in book.worksheets:
        for cell in sheet._cells.values():
            if cell.data_type == "f":
                _shift_formula(cell, shift, own=sheet is page)
    for names, own in (
        (book.defined_names, False),
        *((sheet.defined_names, sheet is page) for sheet in book.worksheets),
    ):
        for name in names.values():
            name.attr_text = shift.formula(f"={name.attr_text}", own=own)[1:]


def _shift_formula(cell: Any, shift: Shift, *, own: bool) -> None:
    formula = cell.value
    if isinstance(formula, str):
        cell.value = shift.formula(formula, own=own)
    elif hasattr(formula, "text") and formula.text:
        formula.text = shift.formula(formula.text, own=own)
        formula.ref = shift.reference(formula.ref) if own else formula.ref


def _shift_areas(page: Any, shift: Shift) -> None:
    """Let filters, tables, validations and conditional formats of a sheet follow their rows."""
    from openpyxl.formatting.formatting import ConditionalFormattingList
    from openpyxl.worksheet.cell_range import MultiCellRange

    for area in (page.auto_filter, *page.tables.values(), *(table.autoFilter for table in page.tables.values())):
        if area is not None and area.ref:
            area.ref = shift.reference(area.ref)
    checks = page.data_validations.dataValidation
    for check in checks:
        check.sqref = MultiCellRange(shift.ranges(str(check.sqref)))
        for key in ("formula1", "formula2"):
            if text := getattr(check, key):
                setattr(check, key, shift.formula(f"={text}", own=True)[1:])
    page.data_validations.dataValidation = [check for check in checks if check.sqref.ranges]
    formats = ConditionalFormattingList()
    for area in page.conditional_formatting:
        cells = shift.ranges(str(area.sqref))
        for rule in area.rules if cells else ():
            rule.formula = [shift.formula(f"={text}", own=True)[1:] for text in rule.formula]
            formats.add(cells, rule)
    page.conditional_formatting = formats
    if page.print_area:
        page.print_area = shift.ranges(page.print_area.rpartition("!")[2]) or None


def _stored(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[int, int, Any]]:
    for number, line in enumerate(rows, start=1):
        for column, value in enumerate(line, start=1):
            if value is not math.nan:
                yield number, column, value


def _with_values(content: bytes, stored: dict[str, dict[tuple[int | None, int], Any]], epoch: datetime) -> bytes:
    """Return a workbook whose formulas have the values that were stored: programs read these, and don't calculate.

    `stored` has the values of each sheet, by its file in the workbook, row and column.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            held = old.read(member)
            if values := stored.get(member.filename):
                held = _FORMULA.sub(partial(_formula_with_value, values, epoch), held.decode()).encode()
            new.writestr(member, held, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _formula_with_value(stored: dict[tuple[int | None, int], Any], epoch: datetime, match: re.Match[str]) -> str:
    from openpyxl.utils import column_index_from_string
    from openpyxl.utils.datetime import to_excel

    column, row, attributes, formula = match.groups()
    value = stored.get((int(row), column_index_from_string(column)))
    if value is None:
        return match[0]
    if isinstance(value, str):
        kind, text = ' t="str"', html.escape(value, quote=False)
    elif isinstance(value, bool):
        kind, text = ' t="b"', str(int(value))
    else:
        kind, text = "", str(value if isinstance(value, int | float) else to_excel(value, epoch))
    return f'<c r="{column}{row}"{attributes}{kind}>{formula}<v>{text}</v>'


def _notes(before: Sequence[str], content: bytes, formulas: int) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        after = _kinds(archive.namelist())
    if lost := sorted(_kinds(before) - after - _REMADE):
        yield f"lacks parts of the input that openpyxl can't keep: {some(lost)}."
    if formulas:
        yield (
            f"has {many(formulas, 'formula')}: a spreadsheet calculates {agree(formulas, 'it', 'them')} when it opens "
            f"the file; other programs read {agree(formulas, 'its value', 'their values')} of before."
        )


def _kinds(parts: Sequence[str]) -> set[str]:
    """Return what the parts of a workbook are: the names of their folders."""
    return {path.parts[1] for part in parts if len((path := PurePosixPath(part)).parts) > 2 and path.parts[0] == "xl"}
