"""Files of tables: what a program or a spreadsheet writes, read as text.

CSV with any usual delimiter, encoding and compression, Parquet, JSON lines, JSON and Excel. A note says what had
to be guessed. The cells are kept as they were written, too, so that a table can go out as it came in.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from curation.listings.cells import as_text, as_written, stripped
from curation.listings.csv_escapes import said_of_escapes, way_out_of_escapes
from curation.listings.csv_tables import DELIMITERS, Parsed, parse_csv, require_width
from curation.listings.decoding import PACKED, decoded, held_packing, unpacked
from curation.listings.excel import Sheet, as_cell, read_sheet, usual_workbook
from curation.listings.formula_cells import shown_cells
from curation.listings.headers import NAMELESS_INDEX, are_row_numbers, said_of_header
from curation.listings.held_photos import without_photos
from curation.listings.json_tables import literal, parse_json, said_of_json, spelled_rows
from curation.listings.number_formats import named_by_formats
from curation.listings.other_tables import held_kind, is_old_workbook, next_step, web_page
from curation.listings.sheet_marks import rows_of_columns, said_of_merged
from curation.listings.workbooks import Book
from curation.listings.written import Kind, TableFormat, WrittenFile, with_spans
from training.utils.bounded import CELL, check_claim, most_bytes
from training.utils.files import read_regular
from training.utils.formulas import text_of_formula
from training.utils.parquet_files import as_frame, read_table

__all__ = [
    "ENDINGS",
    "RawTable",
    "format_of",
    "held_table",
    "of_parquet",
    "read_raw",
    "readable_format",
]

_KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    # as Excel calls text with tabs
    ".txt": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".xlsx": "xlsx",
}
#: What the name of a table may end with.
ENDINGS = (*_KINDS, *(f".csv{packed}" for packed in PACKED))
#: What Excel called its workbooks once; today it may be any table.
_OLD_ENDING = ".xls"
_CALLED: dict[Kind, str] = {
    "csv": "a CSV",
    "json": "JSON",
    "jsonl": "lines of JSON",
    "parquet": "Parquet",
    "xlsx": "an Excel workbook",
}
#: How files begin that are no text, and what they are.
_OTHER_FILES = {
    b"PK\x03\x04": "a zip archive, as Excel workbooks are: give it the ending .xlsx, or .csv.zip",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save it as .xlsx",
    b"PAR1": "Parquet: give it the ending .parquet",
    b"\x1f\x8b": "packed with gzip: give it the ending .csv.gz",
    b"%PDF": "a PDF",
    b"\x89PNG": "a photo",
    b"\xff\xd8\xff": "a photo",
    b"SQLite format 3": "a database: export its table as CSV",
}
#: Characters that are looked at, and the share of control characters that no text has.
_SAMPLE = 1 << 16
_MOST_ODD = 0.02


@dataclass(frozen=True)
class RawTable:
    """A table as it was read.

    Attributes
    ----------
    table : DataFrame of str
        In the order of the file, without blanks around names and cells; missing cells are NA. Its index numbers the
        rows as a person counts them: of a file with a header, row 2 is the first one below it.
    notes : tuple of str
        What a person should know of how it was read: a sentence each.
    files : tuple of WrittenFile
        The same rows as they were written, one file after the other; for class folders the list of their photos.
    uncalculated : mapping of str to sequence of int
        Of Excel: column → the rows whose cell is a formula without a value, which reads as empty.
    sheets : tuple of str
        Of Excel: names of the sheets that were not read.
    currencies : mapping of str to Series of str
        Of Excel: column → the currency that the number format of its cells shows, empty for the system's, NA for none.
    errors : mapping of str to Series of str
        Of Excel: column → the errors that its cells show, e.g. ``#DIV/0!``; these cells read as empty.
    starts : tuple of (int, str)
        Of Parquet files that are one table: the first row of each, and its name. The index counts the rows of all.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    files: tuple[WrittenFile, ...] = ()
    uncalculated: Mapping[str, Sequence[int]] = field(default_factory=dict)
    sheets: tuple[str, ...] = ()
    currencies: Mapping[str, pd.Series] = field(default_factory=dict)
    errors: Mapping[str, pd.Series] = field(default_factory=dict)
    starts: tuple[tuple[int, str], ...] = ()

    def called(self, rows: pd.Index) -> pd.Index:
        """Return what a person calls rows, by their labels: of several files, ``"12 of part-0.parquet"``."""
        if not self.starts or not pd.api.types.is_integer_dtype(rows.dtype):
            return rows
        first, names = np.array([start for start, _ in self.starts]), [name for _, name in self.starts]
        place = np.searchsorted(first, rows, side="right") - 1
        texts = zip((rows - first[place]).tolist(), place.tolist(), strict=True)
        return pd.Index([f"{row} of {names[part]}" for row, part in texts], dtype="string")

    @property
    def delimiter(self) -> str:
        """What stands between the cells of all files; empty if that differs, or they are no CSV."""
        signs = {file.format.delimiter if file.name and file.format.kind == "csv" else "" for file in self.files}
        return signs.pop() if len(signs) == 1 else ""

    @property
    def guessed(self) -> str:
        """The encoding of text that every file can be read in, where no better one was found; empty otherwise."""
        return next((file.format.encoding for file in self.files if file.format.encoding in ("cp1252", "latin-1")), "")

    @property
    def repeated(self) -> tuple[str, ...]:
        """Names that several columns of a file have."""
        names = [[name.strip() for name in file.header if name.strip()] for file in self.files]
        return tuple(dict.fromkeys(name for each in names for name in each if each.count(name) > 1))

    def split(self, apart: Mapping[int, int | None]) -> RawTable:
        """Return the table without some rows, by position, which `files` keep apart.

        They belong to their owners, in the same file, or, where the owner is None, to the file as a whole.
        """
        files = []
        for file, span in with_spans(self.files):
            inside = {
                place - span.start: None if owner is None else owner - span.start
                for place, owner in apart.items()
                if span.start <= place < span.stop
            }
            files.append(file.split(inside) if inside else file)
        left = self.table.drop(self.table.index[sorted(apart)])
        return RawTable(left, self.notes, tuple(files), starts=self.starts)

    def take(self, rows: npt.ArrayLike) -> RawTable:
        """Return some of the rows, by their ascending positions."""
        wanted = np.asarray(rows, dtype=np.int64)
        files = []
        for file, span in with_spans(self.files):
            inside = wanted[(wanted >= span.start) & (wanted < span.stop)] - span.start
            files.append(file.take(inside.tolist()))
        return RawTable(self.table.iloc[wanted], self.notes, tuple(files), starts=self.starts)


