"""Rows of a workbook removed, and everything else in it that refers to its rows led to where they are then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from curation.errors import some
from curation.listings.excel import escaped
from curation.listings.merged_cells import follow_merged
from curation.listings.moved_drawings import follow_drawings
from curation.listings.shifted_rows import GONE, Shift
from curation.rendering.words import agree, many

__all__ = ["Removed", "remove_rows"]

_SHOWN = 3


@dataclass
class Removed:
    """What could not follow.

    Attributes
    ----------
    pictures : int
        Pictures that lay in removed rows alone, and are gone.
    fixed : list of str
        Cells whose formula pointed at removed rows, and that hold its last value instead.
    tables : int
        Tables, as a spreadsheet calls a range with a name and a filter, all of whose rows are gone.
    broken : list of str
        Cells whose formula pointed at removed rows and had no value: it is ``#REF!``.
    others : list of str
        Names, formats, checks and charts that point at nothing now.
    beside : list of str
        Cells of removed rows that stood behind an empty column, so perhaps were no part of the listings.
    """

    pictures: int = 0
    tables: int = 0
    fixed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    def notes(self) -> Iterator[str]:
        """Yield a sentence about each kind, without its subject: the workbook."""
        if self.pictures:
            yield f"lacks {many(self.pictures, 'picture')} that lay in deleted rows."
        if count := len(self.beside):
            yield (
                f"lacks {many(count, 'cell')} of deleted rows that stood beside the listings, behind an empty column: "
                f"{some(self.beside, _SHOWN)}."
            )
        if self.tables:
            yield f"lacks {many(self.tables, 'table')} all of whose rows were deleted."
        if count := len(self.fixed):
            formulas, its, stands = (
                many(count, "formula"),
                agree(count, "its last value", "their last values"),
                agree(count, "it points", "they point"),
            )
            yield f"holds {its} in place of {formulas}, as {stands} at deleted rows: {some(self.fixed, _SHOWN)}."
        if count := len(self.broken):
            points, is_now = agree(count, "points", "point"), agree(count, "it is", "they are")
            formulas = f"{many(count, 'formula')} that {points} at deleted rows and had no value"
            yield f"has {formulas}, so {is_now} {GONE}: {some(self.broken, _SHOWN)}."
        if self.others:
            point = agree(len(self.others), "points", "point")
            yield f"has {some(self.others, _SHOWN)}, which {point} at deleted rows, so at nothing now."


def remove_rows(book: Any, page: Any, shift: Shift, value: Callable[[str, int, int], Any]) -> Removed:
    """Remove rows of a sheet, and let everything that refers to its rows follow.

    Parameters
    ----------
    book : openpyxl workbook
        Changed in place.
    page : openpyxl worksheet
        The sheet.
    shift : Shift
        The rows that go.
    value : callable
        Name of a sheet, row, column → the value that the cell had; None if it had none.

    Returns
    -------
    Removed
    """
    removed = Removed(pictures=follow_drawings(page, shift))
    follow_merged(page, shift)
    for sheet in book.worksheets:
        _follow_formulas(sheet, shift, value, removed, own=sheet is page)
    _move_rows(page, shift)
    _follow_areas(page, shift, removed)
    _follow_view(page, shift)
    for names, own in (
        (book.defined_names, False),
        *((sheet.defined_names, sheet is page) for sheet in book.worksheets),
    ):
        for name in names.values():
            old, name.attr_text = name.attr_text, shift.formula(f"={name.attr_text}", own=own)[1:]
            if _breaks(old, name.attr_text):
                removed.others.append(f"the name {name.name}")
    for sheet in book.worksheets:
        for pivot in sheet._pivots:
            source = pivot.cache.cacheSource.worksheetSource
            if source is not None and source.ref and source.sheet == page.title:
                source.ref = shift.reference(source.ref)
    return removed


def _breaks(old: str, new: str) -> bool:
    return new.count(GONE) > old.count(GONE)


def _move_rows(page: Any, shift: Shift) -> None:
    cells = {}
    for (row, column), cell in page._cells.items():
        if (new := shift.cell(row, column)) is not None:
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


def _follow_formulas(
    sheet: Any, shift: Shift, value: Callable[[str, int, int], Any], removed: Removed, *, own: bool
) -> None:
    for (row, column), cell in sheet._cells.items():
        if own and shift.cell(row, column) is None:
            continue
        if cell.hyperlink and cell.hyperlink.location:
            # a link to a cell of the workbook
            place = shift.place(cell.hyperlink.location, own=own)
            cell.hyperlink.location = cell.hyperlink.location if GONE in place else place
        if cell.data_type != "f":
            continue
        old = cell.value if isinstance(cell.value, str) else getattr(cell.value, "text", None)
        if not old:
            continue
        new = shift.formula(old, own=own)
        last = value(sheet.title, row, column) if _breaks(old, new) else None
        place = cell.coordinate if own else f"{sheet.title}!{cell.coordinate}"
        if last is not None:
            cell.value = escaped(last)
            cell.data_type = "s" if isinstance(last, str) else cell.data_type
            removed.fixed.append(place)
            continue
        if _breaks(old, new):
            removed.broken.append(place)
        if isinstance(cell.value, str):
            cell.value = new
        else:
            cell.value.text = new
            cell.value.ref = shift.reference(cell.value.ref) if own else cell.value.ref


def _follow_areas(page: Any, shift: Shift, removed: Removed) -> None:
    """Let filters, tables, validations and conditional formats of a sheet follow their rows."""
    from openpyxl.formatting.formatting import ConditionalFormattingList
    from openpyxl.worksheet.cell_range import MultiCellRange

    if page.auto_filter.ref:
        ref = shift.reference(page.auto_filter.ref)
        page.auto_filter.ref = None if ref == GONE else ref
    for table in list(page.tables.values()):
        table.ref = shift.reference(table.ref)
        if table.autoFilter is not None and table.autoFilter.ref:
            table.autoFilter.ref = shift.reference(table.autoFilter.ref)
        if table.ref == GONE:
            del page.tables[table.name]
            removed.tables += 1
    checks = page.data_validations.dataValidation
    for check in checks:
        check.sqref = MultiCellRange(shift.ranges(str(check.sqref)))
        for key in ("formula1", "formula2"):
            if text := getattr(check, key):
                setattr(check, key, _followed(text, shift, removed, f"a check of {check.sqref}"))
    page.data_validations.dataValidation = [check for check in checks if check.sqref.ranges]
    formats = ConditionalFormattingList()
    for area in page.conditional_formatting:
        cells = shift.ranges(str(area.sqref))
        for rule in area.rules if cells else ():
            rule.formula = [_followed(text, shift, removed, f"a format of {cells}") for text in rule.formula]
            formats.add(cells, rule)
    page.conditional_formatting = formats


def _followed(text: str, shift: Shift, removed: Removed, what: str) -> str:
    new = shift.formula(f"={text}", own=True)[1:]
    if _breaks(text, new):
        removed.others.append(what)
    return new


def _follow_view(page: Any, shift: Shift) -> None:
    """Let what is printed and where the sheet stands still follow the rows."""
    from openpyxl.worksheet.pagebreak import RowBreak

    if page.print_area:
        page.print_area = shift.ranges(page.print_area.rpartition("!")[2]) or None
    if page.print_title_rows:
        rows = shift.reference(page.print_title_rows)
        # set to None, it stays as it was
        page._print_rows = None
        page.print_title_rows = None if rows == GONE else rows
    # a break lies below its row
    breaks = {shift.edge(each.id): each for each in page.row_breaks.brk}
    for row, each in breaks.items():
        each.id = row
    page.row_breaks = RowBreak(brk=tuple(each for row, each in sorted(breaks.items()) if row))
