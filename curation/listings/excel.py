"""Sheets of Excel as cells, and cells as sheets."""

from __future__ import annotations

import datetime
import io
import json
import math
import re
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pandas as pd

from curation.errors import ListingsError, closest, short_repr, some
from curation.listings.headers import LOOKED_AT, header_place, likely, normal_name
from curation.listings.number_formats import currencies_of
from curation.listings.other_tables import other_sheet
from curation.listings.sheet_errors import errors_of
from curation.listings.sheet_marks import marks_of, spread
from training.utils.bounded import CELL, check_claim

__all__ = ["Sheet", "as_cell", "cell_value", "escaped", "read_sheet", "sheet_rows", "usual_workbook", "write_sheet"]

#: How the namespaces of Strict Open XML begin.
_STRICT = b"http://purl.oclc.org/ooxml/"
_NEEDED = "Excel files need openpyxl: pip install 'curate-listings[excel]', or "
#: Likely names of columns that a sheet needs to be read instead of the first one.
_ENOUGH = 2
#: What a sheet of listings names in any case.
_MEANT = {"image", "label"}
#: What Excel allows.
_LONGEST_CELL, _MOST_ROWS, _MOST_COLUMNS = 32_767, 1_048_576, 16_384
#: How Excel writes a character that XML can't hold; a text that looks like it has its underscore written so.
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE = re.compile("[\0-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_TIMES: dict[str, Any] = {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook as a table.

    Attributes
    ----------
    name : str
        Its name.
    hidden : tuple of str
        Names of the sheets that nobody sees in the workbook.
    others : tuple of str
        Names of the other sheets, those that are seen first.
    header : list of str
        Names of the columns, as written.
    row : int
        The row of the sheet that they stand in, counted from 1.
    above : list of str
        What stands above them.
    cells : DataFrame of object
        Texts, numbers, times; NaN where a cell is empty. Its index numbers the rows of the sheet from 1.
    merged : tuple of (int, int)
        Row and column of the cells below the header that are merged with the one above, and so have its value.
    uncalculated : tuple of (int, int)
        Row and column of the formulas below the header that have no value, as no spreadsheet has calculated them.
    currencies : mapping of (int, int) to str
        Row and column of cells whose number format shows a currency: which, or the empty text for the system's.
    errors : mapping of (int, int) to str
        Row and column of cells whose formula failed: what they show, e.g. ``#DIV/0!``.
    """

    name: str
    hidden: tuple[str, ...]
    others: tuple[str, ...]
    header: list[str]
    row: int
    above: list[str]
    cells: pd.DataFrame
    merged: tuple[tuple[int, int], ...] = ()
    uncalculated: tuple[tuple[int, int], ...] = ()
    currencies: Mapping[tuple[int, int], str] = field(default_factory=dict)
    errors: Mapping[tuple[int, int], str] = field(default_factory=dict)


def read_sheet(content: bytes, names: Collection[str] = (), named: str | None = None) -> Sheet:
    """Read the sheet that a person named, the first that holds anything, or the first of listings behind a cover.

    The last is one whose header has likely names where that of the first has none, or one that names photos and labels
    where the first names neither.

    Parameters
    ----------
    content : bytes
        The workbook.
    names : collection of str
        Columns that are likely, in lower case; as a mapping, each with what it means.
    named : str, optional
        The sheet's name, if a person said which.

    Raises
    ------
    ListingsError
        If there is no sheet of that name.
    ValueError
        If it is no workbook, is damaged or claims more than it can hold, or openpyxl is missing.
    """
    with _opened(content) as book:
        # what nobody sees is meant only where no sheet that is seen is
        pages = sorted(book.worksheets, key=_is_hidden)
        hidden = tuple(str(page.title) for page in pages if _is_hidden(page))
        titles = [str(page.title) for page in pages]
        asked = pages if named is None else [page for page in pages if page.title == named]
        read = (_sheet(page, hidden, _without(titles, page.title), len(content), names) for page in asked)
        held = [sheet for sheet in _until_likely(read, names) if sheet.header]
    if named is not None and not asked:
        raise ListingsError(
            "the workbook has no such sheet",
            got=short_repr(named),
            wanted=some(titles, 12),
            fix=closest(named, titles),
            parameter="sheet",
        )
    if not held:
        return Sheet(named or "", hidden, _without(titles, named), [], 0, [], pd.DataFrame())
    usual, *others = held
    if _of_listings(usual, names):
        return usual
    if not likely(usual.header, names):
        return next((sheet for sheet in others if likely(sheet.header, names) >= _ENOUGH), usual)
    if isinstance(names, Mapping) and not _meanings(usual, names) & _MEANT:
        return next((sheet for sheet in others if _of_listings(sheet, names)), usual)
    return usual


def _until_likely(sheets: Iterable[Sheet], names: Collection[str]) -> Iterator[Sheet]:
    """Yield sheets up to the first that is sure to be meant: the others need not be read."""
    for sheet in sheets:
        yield sheet
        if sheet.header and (not names or _of_listings(sheet, names)):
            return


def _of_listings(sheet: Sheet, names: Collection[str]) -> bool:
    """Whether a sheet names all that listings need; where no meanings are known, any likely name will do."""
    if isinstance(names, Mapping):
        return _meanings(sheet, names) >= _MEANT
    return likely(sheet.header, names) > 0


def _meanings(sheet: Sheet, names: Mapping[str, str]) -> set[str]:
    return {names[name] for name in map(normal_name, sheet.header) if name in names}


def sheet_rows(content: bytes, name: str, header: int | None = None) -> list[list[Any]]:
    """Return the values of a sheet, row by row: NaN where a cell is empty, and nothing for what is empty at the ends.

    Parameters
    ----------
    content : bytes
        The workbook.
    name : str
        The sheet's name.
    header : int, optional
        The row that names the columns: below it, merged cells have the value of the first, as in a table.

    Raises
    ------
    ValueError
        As for :func:`read_sheet`.
    """
    with _opened(content) as book:
        rows = [[_plain(value) for value in row] for row in _values(book[name], len(content))]
        if header is not None:
            spread(rows, marks_of(_xml(book[name])).merged, header, math.nan)
        return rows


@contextmanager
def _opened(content: bytes) -> Iterator[Any]:
    """Open a workbook for reading its values."""
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise ValueError(f"{_NEEDED}save the sheet as CSV") from None
    if what := other_sheet(content):
        raise ValueError(f"it is {what}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_claim(sum(member.file_size for member in archive.infolist()), len(content), "its content")
        # openpyxl warns of extensions it can't read, e.g. sparklines; cell values don't depend on them
        with warnings.catch_warnings(action="ignore"):
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            yield book
        book.close()
    # whatever a damaged part makes zipfile, the parser of XML or openpyxl say
    except Exception as error:
        raise ValueError(f"it is no Excel file: {(str(error) or type(error).__name__).splitlines()[0]}") from None


def usual_workbook(content: bytes) -> bytes:
    """Return a workbook with the names of parts that openpyxl knows: Strict Open XML has others for the same parts.

    Parameters
    ----------
    content : bytes
        The workbook; all that is no such one is returned as it is.

    Raises
    ------
    ValueError
        If it claims more than it can hold.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if _STRICT not in archive.read("xl/workbook.xml"):
                return content
            check_claim(sum(member.file_size for member in archive.infolist()), len(content), "its content")
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as usual:
                for member in archive.infolist():
                    part = archive.read(member)
                    usual.writestr(
                        member, _usual(part) if member.filename.endswith((".xml", ".rels", ".vml")) else part
                    )
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, RuntimeError):
        # what is wrong is told where it is read
        return content
    return buffer.getvalue()