def format_of(path: Path) -> TableFormat | None:
    """Return what the name of a file says of its format; None if that is no table.

    Examples
    --------
    >>> form = format_of(Path("shop.csv.gz"))
    >>> form.kind, form.ending, form.packed
    ('csv', '.csv.gz', '.gz')
    >>> format_of(Path("photo.jpg")) is None
    True
    """
    packed = path.suffix.lower() if path.suffix.lower() in PACKED else ""
    ending = Path(path.stem).suffix.lower() if packed else path.suffix.lower()
    kind = _KINDS.get(ending)
    return TableFormat(kind, ending + packed, packed) if kind else None


def readable_format(path: Path) -> TableFormat | None:
    """Return what :func:`format_of` does, and of a file that is called .xls only, what its programs may mean by that.

    Parameters
    ----------
    path : Path
        A file; one that is called .xls is opened.
    """
    if path.suffix.lower() != _OLD_ENDING:
        return format_of(path)
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    return TableFormat("xlsx", _OLD_ENDING) if start and not is_old_workbook(start) else None


def read_raw(
    path: Path,
    *,
    names: Collection[str] = (),
    unique: bool = True,
    encoding: str | None = None,
    sheet: str | None = None,
) -> RawTable:
    """Read a file as text.

    Parameters
    ----------
    path : Path
        Its ending says what it is; see :data:`ENDINGS`.
    names : collection of str
        Columns that are likely, in lower case: they decide between two delimiters that both fit.
    unique : bool
        Whether to refuse columns with the same name. If not, the later ones are numbered: ``label``, ``label (2)``.
    encoding : str, optional
        Of text, if it is not to be found out; see :func:`curation.listings.decoding.check_encoding`.
    sheet : str, optional
        Of a workbook, if it is not to be found out.

    Raises
    ------
    ListingsError
        If the workbook has no such sheet.
    ValueError
        If the file is not what its name says; the message is one line.
    OSError
        If it can't be read.
    """
    raw = _read(path, names, encoding, sheet)
    if unique and raw.repeated:
        raise ValueError(f"two columns called {raw.repeated[0]!r}")
    return raw


