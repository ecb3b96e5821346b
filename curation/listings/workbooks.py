"""A workbook with changed cells and without some rows: all else in it stays as its author made it."""

from __future__ import annotations

import html
import io
import math
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from curation.errors import some
from curation.listings.excel import as_cell, escaped, sheet_rows
from curation.listings.merged_cells import settle_merged
from curation.listings.moved_drawings import followed_chart
from curation.listings.removed_rows import Removed, remove_rows
from curation.listings.shifted_rows import Shift
from curation.listings.side_tables import beside_of
from curation.rendering.words import agree, many

__all__ = ["Book", "edited_book"]

#: Parts of a workbook that a spreadsheet makes again by itself.
_REMADE = frozenset({"_rels", "printerSettings"})
#: A formula as openpyxl writes it: without the value that it had.
_FORMULA = re.compile(r'<c r="([A-Z]+)(\d+)"([^>]*)>(<f[^>]*(?:/>|>[^<]*</f>))<v\s*(?:/>|></v>)')
#: Where a workbook keeps drawings, and the end of each in a file of them.
_DRAWINGS = "drawings"
_ANCHOR = re.compile(rb"</(?:\w+:)?(?:oneCell|twoCell|absolute)Anchor>")
#: What openpyxl warns about: something newer than the format, such as sparklines.
_EXTENSION = re.compile("(.+) extension is not supported and will be removed")


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

    before = sheet_rows(book.content, sheet, book.header)
    try:
        with warnings.catch_warnings(record=True, action="always") as warned:
            opened = load_workbook(io.BytesIO(book.content), rich_text=True)
        page = opened[sheet]
    # whatever a part that is read here only makes openpyxl say
    except Exception as error:
        raise ValueError(f"the workbook can't be opened for changes: {str(error).splitlines()[:1]}") from None
    values = {
        each.title: before if each is page else sheet_rows(book.content, each.title) for each in opened.worksheets
    }
    lines = dict(zip((book.header, *book.rows), (header, *rows), strict=True))
    dissolved = settle_merged(page, book.header, lines, partial(_value, before), _put)
    changed = False
    for number, line in lines.items():
        for column, value in enumerate(line, start=1):
            if _differs(value, _value(before, number, column)):
                changed = True
                _write(page, number, column, value)
    filled = (number for number, line in enumerate(before, start=1) if any(cell is not math.nan for cell in line))
    beside = beside_of(page, book.header, book.rows)
    gone = [number for number in filled if number > book.header and number not in lines]
    shift = Shift(sheet, gone, beside.column if beside.apart else 0)
    removed = Removed()
    if shift.removed:
        lost = beside.lost(page, shift.removed)
        removed = remove_rows(opened, page, shift, lambda title, row, column: _value(values[title], row, column))
        removed.beside += lost
    formulas = sum(cell.data_type == "f" for each in opened.worksheets for cell in each._cells.values())
    stream = io.BytesIO()
    opened.save(stream)
    stored = {
        f"xl/worksheets/sheet{place}.xml": {
            (shift.cell(number, column) if each is page else number, column): value
            for number, column, value in _stored(values[each.title])
        }
        for place, each in enumerate(opened.worksheets, start=1)
    }
    content = _with_values(stream.getvalue(), stored, opened.epoch, shift, removed)
    newer = [match[1].lower() for each in warned if (match := _EXTENSION.match(str(each.message)))]
    said = _notes(
        _parts(book.content, -removed.pictures), _parts(content), newer, formulas if changed or shift.removed else 0
    )
    return content, (*_said_of_dissolved(dissolved), *removed.notes(), *said)


def _value(rows: Sequence[Sequence[Any]], row: int, column: int) -> Any:
    line = rows[row - 1] if row <= len(rows) else []
    value = line[column - 1] if column <= len(line) else None
    return None if value is math.nan else value


def _differs(new: Any, old: Any) -> bool:
    return (new or None) != old and (old is None or new is None or as_cell(new) != as_cell(old))


def _write(page: Any, row: int, column: int, value: Any) -> None:
    from openpyxl.cell.cell import MergedCell

    cell = page.cell(row, column)
    if isinstance(cell, MergedCell):
        block = next(each for each in page.merged_cells.ranges if _holds(each, row, column))
        top = page.cell(block.min_row, block.min_col)
        if block.min_col == column and row > block.min_row and top.value == escaped(value):
            # the whole block has it
            return
        page.unmerge_cells(str(block))
        cell = page.cell(row, column)
    _put(cell, value)


def _holds(block: Any, row: int, column: int) -> bool:
    return bool(block.min_row <= row <= block.max_row and block.min_col <= column <= block.max_col)


def _put(cell: Any, value: Any) -> None:
    cell.value = escaped(value)
    if isinstance(value, str):
        # a text that begins with = is no formula
        cell.data_type = "s"


def _stored(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[int, int, Any]]:
    for number, line in enumerate(rows, start=1):
        for column, value in enumerate(line, start=1):
            if value is not math.nan:
                yield number, column, value


def _with_values(
    content: bytes,
    stored: dict[str, dict[tuple[int | None, int], Any]],
    epoch: datetime,
    shift: Shift,
    removed: Removed,
) -> bytes:
    """Return a workbook whose formulas have the values that were stored: programs read these, and don't calculate.

    `stored` has the values of each sheet, by its file in the workbook, row and column. Charts follow `shift`.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            held = old.read(member)
            if values := stored.get(member.filename):
                held = _FORMULA.sub(partial(_formula_with_value, values, epoch), held.decode()).encode()
            if shift.removed and member.filename.startswith("xl/charts/chart"):
                held, empty = followed_chart(held, shift)
                removed.others += ["a chart"] * empty
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


def _said_of_dissolved(blocks: int) -> Iterator[str]:
    if blocks:
        differ = f"{agree(blocks, 'its', 'their')} listings differ now, and each has a value of its own"
        yield f"has {many(blocks, 'block')} of merged cells less: {differ}."


def _notes(before: Counter[str], after: Counter[str], extensions: Sequence[str], formulas: int) -> Iterator[str]:
    lost = sorted({*before} - {*after} - _REMADE | {*extensions})
    if lost:
        yield f"lacks parts of the input that openpyxl can't keep: {some(lost)}."
    elif (drawings := before[_DRAWINGS] - after[_DRAWINGS]) > 0:
        yield f"lacks {many(drawings, 'drawing')} of the input that openpyxl can't keep, such as shapes and text boxes."
    if formulas:
        yield (
            f"has {many(formulas, 'formula')}: a spreadsheet calculates {agree(formulas, 'it', 'them')} when it opens "
            f"the file; other programs read {agree(formulas, 'its value', 'their values')} of before."
        )


def _parts(content: bytes, drawings: int = 0) -> Counter[str]:
    """Return what the parts of a workbook are, by the names of their folders, and how many drawings it has."""
    kinds = Counter({_DRAWINGS: drawings})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in archive.namelist():
            path = PurePosixPath(part)
            if len(path.parts) < 3 or path.parts[0] != "xl":
                continue
            if path.match("xl/drawings/drawing*.xml"):
                kinds[_DRAWINGS] += len(_ANCHOR.findall(archive.read(part)))
            elif path.parts[1] != _DRAWINGS:
                kinds[path.parts[1]] += 1
    return kinds