def _usual(part: bytes) -> bytes:
    """Return a part of a workbook with the usual namespaces; two have a dash there."""
    part = re.sub(rb'(<(?:\w+:)?workbook\b[^>]*?)\s+conformance="strict"', rb"\1", part)
    part = re.sub(_STRICT + rb"(\w+)/", rb"http://schemas.openxmlformats.org/\1/2006/", part)
    return re.sub(rb"(officeDocument/2006/(?:relationships/)?)(extended|custom)Properties", rb"\1\2-properties", part)


def _without(titles: Iterable[str], title: str | None) -> tuple[str, ...]:
    return tuple(each for each in titles if each != title)


def _is_hidden(page: Any) -> bool:
    return str(page.sheet_state) != "visible"


def _sheet(page: Any, hidden: tuple[str, ...], others: tuple[str, ...], held: int, names: Collection[str]) -> Sheet:
    name = str(page.title)
    rows = [[_plain(value) for value in row] for row in _values(page, held)]
    # the header may stand below empty rows
    filled = [number for number, row in enumerate(rows, start=1) if any(value is not math.nan for value in row)]
    if not filled:
        return Sheet(name, hidden, others, [], 0, [], pd.DataFrame())
    width = max(map(len, rows))
    first = [_texts(rows[number - 1], width) for number in filled[:LOOKED_AT]]
    place = header_place([(likely(row, names), sum(map(bool, row))) for row in first])
    xml = _xml(page)
    marks = marks_of(xml)
    merged = spread(rows, marks.merged, filled[place], math.nan)
    below = filled[place + 1 :]
    lines = [[*rows[number - 1], *[math.nan] * (width - len(rows[number - 1]))] for number in below]
    cells = pd.DataFrame(lines, index=below, columns=range(width), dtype=object)
    bare = tuple((row, column) for row, column in marks.uncalculated if row > filled[place] and column <= width)
    above = [cell for row in first[:place] for cell in row]
    return Sheet(
        name,
        hidden,
        others,
        first[place],
        filled[place],
        above,
        cells,
        tuple(merged),
        bare,
        currencies_of(page.parent, xml),
        errors_of(xml),
    )