def _read(path: Path, names: Collection[str], given: str | None, sheet: str | None) -> RawTable:
    form = readable_format(path)
    if form is None:
        said = f"its name ends with {path.suffix or 'nothing'}, which is no table"
        raise ValueError(f"{said}. {step}" if (step := next_step(path.name)) else said)
    content = read_regular(path, most_bytes())
    packed = held_packing(content, form.packed)
    content = unpacked(content, packed)
    form, held = _as_held(path.name, form, packed, content, names)
    raw = _of_content(path, form, content, names, given, sheet)
    return replace(raw, notes=held + raw.notes)


def _as_held(
    name: str, form: TableFormat, packed: str, content: bytes, names: Collection[str]
) -> tuple[TableFormat, tuple[str, ...]]:
    """Return the format that a file has, and a note where its name says another one."""
    try:
        kind = held_kind(content, form.kind, names)
    except ValueError as error:
        step = next_step(name) if form.ending == _OLD_ENDING else ""
        raise ValueError(f"{error}. {step}" if step else str(error)) from None
    if kind == form.kind and packed == form.packed and form.ending != _OLD_ENDING:
        return form, ()
    how = "" if packed == form.packed else f", packed as {packed}" if packed else ", not packed"
    note = f"{name} is {_CALLED[kind]}{how}, whatever its name says, and is read as such."
    return replace(form, kind=kind, ending=f".{kind}{packed}", packed=packed), (note,)


def _of_content(
    path: Path, form: TableFormat, content: bytes, names: Collection[str], given: str | None, sheet: str | None
) -> RawTable:
    if form.kind == "parquet":
        return of_parquet(path.name, form, read_table(io.BytesIO(content)))
    if form.kind == "xlsx":
        usual = usual_workbook(content)
        read = _of_sheet(path.name, form, read_sheet(usual, names, sheet), usual)
        strict = f"{path.name} is Strict Open XML; cleaned/ has it as a usual workbook."
        return read if usual is content else replace(read, notes=(strict, *read.notes))
    text, encoding, mark = decoded(content, given)
    _require_text(content, text, encoding)
    text = _without_end_mark(text)
    form = replace(form, encoding=encoding, mark=mark)
    notes: tuple[str, ...] = () if mark or given or encoding == "utf-8" else (_encoding_note(path, encoding),)
    if form.kind == "csv":
        parsed = _parsed_csv(text, names, path.name)
        form = replace(
            form,
            delimiter=parsed.delimiter,
            newline=parsed.newline,
            quoting=parsed.quoting,
            hint=parsed.hint,
            above=parsed.above,
        )
        step = way_out_of_escapes(text, parsed.delimiter, path.name)
        read_notes = (*parsed.notes, *said_of_escapes(parsed.columns, step))
        notes += tuple(f"{path.name}: {note[0].lower()}{note[1:]}" for note in read_notes)
        # empty cells are missing; "NA", "None" or "null" may well be the name of a class
        shown, formulas = shown_cells(path.name, parsed.columns)
        values = pd.DataFrame(dict(enumerate(shown)), index=parsed.numbers, dtype="string")
        read = _raw(path.name, form, parsed.header, parsed.columns, values, notes + formulas)
        return _spelled(read, parsed.spelled, ends=parsed.ends)
    if "\r\n" in text:
        # within texts, JSON escapes them
        form, text = replace(form, newline="\r\n"), text.replace("\r\n", "\n")
    rows, style = parse_json(text, lines=form.kind == "jsonl", names=names)
    notes += tuple(f"{path.name}: {note}" for note in said_of_json(rows, style))
    names_of = list(dict.fromkeys(name for row in rows for name in row))
    require_width(len(names_of))
    # rows that share no name make a table of gaps
    check_claim(len(rows) * len(names_of) * CELL, len(content), "its table")
    # as objects: a number stays as it was written, also in a column where others are missing
    raw = pd.DataFrame(rows, dtype=object, columns=pd.Index(names_of, dtype=object))
    columns = [[literal(row[name]) if name in row else None for row in rows] for name in names_of]
    first = int(style.frame == "lines")
    raw.index = pd.RangeIndex(len(raw)) + first
    lines, style = spelled_rows(text, rows, style)
    return _spelled(_raw(path.name, replace(form, json=style), names_of, columns, raw, notes), lines, first)


def of_parquet(name: str, form: TableFormat, cells: pa.Table) -> RawTable:
    """Return the cells of a Parquet file as a table that was read.

    Parameters
    ----------
    name : str
        Of the file.
    form : TableFormat
        How it is written.
    cells : pyarrow.Table
        Its columns.

    Raises
    ------
    ValueError
        If it has too many columns, or two of one name.
    """
    require_width(cells.num_columns)
    table = as_text(_with_own_index(as_frame(without_photos(cells)), cells.column_names))
    file = WrittenFile(name, form, tuple(cells.column_names), cells)
    # the metadata tells pandas which column is the index
    renamed = cells.rename_columns(_keys(file.header)).replace_schema_metadata(cells.schema.metadata)
    return RawTable(table, (), (replace(file, cells=renamed),))


def _spelled(
    raw: RawTable, lines: Mapping[int, str], first: int = 0, ends: Mapping[int, str] | None = None
) -> RawTable:
    """Return a table whose file has the text and the ends of some rows, by their numbers, counted from `first`."""
    places = {number: place for place, number in enumerate(raw.table.index)}
    kept, ended = (
        {places[number + first]: text for number, text in each.items() if number + first in places}
        for each in (lines, ends or {})
    )
    return replace(raw, files=tuple(replace(each, lines=kept, ends=ended) for each in raw.files))


def _parsed_csv(text: str, names: Collection[str], name: str) -> Parsed:
    try:
        return parse_csv(text, names)
    except ValueError as error:
        ways = (way_out_of_escapes(text, sign, name) for sign in DELIMITERS)
        if step := next(filter(None, ways), ""):
            raise ValueError(f"{error}. {step}") from error
        raise