def _texts(row: Sequence[Any], width: int) -> list[str]:
    return ["" if value is math.nan else str(value) for value in row] + [""] * (width - len(row))


def _xml(page: Any) -> bytes:
    """Return the file of a sheet."""
    with page._get_source() as source:
        return bytes(source.read())


def _values(page: Any, held: int) -> list[list[Any]]:
    """Return the values of a sheet, row by row, without what is empty at the ends."""
    # the dimensions that a sheet declares may be wrong
    page.reset_dimensions()
    rows: list[list[Any]] = []
    width = last = 0
    for number, row in enumerate(page.rows, start=1):
        if number > _MOST_ROWS:
            raise ValueError(f"its sheet {page.title!r} goes on below row {_MOST_ROWS:,}, where sheets end")
        values = [_value(cell) for cell in row]
        while values and values[-1] is math.nan:
            values.pop()
        rows.append(values)
        if values:
            width, last = max(width, len(values)), number
            check_claim(number * width * CELL, held, f"its sheet {page.title!r}")
    return rows[:last]


def _value(cell: Any) -> Any:
    """Return the value of a cell; NaN where it is empty, or holds an error such as #DIV/0!."""
    value = cell.value
    if value is None or value == "" or cell.data_type == "e":
        return math.nan
    # the digits that Excel has, not those of the nearest float: 1.23456789012345E+17 ends with zeros
    return int(Decimal(repr(value))) if isinstance(value, float) and value.is_integer() else value


def _plain(value: Any) -> Any:
    return _ESCAPED.sub(lambda sign: chr(int(sign[1], 16)), value) if isinstance(value, str) else value


def as_cell(value: Any) -> str:
    """Return the value of a cell as JSON; a time is a list of its kind and its text."""
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        kind = next(name for name, each in _TIMES.items() if isinstance(value, each))
        return json.dumps([kind, value.isoformat()])
    return json.dumps(value, default=str)


def cell_value(cell: str) -> Any:
    """Return what :func:`as_cell` was given."""
    value = json.loads(cell)
    return _TIMES[value[0]].fromisoformat(value[1]) if isinstance(value, list) else value


def write_sheet(header: Sequence[str], rows: Sequence[Sequence[Any]], sheet: str) -> bytes:
    """Write a workbook with one sheet.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : sequence of sequence
        Texts, numbers, times; None is an empty cell.
    sheet : str
        Its name.

    Raises
    ------
    ValueError
        If Excel can't hold it, or openpyxl is missing; the message is one line.
    """
    try:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
    except ImportError:
        raise ValueError(f"{_NEEDED}choose another format") from None
    if len(rows) >= _MOST_ROWS or len(header) > _MOST_COLUMNS:
        raise ValueError(
            f"Excel has no room for {len(rows):,} rows of {len(header):,} cells: its sheets end at "
            f"{_MOST_ROWS:,} rows of {_MOST_COLUMNS:,}"
        )
    # before the book is begun, which can't be left half written
    lines = [[escaped(value) for value in row] for row in (header, *rows)]
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet or "Sheet1")

    def cell(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        written = WriteOnlyCell(page, value)
        # a text that begins with = is no formula
        written.data_type = "s"
        return written

    for line in lines:
        page.append([cell(value) for value in line])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def escaped(value: Any) -> Any:
    """Return a value as a workbook can hold it: a text without characters that XML lacks.

    Raises
    ------
    ValueError
        If it is too long.
    """
    if not isinstance(value, str):
        return value
    text = _TO_ESCAPE.sub(lambda sign: f"_x{ord(sign[0]):04X}_", value)
    if len(text) > _LONGEST_CELL:
        raise ValueError(f"a cell is too long for Excel: {len(text):,} characters, at most {_LONGEST_CELL:,}")
    return text