def _with_own_index(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return a table with its index as a column if that has no name, is in the file, and may hold the ids."""
    stored = frame.index.name is None and NAMELESS_INDEX in columns and "id" not in frame
    if not stored or are_row_numbers(pd.Series(frame.index).astype("string")):
        return frame
    return frame.reset_index(names=NAMELESS_INDEX)


def _of_sheet(file: str, form: TableFormat, sheet: Sheet, content: bytes) -> RawTable:
    notes: tuple[str, ...] = ()
    if sheet.others:
        hidden = f", {len(sheet.hidden)} of them hidden" if sheet.hidden else ""
        which = f"the hidden sheet {sheet.name!r}" if sheet.name in sheet.hidden else repr(sheet.name)
        notes = (f"{file} has {len(sheet.others) + 1} sheets{hidden}; only {which} is read.",)
    if sheet.above:
        said = said_of_header(sheet.row, sheet.above)
        notes += (f"{file}: {said[0].lower()}{said[1:]}",)
    notes += said_of_merged(file, len(sheet.merged))
    columns = [[None if pd.isna(value) else as_cell(value) for value in sheet.cells[key]] for key in sheet.cells]
    raw = _raw(file, replace(form, sheet=sheet.name), sheet.header, columns, sheet.cells, notes)
    book = Book(content, sheet.row, tuple(raw.table.index.tolist()))
    bare = rows_of_columns(sheet.uncalculated, _keys(sheet.header), raw.table)
    files = tuple(replace(each, book=book) for each in raw.files)
    named = named_by_formats(sheet.currencies, _keys(sheet.header), raw.table)
    errors = named_by_formats(sheet.errors, _keys(sheet.header), raw.table)
    return replace(raw, files=files, uncalculated=bare, sheets=sheet.others, currencies=named, errors=errors)


def _raw(
    name: str,
    form: TableFormat,
    header: Sequence[str],
    columns: Sequence[Sequence[str | None]],
    values: pd.DataFrame,
    notes: tuple[str, ...] = (),
) -> RawTable:
    """Return a table of cells; `values` are what they mean, their index the numbers of the rows."""
    keys = _keys(header)
    arrays = [pa.array(cells, pa.string()) for cells in columns]
    cells = pa.table(arrays, names=keys)
    table = as_text(values.set_axis(keys, axis=1))
    table.index = values.index
    filled = table.notna().any(axis=1).to_numpy(dtype=bool)
    # e.g. a delimiter at the end of every line
    nameless = [key for key, given in zip(keys, header, strict=True) if not given.strip() and table[key].isna().all()]
    table = table[filled].drop(columns=nameless)
    file = WrittenFile(name, form, tuple(header), cells if filled.all() else cells.filter(pa.array(filled)))
    return RawTable(table, notes, (file,))


def _keys(header: Sequence[str]) -> list[str]:
    """Return names for columns: without blanks around them, and different ones."""
    names = [text_of_formula(name).strip() or f"Unnamed: {place}" for place, name in enumerate(header)]
    # in the order they were added, with how often each name was met: a search from 1 would take ever longer
    keys: dict[str, None] = {}
    met: dict[str, int] = {}
    for name in names:
        number, key = met.get(name, 1), name
        while key in keys:
            number += 1
            key = f"{name} ({number})"
        keys[key] = None
        met[name] = number
    return list(keys)


def _require_text(content: bytes, text: str, encoding: str) -> None:
    """Refuse a file that is no text, whatever its name says; every file can be read as Latin-1."""
    for start, what in _OTHER_FILES.items():
        if content.startswith(start):
            raise ValueError(f"it is no text but {what}")
    if page := web_page(text[:_SAMPLE]):
        raise ValueError(f"it is {page}")
    sample = text[:_SAMPLE]
    odd = sum(sign < " " and sign not in "\t\r\n" for sign in sample)
    odd = sample.count("\0") if encoding == "utf-8" else odd
    if encoding in ("utf-8", "cp1252", "latin-1") and odd > _MOST_ODD * len(sample):
        raise ValueError("it is no text")


def _without_end_mark(text: str) -> str:
    """Return a text without the sign that old systems put at its end."""
    bare = text.rstrip("\r\n")
    return bare.rstrip("\x1a") if bare.endswith("\x1a") else text


def _encoding_note(path: Path, encoding: str) -> str:
    return f"{path.name} is not UTF-8; it was read as {encoding}. If names look wrong, save it as UTF-8."


def held_table(raw: pd.DataFrame) -> RawTable:
    """Return a table in memory as one that was read; written, it is CSV.

    Raises
    ------
    ValueError
        If two columns have the same name.
    """
    text = as_written(raw)
    cells = pa.Table.from_pandas(text, preserve_index=False)
    file = WrittenFile("", TableFormat("csv", ".csv"), tuple(text.columns), cells.replace_schema_metadata(None))
    return RawTable(stripped(text), files=(file,))
